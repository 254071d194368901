"""Clusters: documents joined by pairs."""

import numpy as np

from assay.kernels import njit


@njit
def _join(parent: np.ndarray, pair_P2: np.ndarray) -> None:
    for pair in range(len(pair_P2)):
        a, b = pair_P2[pair, 0], pair_P2[pair, 1]
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        while parent[b] != b:
            parent[b] = parent[parent[b]]
            b = parent[b]
        parent[max(a, b)] = min(a, b)
    for document in range(parent.size):  # parents are smaller, and already at their roots
        parent[document] = parent[parent[document]]


def join_pairs(num_documents: int, pair_P2: np.ndarray) -> np.ndarray:
    """Return for each document the smallest one that pairs lead to: int64, (documents,)."""
    parent = np.arange(num_documents)
    _join(parent, np.ascontiguousarray(pair_P2, np.int64))
    return parent
