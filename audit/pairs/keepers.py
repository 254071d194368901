"""The document of each cluster that is kept."""

# N = documents

import numpy as np
from numpy.typing import NDArray


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
