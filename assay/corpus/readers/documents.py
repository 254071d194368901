"""Rows of texts, as a format holds them, to documents: what is left out, what is mended."""

from collections import Counter
from contextlib import suppress

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from assay.corpus.readers.batch import MAX_BYTES
from assay.corpus.shards import Shard
from assay.errors import ShardError


def holds_text(kind: pa.DataType) -> bool:
    """Tell whether a column of this type can hold texts: strings and bytes of every kind."""
    kind = _unfold_type(kind)
    strings = (pa.string(), pa.large_string(), pa.string_view())
    return kind in (*strings, pa.binary(), pa.large_binary(), pa.binary_view(), pa.null())


def drop_missing(texts: pa.Array) -> tuple[pa.Array, np.ndarray, Counter[str]]:
    """Leave out nulls and texts over `MAX_BYTES`; return texts, their positions, counts."""
    keep_N = np.flatnonzero(pc.is_valid(texts).to_numpy(zero_copy_only=False))
    counts = Counter(null=len(texts) - keep_N.size)
    if counts["null"]:
        texts = texts.take(pa.array(keep_N))
    if texts.nbytes > MAX_BYTES:  # a batch of more than that is one document
        long_N = np.diff(list_offsets(texts)) > MAX_BYTES
        counts["oversized"], keep_N = int(long_N.sum()), keep_N[~long_N]
        texts = texts.filter(pa.array(~long_N))
    return texts, keep_N, counts


def validate_texts(
    texts: pa.Array, rows_N: np.ndarray, shard: Shard, policy: str
) -> tuple[pa.Array, np.ndarray, Counter[str]]:
    """Apply the policy for texts that are not UTF-8; return texts, kept mask, counts.

    Args:
        texts: large_binary, without nulls.
        rows_N: Their rows in the shard.
        shard: Named in the error.
        policy: "replace", "drop" or "stop".

    Raises:
        ShardError: A text is not UTF-8 (policy "stop").
    """
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
            if policy == "stop":
                raise ShardError(
                    f"{shard.name}: row {rows_N[position]} is not UTF-8; "
                    "choose invalid_utf8 replace or drop",
                    "invalid_utf8",
                )
            keep_N[position] = policy == "replace"
        if keep_N[position]:
            mended.append(text)
    counts["dropped_invalid"] = len(texts) - len(mended)
    return pa.array(mended, pa.large_binary()), keep_N, counts


def as_binary(column: pa.ChunkedArray) -> pa.Array:
    """Return a text column of any kind as one large_binary array."""
    column = unfold(column)
    if column.type in (pa.string_view(), pa.string()):
        column = column.cast(pa.large_string())
    elif column.type == pa.binary_view():
        column = column.cast(pa.binary())
    return join_chunks(column.cast(pa.large_binary()))


def unfold(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of a dictionary as its values, of an extension type as what it stores."""
    kind = _unfold_type(column.type)
    while column.type != kind:
        of = column.type
        column = column.cast(of.value_type if pa.types.is_dictionary(of) else of.storage_type)
    return column


def _unfold_type(kind: pa.DataType) -> pa.DataType:
    while True:
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        elif isinstance(kind, pa.BaseExtensionType):
            kind = kind.storage_type
        else:
            return kind


def join_chunks(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array; `combine_chunks` would copy a single chunk, too."""
    return (
        column.chunk(0)
        if column.num_chunks == 1
        else pa.concat_arrays(column.chunks or [pa.array([], column.type)])
    )


def list_offsets(texts: pa.Array) -> np.ndarray:
    """Return where each text of a large_binary array begins in its buffer, and the last ends."""
    return np.frombuffer(texts.buffers()[1], np.int64)[texts.offset :][: len(texts) + 1]


def flatten(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Return the bytes of a large_binary array without nulls, and offsets that begin at 0."""
    if len(texts) == 0:
        return np.zeros(0, np.uint8), np.zeros(1, np.int64)
    offsets = list_offsets(texts)
    lo, hi = int(offsets[0]), int(offsets[-1])
    held = texts.buffers()[2] if hi > lo else b""
    return np.frombuffer(held, np.uint8)[lo:hi], offsets - lo
