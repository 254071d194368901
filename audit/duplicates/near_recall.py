"""The share of near pairs found, with an interval in which clusters are what chance draws.

Pairs of one cluster share documents, so they are found or missed together: taken for independent
they give an interval that is too narrow, and the pairs found do not tell by how much. So the two
kinds of pairs missed are measured (`assay.audit.duplicates.cluster_replays`).

Inside of clusters they are counted: all documents of a cluster are compared with each other.
Between clusters (a document all of whose pairs were missed, a cluster that fell apart) there is
nothing to count. So each cluster is found again in every replay. A pair whose documents a share r
of the replays leaves in one cluster stands for 1 / r pairs that are there (Horvitz and Thompson,
JASA 47, 1952). Where a cluster is two documents, r is the stated chance of detection, and the
number missed has the negative binomial distribution.

The interval is the middle 95 % of draws from a fixed seed: a bootstrap over clusters, each with one
of its replays (Efron, Annals of Statistics 7, 1979; Davison and Hinkley 1997, 3.8 on resampling
whole clusters). Clusters that were not replayed are made, in each draw, from those that were by
Polya's urn (Lo, Annals of Statistics 16, 1988).
"""

# N = documents, M = documents in pairs, C = clusters, S = clusters replayed, E = near pairs,
# R = replays, D = draws

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.audit.duplicates.cluster_replays import ReplayedPairs
from assay.audit.minhash.lsh_config import MinHashConfig
from assay.audit.pairs.candidates import GROUP_CAP
from assay.audit.pairs.clusters import connect
from assay.audit.pairs.replays import NUM_REPLAYS, find_apart

MIN_PAIRS = 30
MIN_CLUSTERS = 3
_NUM_DRAWS = 1000
_SEED = 12
_MAX_PARTS = 100  # of the chances of pairs that are clusters, for a draw each


@dataclass(frozen=True, slots=True, kw_only=True)
class NearRecall:
    """Of the near pairs that are there, the share found, and the ends of its 95 % interval.

    None where that cannot be said: fewer than `MIN_PAIRS` pairs in `num_clusters` clusters, or
    fewer than `MIN_CLUSTERS` of those. `num_left_out` clusters are too large for all their pairs to
    be compared: they are no part of it.
    """

    share: float | None = None
    interval: tuple[float, float] | None = None
    num_pairs: int = 0
    num_clusters: int = 0
    num_left_out: int = 0


@dataclass(frozen=True, slots=True)
class _Clusters:
    """Near pairs found in each cluster, and which clusters are of use; those of two documents.

    `cluster_E` and `weight_E` are those of the near pairs: a pair counts for all documents that
    have its sets.
    """

    cluster_E: NDArray[np.int64]
    weight_E: NDArray[np.float64]
    found_C: NDArray[Any]
    open_C: NDArray[np.bool_]
    lone_C: NDArray[np.bool_]
    replayed_C: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Missed:
    """Of S clusters the near pairs found, those missed inside, and what each replay misses.

    `between_SR` is what a replay leaves between clusters, each pair by 1 / r.
    """

    found_S: NDArray[Any]
    inside_S: NDArray[Any]
    between_SR: NDArray[np.float64]


def estimate_recall(
    pairs: ReplayedPairs, group_N: NDArray[np.int64], config: MinHashConfig
) -> NearRecall:
    """Estimate the share found of the pairs with threshold <= J < 1.

    Args:
        pairs: Near pairs, and the replays of some of their clusters.
        group_N: The first document of each one's equal sets, or -1.
        config: Bands in force.
    """
    if not len(pairs.pair_E2):
        return NearRecall()
    clusters = _describe_clusters(pairs, group_N)
    usable_C = ~clusters.open_C
    found = float(clusters.found_C[usable_C].sum())
    recall = NearRecall(
        num_pairs=round(found),
        num_clusters=int(usable_C.sum()),
        num_left_out=int((~usable_C).sum()),
    )
    if recall.num_pairs < MIN_PAIRS or recall.num_clusters < MIN_CLUSTERS:
        return recall
    generator = np.random.default_rng(_SEED)
    several_C = usable_C & ~clusters.lone_C
    missed = _measure_missed(pairs, clusters, several_C & clusters.replayed_C, config)
    lone_E = (usable_C & clusters.lone_C)[clusters.cluster_E]
    lone, lone_D = _draw_lone(pairs.jaccard_E[lone_E], clusters.weight_E[lone_E], config, generator)
    others = clusters.found_C[several_C & ~clusters.replayed_C]
    mean, missed_D = _draw_missed(missed, others, generator)
    mean, missed_D = mean + lone, missed_D + lone_D
    low = min(mean, float(np.quantile(missed_D, 0.025, method="lower")))
    high = max(mean, float(np.quantile(missed_D, 0.975, method="higher")))
    return replace(
        recall,
        share=found / (found + mean),
        interval=(found / (found + high), found / (found + low)),
    )


def _describe_clusters(pairs: ReplayedPairs, group_N: NDArray[np.int64]) -> _Clusters:
    """Join the pairs to clusters, and weigh each pair by the documents that have its sets."""
    document_M, place = np.unique(pairs.pair_E2, return_inverse=True)
    place_E2 = place.reshape(-1, 2)
    label_M = connect(document_M.size, place_E2, pairs.jaccard_E).label_N
    _, cluster_M = np.unique(label_M, return_inverse=True)
    size_M = np.bincount(group_N[group_N >= 0], minlength=len(group_N))[document_M]
    weight_M = np.where(size_M > GROUP_CAP, 1, size_M).astype(float)  # as pairs are listed
    weight_E: NDArray[np.float64] = weight_M[place_E2[:, 0]] * weight_M[place_E2[:, 1]]
    cluster_E = cluster_M[place_E2[:, 0]]
    left_out = np.isin(document_M, pairs.left_out)
    return _Clusters(
        cluster_E=cluster_E,
        weight_E=weight_E,
        found_C=np.bincount(cluster_E, weights=weight_E * pairs.found_E),
        open_C=np.bincount(cluster_M, weights=left_out) > 0,
        lone_C=np.bincount(cluster_E) == 1,
        replayed_C=np.bincount(cluster_E, weights=~pairs.replayed_E) == 0,
    )


def _measure_missed(
    pairs: ReplayedPairs, clusters: _Clusters, chosen_C: NDArray[np.bool_], config: MinHashConfig
) -> _Missed:
    """Count what was missed inside of the chosen clusters, and what each replay leaves apart."""
    number_C = np.cumsum(chosen_C) - 1
    chosen_E = chosen_C[clusters.cluster_E]
    cluster_E = number_C[clusters.cluster_E[chosen_E]]
    number = int(chosen_C.sum())
    weight_E, mask_E = clusters.weight_E[chosen_E], pairs.mask_E[chosen_E]
    documents, place = np.unique(pairs.pair_E2[chosen_E], return_inverse=True)
    apart_E = find_apart(documents.size, place.reshape(-1, 2), mask_E, NUM_REPLAYS)
    values, place_E = np.unique(pairs.jaccard_E[chosen_E], return_inverse=True)
    stated_E = np.array([config.detect(value) for value in values.tolist()])[place_E]
    share_E = np.maximum(1 - np.bitwise_count(apart_E) / NUM_REPLAYS, stated_E)
    between_SR = np.empty((number, NUM_REPLAYS))
    for replay in range(NUM_REPLAYS):
        weights = weight_E / share_E * (apart_E >> np.uint64(replay) & np.uint64(1))
        between_SR[:, replay] = np.bincount(cluster_E, weights=weights, minlength=number)
    missed_E = ~pairs.found_E[chosen_E]
    inside_S = np.bincount(cluster_E, weights=weight_E * missed_E, minlength=number)
    return _Missed(clusters.found_C[chosen_C], inside_S, between_SR)


def _draw_lone(
    jaccard_E: NDArray[np.float64],
    weight_E: NDArray[np.float64],
    config: MinHashConfig,
    generator: np.random.Generator,
) -> tuple[float, NDArray[np.float64]]:
    """Draw how many pairs beside those found, each a cluster, were missed; their mean first."""
    mean, missed_D = 0.0, np.zeros(_NUM_DRAWS)
    for weight in np.unique(weight_E).tolist():
        alike = np.sort(jaccard_E[weight_E == weight])
        for part in np.array_split(alike, min(_MAX_PARTS, alike.size)):
            there = sum(1 / config.detect(jaccard) for jaccard in part.tolist())
            mean += weight * (there - part.size)
            drawn_D = generator.negative_binomial(part.size, part.size / there, _NUM_DRAWS)
            missed_D += weight * drawn_D
    return mean, missed_D


def _draw_missed(
    missed: _Missed, found_others: NDArray[Any], generator: np.random.Generator
) -> tuple[float, NDArray[np.float64]]:
    """Draw how many pairs were missed in and between clusters of more than two; the mean first."""
    number, replays = missed.between_SR.shape
    if not number:
        return 0.0, np.zeros(_NUM_DRAWS)
    inside, between = float(missed.inside_S.sum()), float(missed.between_SR.sum()) / replays
    missed_D = np.empty(_NUM_DRAWS)
    for draw in range(_NUM_DRAWS):
        one = missed.between_SR.ravel()[generator.integers(number * replays, size=number)]
        missed_D[draw] = inside + one.sum()
        if found_others.size:
            urn = generator.multinomial(found_others.size, generator.dirichlet(np.ones(number)))
            replay_S = generator.integers(replays, size=number)
            more_S = missed.inside_S + missed.between_SR[np.arange(number), replay_S]
            ratio = (urn * more_S).sum() / (urn * missed.found_S).sum()
            missed_D[draw] += found_others.sum() * ratio
    grown = 1 + float(found_others.sum() / missed.found_S.sum())
    return grown * (inside + between), missed_D
