"""Where the parts of a file lie: what a mutation can aim at."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq


@dataclass(frozen=True, slots=True)
class Region:
    """Bytes [start, end) of a file that have one purpose."""

    name: str
    start: int
    end: int


def find_regions(path: Path) -> list[Region]:
    """List the parts of a valid file, by its kind; parts may overlap."""
    size = path.stat().st_size
    if path.suffix == ".parquet":
        return [*_find_parquet(path, size), Region("anywhere", 0, size)]
    if path.suffix in (".bin", ".npy", ".ds", ".idx", ".index"):
        return [*_find_binary(size), Region("anywhere", 0, size)]
    return [*_find_lines(path), Region("anywhere", 0, size)]


def _find_parquet(path: Path, size: int) -> Iterator[Region]:
    (length,) = struct.unpack("<I", path.read_bytes()[-8:-4])
    yield Region("magic", 0, 4)
    yield Region("footer", size - 8 - length, size - 8)
    yield Region("footer length", size - 8, size - 4)
    yield Region("last magic", size - 4, size)
    metadata = pq.read_metadata(path)
    for group in range(metadata.num_row_groups):
        for column in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(column)
            start = chunk.dictionary_page_offset or chunk.data_page_offset
            end = start + chunk.total_compressed_size
            yield Region("page header", start, min(end, start + 24))
            yield Region("page", min(end, start + 24), end)


def _find_binary(size: int) -> Iterator[Region]:
    yield Region("head", 0, min(size, 64))
    yield Region("header", 0, min(size, 1024))
    yield Region("body", min(size // 2, 1024), size)
    yield Region("tail", max(0, size - 64), size)


def _find_lines(path: Path) -> Iterator[Region]:
    start = 0
    for line in path.read_bytes().splitlines(keepends=True)[:200]:
        yield Region("line", start, start + len(line))
        yield Region("end of line", start + len(line) - 1, start + len(line))
        start += len(line)
