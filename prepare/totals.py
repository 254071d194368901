"""Counts of a plan, and the checks that it must pass."""

from typing import Any

import numpy as np
import polars as pl

from assay.prepare.plan import DROPPED, REASONS, TRAIN, VAL, Choice, Plan


def count_totals(documents: pl.DataFrame, plan: Plan) -> dict[str, Any]:
    """Count documents and tokens in, kept in each split, and dropped by reason.

    `ids` is the length of a bin: tokens, and one end-of-text a document. `unique_tokens` counts a
    text once, and a near duplicate by what it adds: tokens times (1 - its Jaccard to the keeper).
    """
    tokens_N = documents["tokens"].to_numpy().astype(np.int64)
    unique_N = weigh_unique(documents)
    totals: dict[str, Any] = {
        "documents_in": documents.height,
        "tokens_in": int(tokens_N.sum()),
    }
    for name, fate in (("train", TRAIN), ("val", VAL)):
        kept = plan.positions(fate)
        tokens = int(tokens_N[kept].sum())
        totals[name] = {
            "documents": kept.size,
            "tokens": tokens,
            "ids": tokens + kept.size,
            "unique_tokens": _count_unique(documents, kept, tokens_N, unique_N),
        }
    dropped = {}
    for reason in (*REASONS, "budget"):
        which = np.flatnonzero(plan.reason_N == reason)
        dropped[reason] = {"documents": which.size, "tokens": int(tokens_N[which].sum())}
    totals["dropped"] = dropped
    _check_conservation(totals, plan)
    return totals


def weigh_unique(documents: pl.DataFrame) -> np.ndarray:
    """Return how many tokens each document adds to what is unique: float64, (documents,)."""
    repeats = 1.0 - documents["keeper_jaccard"].to_numpy()
    weight_N = np.where(documents["keeper"].to_numpy(), 1.0, repeats)
    return np.asarray(weight_N * documents["tokens"].to_numpy())


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


def _check_conservation(totals: dict[str, Any], plan: Plan) -> None:
    """Nothing is lost: what came in was kept, or dropped for one reason."""
    assert plan.fate_N.size == totals["documents_in"]
    for key, whole in (("documents", "documents_in"), ("tokens", "tokens_in")):
        kept = totals["train"][key] + totals["val"][key]
        gone = sum(part[key] for part in totals["dropped"].values())
        assert kept + gone == totals[whole], (key, kept, gone, totals[whole])


def check_split(
    pairs: pl.DataFrame, documents: pl.DataFrame, plan: Plan, choice: Choice
) -> dict[str, int]:
    """Count the audit's verified pairs that cross the split: 0 unless shards were held out as is.

    Every document of a cluster lies on one side, so no pair within a cluster can cross.
    """
    where = documents.select("shard", "row").with_columns(pl.Series("fate", plan.fate_N))
    joined = pairs.join(where, left_on=["shard_a", "row_a"], right_on=["shard", "row"]).join(
        where, left_on=["shard_b", "row_b"], right_on=["shard", "row"], suffix="_b"
    )
    kept = joined.filter((pl.col("fate") != DROPPED) & (pl.col("fate_b") != DROPPED))
    crossing = kept.filter(pl.col("fate") != pl.col("fate_b"))
    if not choice.val_shards:
        fates = where.with_columns(documents["cluster"]).filter(pl.col("fate") != DROPPED)
        split = fates.group_by("cluster").agg(pl.col("fate").n_unique()).filter(pl.col("fate") > 1)
        assert crossing.height == 0
        assert split.height == 0
    return {
        "pairs_within_kept": kept.height,
        "exact_across": crossing.filter(pl.col("kind") == "exact").height,
        "near_across": crossing.filter(pl.col("kind") == "near").height,
    }
