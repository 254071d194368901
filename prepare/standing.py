"""Which of an audit's documents stay, and how many tokens they add: judged from its tables."""

# N = documents, K = kept documents

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from assay.formats.audit import Audit, check_threshold, count_unique, weigh_unique
from assay.repeats.clusters import connect_texts
from assay.repeats.keepers import choose_first, choose_keepers, invert, rank_documents
from assay.repeats.known_pairs import KnownPairs, find_positions, read_known_pairs
from assay.storage.tables import read_hashes


@dataclass(frozen=True)
class Standing:
    """What N documents of an audit stay or go for.

    Attributes:
        near: Which near duplicates stay (`assay.repeats.keepers`).
        documents: The audit's table of them.
        known: The pairs that count.
        cluster_N: The cluster of each document: none is divided between train and val.
        keeper_of_N: The document that stays and that it repeats; itself where it stays.
    """

    near: str
    documents: pl.DataFrame
    known: KnownPairs
    cluster_N: np.ndarray
    keeper_of_N: np.ndarray

    @property
    def keeper_N(self) -> np.ndarray:
        """Whether each document stays: bool, (documents,)."""
        return np.asarray(self.keeper_of_N == np.arange(self.keeper_of_N.size))

    @cached_property
    def tokens_N(self) -> np.ndarray:
        """Tokens of each document: int64."""
        return self.documents["tokens"].to_numpy().astype(np.int64)

    def count_unique(self, kept_K: np.ndarray) -> int:
        """Count the unique tokens of some documents, judged among themselves.

        Near duplicates that an audit by component kept together count as it measured them: a
        cluster whose keeper is elsewhere counts its longest, or what its members add if that is
        more.
        """
        if self.near == "component":
            return _count_by_component(self.documents, self.cluster_N, self.tokens_N, kept_K)
        if self.keeper_N[kept_K].all():
            return int(self.tokens_N[kept_K].sum())
        here_N = np.zeros(self.tokens_N.size, np.bool_)
        here_N[kept_K] = True
        no_val_N = np.zeros_like(here_N)
        rank_N = _rank(self.documents, "longest", no_val_N)
        keepers = choose_keepers(*self.known.graph, rank_N, no_val_N, here_N)
        stays_K = keepers.keeper_of_N[kept_K] == kept_K
        return count_unique(self.tokens_N[kept_K], stays_K, keepers.jaccard_N[kept_K])


def judge_standing(
    audit: Audit, *, threshold: float | None, keep: str, shards: tuple[int, ...]
) -> Standing:
    """Judge which documents of an audit stay.

    Args:
        audit: The audit.
        threshold: Another Jaccard than its own, from which on texts are near duplicates.
        keep: Which document of several goes first in the keeping order: "longest" or "first".
        shards: The shards whose documents are validation documents: train's are judged apart.

    Raises:
        UsageError: The audit cannot be judged at that threshold.
    """
    documents, pairs = audit.read("documents"), audit.read("pairs")
    near = audit.totals.lsh.near
    if threshold is not None:
        check_threshold(audit, threshold)
    known = read_known_pairs(documents, pairs)
    val_N = np.isin(documents["shard"].to_numpy(), shards)
    as_audited = (documents["split"] == "val").to_numpy()
    judged = keep == "longest" and threshold is None and np.array_equal(val_N, as_audited)
    if judged and "because_row" in documents.columns:
        return Standing(near, documents, known, _read_clusters(documents), _read_keepers(documents))
    if near == "component":
        return judge_by_component(documents, known, keep, val_N)
    return judge_by_keeper(documents, known.cut(threshold or 0.0, val_N), keep, val_N)


def judge_by_keeper(
    documents: pl.DataFrame, known: KnownPairs, keep: str, val_N: np.ndarray
) -> Standing:
    """Judge pairs anew: each document stays unless it repeats one that stays."""
    rank_N = _rank(documents, keep, val_N)
    cluster_N = connect_texts(*known.graph).label_N
    keepers = choose_keepers(*known.graph, rank_N, val_N)
    return Standing("keeper", documents, known, cluster_N, keepers.keeper_of_N)


def judge_by_component(
    documents: pl.DataFrame, known: KnownPairs, keep: str, val_N: np.ndarray
) -> Standing:
    """Keep one document of each of the audit's clusters, in train another than in val."""
    cluster_N = _read_clusters(documents)
    goes_N = np.zeros_like(val_N) if keep == "first" else ~documents["keeper"].to_numpy()
    rank_N = invert(np.lexsort((np.arange(val_N.size), goes_N)))
    first_N = choose_first(cluster_N, rank_N)
    if val_N.any():
        first_N = np.where(val_N, first_N, choose_first(cluster_N, rank_N, ~val_N))
    return Standing("component", documents, known, cluster_N, first_N)


def _rank(documents: pl.DataFrame, keep: str, val_N: np.ndarray) -> np.ndarray:
    """Return each document's place in the keeping order, train before val."""
    if keep == "first":
        return invert(np.lexsort((np.arange(val_N.size), val_N)))
    hashes_N = read_hashes(documents["content_hash"])
    return rank_documents(documents["tokens"].to_numpy(), hashes_N, val_N)


def _read_clusters(documents: pl.DataFrame) -> np.ndarray:
    return documents["cluster"].to_numpy().astype(np.int64)


def _read_keepers(documents: pl.DataFrame) -> np.ndarray:
    """Return the position of the document that each goes for; its own where it stays."""
    goes = (~documents["keeper"]).to_numpy()
    keeper_of_N = np.arange(documents.height)
    keeper_of_N[goes] = find_positions(
        documents, documents.filter(goes), "because_shard", "because_row"
    )
    return keeper_of_N


def _count_by_component(
    documents: pl.DataFrame, cluster_N: np.ndarray, tokens_N: np.ndarray, kept_K: np.ndarray
) -> int:
    keeper_N = documents["keeper"].to_numpy()
    unique_N = weigh_unique(tokens_N, keeper_N, documents["keeper_jaccard"].to_numpy())
    frame = pl.DataFrame(
        {
            "cluster": cluster_N[kept_K],
            "keeper": keeper_N[kept_K],
            "tokens": tokens_N[kept_K],
            "unique": unique_N[kept_K],
        }
    )
    by_cluster = frame.group_by("cluster").agg(
        pl.col("keeper").any(), pl.col("tokens").max(), pl.col("unique").sum()
    )
    counted = (
        pl.when("keeper")
        .then(pl.col("unique"))
        .otherwise(pl.max_horizontal(pl.col("tokens").cast(pl.Float64), "unique"))
    )
    return round(float(by_cluster.select(counted.sum()).item()))
