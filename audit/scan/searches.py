"""What is looked for in train while it is scanned: texts that are held, and their n-grams found."""

# D = held documents

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.audit.scan.benchmark_items import BenchmarkItems, find_letters
from assay.corpus.readers.batch import Batch
from assay.corpus.shard_reader import ShardReader
from assay.corpus.shards import Shard
from assay.corpus.tokenizer import Tokenizer
from assay.engine import map_tasks
from assay.spans.hit_table import HitTable
from assay.spans.hits import Hits, find_hits, join_hits, shift_hits
from assay.spans.index import IndexBuilder, NgramIndex


@dataclass(frozen=True, slots=True)
class Search:
    """Texts that are looked for in each training document, and what was found so far.

    `text_D` is the number in the index of each held document, in their order: equal ones are one.
    """

    index: NgramIndex
    text_D: NDArray[np.int64]
    table: HitTable

    def search(self, batch: Batch) -> Hits:
        """Find n-grams of the held texts in a batch; documents are numbered within it."""
        return find_hits(batch.data, batch.offsets_N, self.index)


def search_val(
    shards: Sequence[Shard],
    tokenizer: Tokenizer,
    invalid_utf8: str,
    length: int,
    threads: int,
    folder: Path,
) -> Search | None:
    """Prepare to look for the validation documents of some shards in the others.

    Reads the validation shards once. None where either side is empty.

    Raises:
        ShardError: A shard cannot be read.
        UsageError: The validation documents have too many words.
    """
    val = [shard for shard in shards if shard.split == "val"]
    if not val or len(val) == len(shards):
        return None
    builder = IndexBuilder()
    for batches in read_groups(val, tokenizer, invalid_utf8, threads):
        for batch in batches:
            builder.add(batch.data, batch.offsets_N)
    return Search(builder.build(length), np.array(builder.text_D, np.int64), HitTable(folder))


def search_items(items: BenchmarkItems, length: int, folder: Path) -> Search:
    """Prepare to look for the items of benchmarks: their n-grams that have a letter."""
    builder = IndexBuilder()
    for text in items.texts:
        builder.add_text(text.encode())
    index = builder.build(length, find_letters)
    return Search(index, np.array(builder.text_D, np.int64), HitTable(folder))


def search_shard(
    shard: Shard,
    searches: Sequence[Search],
    tokenizer: Tokenizer,
    invalid_utf8: str,
    threads: int,
) -> list[Hits]:
    """Find what is looked for in a shard that need not be scanned; documents number within it."""
    parts: list[list[Hits]] = [[] for _ in searches]
    first = 0
    if not searches:
        return []
    for batches in read_groups([shard], tokenizer, invalid_utf8, threads):
        for batch in batches:
            for found, search in zip(parts, searches, strict=True):
                found.append(shift_hits(search.search(batch), first))
            first += batch.rows_N.size
    return [join_hits(found) for found in parts]


def read_groups(
    shards: Sequence[Shard], tokenizer: Tokenizer, invalid_utf8: str, threads: int
) -> Iterator[list[Batch]]:
    """Yield the batches of each row group, in the order of shards."""

    def read(task: tuple[Shard, int]) -> list[Batch]:
        shard, group = task
        return list(ShardReader(shard, tokenizer, invalid_utf8).read(group))

    tasks = [(shard, group) for shard in shards for group in range(len(shard.groups))]
    return map_tasks(read, tasks, threads)
