"""Batches out of a table of rows: the text column, cut by size, with its labels."""

from collections import Counter
from collections.abc import Iterator

import pyarrow as pa

from assay.corpus.bin_file import cut_ranges
from assay.corpus.readers.batch import Batch
from assay.corpus.readers.documents import (
    drop_missing,
    flatten,
    list_offsets,
    validate_texts,
)
from assay.corpus.readers.labels import read_counts, read_labels, read_texts
from assay.corpus.readers.text_column import read_text_column
from assay.corpus.shards import Shard

LABELS = ("id", "url", "token_count")
_BATCH_BYTES = 16_000_000  # of text a batch, unless one document is longer


def cut_table(table: pa.Table, first: int, shard: Shard, policy: str) -> Iterator[Batch]:
    """Yield the documents of a table, in order, about 16 MB of text at a time.

    Args:
        table: Its text column is the shard's; of `LABELS` those that there are.
        first: The row in the shard at which the table begins.
        shard: What it was read from.
        policy: What to do with a text that is not UTF-8.

    Raises:
        ShardError: A text is not UTF-8 (policy "stop").
    """
    texts = read_text_column(table, shard.text_column)
    offsets = list_offsets(texts)
    for lo, hi in cut_ranges(offsets[:-1], offsets[1:], _BATCH_BYTES):
        rows = table.slice(lo, hi - lo)
        yield _make_batch(rows, texts.slice(lo, hi - lo), first + lo, shard, policy)


def _make_batch(table: pa.Table, texts: pa.Array, first: int, shard: Shard, policy: str) -> Batch:
    texts, keep_N, counts = drop_missing(texts)
    texts, valid_N, invalid = validate_texts(texts, first + keep_N, shard, policy)
    keep_N = keep_N[valid_N]
    data, offsets_N = flatten(texts)
    ids, lost_ids = read_labels(table, "id", keep_N, read_texts)
    urls, lost_urls = read_labels(table, "url", keep_N, read_texts)
    stored, lost_counts = read_labels(table, "token_count", keep_N, read_counts)
    lost = Counter(stored_unreadable=lost_counts, labels_unreadable=lost_ids + lost_urls)
    return Batch(
        shard=shard.index,
        rows_N=first + keep_N,
        data=data,
        offsets_N=offsets_N,
        ids=ids,
        urls=urls,
        stored_tokens=stored,
        counts=counts + invalid + lost,
    )
