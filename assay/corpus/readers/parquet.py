"""Parquet: opened and checked, and read a row group at a time, small ones many at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from assay.corpus.bin_file import cut_ranges
from assay.corpus.contents import describe_content
from assay.corpus.conversions import quote_shell
from assay.corpus.readers.batch import MAX_BYTES, Batch
from assay.corpus.readers.table_batches import LABELS, cut_table
from assay.corpus.readers.text_column import check_text_column
from assay.corpus.shards import Shard
from assay.engine import give_back_memory
from assay.errors import ShardError

_BUFFER_BYTES = 1 << 20
_MAX_FOOTER_BYTES = 1 << 30
_NAMES = ("", ".parquet", ".parq", ".pq")
_UNIT_BYTES = 4_000_000  # of row groups that are read together, before they are compressed


def open_parquet(path: Path, split: str, index: int, text_column: str) -> Shard:
    """Check a parquet file by its footer.

    Raises:
        ShardError: It is not parquet, or has no such column, or one of another type.
    """
    try:
        with open_parquet_file(path) as parquet:
            schema, metadata = parquet.schema_arrow, parquet.metadata
            names = schema.names
            signed = _is_signed(path, metadata)
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise ShardError(_explain(path, error)) from error
    check_text_column(path, schema, text_column)
    if signed:
        _check_readable(path, [text_column, *(name for name in LABELS if name in names)])
    groups, parts = _cut_units(metadata)
    return Shard(index, path, split, "parquet", text_column, groups, tuple(names), parts=parts)


def open_parquet_file(path: Path, **options: Any) -> pq.ParquetFile:
    """Open a parquet file whose footer may be large: R writes attributes into it."""
    return pq.ParquetFile(path, thrift_string_size_limit=_MAX_FOOTER_BYTES, **options)


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
        self._file = open_parquet_file(shard.path, page_checksum_verification=True)

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
        return open_parquet_file(
            self._shard.path,
            page_checksum_verification=True,
            pre_buffer=False,
            buffer_size=_BUFFER_BYTES,
        )


def _explain(path: Path, error: Exception) -> str:
    """Say why a file is not parquet, from its first and last bytes."""
    size, head, tail = path.stat().st_size, b"", b""
    try:
        with path.open("rb") as file:
            head = file.read(4)
            file.seek(max(0, size - 8))
            tail = file.read(8)
        if tail[-4:] == b"PARE":
            return _advise_decryption(path)
        found = "" if head == b"PAR1" else describe_content(path)
    except OSError as unreadable:
        found = f"it cannot be read ({unreadable.strerror})"
    if head == b"PAR1" and tail[-4:] != b"PAR1":
        found = f"it is truncated ({size:,} bytes, no closing PAR1); download it again"
    elif head == b"PAR1" and _MAX_FOOTER_BYTES < int.from_bytes(tail[:4], "little") < size:
        found = f"its footer has over {_MAX_FOOTER_BYTES:,} bytes; write it without its metadata"
    what = "not a parquet file" if path.suffix.lower() in _NAMES else "no shard"
    return f"{path} is {what}: {found or ' '.join(str(error).split())[:200]}"


def _is_signed(path: Path, metadata: pq.FileMetaData) -> bool:
    """Tell whether a footer is followed by a signature: then columns of it may be encrypted.

    To ask the footer which they are ends the process (pyarrow 26).
    """
    with path.open("rb") as file:
        file.seek(-8, 2)
        length = int.from_bytes(file.read(4), "little")
    return bool(length != metadata.serialized_size)


def _check_readable(path: Path, columns: list[str]) -> None:
    """Refuse a file with encrypted columns where those that are needed are among them."""
    try:
        with open_parquet_file(path) as parquet:
            if parquet.num_row_groups:
                parquet.read_row_group(0, columns=columns, use_threads=False)
    except (OSError, pa.ArrowException) as error:
        raise ShardError(_advise_decryption(path)) from error


def _advise_decryption(path: Path) -> str:
    """Say that a file is encrypted, and by which command it is decrypted where one has the key."""
    out = path.with_name("decrypted.parquet")
    python = (
        "import pyarrow.parquet as p, pyarrow.parquet.encryption as e; "
        f"p.write_table(p.read_table({str(path)!r}, decryption_properties="
        f"e.create_decryption_properties(b'KEY')), {str(out)!r})"
    )
    return f"{path} is encrypted parquet; decrypt it first: python -c {quote_shell(python)}"
