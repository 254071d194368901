"""All near pairs of clusters, found or missed, and the replays that propose them.

Some clusters are drawn by lot, as many as a budget of work lasts for. All documents of each are
compared with each other, which counts what the bands missed inside of it, and each pair is
proposed again (`assay.audit.pairs.replays`). Clusters of two documents have no other pair, and the
chance to be proposed is known: they need neither.
"""

# N = documents, P = near pairs found, M = documents in them, C = clusters, E = near pairs

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.audit.minhash.lsh_config import MinHashConfig
from assay.audit.pairs.candidates import Candidates
from assay.audit.pairs.clusters import connect
from assay.audit.pairs.jaccard import ShingleSets, verify_pairs
from assay.audit.pairs.replays import NUM_REPLAYS, replay_pairs, take_sets

WORK_BUDGET = 1 << 28  # some 0.5 s on one core
_SEED = 12


@dataclass(frozen=True, slots=True)
class ReplayedPairs:
    """Near pairs of first documents of equal sets: those found, and those missed beside them.

    Attributes:
        pair_E2: Documents, the smaller first; pairs ascend.
        jaccard_E: Their Jaccard, below 1.
        found_E: Whether a pair was found.
        replayed_E: Whether its cluster was compared and replayed.
        mask_E: The replays that propose it, where it was.
        left_out: Documents of clusters of which not all pairs may be compared: in a large bucket,
            or larger than the budget.
    """

    pair_E2: NDArray[np.int64]
    jaccard_E: NDArray[np.float64]
    found_E: NDArray[np.bool_]
    replayed_E: NDArray[np.bool_]
    mask_E: NDArray[np.uint64]
    left_out: NDArray[np.int64]


def replay_clusters(
    sets: ShingleSets,
    pair_P2: NDArray[np.int64],
    jaccard_P: NDArray[np.float64],
    proposed: Candidates,
    config: MinHashConfig,
    *,
    threads: int = 1,
    budget: int = WORK_BUDGET,
) -> ReplayedPairs:
    """Compare all documents of clusters drawn by lot, and replay their near pairs.

    Args:
        sets: Shingle sets, by position.
        pair_P2: Near pairs of first documents of equal sets, each once.
        jaccard_P: Their Jaccard.
        proposed: Which documents stand in large buckets, where not all pairs are compared.
        config: Bands in force.
        threads: To compare and to sign with; changes nothing else.
        budget: Shingles to read, a signed one counting by its values; about 2 ns each.
    """
    document_M, place = np.unique(pair_P2, return_inverse=True)
    label_M = connect(document_M.size, place.reshape(-1, 2), jaccard_P).label_N
    _, cluster_M = np.unique(label_M, return_inverse=True)
    members_C = np.bincount(cluster_M)
    read_C = np.bincount(cluster_M, weights=np.diff(sets.offsets_N)[document_M])
    signing = NUM_REPLAYS * config.num_values / 50
    work_C = read_C * (members_C - 1 + signing) + NUM_REPLAYS * members_C * (members_C - 1)
    large = np.concatenate([np.empty(0, np.int64), *proposed.large])
    open_C = np.bincount(cluster_M, weights=np.isin(document_M, large)) > 0
    open_C |= (work_C > budget) & (members_C > 2)
    drawn = np.random.default_rng(_SEED).permutation(np.flatnonzero(~open_C & (members_C > 2)))
    chosen = drawn[: np.searchsorted(np.cumsum(work_C[drawn]), budget, "right")]
    chosen_M = np.isin(cluster_M, chosen)
    pair_E2, jaccard_E, mask_E = _replay(
        sets, document_M[chosen_M], cluster_M[chosen_M], config, threads
    )
    others_P = ~chosen_M[place.reshape(-1, 2)[:, 0]]
    both_P2 = np.sort(pair_P2, axis=1)
    number = sets.offsets_N.size
    found_E = np.isin(pair_E2 @ [number, 1], both_P2 @ [number, 1])
    pairs = np.concatenate([pair_E2, both_P2[others_P]])
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    more = int(others_P.sum())
    return ReplayedPairs(
        pair_E2=pairs[order],
        jaccard_E=np.append(jaccard_E, jaccard_P[others_P])[order],
        found_E=np.append(found_E, np.ones(more, np.bool_))[order],
        replayed_E=np.append(np.ones(len(pair_E2), np.bool_), np.zeros(more, np.bool_))[order],
        mask_E=np.append(mask_E, np.zeros(more, np.uint64))[order],
        left_out=document_M[open_C[cluster_M]],
    )


def _replay(
    sets: ShingleSets,
    document_M: NDArray[np.int64],
    cluster_M: NDArray[np.int64],
    config: MinHashConfig,
    threads: int,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint64]]:
    """Return the near pairs of clusters, their Jaccard, and the replays that propose them."""
    if not document_M.size:
        return np.empty((0, 2), np.int64), np.empty(0), np.empty(0, np.uint64)
    order = np.argsort(cluster_M, kind="stable")  # documents ascend within a cluster
    document_M, cluster_M = document_M[order], cluster_M[order]
    own = take_sets(sets, document_M)
    _, size_C = np.unique(cluster_M, return_counts=True)
    pair_E2 = pair_within(size_C)
    jaccard_E = verify_pairs(own, pair_E2, config.threshold, threads=threads)
    near_E = ~np.isnan(jaccard_E)
    pair_E2 = pair_E2[near_E]
    mask_E = replay_pairs(own, pair_E2, config, threads=threads)
    return document_M[pair_E2], jaccard_E[near_E], mask_E


def pair_within(size_C: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pair the members of each cluster, which stand one after another."""
    first_C = np.cumsum(size_C) - size_C
    parts = [
        np.stack(np.triu_indices(size, 1), axis=1) + first
        for first, size in zip(first_C.tolist(), size_C.tolist(), strict=True)
    ]
    return np.concatenate([np.empty((0, 2), np.int64), *parts])
