"""Exact and near duplicates, judged from their pairs: clusters, what stays, what leaked."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assay.audit.duplicates.leakage import LeakedDocuments, find_leaks
from assay.audit.duplicates.near_pairs import NearPairs, find_near_pairs
from assay.audit.minhash.lsh_config import MinHashConfig
from assay.audit.pairs.jaccard import ShingleSets, measure_pairs
from assay.audit.scan.documents import Documents
from assay.corpus.shards import Shard
from assay.corpus.tokenizer import Tokenizer
from assay.repeats.clusters import Clusters, connect_texts
from assay.repeats.keepers import (
    Keepers,
    choose_component_keepers,
    choose_first,
    choose_keepers,
    find_chained,
    rank_documents,
)


@dataclass(frozen=True, slots=True)
class Duplicates:
    """What N documents repeat. Positions are those of the documents.

    Attributes:
        near: Which documents stay, "keeper" or "component" (`assay.repeats.keepers`).
        found: The pairs that all else is judged from.
        cluster_N: The position of the first document of its cluster.
        weakest_N: The weakest link of its cluster (`clusters.Clusters`).
        head_N: The first document of its cluster in the keeping order.
        keeper_of_N: The document that stays and that it repeats most; itself where it stays.
        keeper_jaccard_N: Its true Jaccard to that one; 1 where it stays.
        num_chained: Documents whose own Jaccard to the head of their cluster is below the
            threshold.
        leaked: Validation documents that have a copy in train.
    """

    near: str
    found: NearPairs
    cluster_N: np.ndarray
    weakest_N: np.ndarray
    head_N: np.ndarray
    keeper_of_N: np.ndarray
    keeper_jaccard_N: np.ndarray
    num_chained: int
    leaked: LeakedDocuments

    @property
    def keeper_N(self) -> np.ndarray:
        """Whether each document stays: bool, (documents,)."""
        return np.asarray(self.keeper_of_N == np.arange(self.keeper_of_N.size))


def find_duplicates(
    documents: Documents,
    shards: Sequence[Shard],
    tokenizer: Tokenizer,
    config: MinHashConfig,
    near: str,
    threads: int,
    folder: Path,
) -> Duplicates:
    """Find what repeats, exactly and nearly; every near pair is verified on the texts.

    The result depends on the documents and the settings alone. Shingle sets that would take much
    memory lie in a nameless file in `folder` meanwhile.
    """
    found, sets = find_near_pairs(documents, shards, tokenizer, config, near, threads, folder)
    rank_N = rank_documents(documents.tokens_N, documents.content_hash_N, documents.val_N)
    if near == "keeper":
        return judge_keepers(found, rank_N, documents.val_N)
    first_N, pair_P2, _ = found.known.graph
    clusters = connect_texts(*found.known.graph)
    keeper_of_N = choose_component_keepers(
        first_N, pair_P2, clusters.label_N, rank_N, documents.val_N
    )
    jaccard_N = _measure_to_keepers(first_N, keeper_of_N, sets, threads)
    num_chained = int((jaccard_N < config.threshold).sum())
    keepers = Keepers(keeper_of_N, jaccard_N)
    return _judge(near, found, clusters, rank_N, documents.val_N, keepers, num_chained)


def judge_keepers(found: NearPairs, rank_N: np.ndarray, val_N: np.ndarray) -> Duplicates:
    """Judge pairs by keeper: they are all that is asked for.

    Args:
        found: Near pairs of the documents.
        rank_N: Each document's place in the keeping order, train before val.
        val_N: The validation documents.
    """
    clusters = connect_texts(*found.known.graph)
    chained_N = find_chained(*found.known.graph, clusters.label_N, rank_N)
    keepers = choose_keepers(*found.known.graph, rank_N, val_N)
    return _judge("keeper", found, clusters, rank_N, val_N, keepers, int(chained_N.sum()))


def _judge(
    near: str,
    found: NearPairs,
    clusters: Clusters,
    rank_N: np.ndarray,
    val_N: np.ndarray,
    keepers: Keepers,
    num_chained: int,
) -> Duplicates:
    return Duplicates(
        near=near,
        found=found,
        cluster_N=clusters.label_N,
        weakest_N=clusters.weakest_N,
        head_N=choose_first(clusters.label_N, rank_N),
        keeper_of_N=keepers.keeper_of_N,
        keeper_jaccard_N=keepers.jaccard_N,
        num_chained=num_chained,
        leaked=find_leaks(val_N, *found.known.graph),
    )


def _measure_to_keepers(
    first_N: np.ndarray, keeper_of_N: np.ndarray, sets: ShingleSets, threads: int
) -> np.ndarray:
    """Compute each document's true Jaccard to its keeper; 1 for an equal text."""
    lead_N = first_N[keeper_of_N]
    jaccard_N = np.ones(first_N.size)
    other = np.flatnonzero(first_N != lead_N)
    pair_P2 = np.stack([first_N[other], lead_N[other]], axis=1)
    jaccard_N[other] = measure_pairs(sets, pair_P2, threads=threads)
    return jaccard_N
