"""Clusters: documents joined by exact or near pairs, and the one of each that is kept."""

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


def choose_keepers(
    label_N: NDArray[np.int64],
    tokens_N: NDArray[np.int64],
    content_hash_N: NDArray[np.void],
) -> NDArray[np.int64]:
    """Return for each document the keeper of its cluster.

    That is the document of most tokens, of those the one of smallest content hash, and of equal
    texts the first. The choice does not depend on the order of the pairs.

    Args:
        label_N: The cluster of each document.
        tokens_N: Its tokens.
        content_hash_N: Its content hash, 16 bytes that compare as big-endian numbers do.
    """
    halves = np.ascontiguousarray(content_hash_N).view(">u8").reshape(-1, 2).astype(np.uint64)
    # From the last key to the first; what is equal in all of them stays in its order.
    order = np.lexsort((halves[:, 1], halves[:, 0], -tokens_N, label_N))
    best = order[np.diff(label_N[order], prepend=-1) != 0]
    keeper_of = np.zeros(len(label_N), np.int64)
    keeper_of[label_N[best]] = best
    return keeper_of[label_N]


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
