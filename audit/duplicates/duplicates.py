"""Exact and near duplicates: group copies, propose pairs, verify them on the texts, cluster."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assay.audit.duplicates.candidate_sets import read_shingle_sets
from assay.audit.duplicates.cluster_replays import replay_clusters
from assay.audit.duplicates.leakage import LeakedDocuments, find_leaks
from assay.audit.duplicates.near_recall import NearRecall, estimate_recall
from assay.audit.minhash.lsh_config import MinHashConfig
from assay.audit.pairs.candidates import (
    Candidates,
    expand_pairs,
    pair_groups,
    propose_pairs,
    release_members,
)
from assay.audit.pairs.clusters import Clusters, connect
from assay.audit.pairs.jaccard import ShingleSets, measure_pairs, verify_pairs
from assay.audit.pairs.keepers import choose_keepers
from assay.audit.pairs.large_buckets import (
    LargeBucketPairs,
    compare_across_split,
    compare_to_join,
)
from assay.audit.scan.documents import Documents
from assay.corpus.shards import Shard
from assay.corpus.tokenizer import Tokenizer
from assay.formats.audit_totals import Pairs


@dataclass(frozen=True, slots=True)
class Duplicates:
    """What N documents repeat. Positions are those of the documents.

    Attributes:
        first_N: The first document with the same text; its own position where there is none.
        pair_P2: Verified near pairs of distinct texts, each by its first document; smaller first.
        jaccard_P: Their true Jaccard, at or over the threshold.
        cluster_N: The position of the first document of its cluster.
        weakest_N: The weakest link of its cluster (`clusters.Clusters`).
        keeper_N: Whether it is the one that its cluster keeps.
        keeper_jaccard_N: Its true Jaccard to that keeper; 1 for the keeper itself.
        pairs: How many pairs were compared, found and left out.
        num_verified: Those of the pairs compared that met the threshold.
        recall: The share of near pairs that were found.
        leaked: Validation documents that have a copy in train.
    """

    first_N: np.ndarray
    pair_P2: np.ndarray
    jaccard_P: np.ndarray
    cluster_N: np.ndarray
    weakest_N: np.ndarray
    keeper_N: np.ndarray
    keeper_jaccard_N: np.ndarray
    pairs: Pairs
    num_verified: int
    recall: NearRecall
    leaked: LeakedDocuments


def group_copies(content_hash_N: np.ndarray, bytes_N: np.ndarray) -> np.ndarray:
    """Return, for each document, the first one with the same text; an empty one is its own."""
    rank_N = rank_hashes(content_hash_N)
    _, first = np.unique(rank_N, return_index=True)
    return np.where(bytes_N == 0, np.arange(bytes_N.size), first[rank_N])


def rank_hashes(content_hash_N: np.ndarray) -> np.ndarray:
    """Number content hashes in ascending order of their bytes, equal ones alike: int64."""
    halves = np.ascontiguousarray(content_hash_N).view(">u8").reshape(-1, 2)
    order = np.lexsort((halves[:, 1], halves[:, 0]))
    differs = np.any(halves[order][1:] != halves[order][:-1], axis=1)
    rank_N = np.empty(order.size, np.int64)
    rank_N[order] = np.append(0, np.cumsum(differs))[: order.size]
    return rank_N


def find_duplicates(
    documents: Documents,
    shards: Sequence[Shard],
    tokenizer: Tokenizer,
    config: MinHashConfig,
    threads: int,
    folder: Path,
) -> Duplicates:
    """Find what repeats, exactly and nearly; every near pair is verified on the texts.

    The result depends on the documents and the config alone. Shingle sets that would take much
    memory lie in a nameless file in `folder` meanwhile.
    """
    first_N = group_copies(documents.content_hash_N, documents.bytes_N)
    own_N = np.arange(len(documents))
    eligible_N = (first_N == own_N) & (documents.shingles_N > 0)
    proposed = propose_pairs(documents.key_BN, eligible_N, threads=threads)
    chosen_N = _choose_candidates(proposed)
    sets = read_shingle_sets(
        documents, chosen_N, config.shingling, shards, tokenizer, threads, folder
    )

    alike_P2 = pair_groups(proposed.group_N)
    equal_P = ~np.isnan(verify_pairs(sets, alike_P2, 1.0, threads=threads))
    proposed = release_members(proposed, alike_P2[~equal_P, 1])
    pair_P2, jaccard_P, joined = _verify(
        proposed, alike_P2[equal_P], first_N, sets, config, threads
    )
    groups = (proposed.large, proposed.group_N[first_N])
    across = compare_across_split(sets, *groups, documents.val_N, pair_P2, config.threshold)
    pair_P2 = np.concatenate([pair_P2, across.pair_P2])
    jaccard_P = np.concatenate([jaccard_P, across.jaccard_P])
    num_equal = int(equal_P.sum())
    num_verified = num_equal + len(pair_P2)
    replayed = replay_clusters(sets, pair_P2, jaccard_P, proposed, config, threads=threads)
    pair_P2, jaccard_P, num_unlisted = expand_pairs(pair_P2, jaccard_P, proposed.group_N)
    clusters = _connect(first_N, pair_P2, jaccard_P)
    keeper_of_N = choose_keepers(clusters.label_N, documents.tokens_N, documents.content_hash_N)
    return Duplicates(
        first_N=first_N,
        pair_P2=pair_P2,
        jaccard_P=jaccard_P,
        cluster_N=clusters.label_N,
        weakest_N=clusters.weakest_N,
        keeper_N=keeper_of_N == own_N,
        keeper_jaccard_N=_measure_to_keepers(first_N, keeper_of_N, sets, threads),
        pairs=Pairs(
            # Pairs of equal keys and unlike sets are among those proposed by now.
            num_equal + len(proposed.pair_P2) + joined.num_compared + across.num_compared,
            exact=int((first_N != own_N).sum()),
            near=len(jaccard_P),
            unlisted=num_unlisted,
            joined=joined.num_joined,
            uncompared=joined.num_uncompared + across.num_uncompared,
        ),
        num_verified=num_verified,
        recall=estimate_recall(replayed, proposed.group_N, config),
        leaked=find_leaks(documents.val_N, first_N, pair_P2, jaccard_P),
    )


def _verify(
    proposed: Candidates,
    alike_P2: np.ndarray,
    first_N: np.ndarray,
    sets: ShingleSets,
    config: MinHashConfig,
    threads: int,
) -> tuple[np.ndarray, np.ndarray, LargeBucketPairs]:
    """Verify proposed pairs of first documents; return those at or over the threshold."""
    jaccard_P = verify_pairs(sets, proposed.pair_P2, config.threshold, threads=threads)
    near_P = ~np.isnan(jaccard_P)
    pair_P2, jaccard_P = proposed.pair_P2[near_P], jaccard_P[near_P]
    before = _connect(
        first_N,
        np.concatenate([alike_P2, pair_P2]),
        np.concatenate([np.ones(len(alike_P2)), jaccard_P]),
    )
    large = compare_to_join(sets, proposed.large, before.label_N, config.threshold)
    both_P2 = np.concatenate([pair_P2, large.pair_P2])
    pair_P2, place = np.unique(both_P2, axis=0, return_index=True)
    return pair_P2, np.concatenate([jaccard_P, large.jaccard_P])[place], large


def _connect(first_N: np.ndarray, pair_P2: np.ndarray, jaccard_P: np.ndarray) -> Clusters:
    """Join each document with the first of its text, and pairs of texts."""
    copies = np.flatnonzero(first_N != np.arange(first_N.size))
    copy_P2 = np.stack([first_N[copies], copies], axis=1)
    return connect(
        first_N.size,
        np.concatenate([copy_P2, pair_P2]),
        np.concatenate([np.ones(copies.size), jaccard_P]),
    )


def _choose_candidates(proposed: Candidates) -> np.ndarray:
    """Tell the documents whose shingle sets will be compared."""
    chosen_N = np.zeros(proposed.group_N.size, bool)
    for members in (proposed.pair_P2, pair_groups(proposed.group_N), *proposed.large):
        chosen_N[members] = True
    return chosen_N


def _measure_to_keepers(
    first_N: np.ndarray, keeper_of_N: np.ndarray, sets: ShingleSets, threads: int
) -> np.ndarray:
    """Compute each document's true Jaccard to its cluster's keeper; 1 for an equal text."""
    lead_N = first_N[keeper_of_N]
    jaccard_N = np.ones(first_N.size)
    other = np.flatnonzero(first_N != lead_N)
    pair_P2 = np.stack([first_N[other], lead_N[other]], axis=1)
    jaccard_N[other] = measure_pairs(sets, pair_P2, threads=threads)
    return jaccard_N
