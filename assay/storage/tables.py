"""The tables that stages hand to each other: their columns, and how they are read and written.

zstd, page checksums on: without them a flipped bit in a parquet page gives wrong rows and no
error (pyarrow, polars and duckdb alike). polars does not check them, so tables are read through
arrow. Columns as in docs/contracts.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from assay.errors import InputError
from assay.storage.manifest import FileEntry
from assay.storage.publish import publish

if TYPE_CHECKING:
    import polars as pl  # loaded where a table is read or written: it takes 60 ms

_ROW_GROUP = 65_536  # rows; fixed, so that bytes do not depend on how the rows were made

HASH = pa.binary(16)


def pack_hashes(hashes_N: np.ndarray) -> pa.Array:
    """Return hashes, 16 bytes each, as a column of type `HASH`."""
    return pa.FixedSizeBinaryArray.from_buffers(
        HASH, hashes_N.size, [None, pa.py_buffer(np.ascontiguousarray(hashes_N))]
    )


def unpack_hashes(column: pa.ChunkedArray) -> np.ndarray:
    """Return a column of type `HASH` without nulls as an array of 16 bytes each."""
    whole = column.combine_chunks()
    data = whole.buffers()[1] if len(whole) else b""
    return np.frombuffer(data, "V16")[whole.offset :][: len(whole)]


def read_hashes(column: pl.Series) -> np.ndarray:
    """Return hashes of one of our tables as an array of 16 bytes each."""
    return np.frombuffer(b"".join(column), "V16")


def write_table(path: Path, table: pa.Table | pl.DataFrame, schema: pa.Schema) -> FileEntry:
    """Write a table under `path`, whole or not at all, in the columns and types of `schema`.

    Equal rows give equal bytes (for one version of pyarrow).

    Raises:
        KeyError: A column of `schema` is missing.
        SpaceError: The disk is full.
    """
    arrow = table if isinstance(table, pa.Table) else table.to_arrow()
    arrow = arrow.select(schema.names).cast(schema).combine_chunks()
    with publish(path) as file:
        pq.write_table(
            arrow,
            pa.PythonFile(file, mode="w"),
            compression="zstd",
            row_group_size=_ROW_GROUP,
            write_page_checksum=True,
        )
    return FileEntry(name=path.name, size=file.size, sha256=file.sha256, rows=arrow.num_rows)


def read_table(path: Path) -> pl.DataFrame:
    """Read one of our tables, its page checksums verified.

    Raises:
        InputError: It is missing or corrupt.
    """
    try:
        arrow = pq.read_table(path, page_checksum_verification=True)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    import polars as pl

    frame = pl.from_arrow(arrow)
    assert isinstance(frame, pl.DataFrame)
    return frame
