"""Near pairs: proposed by bands and found within clusters, each verified on the texts."""

# N = documents, P = pairs

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.audit.duplicates.candidate_sets import read_shingle_sets
from assay.audit.duplicates.cluster_replays import replay_clusters
from assay.audit.duplicates.near_recall import NearRecall, estimate_recall
from assay.audit.minhash.lsh_config import MinHashConfig
from assay.audit.pairs.bucket_index import BucketIndex, index_buckets
from assay.audit.pairs.candidates import (
    GROUP_CAP,
    Candidates,
    expand_pairs,
    pair_groups,
    propose_pairs,
    release_members,
)
from assay.audit.pairs.cluster_pairs import compare_clusters
from assay.audit.pairs.jaccard import ShingleSets, lead_equal, verify_pairs
from assay.audit.pairs.large_buckets import (
    LargeBucketPairs,
    compare_across_split,
    compare_to_join,
)
from assay.audit.scan.documents import Documents
from assay.corpus.shards import Shard
from assay.corpus.tokenizer import Tokenizer
from assay.formats.audit_totals import Pairs
from assay.repeats.clusters import connect_texts
from assay.repeats.copies import group_copies
from assay.repeats.keepers import rank_documents
from assay.repeats.known_pairs import KnownPairs


@dataclass(frozen=True, slots=True)
class NearPairs:
    """Near pairs of N documents, verified.

    Attributes:
        known: The pairs.
        counts: How many pairs were compared, found and left out.
        num_verified: Those of the pairs proposed and compared that met the threshold.
        recall: The share that bands found.
    """

    known: KnownPairs
    counts: Pairs
    num_verified: int
    recall: NearRecall


@dataclass(frozen=True, slots=True)
class _Texts:
    """What pairs of texts are looked for among: one document stands for each set of shingles.

    `alike_P2` pairs the first document of each set with the others that have the very set.
    """

    first_N: NDArray[np.int64]
    proposed: Candidates
    alike_P2: NDArray[np.int64]
    index: BucketIndex
    sets: ShingleSets


@dataclass(frozen=True, slots=True)
class _Found:
    """Near pairs of texts, and how many were compared, joined by others, and left out.

    `open_N` tells documents of whose clusters not all pairs were compared.
    """

    near: tuple[NDArray[np.int64], NDArray[np.float64]]
    compared: int
    joined: int
    uncompared: int
    open_N: NDArray[np.bool_]


def find_near_pairs(
    documents: Documents,
    shards: Sequence[Shard],
    tokenizer: Tokenizer,
    config: MinHashConfig,
    near: str,
    threads: int,
    folder: Path,
) -> tuple[NearPairs, ShingleSets]:
    """Find near pairs, and verify each on the texts; with `near="keeper"` within clusters, too.

    Returns them, and the shingle sets of all documents that may have one: those that would take
    much memory lie in a nameless file in `folder`.
    """
    texts = _read_texts(documents, shards, tokenizer, config, threads, folder)
    proposed, threshold = texts.proposed, config.threshold
    pairs = _verify(texts, threshold, threads)
    joined = compare_to_join(texts.sets, texts.index, _label(texts, *pairs), threshold)
    pairs = _unite(pairs, (joined.pair_P2, joined.jaccard_P))
    if near == "keeper":
        found = _compare_within(documents, texts, pairs, joined, threshold, threads)
    else:
        found = _compare_across(documents, texts, pairs, joined, threshold)
    band_P = _find_proposed(texts, found.near[0])
    pair_P2, made_of_P = expand_pairs(found.near[0], proposed.group_N)
    jaccard_P = np.append(found.near[1], 1.0)[made_of_P]  # -1: of one group, whose sets are equal
    known = KnownPairs(texts.first_N, pair_P2, jaccard_P, np.append(band_P, True)[made_of_P])
    # Pairs of equal keys and unlike sets are among those proposed by now.
    num_candidates = len(texts.alike_P2) + len(proposed.pair_P2) + found.compared
    counted = count_pairs(
        known.cut(threshold, documents.val_N),
        num_candidates,
        _measure_recall(texts, found, band_P, config, threads),
        joined=found.joined,
        uncompared=found.uncompared,
    )
    return counted, texts.sets


def _measure_recall(
    texts: _Texts, found: _Found, band_P: NDArray[np.bool_], config: MinHashConfig, threads: int
) -> NearRecall:
    """Estimate the share of near pairs that bands found; those found in clusters alone are not."""
    near = found.near[0][band_P], found.near[1][band_P]
    replayed = replay_clusters(texts.sets, *near, found.open_N, config, threads=threads)
    return estimate_recall(replayed, texts.proposed.group_N, config)


def count_pairs(
    known: KnownPairs, num_candidates: int, recall: NearRecall, *, joined: int, uncompared: int
) -> NearPairs:
    """Count known pairs, beside those that were compared, joined by others and left out."""
    counts = known.tally(GROUP_CAP)
    pairs = Pairs(
        num_candidates,
        exact=int((known.first_N != np.arange(known.first_N.size)).sum()),
        near=counts.near,
        within=counts.within,
        unlisted=counts.unlisted,
        joined=joined,
        uncompared=uncompared,
    )
    return NearPairs(known, pairs, counts.equal + counts.proposed, recall)


def _read_texts(
    documents: Documents,
    shards: Sequence[Shard],
    tokenizer: Tokenizer,
    config: MinHashConfig,
    threads: int,
    folder: Path,
) -> _Texts:
    """Propose pairs, read the sets of their documents, and tell those that have equal ones."""
    first_N = group_copies(documents.content_hash_N, documents.bytes_N)
    eligible_N = (first_N == np.arange(len(documents))) & (documents.shingles_N > 0)
    proposed = propose_pairs(documents.key_BN, eligible_N, threads=threads)
    chosen_N = np.zeros(len(documents), np.bool_)
    for members in (proposed.pair_P2, pair_groups(proposed.group_N), *proposed.large):
        chosen_N[members] = True
    sets = read_shingle_sets(
        documents, chosen_N, config.shingling, shards, tokenizer, threads, folder
    )
    alike_P2 = pair_groups(proposed.group_N)
    equal_P = ~np.isnan(verify_pairs(sets, alike_P2, 1.0, threads=threads))
    odd = alike_P2[~equal_P, 1]
    leader = lead_equal(sets, proposed.group_N[odd], odd)
    proposed = release_members(proposed, odd[leader == odd])
    proposed.group_N[odd] = leader
    index = index_buckets(len(documents), proposed.large)
    return _Texts(first_N, proposed, pair_groups(proposed.group_N), index, sets)


def _verify(
    texts: _Texts, threshold: float, threads: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Verify the candidate pairs; return those at or over the threshold."""
    pair_P2 = texts.proposed.pair_P2
    jaccard_P = verify_pairs(texts.sets, pair_P2, threshold, threads=threads)
    near_P = ~np.isnan(jaccard_P)
    return pair_P2[near_P], jaccard_P[near_P]


def _label(
    texts: _Texts, pair_P2: NDArray[np.int64], jaccard_P: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return each document's cluster, by its texts' pairs and those of equal sets."""
    both_P2 = np.concatenate([texts.alike_P2, pair_P2])
    both_P = np.concatenate([np.ones(len(texts.alike_P2)), jaccard_P])
    return connect_texts(texts.first_N, both_P2, both_P).label_N


def _unite(
    *parts: tuple[NDArray[np.int64], NDArray[np.float64]],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return each pair once, ascending."""
    pair_P2, place = np.unique(
        np.concatenate([pair_P2 for pair_P2, _ in parts]), axis=0, return_index=True
    )
    return pair_P2, np.concatenate([jaccard_P for _, jaccard_P in parts])[place]


def _compare_across(
    documents: Documents,
    texts: _Texts,
    near: tuple[NDArray[np.int64], NDArray[np.float64]],
    joined: LargeBucketPairs,
    threshold: float,
    open_N: NDArray[np.bool_] | None = None,
) -> _Found:
    """Look in large buckets for a train document near each of val; in open clusters, if told."""
    buckets = texts.index.buckets
    if open_N is not None:
        buckets = tuple(bucket[open_N[bucket]] for bucket in buckets)
    group_N = texts.proposed.group_N[texts.first_N]
    across = compare_across_split(texts.sets, buckets, group_N, documents.val_N, near[0], threshold)
    near = _unite(near, (across.pair_P2, across.jaccard_P))
    return _Found(
        near,
        joined.num_compared + across.num_compared,
        texts.index.count_joined(_label(texts, *near), near[0]),
        joined.num_uncompared + across.num_uncompared,
        texts.index.inside_N,
    )


def _compare_within(
    documents: Documents,
    texts: _Texts,
    near: tuple[NDArray[np.int64], NDArray[np.float64]],
    joined: LargeBucketPairs,
    threshold: float,
    threads: int,
) -> _Found:
    """Compare the texts of each cluster with each other, of a large one with those that stay."""
    group_N, own_N = texts.proposed.group_N, np.arange(len(documents))
    label_N = np.where(group_N == own_N, _label(texts, *near), -1)
    rank_N = rank_documents(documents.tokens_N, documents.content_hash_N, documents.val_N)
    best_N = np.full(own_N.size, own_N.size)  # of the documents that a text stands for
    of_N = group_N[texts.first_N]
    np.minimum.at(best_N, of_N[of_N >= 0], rank_N[of_N >= 0])
    within = compare_clusters(
        texts.sets,
        label_N,
        best_N,
        *near,
        threshold,
        compared_P2=texts.proposed.pair_P2,
        threads=threads,
    )
    near = within.pair_P2, within.jaccard_P
    open_N = within.open_N | (texts.index.inside_N & (joined.num_uncompared > 0))
    if within.open_N.any():  # there, too, no leak may be missed
        across = _compare_across(documents, texts, near, joined, threshold, within.open_N)
        left = across.uncompared + within.num_uncompared
        return _Found(across.near, across.compared, within.num_left, left, open_N)
    left = joined.num_uncompared + within.num_uncompared
    shared = None if left else texts.index.count_pairs()
    if shared is None:
        return _Found(near, joined.num_compared, within.num_left, left, open_N)
    # All of them are compared, or ruled out by their sizes: a number that no threshold changes.
    shared -= int(texts.index.share(texts.proposed.pair_P2).sum())
    return _Found(near, shared, within.num_left, left, open_N)


def _find_proposed(texts: _Texts, pair_P2: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell the pairs that share a bucket, small or large."""
    size = texts.first_N.size
    known = texts.proposed.pair_P2[:, 0] * size + texts.proposed.pair_P2[:, 1]
    return np.isin(pair_P2[:, 0] * size + pair_P2[:, 1], known) | texts.index.share(pair_P2)
