"""Bins: uint16 token ids as nanoGPT and llm.c write them, mapped and cut into documents."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from assay.errors import InputError, ShardError, UsageError

DTYPE = np.dtype("<u2")
_LLMC_MAGIC, _LLMC_HEADER_IDS = 20_240_520, 512  # 256 int32 before the ids (llm.c, data_common.py)


def map_bin(path: Path) -> np.ndarray:
    """Map a headerless uint16 bin, read-only; shape (ids,).

    Raises:
        UsageError: There is no such file.
        InputError: It is empty, or its size is odd.
    """
    if not path.is_file():
        raise UsageError(f"no bin at {path}")
    size = path.stat().st_size
    if size == 0 or size % DTYPE.itemsize:
        raise InputError(
            f"{path} has {size:,} bytes; a uint16 bin has an even number, two for each id"
        )
    return np.memmap(path, dtype=DTYPE, mode="r")


def read_bin_ids(path: Path) -> np.ndarray:
    """Map the ids of a bin, nanoGPT's (no header) or llm.c's (256 int32 first); uint16, (ids,).

    Raises:
        ShardError: Its size does not fit its form.
    """
    ids_T = map_bin(path)
    if ids_T.size < _LLMC_HEADER_IDS:
        return ids_T
    header = np.frombuffer(ids_T[:_LLMC_HEADER_IDS].tobytes(), dtype="<i4")
    if header[0] != _LLMC_MAGIC:
        return ids_T
    body = ids_T[_LLMC_HEADER_IDS:]
    if body.size != header[2]:
        raise ShardError(f"{path} has {body.size:,} ids, its llm.c header says {header[2]:,}")
    return body


def cut_ranges(start_N: np.ndarray, end_N: np.ndarray, most: int) -> Iterator[tuple[int, int]]:
    """Cut consecutive documents into ranges [first, last) of at most `most` ids, or bytes.

    A longer document is a range of its own. The same documents are cut alike.

    >>> list(cut_ranges(np.array([0, 3, 5, 9]), np.array([3, 5, 9, 10]), 5))
    [(0, 2), (2, 4)]
    """
    first = 0
    while first < len(end_N):
        limit = start_N[first] + most
        last = max(first + 1, int(np.searchsorted(end_N, limit, side="right")))
        yield first, last
        first = last


def find_documents(ids_T: np.ndarray, end_of_text: int) -> np.ndarray:
    """Find the documents of a bin: int64, shape (documents, 2), start and end without its mark.

    A mark after each document (nanoGPT) or before each (llm.c) is told by the first and the last
    id; where both or neither are marks, marks are taken to end documents. An unfinished last
    document counts. Reads the whole bin once.
    """
    marks_D = np.flatnonzero(ids_T == end_of_text)
    length = ids_T.size
    if length and ids_T[0] == end_of_text and ids_T[-1] != end_of_text:
        starts_D, ends_D = marks_D + 1, np.append(marks_D[1:], length)
    else:
        starts_D, ends_D = np.append(0, marks_D + 1)[: marks_D.size], marks_D
        tail = int(marks_D[-1]) + 1 if marks_D.size else 0
        if tail < length:
            starts_D, ends_D = np.append(starts_D, tail), np.append(ends_D, length)
    return np.stack([starts_D, ends_D], axis=1).astype(np.int64)
