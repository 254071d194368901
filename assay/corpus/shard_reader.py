"""Read the documents of a shard, a row group at a time, as bytes in one buffer."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from assay.corpus.bin_file import cut_ranges, read_bin_ids
from assay.corpus.shards import Shard, holds_text
from assay.corpus.tokenizer import Encoded, Tokenizer
from assay.engine import give_back_memory
from assay.errors import ShardError

_BATCH_BYTES = 16_000_000  # of text a batch, unless one document is longer
# A longer text is set aside and counted: some steps need ten times its size in memory. A document
# of the web of over 10 MB is rare; one of 256 MB is no document but a dump.
MAX_BYTES = 256_000_000
_BUFFER_BYTES = 1 << 20
SKIPPED = ("null", "dropped_invalid", "oversized")  # counts of rows that are no documents


@dataclass(frozen=True, slots=True)
class Batch:
    """N documents of one shard.

    Attributes:
        rows_N: Their rows in the shard, int64, ascending; rows with a null text are left out.
        data: uint8, the texts as valid UTF-8 one after another; may be arrow's own memory.
        offsets_N: int64, shape (N + 1,), where each begins in `data`.
        ids: Labels of the documents, or nulls. `urls` likewise.
        stored_tokens: The shard's own `token_count`, or nulls.
        encoded: For bins, the ids that they hold.
        counts: Rows that are `null`; texts that were `invalid_utf8`, `dropped_invalid` those of
            them that were left out; `oversized`: texts over `MAX_BYTES`, left out.
    """

    shard: int
    rows_N: np.ndarray
    data: np.ndarray
    offsets_N: np.ndarray
    ids: pa.Array
    urls: pa.Array
    stored_tokens: pa.Array
    counts: Counter[str]
    encoded: Encoded | None = None


class ShardReader:
    """Reads row groups of one shard; one for each thread."""

    def __init__(self, shard: Shard, tokenizer: Tokenizer, invalid: str = "replace") -> None:
        self.shard = shard
        self._tokenizer = tokenizer
        self._invalid = invalid
        self._parquet = (
            pq.ParquetFile(shard.path, page_checksum_verification=True)  # where there are any
            if shard.kind == "parquet"
            else None
        )

    def read(self, group: int) -> Iterator[Batch]:
        """Yield the documents of a row group, in order, about 16 MB of text at a time.

        Raises:
            ShardError: The row group is corrupt, or a text is not UTF-8 (policy "stop").
        """
        if self._parquet is None:
            yield self._read_bin(group)
            return
        wanted = (self.shard.text_column, "id", "url", "token_count")
        try:
            table = self._choose_file(group).read_row_group(
                group,
                columns=[name for name in wanted if name in self.shard.columns],
                use_threads=False,
            )
        except (OSError, pa.ArrowException) as error:
            reason = " ".join(str(error).split())[:200]
            raise ShardError(
                f"{self.shard.name}: row group {group} is corrupt: {reason}", shard=self.shard.index
            ) from error
        first, _ = self.shard.groups[group]
        texts = _as_binary(table.column(self.shard.text_column))
        offsets = _list_offsets(texts)
        for lo, hi in cut_ranges(offsets[:-1], offsets[1:], _BATCH_BYTES):
            yield self._make_batch(table.slice(lo, hi - lo), texts.slice(lo, hi - lo), first + lo)

    def _choose_file(self, group: int) -> pq.ParquetFile:
        """Return the file, opened so that a huge row group is not held in compressed form, too."""
        assert self._parquet is not None
        if self._parquet.metadata.row_group(group).total_byte_size < MAX_BYTES:
            return self._parquet
        give_back_memory()
        return pq.ParquetFile(
            self.shard.path,
            page_checksum_verification=True,
            pre_buffer=False,
            buffer_size=_BUFFER_BYTES,
        )

    def _make_batch(self, table: pa.Table, texts: pa.Array, first: int) -> Batch:
        keep_N = np.flatnonzero(pc.is_valid(texts).to_numpy(zero_copy_only=False))
        counts = Counter(null=len(texts) - keep_N.size)
        if counts["null"]:
            texts = texts.take(pa.array(keep_N))
        if texts.nbytes > MAX_BYTES:  # a batch of more than that is one document
            long_N = np.diff(_list_offsets(texts)) > MAX_BYTES
            counts["oversized"], keep_N = int(long_N.sum()), keep_N[~long_N]
            texts = texts.filter(pa.array(~long_N))
        texts, valid_N, invalid = self._validate(texts, first + keep_N)
        keep_N = keep_N[valid_N]
        data, offsets_N = _flatten(texts)
        return Batch(
            shard=self.shard.index,
            rows_N=first + keep_N,
            data=data,
            offsets_N=offsets_N,
            ids=_label(table, keep_N, "id", pa.large_string()),
            urls=_label(table, keep_N, "url", pa.large_string()),
            stored_tokens=_label(table, keep_N, "token_count", pa.int64()),
            counts=counts + invalid,
        )

    def _validate(
        self, texts: pa.Array, rows_N: np.ndarray
    ) -> tuple[pa.Array, np.ndarray, Counter[str]]:
        """Apply the policy for texts that are not UTF-8; return texts, kept mask, counts."""
        keep_N = np.ones(len(texts), dtype=bool)
        with suppress(pa.ArrowInvalid):
            texts.view(pa.large_string()).validate(full=True)
            return texts, keep_N, Counter()
        mended: list[bytes] = []
        counts: Counter[str] = Counter()
        for position, raw in enumerate(texts.to_pylist()):
            text = raw.decode("utf-8", "replace").encode()
            if text != raw:
                counts["invalid_utf8"] += 1
                if self._invalid == "stop":
                    raise ShardError(
                        f"{self.shard.name}: row {rows_N[position]} is not UTF-8; "
                        "choose invalid_utf8 replace or drop",
                        "invalid_utf8",
                    )
                keep_N[position] = self._invalid == "replace"
            if keep_N[position]:
                mended.append(text)
        counts["dropped_invalid"] = len(texts) - len(mended)
        return pa.array(mended, pa.large_binary()), keep_N, counts

    def _read_bin(self, group: int) -> Batch:
        first, last = self.shard.groups[group]
        assert self.shard.spans is not None
        spans = self.shard.spans[first:last]
        ids_T = read_bin_ids(self.shard.path)
        tokens = np.concatenate([ids_T[lo:hi] for lo, hi in spans.tolist()], dtype=np.uint32)
        if tokens.size and int(tokens.max()) >= self._tokenizer.vocab_size:
            raise ShardError(
                f"{self.shard.name} holds id {int(tokens.max())}, {self._tokenizer.name} has "
                f"{self._tokenizer.vocab_size:,}; another tokenizer, or not uint16",
                shard=self.shard.index,
            )
        token_offsets = np.append(0, np.cumsum(spans[:, 1] - spans[:, 0])).astype(np.int64)
        raw = _decode(tokens, token_offsets, self._tokenizer)
        keep = np.arange(first, last)
        texts, valid_N, counts = self._validate(raw, keep)
        data, offsets_N = _flatten(texts)
        if not valid_N.all():
            sizes = np.diff(token_offsets)
            tokens = tokens[np.repeat(valid_N, sizes)]
            token_offsets = np.append(0, np.cumsum(sizes[valid_N]))
        nulls = pa.nulls(len(texts))
        return Batch(
            shard=self.shard.index,
            rows_N=keep[valid_N],
            data=data,
            offsets_N=offsets_N,
            ids=nulls.cast(pa.large_string()),
            urls=nulls.cast(pa.large_string()),
            stored_tokens=nulls.cast(pa.int64()),
            counts=counts,
            encoded=Encoded(tokens, token_offsets),
        )


def _as_binary(column: pa.ChunkedArray) -> pa.Array:
    """Return a text column of any kind as one large_binary array."""
    column = _unfold(column)
    if column.type in (pa.string_view(), pa.string()):
        column = column.cast(pa.large_string())
    elif column.type == pa.binary_view():
        column = column.cast(pa.binary())
    return _join_chunks(column.cast(pa.large_binary()))


def _unfold(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of a dictionary as its values, another as it is."""
    kind = column.type
    return column.cast(kind.value_type) if pa.types.is_dictionary(kind) else column


def _join_chunks(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array; `combine_chunks` would copy a single chunk, too."""
    return (
        column.chunk(0)
        if column.num_chunks == 1
        else pa.concat_arrays(column.chunks or [pa.array([], column.type)])
    )


def _list_offsets(texts: pa.Array) -> np.ndarray:
    """Return where each text of a large_binary array begins in its buffer, and the last ends."""
    return np.frombuffer(texts.buffers()[1], np.int64)[texts.offset :][: len(texts) + 1]


def _flatten(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Return the bytes of a large_binary array without nulls, and offsets that begin at 0."""
    if len(texts) == 0:
        return np.zeros(0, np.uint8), np.zeros(1, np.int64)
    offsets = _list_offsets(texts)
    lo, hi = int(offsets[0]), int(offsets[-1])
    held = texts.buffers()[2] if hi > lo else b""
    return np.frombuffer(held, np.uint8)[lo:hi], offsets - lo


def _decode(tokens: np.ndarray, offsets: np.ndarray, tokenizer: Tokenizer) -> pa.Array:
    """Decode the ids of many documents to their bytes, as a large_binary array."""
    pieces, starts = tokenizer.pieces
    lengths = np.diff(starts)[tokens]
    ends = np.append(0, np.cumsum(lengths))
    where = np.repeat(starts[tokens] - ends[:-1], lengths) + np.arange(ends[-1])
    buffers = [None, pa.py_buffer(ends[offsets].astype(np.int64)), pa.py_buffer(pieces[where])]
    return pa.Array.from_buffers(pa.large_binary(), offsets.size - 1, buffers)


def _decode_labels(labels: pa.Array) -> pa.Array:
    """Return large_binary labels as text; what is not UTF-8 in one of them is replaced."""
    texts = labels.view(pa.large_string())
    with suppress(pa.ArrowInvalid):
        texts.validate(full=True)
        return texts
    mended = [raw if raw is None else raw.decode("utf-8", "replace") for raw in labels.to_pylist()]
    return pa.array(mended, pa.large_string())


def _label(table: pa.Table, keep_N: np.ndarray, name: str, kind: pa.DataType) -> pa.Array:
    """Return rows of a column as `kind`, or nulls where it is missing or of another kind."""
    array = _cast_label(table, name, kind)  # first: views cannot be taken from
    return array.take(pa.array(keep_N)) if keep_N.size < len(array) else array


def _cast_label(table: pa.Table, name: str, kind: pa.DataType) -> pa.Array:
    if name not in table.column_names:
        return pa.nulls(table.num_rows, kind)
    column = table.column(name)
    if pa.types.is_large_string(kind) and holds_text(column.type):
        return _decode_labels(_as_binary(column))
    with suppress(pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return _join_chunks(_unfold(column).cast(kind))
    return pa.nulls(table.num_rows, kind)
