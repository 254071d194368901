"""Near pairs of validation and train in large buckets, where `clusters` compares only to join.

A validation document joined to others of its kind is not compared with train there, though a near
duplicate of it may stand there: whether it leaked would be left open.
"""

# N = documents, P = pairs, V = validation documents, T = train documents of a bucket

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from assay.audit.pairs.clusters import WORK_BUDGET, Guarded
from assay.audit.pairs.jaccard import ShingleSets, jaccard_at_least
from assay.kernels import njit
from assay.storage.spill import release_pages


def compare_across(
    sets: ShingleSets,
    buckets: Sequence[NDArray[np.int64]],
    group_N: NDArray[np.int64],
    val_N: NDArray[np.bool_],
    pair_P2: NDArray[np.int64],
    threshold: float,
    *,
    budget: int = WORK_BUDGET,
) -> Guarded:
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
        budget: As for `clusters.compare_guarded`.
    """
    in_val_N, in_train_N = np.zeros((2, len(group_N)), np.bool_)
    in_val_N[group_N[val_N & (group_N >= 0)]] = True
    in_train_N[group_N[~val_N & (group_N >= 0)]] = True
    settled_N = in_train_N.copy()
    for here, there in ((0, 1), (1, 0)):
        settled_N[pair_P2[in_train_N[pair_P2[:, there]], here]] = True
    pairs, values = [np.empty((0, 2), np.int64)], [np.empty(0, np.float64)]
    counts = np.zeros(2, np.int64)
    for bucket in buckets:
        val_V = bucket[in_val_N[bucket] & ~settled_N[bucket]]
        train_T = bucket[in_train_N[bucket]]
        found_P2, jaccard_P, budget = _reach_train(
            sets.values, sets.offsets_N, val_V, train_T, settled_N, threshold, budget, counts
        )
        release_pages(sets.values)
        pairs.append(np.sort(found_P2, axis=1))
        values.append(jaccard_P)
    return Guarded(np.concatenate(pairs), np.concatenate(values), int(counts[0]), 0, int(counts[1]))


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

    Adds to `counts`: pairs compared, and pairs not compared for want of budget. Returns the pairs,
    their Jaccard, and the budget left.
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
            if min(size_a, size_b) < threshold * max(size_a, size_b) * (1 - 1e-9):
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
