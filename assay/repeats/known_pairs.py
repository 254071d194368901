"""The pairs that an audit keeps, read back from its tables, and cut at another threshold."""

# N = documents, P = pairs

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assay.repeats.clusters import connect_texts, count_within
from assay.repeats.copies import group_copies
from assay.storage.tables import read_hashes

if TYPE_CHECKING:
    import polars as pl

_ROW_BITS = np.uint64(40)


@dataclass(frozen=True, slots=True)
class PairCounts:
    """How many near pairs there are: of documents, and of sets of shingles.

    Of documents `near` pairs that a band proposed, `within` found in clusters alone, `unlisted` of
    large groups of equal sets. `equal` documents have the set of another, `proposed` pairs of two
    sets were proposed by a band.
    """

    near: int
    within: int
    unlisted: int
    equal: int
    proposed: int


@dataclass(frozen=True, slots=True)
class KnownPairs:
    """Near pairs of N documents, each text by its first document, the smaller one first.

    `first_N` is the first document with the same text. Of each pair the Jaccard is known, and
    whether a band proposed it: the others were found within a cluster.
    """

    first_N: NDArray[np.int64]
    pair_P2: NDArray[np.int64]
    jaccard_P: NDArray[np.float64]
    proposed_P: NDArray[np.bool_]

    @property
    def graph(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """What clusters and keepers are made of: `first_N`, `pair_P2`, `jaccard_P`."""
        return self.first_N, self.pair_P2, self.jaccard_P

    def cut(self, threshold: float, val_N: NDArray[np.bool_]) -> KnownPairs:
        """Return the pairs that an audit with this threshold, which is no lower, would have found.

        It looks within its own clusters, which are smaller, for pairs that no band proposed; and
        for those of two training documents within clusters of train alone: what train has of its
        own does not depend on the validation documents (`val_N`) beside it.
        """
        pairs = self._take(self.jaccard_P >= threshold)
        proposed = pairs._take(pairs.proposed_P)
        of_train = proposed._take(~proposed._any(val_N))
        val_P = pairs._any(val_N)
        inside_P = np.where(val_P, proposed._joins(pairs), of_train._joins(pairs))
        return pairs._take(pairs.proposed_P | inside_P)

    def tally(self, cap: int) -> PairCounts:
        """Count the pairs, and those not listed as they are of groups of over `cap` equal sets."""
        own_N = np.arange(self.first_N.size)
        equal = self._take(self.jaccard_P == 1)
        class_N = connect_texts(*equal.graph).label_N  # equal sets
        size_N = np.bincount(class_N[self.first_N == own_N], minlength=own_N.size)
        unlike = self._take(self.jaccard_P < 1)
        class_P2 = np.sort(class_N[unlike.pair_P2], axis=1)
        once_P2, place = np.unique(class_P2, axis=0, return_index=True)
        large_P = self._any(size_N[class_N] > cap)
        across = size_N[once_P2][(size_N[once_P2] > cap).any(axis=1)]
        within = size_N[size_N > cap]
        num_large = int(across.prod(axis=1).sum()) + count_within(within)
        return PairCounts(
            near=int(self.proposed_P.sum()),
            within=int((~self.proposed_P).sum()),
            unlisted=num_large - int(large_P.sum()),
            equal=int(np.maximum(size_N - 1, 0).sum()),
            proposed=int(unlike.proposed_P[place].sum()),
        )

    def _joins(self, pairs: KnownPairs) -> NDArray[np.bool_]:
        """Tell the pairs that lie within the clusters that these pairs make."""
        label_P2 = connect_texts(*self.graph).label_N[pairs.pair_P2]
        return np.asarray(label_P2[:, 0] == label_P2[:, 1])

    def _any(self, chosen_N: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell the pairs of which at least one document is chosen."""
        return np.asarray(chosen_N[self.pair_P2].any(axis=1))

    def _take(self, chosen_P: NDArray[np.bool_]) -> KnownPairs:
        return KnownPairs(
            self.first_N,
            self.pair_P2[chosen_P],
            self.jaccard_P[chosen_P],
            self.proposed_P[chosen_P],
        )


def read_known_pairs(documents: pl.DataFrame, pairs: pl.DataFrame) -> KnownPairs:
    """Read the near pairs of an audit from its tables.

    Args:
        documents: Its `documents`, in their order: by shard and row.
        pairs: Its `pairs`.
    """
    first_N = group_copies(read_hashes(documents["content_hash"]), documents["bytes"].to_numpy())
    near = pairs.filter(pairs["kind"] != "exact")
    ends = [find_positions(documents, near, f"shard_{x}", f"row_{x}") for x in "ab"]
    pair_P2 = np.stack(ends, axis=1)
    proposed_P = (near["kind"] == "near").to_numpy()
    return KnownPairs(first_N, pair_P2, near["jaccard"].to_numpy(), proposed_P)


def find_positions(
    documents: pl.DataFrame, table: pl.DataFrame, shard: str, row: str
) -> NDArray[np.int64]:
    """Return the positions of the documents that two columns of a table name.

    Args:
        documents: All of them, by shard and row.
        table: Names documents that are there.
        shard: Its column with their shards.
        row: Its column with their rows.
    """
    return np.searchsorted(_key(documents, "shard", "row"), _key(table, shard, row))


def _key(table: pl.DataFrame, shard: str, row: str) -> NDArray[np.uint64]:
    """Return one number a document, ascending as its place does."""
    rows = table[row].to_numpy().astype(np.uint64)
    return (table[shard].to_numpy().astype(np.uint64) << _ROW_BITS) | rows
