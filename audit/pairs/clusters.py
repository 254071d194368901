"""Clusters: documents joined by exact or near pairs, and the one of each that is kept."""

# N = documents, P = pairs, M = members of a bucket

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.audit.pairs.jaccard import ShingleSets, jaccard_at_least
from assay.kernels import njit
from assay.storage.spill import release_pages

WORK_BUDGET = 1 << 31  # some 5 s on one core


@dataclass(frozen=True, slots=True)
class Clusters:
    """What pairs join.

    `label_N` is the smallest position in a document's cluster, its own if it stands alone.
    `weakest_N` is the weakest link of that cluster: the highest threshold at which it still
    holds together (the smallest Jaccard on a maximum spanning tree); 1 where it stands alone.
    """

    label_N: NDArray[np.int64]
    weakest_N: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Guarded:
    """What comparing the members of large buckets found, and what it left out.

    `pair_P2` (smaller first) are pairs at or over the threshold that joined two clusters. Pairs
    whose documents were joined already count in `num_joined`, those for which the budget gave out
    in `num_uncompared`, joined ones and ones of unlike sizes included: where that is not 0, any
    number of duplicates is a lower bound.
    """

    pair_P2: NDArray[np.int64]
    jaccard_P: NDArray[np.float64]
    num_compared: int
    num_joined: int
    num_uncompared: int


def connect(
    num_documents: int, pair_P2: NDArray[np.int64], jaccard_P: NDArray[np.float64]
) -> Clusters:
    """Join documents by pairs; exact ones have Jaccard 1. Their order does not matter.

    Raises:
        ValueError: A pair names a document that is not there, or has no Jaccard (NaN).
    """
    pairs = np.ascontiguousarray(pair_P2, np.int64).reshape(-1, 2)
    if pairs.size and (pairs.min() < 0 or pairs.max() >= num_documents):
        raise ValueError(f"pairs name documents outside 0 to {num_documents - 1}")
    if len(jaccard_P) != len(pairs) or np.isnan(jaccard_P).any():
        raise ValueError(f"{len(pairs)} pairs need as many Jaccard values, none of them NaN")
    order = np.argsort(-jaccard_P, kind="stable")
    parent_N = np.arange(num_documents)
    weakest_N = np.ones(num_documents)
    _join_pairs(parent_N, weakest_N, pairs[order], np.asarray(jaccard_P, np.float64)[order])
    return Clusters(parent_N, weakest_N[parent_N])


def choose_keepers(
    label_N: NDArray[np.int64],
    tokens_N: NDArray[np.int64],
    content_hash_N: NDArray[np.void],
) -> NDArray[np.int64]:
    """Return for each document the keeper of its cluster.

    That is the document of most tokens, of those the one of smallest content hash, and of equal
    texts the first. The choice does not depend on the order of the pairs.

    Args:
        label_N: The cluster of each document.
        tokens_N: Its tokens.
        content_hash_N: Its content hash, 16 bytes that compare as big-endian numbers do.
    """
    halves = np.ascontiguousarray(content_hash_N).view(">u8").reshape(-1, 2).astype(np.uint64)
    # From the last key to the first; what is equal in all of them stays in its order.
    order = np.lexsort((halves[:, 1], halves[:, 0], -tokens_N, label_N))
    is_first = np.ones(len(order), np.bool_)
    is_first[1:] = label_N[order[1:]] != label_N[order[:-1]]
    keeper_of = np.zeros(len(label_N), np.int64)
    best = order[is_first]
    keeper_of[label_N[best]] = best
    return keeper_of[label_N]


def compare_guarded(
    sets: ShingleSets,
    buckets: Sequence[NDArray[np.int64]],
    label_N: NDArray[np.int64],
    threshold: float,
    *,
    budget: int = WORK_BUDGET,
) -> Guarded:
    """Compare documents that share a bucket too large for all its pairs.

    Documents that `label_N`, or a pair found here, has joined already are not compared: clusters
    come out as if all pairs had been, within the budget. Members are taken by the size of their
    sets, so that pairs which sizes rule out are left at once (they are neither joined nor
    uncompared).

    Args:
        sets: Shingle sets, by position.
        buckets: Positions of the members of each bucket.
        label_N: Clusters of what is joined already.
        threshold: Smallest Jaccard of a pair, in (0, 1].
        budget: Shingles to read, a pair passed over counting as one; about 2 ns each. May be
            exceeded by one pair.
    """
    parent_N = np.ascontiguousarray(label_N, np.int64).copy()
    size_N = np.diff(sets.offsets_N)
    pairs = [np.empty((0, 2), np.int64)]
    values = [np.empty(0, np.float64)]
    counts = np.zeros(3, np.int64)
    left = budget
    for bucket in buckets:
        members_M = bucket[np.lexsort((bucket, size_N[bucket]))]
        pair_P2, jaccard_P, left = _compare_bucket(
            sets.values, sets.offsets_N, members_M, parent_N, threshold, left, counts
        )
        release_pages(sets.values)
        pairs.append(np.sort(pair_P2, axis=1))
        values.append(jaccard_P)
    compared, joined, uncompared = (int(count) for count in counts)
    return Guarded(np.concatenate(pairs), np.concatenate(values), compared, joined, uncompared)


@njit
def find_root(parent_N: NDArray[np.int64], document: int) -> int:
    """Return the smallest document of a cluster, shortening the way for the next call."""
    while parent_N[document] != document:
        parent_N[document] = parent_N[parent_N[document]]
        document = parent_N[document]
    return document


@njit
def _join_pairs(
    parent_N: NDArray[np.int64],
    weakest_N: NDArray[np.float64],
    pair_P2: NDArray[np.int64],
    jaccard_P: NDArray[np.float64],
) -> None:
    """Join pairs in descending order of Jaccard: the last to join a cluster is its weakest link."""
    for pair in range(len(pair_P2)):
        a = find_root(parent_N, pair_P2[pair, 0])
        b = find_root(parent_N, pair_P2[pair, 1])
        if a != b:
            parent_N[max(a, b)] = min(a, b)
            weakest_N[min(a, b)] = jaccard_P[pair]
    for document in range(parent_N.size):
        parent_N[document] = parent_N[parent_N[document]]  # ascending: roots come first


@njit
def _count_roots(parent_N: NDArray[np.int64], members_M: NDArray[np.int64]) -> int:
    """Count the clusters that members belong to."""
    roots = np.empty(members_M.size, np.int64)
    for place in range(members_M.size):
        roots[place] = find_root(parent_N, members_M[place])
    roots.sort()
    count = min(1, roots.size)
    for place in range(1, roots.size):
        count += roots[place] != roots[place - 1]
    return count


@njit
def _compare_bucket(
    values: NDArray[np.uint64],
    offsets: NDArray[np.int64],
    members_M: NDArray[np.int64],
    parent_N: NDArray[np.int64],
    threshold: float,
    left: int,
    counts: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.float64], int]:
    """Compare the members of one bucket, by size ascending.

    Adds to `counts`: pairs compared, joined already, and not compared for want of budget.
    Returns the pairs that join, their Jaccard, and the budget left.
    """
    size = members_M.size
    pair_P2 = np.empty((max(size, 1), 2), np.int64)  # each pair joins two clusters of the bucket
    jaccard_P = np.empty(max(size, 1), np.float64)
    found = 0
    roots = _count_roots(parent_N, members_M)
    for i in range(size):
        if roots == 1:
            counts[1] += (size - i) * (size - i - 1) // 2
            break
        a = members_M[i]
        size_a = offsets[a + 1] - offsets[a]
        for j in range(i + 1, size):
            b = members_M[j]
            size_b = offsets[b + 1] - offsets[b]
            if size_a < threshold * size_b * (1 - 1e-9):
                break
            if left <= 0:
                counts[2] += size - j + (size - i - 1) * (size - i - 2) // 2
                return pair_P2[:found].copy(), jaccard_P[:found].copy(), left
            left -= 1
            if find_root(parent_N, a) == find_root(parent_N, b):
                counts[1] += 1
                continue
            left -= size_a + size_b
            counts[0] += 1
            jaccard = jaccard_at_least(values, offsets, a, b, threshold)
            if jaccard >= threshold:
                pair_P2[found, 0], pair_P2[found, 1] = a, b
                jaccard_P[found] = jaccard
                found += 1
                roots -= 1
                x, y = find_root(parent_N, a), find_root(parent_N, b)
                parent_N[max(x, y)] = min(x, y)
    return pair_P2[:found].copy(), jaccard_P[:found].copy(), left
