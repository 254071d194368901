"""Arrow IPC, as files (Feather) or streams (Hugging Face's `datasets`): some batches at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from assay.corpus.bin_file import cut_ranges
from assay.corpus.contents import describe_content
from assay.corpus.readers.batch import Batch
from assay.corpus.readers.table_batches import LABELS, cut_table
from assay.corpus.readers.text_column import check_text_column
from assay.corpus.shards import Shard
from assay.errors import ShardError

MAGIC = b"ARROW1"
_UNIT_BYTES = 4_000_000  # of record batches that are read together
_ERRORS = (OSError, pa.ArrowException, EOFError, UnicodeDecodeError)


def open_arrow(path: Path, split: str, index: int, text_column: str) -> Shard:
    """Check an Arrow file or stream, and count the rows of its batches.

    Raises:
        ShardError: It is neither, is corrupt, or has no such column, or one of another type.
    """
    try:
        batches = _Batches(path)
        check_text_column(path, batches.schema, text_column)
        sizes = [(batch.num_rows, batch.get_total_buffer_size()) for batch in batches.read()]
    except _ERRORS as error:
        found = describe_content(path) or _shorten(error)
        raise ShardError(f"{path} is not Arrow IPC: {found}") from error
    ends_B = np.cumsum([size for _, size in sizes], dtype=np.int64)
    parts = tuple(cut_ranges(np.append(0, ends_B)[:-1], ends_B, _UNIT_BYTES))
    rows_B = np.append(0, np.cumsum([rows for rows, _ in sizes], dtype=np.int64)).tolist()
    groups = tuple((rows_B[first], rows_B[last]) for first, last in parts)
    names = tuple(batches.schema.names)
    return Shard(index, path, split, "arrow", text_column, groups, names, parts=parts)


class ArrowReader:
    """Reads units of one Arrow file or stream; one for each thread.

    `policy` is what to do with a text that is not UTF-8: "replace", "drop" or "stop". A stream has
    no index: its units are read in ascending order, and from its beginning for an earlier one.
    """

    def __init__(self, shard: Shard, policy: str) -> None:
        self._shard, self._policy = shard, policy
        top = shard.text_column if shard.text_column in shard.columns else None
        top = top or shard.text_column.split(".")[0]
        self._wanted = [name for name in (top, *LABELS) if name in shard.columns]
        self._batches = _Batches(shard.path, self._wanted)

    def read(self, group: int) -> Iterator[Batch]:
        """Yield the documents of a unit, in order, about 16 MB of text at a time.

        Raises:
            ShardError: A batch is corrupt, or a text is not UTF-8 (policy "stop").
        """
        shard = self._shard
        first, last = shard.parts[group]
        try:
            batches = [_check(batch) for batch in self._batches.read(first, last)]
            table = pa.Table.from_batches(batches, self._batches.schema)
        except _ERRORS as error:
            raise ShardError(
                f"{shard.name}: record batches {first} to {last - 1} are corrupt: "
                f"{_shorten(error)}",
                shard=shard.index,
            ) from error
        if table.num_rows != shard.groups[group][1] - shard.groups[group][0]:
            raise ShardError(f"{shard.name} changed while it was read", shard=shard.index)
        yield from cut_table(table, shard.groups[group][0], shard, self._policy)


class _Batches:
    """The record batches of a file or stream, from a mapping of it; of some columns, or of all."""

    def __init__(self, path: Path, names: list[str] | None = None) -> None:
        self._path, self._names = path, names
        with path.open("rb") as file:
            self._is_file = file.read(len(MAGIC)) == MAGIC
        self._open()
        self.schema = self._reader.schema

    def _open(self) -> None:
        source = pa.memory_map(str(self._path))
        options = pa.ipc.IpcReadOptions(use_threads=False)
        if self._names is not None:
            schema = self._begin(source, options).schema
            fields = [i for i, name in enumerate(schema.names) if name in self._names]
            options = pa.ipc.IpcReadOptions(use_threads=False, included_fields=fields)
            source.seek(0)
        self._reader, self._next = self._begin(source, options), 0

    def _begin(self, source: pa.NativeFile, options: pa.ipc.IpcReadOptions) -> Any:
        opening = pa.ipc.open_file if self._is_file else pa.ipc.open_stream
        return opening(source, options=options)

    def read(self, first: int = 0, last: int | None = None) -> Iterator[pa.RecordBatch]:
        """Yield the batches [first, last), all where no last one is named."""
        if self._is_file:
            for index in range(first, self._reader.num_record_batches if last is None else last):
                yield self._reader.get_batch(index)
            return
        if first < self._next:
            self._open()
        while last is None or self._next < last:
            try:
                batch = self._reader.read_next_batch()
            except StopIteration:
                return
            self._next += 1
            if self._next > first:
                yield batch


def _check(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Check all offsets and indices of a batch: what is damaged could lead out of its memory.

    Texts are checked as bytes: whether they are UTF-8 is asked later, by the policy.
    """
    bytes_of = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary()}
    for column in batch.columns:
        kind = bytes_of.get(column.type)
        (column if kind is None else column.view(kind)).validate(full=True)
    return batch


def _shorten(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
