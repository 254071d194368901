"""Read candidates again: the shingle sets of chosen documents, from the shards."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from assay.audit.pairs.jaccard import ShingleSets, join_sets, make_sets
from assay.audit.scan.documents import Documents
from assay.corpus.shard_reader import ThreadReaders
from assay.corpus.shards import Shard
from assay.corpus.tokenizer import Tokenizer
from assay.engine import map_tasks
from assay.storage.spill import Spill
from assay.text.shingling import Shingling

MEMORY_BYTES = 1 << 28  # larger sets lie on disk


def read_shingle_sets(
    documents: Documents,
    chosen_N: np.ndarray,
    shingling: Shingling,
    shards: Sequence[Shard],
    tokenizer: Tokenizer,
    threads: int,
    folder: Path,
) -> ShingleSets:
    """Return the shingle sets of the chosen documents; empty sets stand for the others.

    Reads only the row groups that hold a chosen document. 8 bytes a distinct shingle: in memory,
    or in a nameless file in `folder` where that may be more than `MEMORY_BYTES`.

    Raises:
        SpaceError: The disk is full.
    """
    readers = ThreadReaders(tokenizer, documents.invalid_utf8)
    tasks = [(shard, group) for shard in shards for group in range(len(shard.groups))]

    def read(task: tuple[Shard, int]) -> ShingleSets:
        shard, group = task
        chosen = chosen_N[_find_group(documents, shard, group)]
        if not chosen.any():
            return ShingleSets(np.zeros(0, np.uint64), np.zeros(chosen.size + 1, np.int64))
        sets, first = [], 0
        for batch in readers.open(shard).read(group):
            part = chosen[first : first + batch.rows_N.size]
            sets.append(make_sets(batch.data, batch.offsets_N, chosen_N=part, shingling=shingling))
            first += batch.rows_N.size
        return join_sets(sets)

    num_bytes = 8 * int(documents.shingles_N[chosen_N].sum())
    parts = map_tasks(read, tasks, threads)
    if num_bytes <= MEMORY_BYTES:
        return join_sets(list(parts))
    spill = Spill(folder, f"up to {num_bytes:,} bytes of shingle sets")
    sizes = []
    for part in parts:
        spill.append(part.values)
        sizes.append(np.diff(part.offsets_N))
    offsets_N = np.append(0, np.cumsum(np.concatenate(sizes)))
    return ShingleSets(spill.map(np.uint64, (int(offsets_N[-1]),)), offsets_N)


def _find_group(documents: Documents, shard: Shard, group: int) -> slice:
    """Return the positions of a row group's documents."""
    first, last = np.searchsorted(documents.shard_N, [shard.index, shard.index + 1]).tolist()
    lo, hi = np.searchsorted(documents.row_N[first:last], shard.groups[group]).tolist()
    return slice(first + lo, first + hi)
