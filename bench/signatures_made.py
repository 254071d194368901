"""Signatures with known clusters, as many as a large corpus has, without a text behind them."""

import numpy as np
from numpy.typing import NDArray

IN_CLUSTERS = 0.1  # share of the documents
LARGEST_CLUSTER = 20
SAME_VALUES = 0.96  # of a copy's values; the others are drawn anew, as for Jaccard 0.96


def make_signatures(
    num_documents: int, num_perm: int = 128, *, seed: int = 1
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return signatures, uint32 (documents, num_perm), and the first document of each's cluster.

    A tenth of the documents stand in clusters of 2 to 20, shuffled among the others. Chance
    alone would give two documents a band of 8 values in common once in 2**256 bands.
    """
    rng = np.random.default_rng(seed)
    signature_NP = rng.integers(0, 1 << 32, (num_documents, num_perm), np.uint32)
    label_N = np.arange(num_documents)
    members = rng.permutation(num_documents)[: int(IN_CLUSTERS * num_documents)]
    at = 0
    while members.size - at >= 2:
        size = min(int(rng.integers(2, LARGEST_CLUSTER + 1)), members.size - at)
        cluster = np.sort(members[at : at + size])
        copies = cluster[1:]
        same = rng.random((copies.size, num_perm)) < SAME_VALUES
        signature_NP[copies] = np.where(same, signature_NP[cluster[0]], signature_NP[copies])
        label_N[copies] = cluster[0]
        at += size
    return signature_NP, label_N
