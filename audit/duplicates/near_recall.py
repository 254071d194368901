"""The share of near pairs found, with an interval in which clusters are what chance draws.

Pairs of one cluster share documents, so they are found or missed together: taken for independent
they give an interval that is too narrow, and the pairs found do not tell by how much. So the two
kinds of pairs missed are measured.

Inside of clusters they are counted: all documents of a cluster are compared with each other.
Between clusters (a document all of whose pairs were missed, a cluster that fell apart) there is
nothing to count. So each cluster is found again, many times (`assay.audit.pairs.replays`). A pair
whose documents a share r of the replays leaves in one cluster stands for 1 / r pairs that are there
(Horvitz and Thompson, JASA 47, 1952). Where a cluster is two documents, r is the stated chance of
detection, and the number missed has the negative binomial distribution.

The interval is the middle 95 % of draws from a fixed seed: a bootstrap over clusters, each with one
of its replays (Efron, Annals of Statistics 7, 1979; Davison and Hinkley 1997, 3.8 on resampling
whole clusters). Where clusters are too many to compare them all, some are taken by lot, and each
draw makes the others from these by Polya's urn (Lo, Annals of Statistics 16, 1988).
"""

# N = documents, P = near pairs found, M = documents in them, C = clusters, S = clusters compared,
# E = near pairs within those, R = replays, D = draws

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.audit.minhash.lsh_config import MinHashConfig
from assay.audit.pairs.candidates import GROUP_CAP, Candidates
from assay.audit.pairs.clusters import connect
from assay.audit.pairs.jaccard import ShingleSets, verify_pairs
from assay.audit.pairs.replays import replay_clusters, take_sets

MIN_PAIRS = 30
MIN_CLUSTERS = 3
NUM_REPLAYS = 40
WORK_BUDGET = 1 << 28  # some 0.5 s on one core
_NUM_DRAWS = 1000
_SEED = 12
_MAX_PARTS = 100  # of the chances of pairs that are clusters, for a draw each


@dataclass(frozen=True, slots=True, kw_only=True)
class NearRecall:
    """Of the near pairs that are there, the share found, and the ends of its 95 % interval.

    None where that cannot be said: fewer than `MIN_PAIRS` pairs in `num_clusters` clusters, or
    fewer than `MIN_CLUSTERS` of those. `num_left_out` clusters have a large bucket, of which few
    pairs are verified, or are too large for the budget: their pairs are no part of it.
    """

    share: float | None = None
    interval: tuple[float, float] | None = None
    num_pairs: int = 0
    num_clusters: int = 0
    num_left_out: int = 0


@dataclass(frozen=True, slots=True)
class _Clusters:
    """Clusters of two documents or more: what is known of each before it is compared."""

    document_M: NDArray[np.int64]
    weight_M: NDArray[np.float64]
    cluster_M: NDArray[np.int64]
    code_P: NDArray[np.int64]
    found_C: NDArray[Any]
    work_C: NDArray[np.float64]
    lone_C: NDArray[np.bool_]
    chance_C: NDArray[np.float64]
    large_C: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Compared:
    """Of S clusters the near pairs that were found, those missed inside, and replays of others.

    `between_SR` is what a replay misses between clusters, each pair by 1 / r.
    """

    found_S: NDArray[Any]
    inside_S: NDArray[Any]
    between_SR: NDArray[np.float64]


def estimate_recall(
    sets: ShingleSets,
    pair_P2: NDArray[np.int64],
    jaccard_P: NDArray[np.float64],
    proposed: Candidates,
    config: MinHashConfig,
    *,
    threads: int = 1,
    budget: int = WORK_BUDGET,
) -> NearRecall:
    """Estimate the share found of the pairs with threshold <= J < 1.

    Args:
        sets: Shingle sets, by position.
        pair_P2: Near pairs of first documents of equal sets, each once.
        jaccard_P: Their Jaccard.
        proposed: Which sets are equal, and which documents stand in large buckets.
        config: Bands in force.
        threads: To compare and to sign with; changes nothing else.
        budget: Shingles to read, a signed one counting by its values; about 2 ns each.
    """
    if not len(pair_P2):
        return NearRecall()
    clusters = _describe_clusters(sets, pair_P2, jaccard_P, proposed, config)
    usable_C = ~clusters.large_C & (clusters.work_C <= budget)
    found = float(clusters.found_C[usable_C].sum())
    counts = NearRecall(
        num_pairs=round(found),
        num_clusters=int(usable_C.sum()),
        num_left_out=int((~usable_C).sum()),
    )
    if counts.num_pairs < MIN_PAIRS or counts.num_clusters < MIN_CLUSTERS:
        return counts
    generator = np.random.default_rng(_SEED)
    chosen, others = _choose(clusters, usable_C, budget, generator)
    compared = _compare_clusters(sets, clusters, chosen, config, threads)
    lone, lone_D = _draw_lone(clusters.chance_C[usable_C & clusters.lone_C], generator)
    mean, missed_D = _draw_missed(compared, clusters.found_C[others], generator)
    mean, missed_D = mean + lone, missed_D + lone_D
    low = min(mean, float(np.quantile(missed_D, 0.025, method="lower")))
    high = max(mean, float(np.quantile(missed_D, 0.975, method="higher")))
    return NearRecall(
        share=found / (found + mean),
        interval=(found / (found + high), found / (found + low)),
        num_pairs=counts.num_pairs,
        num_clusters=counts.num_clusters,
        num_left_out=counts.num_left_out,
    )


def _describe_clusters(
    sets: ShingleSets,
    pair_P2: NDArray[np.int64],
    jaccard_P: NDArray[np.float64],
    proposed: Candidates,
    config: MinHashConfig,
) -> _Clusters:
    """Join the pairs to clusters; a document stands for all that have its set (its weight)."""
    document_M, place = np.unique(pair_P2, return_inverse=True)
    place_P2 = np.sort(place.reshape(-1, 2), axis=1)
    label_M = connect(document_M.size, place_P2, jaccard_P).label_N
    _, cluster_M = np.unique(label_M, return_inverse=True)
    group_N = proposed.group_N
    size_M = np.bincount(group_N[group_N >= 0], minlength=len(group_N))[document_M]
    large = np.concatenate([np.empty(0, np.int64), *proposed.large])
    weight_M = np.where(size_M > GROUP_CAP, 1, size_M).astype(float)  # as pairs are listed
    cluster_P = cluster_M[place_P2[:, 0]]
    weight_P: NDArray[np.float64] = weight_M[place_P2[:, 0]] * weight_M[place_P2[:, 1]]
    read_C = np.bincount(cluster_M, weights=np.diff(sets.offsets_N)[document_M])
    members_C = np.bincount(cluster_M)
    lone_C = np.bincount(cluster_M, weights=weight_M) == 2
    signing = NUM_REPLAYS * config.num_values / 50
    chance_C = np.ones(read_C.size)
    lone_P = lone_C[cluster_P]
    chance_C[cluster_P[lone_P]] = [config.detect(value) for value in jaccard_P[lone_P].tolist()]
    return _Clusters(
        document_M=document_M,
        weight_M=weight_M,
        cluster_M=cluster_M,
        code_P=place_P2 @ np.array([document_M.size, 1]),
        found_C=np.bincount(cluster_P, weights=weight_P),
        work_C=np.where(lone_C, 0, read_C * (members_C - 1 + signing)),
        lone_C=lone_C,
        chance_C=chance_C,
        large_C=np.bincount(cluster_M, weights=np.isin(document_M, large)) > 0,
    )


def _choose(
    clusters: _Clusters, usable_C: NDArray[np.bool_], budget: int, generator: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Take by lot as many clusters of more than two documents as the budget lasts for.

    Returns those, and the others.
    """
    drawn = generator.permutation(np.flatnonzero(usable_C & ~clusters.lone_C))
    number = np.searchsorted(np.cumsum(clusters.work_C[drawn]), budget, "right")
    return np.sort(drawn[:number]), drawn[number:]


def _compare_clusters(
    sets: ShingleSets,
    clusters: _Clusters,
    chosen: NDArray[np.int64],
    config: MinHashConfig,
    threads: int,
) -> _Compared:
    """Compare all documents of each chosen cluster with each other, and find it again."""
    number_C = np.full(clusters.found_C.size, -1)
    number_C[chosen] = np.arange(chosen.size)
    member = np.flatnonzero(number_C[clusters.cluster_M] >= 0)
    member = member[np.argsort(number_C[clusters.cluster_M[member]], kind="stable")]
    cluster_of = number_C[clusters.cluster_M[member]]
    own = take_sets(sets, clusters.document_M[member])
    pair_E2 = _pair_within(np.bincount(cluster_of, minlength=chosen.size))
    jaccard_E = verify_pairs(own, pair_E2, config.threshold, threads=threads)
    pair_E2, jaccard_E = pair_E2[~np.isnan(jaccard_E)], jaccard_E[~np.isnan(jaccard_E)]
    cluster_E = cluster_of[pair_E2[:, 0]]
    weight_E = np.prod(clusters.weight_M[member[pair_E2]], axis=1)
    code_E = np.sort(member[pair_E2], axis=1) @ np.array([clusters.document_M.size, 1])
    missed_E = ~np.isin(code_E, clusters.code_P)

    labels = list(replay_clusters(own, pair_E2, config, NUM_REPLAYS, threads=threads))
    together_E = np.zeros(len(pair_E2))
    for label_M in labels:
        together_E += label_M[pair_E2[:, 0]] == label_M[pair_E2[:, 1]]
    values, place_E = np.unique(jaccard_E, return_inverse=True)
    stated_E = np.array([config.detect(value) for value in values.tolist()])[place_E]
    weight_by_share_E = weight_E / np.maximum(together_E / NUM_REPLAYS, stated_E)
    between_SR = np.empty((chosen.size, NUM_REPLAYS))
    for replay, label_M in enumerate(labels):
        apart_E = label_M[pair_E2[:, 0]] != label_M[pair_E2[:, 1]]
        between_SR[:, replay] = np.bincount(
            cluster_E[apart_E], weights=weight_by_share_E[apart_E], minlength=chosen.size
        )
    inside_S = np.bincount(cluster_E, weights=weight_E * missed_E, minlength=chosen.size)
    return _Compared(clusters.found_C[chosen], inside_S, between_SR)


def _pair_within(size_S: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pair the members of each cluster, which stand one after another."""
    first_S = np.cumsum(size_S) - size_S
    parts = [
        np.stack(np.triu_indices(size, 1), axis=1) + first
        for first, size in zip(first_S.tolist(), size_S.tolist(), strict=True)
    ]
    return np.concatenate([np.empty((0, 2), np.int64), *parts])


def _draw_lone(
    chance_C: NDArray[np.float64], generator: np.random.Generator
) -> tuple[float, NDArray[np.int64]]:
    """Draw how many pairs beside those found, each a cluster, were missed; their mean first."""
    mean, missed_D = 0.0, np.zeros(_NUM_DRAWS, np.int64)
    for part in np.array_split(np.sort(chance_C), min(_MAX_PARTS, max(1, chance_C.size))):
        if part.size:
            there = float((1 / part).sum())
            mean += there - part.size
            missed_D += generator.negative_binomial(part.size, part.size / there, _NUM_DRAWS)
    return mean, missed_D


def _draw_missed(
    compared: _Compared, found_others: NDArray[np.float64], generator: np.random.Generator
) -> tuple[float, NDArray[np.float64]]:
    """Draw how many pairs were missed in and between clusters of more than two; the mean first."""
    number, replays = compared.between_SR.shape
    if not number:
        return 0.0, np.zeros(_NUM_DRAWS)
    inside, between = float(compared.inside_S.sum()), float(compared.between_SR.sum()) / replays
    missed_D = np.empty(_NUM_DRAWS)
    for draw in range(_NUM_DRAWS):
        one = compared.between_SR.ravel()[generator.integers(number * replays, size=number)]
        missed_D[draw] = inside + one.sum()
        if found_others.size:
            urn = generator.multinomial(found_others.size, generator.dirichlet(np.ones(number)))
            replay_S = generator.integers(replays, size=number)
            more_S = compared.inside_S + compared.between_SR[np.arange(number), replay_S]
            ratio = (urn * more_S).sum() / (urn * compared.found_S).sum()
            missed_D[draw] += found_others.sum() * ratio
    grown = 1 + float(found_others.sum() / compared.found_S.sum())
    return grown * (inside + between), missed_D
