"""Pairs within clusters: every text is compared with those that stay, whichever bands it shares.

A document may go only for one that stays, and counts by what it adds to the one that it repeats
most: so all texts of a cluster are compared with each other, pairs that no band proposed and pairs
that others had joined too. Of a cluster too large for that, each text is compared with those that
stay; pairs of two that go are left out, and counted.
"""

# N = documents, P = pairs, M = members of clusters, K = clusters

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.audit.pairs.jaccard import ShingleSets, jaccard_at_least, sizes_rule_out
from assay.engine import map_tasks
from assay.kernels import njit
from assay.storage.spill import release_pages

MAX_TEXTS = 1000  # of a cluster whose texts are all compared with each other
WORK_BUDGET = 1 << 31  # shingles to read, for each of the two ways: some 5 s on one core
_SLICE = 1 << 24  # shingles to read, by a thread at a time


@dataclass(frozen=True, slots=True)
class ClusterPairs:
    """Pairs at or over the threshold among the texts of clusters, and what was left out.

    `pair_P2` (smaller first, ascending, each once) holds pairs known before, too. `num_left` pairs
    of two texts that go were not compared, nor `num_uncompared` for want of budget; each pair
    counts once. `open_N` tells the documents of clusters with such pairs.
    """

    pair_P2: NDArray[np.int64]
    jaccard_P: NDArray[np.float64]
    num_left: int
    num_uncompared: int
    open_N: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Clusters:
    """Members of K clusters: `members_M[starts[k]:starts[k + 1]]`, and the work of all pairs."""

    members_M: NDArray[np.int64]
    starts: NDArray[np.int64]
    cost_K: NDArray[np.float64]

    def take(self, chosen: NDArray[np.int64]) -> "_Clusters":
        """Return some of the clusters, in this order."""
        parts = [self.members_M[self.starts[k] : self.starts[k + 1]] for k in chosen.tolist()]
        sizes = [0, *(part.size for part in parts)]
        members_M = np.concatenate([np.empty(0, np.int64), *parts])
        return _Clusters(members_M, np.cumsum(sizes), self.cost_K[chosen])


def compare_clusters(
    sets: ShingleSets,
    label_N: NDArray[np.int64],
    rank_N: NDArray[np.int64],
    pair_P2: NDArray[np.int64],
    jaccard_P: NDArray[np.float64],
    threshold: float,
    *,
    compared_P2: NDArray[np.int64],
    threads: int = 1,
    max_texts: int = MAX_TEXTS,
    budget: int = WORK_BUDGET,
) -> ClusterPairs:
    """Compare the texts of each cluster with each other, or at least with those that stay.

    Clusters are taken by the work that they make, the least first, so that a giant one costs no
    other its comparisons.

    Args:
        sets: Shingle sets, by position; of texts of equal sets only one has a label.
        label_N: The cluster of each text; -1 for documents that take no part.
        rank_N: Each text's place in the keeping order.
        pair_P2: Near pairs that are known already, the smaller first.
        jaccard_P: Their Jaccard.
        threshold: Smallest Jaccard of a pair, in (0, 1].
        compared_P2: Pairs that were compared before, near or not, each once; a cluster of which
            these are all is left at that.
        threads: The result does not depend on them.
        max_texts: Of a cluster whose pairs are all compared.
        budget: Shingles to read, for all pairs of clusters and again for those with texts that
            stay; the second may be exceeded by one pair.
    """
    clusters = _list_clusters(label_N, np.diff(sets.offsets_N), compared_P2)
    size_K = np.diff(clusters.starts)
    order = np.lexsort((np.arange(size_K.size), clusters.cost_K))
    small = order[size_K[order] <= max_texts]
    small = small[np.cumsum(clusters.cost_K[small]) <= budget]
    large = np.setdiff1d(order, small)
    large = large[np.lexsort((large, clusters.cost_K[large]))]
    found = list(map_tasks(_Task(sets, threshold), _slice(clusters.take(small)), threads))

    stays_N = np.zeros(label_N.size, np.bool_)
    counts = np.zeros(2, np.int64)
    for k in large.tolist():
        members_M = clusters.members_M[clusters.starts[k] : clusters.starts[k + 1]]
        members_M = members_M[np.argsort(rank_N[members_M])]
        pairs, values, budget = _compare_with_stayers(
            sets.values, sets.offsets_N, members_M, threshold, budget, stays_N, counts
        )
        release_pages(sets.values)
        found.append((pairs, values))
    open_N = np.zeros(label_N.size, np.bool_)
    open_N[clusters.take(large).members_M] = True
    both_P2 = np.concatenate([pair_P2, *(np.sort(pairs, axis=1) for pairs, _ in found)])
    both_P = np.concatenate([jaccard_P, *(values for _, values in found)])
    both_P2, place = np.unique(both_P2, axis=0, return_index=True)
    listed_P = open_N[both_P2].all(axis=1) & ~stays_N[both_P2].any(axis=1)
    num_left = max(0, int(counts[0]) - int(listed_P.sum()))
    return ClusterPairs(both_P2, both_P[place], num_left, int(counts[1]), open_N)


def _list_clusters(
    label_N: NDArray[np.int64], size_N: NDArray[np.int64], compared_P2: NDArray[np.int64]
) -> _Clusters:
    """List the clusters with pairs that were not compared, each by the size of its members' sets.

    Two texts are a cluster by their own pair, which was.
    """
    members_M = np.flatnonzero(label_N >= 0)
    members_M = members_M[np.lexsort((members_M, size_N[members_M], label_N[members_M]))]
    _, start_K, count_K = np.unique(label_N[members_M], return_index=True, return_counts=True)
    read_K = np.add.reduceat(size_N[members_M], start_K) if start_K.size else start_K
    cost_K = (count_K - 1.0) * read_K
    listed = _Clusters(members_M, np.append(start_K, members_M.size), cost_K)
    label_P2 = label_N[compared_P2]
    inside = label_P2[(label_P2[:, 0] == label_P2[:, 1]) & (label_P2[:, 0] >= 0), 0]
    known_N = np.bincount(inside, minlength=label_N.size)
    known_K = known_N[label_N[members_M[start_K]]]
    return listed.take(np.flatnonzero((count_K > 2) & (known_K < count_K * (count_K - 1) // 2)))


def _slice(clusters: _Clusters) -> Iterator[_Clusters]:
    """Cut clusters into runs of about as much work, in their order."""
    run_K = (np.cumsum(clusters.cost_K) // _SLICE).astype(np.int64)
    edges = np.append(np.flatnonzero(np.diff(run_K, prepend=-1)), run_K.size)
    for first, last in pairwise(edges.tolist()):
        starts = clusters.starts[first : last + 1]
        members_M = clusters.members_M[starts[0] : starts[-1]]
        yield _Clusters(members_M, starts - starts[0], clusters.cost_K[first:last])


@dataclass(frozen=True, slots=True)
class _Task:
    """Compares all pairs of some clusters."""

    sets: ShingleSets
    threshold: float

    def __call__(self, clusters: _Clusters) -> tuple[NDArray[Any], NDArray[Any]]:
        sets = self.sets
        found = _compare_all(
            sets.values, sets.offsets_N, clusters.members_M, clusters.starts, self.threshold
        )
        release_pages(sets.values)
        return found


@njit
def _compare_all(
    values: NDArray[np.uint64],
    offsets: NDArray[np.int64],
    members_M: NDArray[np.int64],
    starts: NDArray[np.int64],
    threshold: float,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Compare all pairs of each cluster, its members by size ascending; return the near ones."""
    pair_P2 = np.empty((max(members_M.size, 16), 2), np.int64)
    jaccard_P = np.empty(pair_P2.shape[0], np.float64)
    found = 0
    for cluster in range(starts.size - 1):
        for i in range(starts[cluster], starts[cluster + 1]):
            a = members_M[i]
            for j in range(i + 1, starts[cluster + 1]):
                b = members_M[j]
                if sizes_rule_out(offsets, a, b, threshold):
                    break
                jaccard = jaccard_at_least(values, offsets, a, b, threshold)
                if jaccard >= threshold:
                    if found == jaccard_P.size:
                        pair_P2 = np.concatenate((pair_P2, np.empty((found, 2), np.int64)))
                        jaccard_P = np.concatenate((jaccard_P, np.empty(found, np.float64)))
                    pair_P2[found, 0], pair_P2[found, 1] = a, b
                    jaccard_P[found] = jaccard
                    found += 1
    return pair_P2[:found].copy(), jaccard_P[:found].copy()


@njit
def _compare_with_stayers(
    values: NDArray[np.uint64],
    offsets: NDArray[np.int64],
    members_M: NDArray[np.int64],
    threshold: float,
    left: int,
    stays_N: NDArray[np.bool_],
    counts: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.float64], int]:
    """Compare each member, in the keeping order, with those that stay before it and after it.

    Adds to `counts`: pairs of two that go, and pairs not compared for want of budget. Returns the
    near pairs, their Jaccard, and the budget left.
    """
    pair_P2 = np.empty((2 * members_M.size, 2), np.int64)
    jaccard_P = np.empty(pair_P2.shape[0], np.float64)
    staying, going = np.empty_like(members_M), np.empty_like(members_M)
    found, num_staying, num_going = 0, 0, 0
    for place in range(members_M.size):
        member = members_M[place]
        size = offsets[member + 1] - offsets[member]
        stays = True
        for turn in range(2):  # those that stay; then, if it stays itself, those that go
            if turn == 1 and not stays:
                break
            others = staying if turn == 0 else going
            for at in range(num_staying if turn == 0 else num_going):
                other = others[at]
                other_size = offsets[other + 1] - offsets[other]
                left -= 1
                if sizes_rule_out(offsets, member, other, threshold):
                    continue
                left -= size + other_size
                jaccard = jaccard_at_least(values, offsets, member, other, threshold)
                if jaccard >= threshold:
                    if found == jaccard_P.size:
                        pair_P2 = np.concatenate((pair_P2, np.empty((found, 2), np.int64)))
                        jaccard_P = np.concatenate((jaccard_P, np.empty(found, np.float64)))
                    pair_P2[found, 0], pair_P2[found, 1] = member, other
                    jaccard_P[found] = jaccard
                    found += 1
                    stays = turn == 1 and stays
        if stays:
            staying[num_staying] = member
            num_staying += 1
            stays_N[member] = True
        else:
            going[num_going] = member
            num_going += 1
        if left <= 0:
            rest = members_M.size - place - 1
            counts[1] += rest * (rest - 1) // 2 + rest * (place + 1)
            break
    counts[0] += num_going * (num_going - 1) // 2
    return pair_P2[:found].copy(), jaccard_P[:found].copy(), left
