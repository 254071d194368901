"""Choose validation documents, a cluster at a time."""

import numpy as np
import polars as pl
from xxhash import xxh3_64_intdigest


def draw_clusters(content_hash: pl.Series, cluster_N: np.ndarray, seed: int) -> np.ndarray:
    """Draw a number in [0, 1) for each document's cluster: float64, shape (documents,).

    It depends on the seed and the smallest content hash of the cluster alone, so that any two
    datasets prepared from one audit, or from audits that found the same clusters, draw alike.
    All documents of a cluster draw the same number.
    """
    clusters = pl.DataFrame({"cluster": cluster_N, "content_hash": content_hash})
    smallest = clusters.group_by("cluster").agg(pl.col("content_hash").min())
    salt = seed.to_bytes(8, "little", signed=True)
    draws = [xxh3_64_intdigest(salt + name) / 2.0**64 for name in smallest["content_hash"]]
    table = smallest.select("cluster").with_columns(pl.Series("draw", draws, pl.Float64))
    return (
        clusters.select("cluster")
        .join(table, on="cluster", how="left", maintain_order="left")["draw"]
        .to_numpy()
    )


def choose_by_tokens(
    draw_N: np.ndarray, tokens_N: np.ndarray, keeper_N: np.ndarray, num_tokens: int
) -> np.ndarray:
    """Hold out clusters, smallest draw first, until their keepers have `num_tokens` tokens.

    A cluster that drew more than 1 is never held out.
    """
    keepers = np.flatnonzero(keeper_N & (draw_N <= 1))
    keepers = keepers[np.argsort(draw_N[keepers], kind="stable")]
    before = np.cumsum(tokens_N[keepers]) - tokens_N[keepers]
    chosen = keepers[before < num_tokens]
    limit = draw_N[chosen].max() if chosen.size else -1.0
    return np.asarray(draw_N <= limit)
