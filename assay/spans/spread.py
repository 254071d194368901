"""In how many clusters an n-gram stands: what stands in many is boilerplate."""

# N = documents, R = runs of hits, W = words of the index

import numpy as np
from numpy.typing import NDArray

from assay.kernels import njit
from assay.spans.hits import DOCUMENT, NGRAM, NUM_NGRAMS


def count_clusters(
    run_R4: NDArray[np.uint32], cluster_N: NDArray[np.int64], num_words: int
) -> NDArray[np.uint32]:
    """Count the different clusters whose documents have an n-gram.

    Args:
        run_R4: As in `hits.Hits`.
        cluster_N: The cluster of each document.
        num_words: Words of the index.

    Returns:
        For each word of the index, the clusters that have the n-gram beginning there; 0 for all but
        the first of equal n-grams. Takes 12 bytes a word of the index and 16 a run.
    """
    cluster_R = cluster_N[run_R4[:, DOCUMENT].astype(np.int64)]
    count_W = np.zeros(num_words, np.uint32)
    _count_clusters(run_R4, cluster_R, np.argsort(cluster_R, kind="stable"), count_W)
    return count_W


@njit
def _count_clusters(
    run_R4: NDArray[np.uint32],
    cluster_R: NDArray[np.int64],
    order_R: NDArray[np.int64],
    count_W: NDArray[np.uint32],
) -> None:
    last_W = np.full(count_W.size, -1, np.int64)  # the last cluster that was counted
    for run in order_R:
        first, cluster = np.int64(run_R4[run, NGRAM]), cluster_R[run]
        for ngram in range(first, first + np.int64(run_R4[run, NUM_NGRAMS])):
            if last_W[ngram] != cluster:
                last_W[ngram] = cluster
                count_W[ngram] += np.uint32(1)
