"""Pairs within large buckets: compared to join their members, and val with train, on a budget.

All pairs of a bucket would grow with the square of its size. Its members are compared until they
are joined, which gives the same clusters. That leaves open whether a validation document leaked: it
is not compared with train once others of its kind have joined it, though a near duplicate of it may
stand there. So those are compared, too, until one is near.
"""

# N = documents, P = pairs, M = members of a bucket, V and T = those of val and of train

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.audit.pairs.bucket_index import BucketIndex, share_before
from assay.audit.pairs.jaccard import ShingleSets, jaccard_at_least, sizes_rule_out
from assay.kernels import njit
from assay.repeats.clusters import find_root
from assay.storage.spill import release_pages

WORK_BUDGET = 1 << 31  # some 5 s on one core


@dataclass(frozen=True, slots=True)
class LargeBucketPairs:
    """What comparing the members of large buckets found, and what was left out.

    `pair_P2` (smaller first) are pairs at or over the threshold that joined two clusters. Those for
    which the budget gave out count in `num_uncompared`, joined ones and ones of unlike sizes
    included: where that is not 0, any number of duplicates is a lower bound. A pair counts once,
    whichever buckets it shares; `num_uncompared` may be more than those left, never less.
    """

    pair_P2: NDArray[np.int64]
    jaccard_P: NDArray[np.float64]
    num_compared: int
    num_uncompared: int


def compare_to_join(
    sets: ShingleSets,
    index: BucketIndex,
    label_N: NDArray[np.int64],
    threshold: float,
    *,
    budget: int = WORK_BUDGET,
) -> LargeBucketPairs:
    """Compare documents that share a bucket too large for all its pairs.

    Documents that `label_N`, or a pair found here, has joined already are not compared: clusters
    come out as if all pairs had been, within the budget. Members are taken by the size of their
    sets, so that pairs which sizes rule out are left at once (they are neither joined nor
    uncompared).

    Args:
        sets: Shingle sets, by position.
        index: The members of each bucket, by position.
        label_N: Clusters of what is joined already.
        threshold: Smallest Jaccard of a pair, in (0, 1].
        budget: Shingles to read, a pair passed over counting as one; about 2 ns each. May be
            exceeded by one pair.
    """
    parent_N = np.ascontiguousarray(label_N, np.int64).copy()
    size_N = np.diff(sets.offsets_N)
    found = []
    counts = np.zeros(2, np.int64)
    for number, bucket in enumerate(index.buckets):
        members_M = bucket[np.lexsort((bucket, size_N[bucket]))]
        *pairs, budget = _compare_bucket(
            sets.values,
            sets.offsets_N,
            members_M,
            parent_N,
            threshold,
            budget,
            counts,
            index.offsets_N,
            index.bucket_E,
            number,
        )
        release_pages(sets.values)
        found.append(pairs)
    return _join_found(found, counts, index.buckets)


def compare_across_split(
    sets: ShingleSets,
    buckets: Sequence[NDArray[np.int64]],
    group_N: NDArray[np.int64],
    val_N: NDArray[np.bool_],
    pair_P2: NDArray[np.int64],
    threshold: float,
    *,
    budget: int = WORK_BUDGET,
) -> LargeBucketPairs:
    """Find for each validation document of a large bucket a near duplicate in train.

    The first one is enough; a document that has one among `pair_P2`, or in its group, has it.

    Args:
        sets: Shingle sets, by position.
        buckets: Positions of the members of each bucket, first documents of groups.
        group_N: The first document of equal shingle sets, or -1; copies of a text have that of
            their first.
        val_N: Validation documents.
        pair_P2: Near pairs of first documents that are known.
        threshold: Smallest Jaccard of a pair, in (0, 1].
        budget: As for `compare_to_join`.
    """
    in_val_N, in_train_N = np.zeros((2, len(group_N)), np.bool_)
    in_val_N[group_N[val_N & (group_N >= 0)]] = True
    in_train_N[group_N[~val_N & (group_N >= 0)]] = True
    settled_N = in_train_N.copy()
    for here, there in ((0, 1), (1, 0)):
        settled_N[pair_P2[in_train_N[pair_P2[:, there]], here]] = True
    found = []
    counts = np.zeros(2, np.int64)
    for bucket in buckets:
        val_V = bucket[in_val_N[bucket] & ~settled_N[bucket]]
        train_T = bucket[in_train_N[bucket]]
        *pairs, budget = _reach_train(
            sets.values, sets.offsets_N, val_V, train_T, settled_N, threshold, budget, counts
        )
        release_pages(sets.values)
        found.append(pairs)
    return _join_found(found, counts, buckets)


def _join_found(
    found: Sequence[Sequence[NDArray[Any]]],
    counts: NDArray[np.int64],
    buckets: Sequence[NDArray[np.int64]],
) -> LargeBucketPairs:
    """Put the pairs of several buckets one after another, each with the smaller first."""
    pairs = np.concatenate([np.empty((0, 2), np.int64), *(pair_P2 for pair_P2, _ in found)])
    values = np.concatenate([np.empty(0), *(jaccard_P for _, jaccard_P in found)])
    num_compared, num_uncompared = counts.tolist()
    if num_uncompared:  # counted bucket by bucket: there are no more than their members have
        size = np.unique(np.concatenate(buckets)).size
        num_uncompared = min(num_uncompared, size * (size - 1) // 2)
    return LargeBucketPairs(np.sort(pairs, axis=1), values, num_compared, num_uncompared)


@njit
def _reach_train(
    values: NDArray[np.uint64],
    offsets: NDArray[np.int64],
    val_V: NDArray[np.int64],
    train_T: NDArray[np.int64],
    settled_N: NDArray[np.bool_],
    threshold: float,
    left: int,
    counts: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.float64], int]:
    """Compare each validation document with those of train until one is near.

    Adds to `counts`, as `_compare_bucket` does: pairs compared, and pairs not compared for want of
    budget. Returns the pairs, their Jaccard, and the budget left.
    """
    pair_P2 = np.empty((val_V.size, 2), np.int64)
    jaccard_P = np.empty(val_V.size, np.float64)
    found = 0
    for place in range(val_V.size):
        val = val_V[place]
        for at in range(train_T.size):
            if left <= 0:
                counts[1] += train_T.size - at
                break
            train = train_T[at]
            size_a = offsets[val + 1] - offsets[val]
            size_b = offsets[train + 1] - offsets[train]
            left -= 1
            if sizes_rule_out(offsets, val, train, threshold):
                continue
            left -= size_a + size_b
            counts[0] += 1
            jaccard = jaccard_at_least(values, offsets, val, train, threshold)
            if jaccard >= threshold:
                pair_P2[found, 0], pair_P2[found, 1] = val, train
                jaccard_P[found] = jaccard
                found += 1
                settled_N[val] = True
                break
    return pair_P2[:found].copy(), jaccard_P[:found].copy(), left


@njit
def _count_roots(parent_N: NDArray[np.int64], members_M: NDArray[np.int64]) -> int:
    """Count the clusters that members belong to."""
    roots = np.empty(members_M.size, np.int64)
    for place in range(members_M.size):
        roots[place] = find_root(parent_N, members_M[place])
    roots.sort()
    return min(1, roots.size) + int(np.count_nonzero(roots[1:] != roots[:-1]))


@njit
def _compare_bucket(
    values: NDArray[np.uint64],
    offsets: NDArray[np.int64],
    members_M: NDArray[np.int64],
    parent_N: NDArray[np.int64],
    threshold: float,
    left: int,
    counts: NDArray[np.int64],
    bucket_offsets: NDArray[np.int64],
    bucket_E: NDArray[np.int64],
    number: int,
) -> tuple[NDArray[np.int64], NDArray[np.float64], int]:
    """Compare the members of the bucket of this number, by size ascending.

    Adds to `counts`: pairs compared, and not compared for want of budget. A pair that shares a
    bucket before this one was seen there. Returns the pairs that join, their Jaccard, and the
    budget left.
    """
    size = members_M.size
    pair_P2 = np.empty((max(size, 1), 2), np.int64)  # each pair joins two clusters of the bucket
    jaccard_P = np.empty(max(size, 1), np.float64)
    found = 0
    roots = _count_roots(parent_N, members_M)
    for i in range(size):
        if roots == 1:
            break
        a = members_M[i]
        size_a = offsets[a + 1] - offsets[a]
        for j in range(i + 1, size):
            b = members_M[j]
            size_b = offsets[b + 1] - offsets[b]
            if sizes_rule_out(offsets, a, b, threshold):
                break
            if left <= 0:
                counts[1] += size - j + (size - i - 1) * (size - i - 2) // 2
                return pair_P2[:found].copy(), jaccard_P[:found].copy(), left
            left -= 1
            if find_root(parent_N, a) == find_root(parent_N, b) or share_before(
                bucket_offsets, bucket_E, a, b, number
            ):
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
