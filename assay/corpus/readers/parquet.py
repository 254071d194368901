"""Parquet: opened and checked, and read a row group at a time, small ones many at a time."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from assay.corpus.bin_file import cut_ranges
from assay.corpus.readers.batch import MAX_BYTES, Batch
from assay.corpus.readers.table_batches import LABELS, cut_table
from assay.corpus.readers.text_column import check_text_column
from assay.corpus.shards import Shard
from assay.engine import give_back_memory
from assay.errors import ShardError

_BUFFER_BYTES = 1 << 20
_UNIT_BYTES = 4_000_000  # of row groups that are read together, before they are compressed


def open_parquet(path: Path, split: str, index: int, text_column: str) -> Shard:
    """Check a parquet file by its footer.

    Raises:
        ShardError: It is not parquet, or has no such column, or one of another type.
    """
    try:
        with pq.ParquetFile(path) as parquet:
            schema, metadata = parquet.schema_arrow, parquet.metadata
            names = schema.names
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise ShardError(f"{path} is not a parquet file: {_explain(path, error)}") from error
    check_text_column(path, schema, text_column)
    groups, parts = _cut_units(metadata)
    return Shard(index, path, split, "parquet", text_column, groups, tuple(names), parts=parts)


def _cut_units(
    metadata: pq.FileMetaData,
) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
    """Cut a file into units of reading: their rows, and their row groups, as ranges.

    Some writers flush a row at a time: row groups are joined up to `_UNIT_BYTES`.
    """
    found = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
    ends_G = np.cumsum([group.total_byte_size for group in found], dtype=np.int64)
    starts_G = np.append(0, ends_G)[:-1]
    parts = tuple(cut_ranges(starts_G, ends_G, _UNIT_BYTES))
    rows_G = np.append(0, np.cumsum([group.num_rows for group in found], dtype=np.int64)).tolist()
    return tuple((rows_G[first], rows_G[last]) for first, last in parts), parts


class ParquetReader:
    """Reads units of one parquet file; one for each thread.

    `policy` is what to do with a text that is not UTF-8: "replace", "drop" or "stop".
    """

    def __init__(self, shard: Shard, policy: str) -> None:
        self._shard, self._policy = shard, policy
        # Checksums of pages are verified where there are any.
        self._file = pq.ParquetFile(shard.path, page_checksum_verification=True)

    def read(self, group: int) -> Iterator[Batch]:
        """Yield the documents of a unit, in order, about 16 MB of text at a time.

        Raises:
            ShardError: A row group is corrupt, or a text is not UTF-8 (policy "stop").
        """
        shard = self._shard
        first, last = shard.parts[group]
        try:
            table = self._read_groups(first, last)
        except (OSError, pa.ArrowException):
            for each in range(first, last):  # to name the one that is corrupt
                self._read_one(each)
            raise
        yield from cut_table(table, shard.groups[group][0], shard, self._policy)

    def _read_one(self, index: int) -> None:
        try:
            self._read_groups(index, index + 1)
        except (OSError, pa.ArrowException) as error:
            shard, reason = self._shard, " ".join(str(error).split())[:200]
            raise ShardError(
                f"{shard.name}: row group {index} is corrupt: {reason}", shard=shard.index
            ) from error

    def _read_groups(self, first: int, last: int) -> pa.Table:
        shard = self._shard
        labels = [name for name in LABELS if name in shard.columns]
        return self._choose_file(first, last).read_row_groups(
            range(first, last),
            columns=list(dict.fromkeys([shard.text_column, *labels])),
            use_threads=False,
        )

    def _choose_file(self, first: int, last: int) -> pq.ParquetFile:
        """Return the file, opened so that a huge row group is not held in compressed form, too."""
        metadata = self._file.metadata
        if last > first + 1 or metadata.row_group(first).total_byte_size < MAX_BYTES:
            return self._file
        give_back_memory()
        return pq.ParquetFile(
            self._shard.path,
            page_checksum_verification=True,
            pre_buffer=False,
            buffer_size=_BUFFER_BYTES,
        )


def _explain(path: Path, error: Exception) -> str:
    """Say why a file is not parquet, from its first and last bytes."""
    size = path.stat().st_size
    if size == 0:
        return "it is empty (0 bytes)"
    try:
        with path.open("rb") as file:
            head = file.read(256)
            file.seek(max(0, size - 4))
            tail = file.read(4)
    except OSError as unreadable:
        return f"it cannot be read ({unreadable.strerror})"
    if head.lstrip()[:1] == b"<":
        return "it is an HTML or XML page; download the file itself"
    if head.startswith(b"version https://git-lfs"):
        return "it is a Git LFS pointer; run git lfs pull"
    if head.startswith(b"PAR1") and tail != b"PAR1":
        return f"it is truncated ({size:,} bytes, no closing PAR1); download it again"
    return " ".join(str(error).split())[:200]
