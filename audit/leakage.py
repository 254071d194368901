"""Validation documents that have a copy in train, each with the document that gives it away."""

import numpy as np
import polars as pl

from assay.audit.corpus import Corpus
from assay.audit.duplicates import Duplicates


def find_leaks(corpus: Corpus, duplicates: Duplicates) -> pl.DataFrame:
    """Find leaks: one row for each leaked validation document, in their order.

    Tier "exact": the same text stands in train; "near": a text at or over the threshold does. The
    train document named is the first exact copy, else the nearest one found.

    Returns:
        Columns `val` and `train` (positions in the corpus), `tier`, `jaccard`.
    """
    position_N = np.arange(corpus.num_documents)
    frame = pl.DataFrame({"position": position_N, "first": duplicates.first_N, "val": corpus.val_N})
    train_copy = (
        frame.filter(~pl.col("val")).group_by("first").agg(pl.col("position").min().alias("train"))
    )
    val = frame.filter(pl.col("val")).select("first", val="position")
    exact = val.join(train_copy, on="first").with_columns(
        pl.lit("exact").alias("tier"), pl.lit(1.0).alias("jaccard")
    )
    rest = val.join(exact.select("val"), on="val", how="anti")
    near = rest.join(_list_neighbours(duplicates), on="first").join(
        train_copy, left_on="other", right_on="first"
    )
    nearest = (
        near.sort("val", "jaccard", "train", descending=[False, True, False])
        .group_by("val", maintain_order=True)
        .first()
        .with_columns(pl.lit("near").alias("tier"))
    )
    columns = ["val", "train", "tier", "jaccard"]
    return pl.concat([exact.select(columns), nearest.select(columns)]).sort("val")


def _list_neighbours(duplicates: Duplicates) -> pl.DataFrame:
    """List verified pairs of distinct texts in both directions: `first`, `other`, `jaccard`."""
    pair_P2, jaccard_P = duplicates.pair_P2, duplicates.jaccard_P
    return pl.DataFrame(
        {
            "first": np.concatenate([pair_P2[:, 0], pair_P2[:, 1]]),
            "other": np.concatenate([pair_P2[:, 1], pair_P2[:, 0]]),
            "jaccard": np.concatenate([jaccard_P, jaccard_P]),
        }
    )
