"""Counts of bins before they are written, and the checks that they must pass."""

import numpy as np
import polars as pl
from msgspec import UNSET, UnsetType

from assay.formats.audit import weigh_unique
from assay.formats.audit_totals import Part
from assay.formats.bins import BinsTotals, SplitCheck, SplitTotals
from assay.formats.leak_totals import SplitChecks
from assay.prepare.selection import DROPPED, REASONS, TRAIN, VAL, Assignment


def count_totals(
    documents: pl.DataFrame,
    assignment: Assignment,
    check: SplitCheck,
    checks: SplitChecks | UnsetType = UNSET,
    cleaned: dict[str, np.ndarray] | None = None,
) -> BinsTotals:
    """Count documents and tokens in, kept in each split, and dropped by reason.

    `cleaned` tells the documents of each split that went for what n-grams and shingles found.

    `unique_tokens` counts a text once, and a near duplicate by what it adds: tokens times (1 - its
    Jaccard to the keeper).
    """
    tokens_N = documents["tokens"].to_numpy().astype(np.int64)
    unique_N = weigh_unique(
        tokens_N, documents["keeper"].to_numpy(), documents["keeper_jaccard"].to_numpy()
    )

    def count_split(fate: int) -> SplitTotals:
        kept = assignment.positions(fate)
        tokens = int(tokens_N[kept].sum())
        unique = _count_unique(documents, kept, tokens_N, unique_N)
        return SplitTotals(kept.size, tokens, tokens + kept.size, unique)

    def count_dropped(reason: str) -> Part:
        return count_part(assignment.reason_N == reason)

    def count_part(which_N: np.ndarray) -> Part:
        return Part(int(which_N.sum()), int(tokens_N[which_N].sum()))

    totals = BinsTotals(
        documents_in=documents.height,
        tokens_in=int(tokens_N.sum()),
        train=count_split(TRAIN),
        val=count_split(VAL),
        dropped={reason: count_dropped(reason) for reason in (*REASONS, "budget")},
        split_check=check,
        checks=checks,
        cleaned={split: count_part(which_N) for split, which_N in (cleaned or {}).items()},
    )
    # Nothing is lost: what came in was kept, or dropped for one reason.
    assert totals.documents_out == totals.documents_in, totals
    assert totals.tokens_out == totals.tokens_in, totals
    return totals


def _count_unique(
    documents: pl.DataFrame, kept: np.ndarray, tokens_N: np.ndarray, unique_N: np.ndarray
) -> int:
    """Count unique tokens of kept documents; a cluster without its keeper counts its longest."""
    frame = pl.DataFrame(
        {
            "cluster": documents["cluster"].to_numpy()[kept],
            "keeper": documents["keeper"].to_numpy()[kept],
            "tokens": tokens_N[kept],
            "unique": unique_N[kept],
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


def check_split(
    pairs: pl.DataFrame, documents: pl.DataFrame, assignment: Assignment, *, drawn: bool
) -> SplitCheck:
    """Count the audit's verified pairs that cross the split.

    Where the split was `drawn`, and shards were not held out as they are, there are none: every
    document of a cluster lies on one side.
    """
    where = documents.select("shard", "row").with_columns(pl.Series("fate", assignment.fate_N))
    joined = pairs.join(where, left_on=["shard_a", "row_a"], right_on=["shard", "row"]).join(
        where, left_on=["shard_b", "row_b"], right_on=["shard", "row"], suffix="_b"
    )
    kept = joined.filter((pl.col("fate") != DROPPED) & (pl.col("fate_b") != DROPPED))
    crossing = kept.filter(pl.col("fate") != pl.col("fate_b"))
    if drawn:
        fates = where.with_columns(documents["cluster"]).filter(pl.col("fate") != DROPPED)
        split = fates.group_by("cluster").agg(pl.col("fate").n_unique()).filter(pl.col("fate") > 1)
        assert crossing.height == 0
        assert split.height == 0
    return SplitCheck(
        pairs_within_kept=kept.height,
        exact_across=crossing.filter(pl.col("kind") == "exact").height,
        near_across=crossing.filter(pl.col("kind") == "near").height,
    )
