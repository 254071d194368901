"""Clusters: documents joined by exact or near pairs."""

# N = documents, P = pairs

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.kernels import njit


@dataclass(frozen=True, slots=True)
class Clusters:
    """What pairs join.

    `label_N` is the smallest position in a document's cluster, its own if it stands alone.
    `weakest_N` is the weakest link of that cluster: the highest threshold at which it still
    holds together (the smallest Jaccard on a maximum spanning tree); 1 where it stands alone.
    """

    label_N: NDArray[np.int64]
    weakest_N: NDArray[np.float64]


def connect(
    num_documents: int, pair_P2: NDArray[np.int64], jaccard_P: NDArray[np.float64]
) -> Clusters:
    """Join documents by pairs; exact ones have Jaccard 1. Their order does not matter.

    Raises:
        ValueError: A pair names a document that is not there, or has no Jaccard (NaN).
    """
    pairs = np.ascontiguousarray(pair_P2, np.int64).reshape(-1, 2)
    if pairs.size and (pairs.min() < 0 or pairs.max() >= num_documents):
        raise ValueError(f"pairs name documents outside 0 to {num_documents - 1}")
    if len(jaccard_P) != len(pairs) or np.isnan(jaccard_P).any():
        raise ValueError(f"{len(pairs)} pairs need as many Jaccard values, none of them NaN")
    order = np.argsort(-jaccard_P, kind="stable")
    parent_N = np.arange(num_documents)
    weakest_N = np.ones(num_documents)
    _join_pairs(parent_N, weakest_N, pairs[order], np.asarray(jaccard_P, np.float64)[order])
    return Clusters(parent_N, weakest_N[parent_N])


def connect_texts(
    first_N: NDArray[np.int64], pair_P2: NDArray[np.int64], jaccard_P: NDArray[np.float64]
) -> Clusters:
    """Join each document with the first of its text, `first_N`, and texts by their pairs."""
    copies = np.flatnonzero(first_N != np.arange(first_N.size))
    copy_P2 = np.stack([first_N[copies], copies], axis=1)
    return connect(
        first_N.size,
        np.concatenate([copy_P2, pair_P2]),
        np.concatenate([np.ones(copies.size), jaccard_P]),
    )


def count_within(size_K: NDArray[np.int64]) -> int:
    """Count the pairs within groups of these sizes."""
    return int((size_K * (size_K - 1) // 2).sum())


@njit
def find_root(parent_N: NDArray[np.int64], document: int) -> int:
    """Return the smallest document of a cluster, shortening the way for the next call."""
    while parent_N[document] != document:
        parent_N[document] = parent_N[parent_N[document]]
        document = parent_N[document]
    return document


@njit
def _join_pairs(
    parent_N: NDArray[np.int64],
    weakest_N: NDArray[np.float64],
    pair_P2: NDArray[np.int64],
    jaccard_P: NDArray[np.float64],
) -> None:
    """Join pairs in descending order of Jaccard: the last to join a cluster is its weakest link."""
    for pair in range(len(pair_P2)):
        a = find_root(parent_N, pair_P2[pair, 0])
        b = find_root(parent_N, pair_P2[pair, 1])
        if a != b:
            parent_N[max(a, b)] = min(a, b)
            weakest_N[min(a, b)] = jaccard_P[pair]
    for document in range(parent_N.size):
        parent_N[document] = parent_N[parent_N[document]]  # ascending: roots come first
