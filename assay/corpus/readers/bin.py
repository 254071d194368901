"""Bins of token ids: opened, cut into documents, and read some documents at a time."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from assay.corpus.bin_file import cut_ranges
from assay.corpus.bins.bin_file import BinOptions, open_bin_file
from assay.corpus.readers.batch import MAX_BYTES, Batch
from assay.corpus.readers.documents import flatten, validate_texts
from assay.corpus.shards import Shard
from assay.corpus.tokenizer import Encoded, Tokenizer
from assay.errors import ShardError

_GROUP_IDS = 4_000_000  # ids read at a time: about 18 MB of English


def open_bin(path: Path, split: str, index: int, options: BinOptions) -> Shard:
    """Tell what a bin is, check it, and find its documents. Errors as in `open_bin_file`."""
    file = open_bin_file(path, options)
    starts_D, ends_D = file.spans.ends_D2.T
    groups = tuple(cut_ranges(starts_D, ends_D, _GROUP_IDS))
    return Shard(index, path, split, "bin", "", groups, ids=file)


class BinReader:
    """Reads the documents of one bin; one for each thread.

    `policy` is what to do with a text that is not UTF-8: "replace", "drop" or "stop".
    """

    def __init__(self, shard: Shard, policy: str, tokenizer: Tokenizer) -> None:
        self._shard, self._policy, self._tokenizer = shard, policy, tokenizer

    def read(self, group: int) -> Iterator[Batch]:
        """Yield the documents of a group in one batch, with their ids.

        Raises:
            ShardError: An id is not in the vocabulary, or a text is not UTF-8 (policy "stop").
        """
        shard = self._shard
        first, last = shard.groups[group]
        rows_N, tokens, token_offsets = self._read_rows(first, last)
        oversized = Counter(oversized=last - first - rows_N.size)
        raw = _decode(tokens, token_offsets, self._tokenizer)
        texts, valid_N, counts = validate_texts(raw, rows_N, shard, self._policy)
        data, offsets_N = flatten(texts)
        if not valid_N.all():
            sizes = np.diff(token_offsets)
            tokens = tokens[np.repeat(valid_N, sizes)]
            token_offsets = np.append(0, np.cumsum(sizes[valid_N]))
        nulls = pa.nulls(len(texts))
        yield Batch(
            shard=shard.index,
            rows_N=rows_N[valid_N],
            data=data,
            offsets_N=offsets_N,
            ids=nulls.cast(pa.large_string()),
            urls=nulls.cast(pa.large_string()),
            stored_tokens=nulls.cast(pa.int64()),
            counts=counts + oversized,
            encoded=Encoded(tokens, token_offsets),
        )

    def _read_rows(self, first: int, last: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return rows of at most `MAX_BYTES` of text, their ids, and offsets of these.

        Ids of more than so many are not read: nearly each stands for a byte or more.
        """
        assert self._shard.ids is not None
        spans = self._shard.ids.spans.ends_D2[first:last]
        rows_N = first + np.flatnonzero(spans[:, 1] - spans[:, 0] <= MAX_BYTES)
        spans = spans[rows_N - first]
        tokens, sizes = self._read_ids(spans), spans[:, 1] - spans[:, 0]
        lengths = np.diff(self._tokenizer.pieces[1])
        bytes_N = np.diff(np.append(0, np.cumsum(lengths[tokens]))[np.append(0, np.cumsum(sizes))])
        if (long_N := bytes_N > MAX_BYTES).any():
            tokens, rows_N = tokens[np.repeat(~long_N, sizes)], rows_N[~long_N]
            sizes = sizes[~long_N]
        return rows_N, tokens, np.append(0, np.cumsum(sizes)).astype(np.int64)

    def _read_ids(self, spans: np.ndarray) -> np.ndarray:
        """Return the ids of some documents, one after another."""
        shard, tokenizer = self._shard, self._tokenizer
        assert shard.ids is not None
        ids_T = shard.ids.layout.map_ids(shard.path)
        parts = [ids_T[lo:hi] for lo, hi in spans.tolist()]
        parts.append(np.zeros(0, np.uint32))
        tokens = np.concatenate(parts, dtype=np.uint32, casting="unsafe")
        if tokens.size and int(tokens.max()) >= tokenizer.vocab_size:
            raise ShardError(
                f"{shard.name} holds id {int(tokens.max())}, {tokenizer.name} has "
                f"{tokenizer.vocab_size:,}; it changed since it was opened",
                shard=shard.index,
            )
        return tokens


def _decode(tokens: np.ndarray, offsets: np.ndarray, tokenizer: Tokenizer) -> pa.Array:
    """Decode the ids of many documents to their bytes, as a large_binary array."""
    pieces, starts = tokenizer.pieces
    lengths = np.diff(starts)[tokens]
    ends = np.append(0, np.cumsum(lengths))
    where = np.repeat(starts[tokens] - ends[:-1], lengths) + np.arange(ends[-1])
    buffers = [None, pa.py_buffer(ends[offsets].astype(np.int64)), pa.py_buffer(pieces[where])]
    return pa.Array.from_buffers(pa.large_binary(), offsets.size - 1, buffers)
