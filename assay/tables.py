"""The tables that stages hand to each other: their columns, and how they are read and written.

zstd, page checksums on: without them a flipped bit in a parquet page gives wrong rows and no
error (pyarrow, polars and duckdb alike). polars does not check them, so tables are read through
arrow. Columns as in docs/contracts.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from assay.artifacts import FileEntry
from assay.errors import InputError
from assay.publish import publish

if TYPE_CHECKING:
    import polars as pl  # loaded where a table is read or written: it takes 60 ms

_ROW_GROUP = 65_536  # rows; fixed, so that bytes do not depend on how the rows were made

HASH = pa.binary(16)

DOCUMENTS = pa.schema(
    [
        ("shard", pa.uint32()),
        ("row", pa.uint64()),
        ("id", pa.large_string()),
        ("url", pa.large_string()),
        ("split", pa.large_string()),
        ("bytes", pa.uint64()),
        ("chars", pa.uint64()),
        ("words", pa.uint64()),
        ("tokens", pa.uint64()),
        ("stored_tokens", pa.int64()),
        ("content_hash", HASH),
        ("short", pa.bool_()),
        ("cluster", pa.uint64()),
        ("keeper", pa.bool_()),
        ("keeper_jaccard", pa.float64()),
    ]
)
PAIRS = pa.schema(
    [
        ("shard_a", pa.uint32()),
        ("row_a", pa.uint64()),
        ("shard_b", pa.uint32()),
        ("row_b", pa.uint64()),
        ("id_a", pa.large_string()),
        ("id_b", pa.large_string()),
        ("jaccard", pa.float64()),
        ("kind", pa.large_string()),
    ]
)
CLUSTERS = pa.schema(
    [
        ("cluster", pa.uint64()),
        ("size", pa.uint64()),
        ("keeper_shard", pa.uint32()),
        ("keeper_row", pa.uint64()),
        ("tokens", pa.uint64()),
        ("weakest_jaccard", pa.float64()),
    ]
)
LEAKS = pa.schema(
    [
        ("val_shard", pa.uint32()),
        ("val_row", pa.uint64()),
        ("val_id", pa.large_string()),
        ("train_shard", pa.uint32()),
        ("train_row", pa.uint64()),
        ("train_id", pa.large_string()),
        ("tier", pa.large_string()),
        ("jaccard", pa.float64()),
        ("coverage", pa.float64()),
        ("val_start", pa.uint64()),
        ("train_start", pa.uint64()),
        ("words", pa.uint64()),
    ]
)
BIN_DOCUMENTS = pa.schema(
    [
        ("split", pa.large_string()),
        ("start", pa.uint64()),
        ("end", pa.uint64()),
        ("shard", pa.uint32()),
        ("row", pa.uint64()),
        ("id", pa.large_string()),
        ("url", pa.large_string()),
        ("bytes", pa.uint64()),
        ("content_hash", HASH),
    ]
)
DROPPED = pa.schema(
    [
        ("shard", pa.uint32()),
        ("row", pa.uint64()),
        ("id", pa.large_string()),
        ("tokens", pa.uint64()),
        ("reason", pa.large_string()),
        ("because_shard", pa.uint32()),
        ("because_row", pa.uint64()),
    ]
)
LOSSES = pa.schema(
    [
        ("document", pa.uint64()),
        ("nats", pa.float64()),
        ("tokens", pa.uint64()),
        ("bytes", pa.uint64()),
        ("leaked", pa.bool_()),
    ]
)


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
