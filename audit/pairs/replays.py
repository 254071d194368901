"""Clusters found again: which documents the bands would have joined under other permutations.

A replay renames every shingle by a hash, each time another, which to a signature is what drawing
its permutations anew would be. The sets keep what they share, and so their Jaccard; whatever signs
and bands them is the code in force. Pairs of a cluster are found or missed together as often as
they really are.
"""

# M = documents of the clusters, E = near pairs within them, R = replays, B = bands

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from assay.audit.minhash.lsh_config import MinHashConfig
from assay.audit.minhash.permutations import premix_64
from assay.audit.minhash.sign import sign_sets
from assay.audit.pairs.clusters import find_root
from assay.audit.pairs.jaccard import ShingleSets
from assay.engine import map_tasks
from assay.kernels import njit

_STEP = 0x9E37_79B9_7F4A_7C15  # splitmix64's (Steele, Lea, Flood 2014)


def take_sets(sets: ShingleSets, chosen_M: NDArray[np.int64]) -> ShingleSets:
    """Copy the sets of some documents, in the order named."""
    first_M, last_M = sets.offsets_N[chosen_M], sets.offsets_N[chosen_M + 1]
    spans = zip(first_M.tolist(), last_M.tolist(), strict=True)
    parts = [np.empty(0, np.uint64), *(sets.values[first:last] for first, last in spans)]
    return ShingleSets(np.concatenate(parts), np.append(0, np.cumsum(last_M - first_M)))


def replay_clusters(
    sets: ShingleSets,
    pair_E2: NDArray[np.int64],
    config: MinHashConfig,
    number: int,
    *,
    threads: int = 1,
) -> Iterator[NDArray[np.int64]]:
    """Yield, for each of `number` replays, the smallest document that each one is joined with.

    About 5 ns a shingle and replay for 128 values of 32 bits, without the GIL.

    Args:
        sets: Shingle sets of M documents.
        pair_E2: Their near pairs, by position: those whose keys agree in a band are joined.
        config: What signs the sets, and bands the signatures.
        number: Replays; the first ones are the same for any number.
        threads: Replays made at a time; changes nothing else.
    """
    scheme = config.make_scheme()
    pairs = np.ascontiguousarray(pair_E2, np.int64)

    def replay(salt: int) -> NDArray[np.int64]:
        renamed = sets.values ^ np.uint64(salt)
        premix_64(renamed, 0, renamed.size)
        parent_M = np.arange(sets.offsets_N.size - 1)
        key_BM = config.hash_bands(sign_sets(renamed, sets.offsets_N, scheme))
        join_agreeing(parent_M, key_BM, pairs)
        return parent_M

    salts = [_STEP * (nth + 1) % (1 << 64) for nth in range(number)]
    return map_tasks(replay, salts, threads)


@njit
def join_agreeing(
    parent_M: NDArray[np.int64], key_BM: NDArray[np.uint64], pair_E2: NDArray[np.int64]
) -> None:
    """Join the pairs that agree in a band; leaves each document the smallest one of its cluster."""
    for pair in range(len(pair_E2)):
        x, y = pair_E2[pair, 0], pair_E2[pair, 1]
        a, b = find_root(parent_M, x), find_root(parent_M, y)
        if a == b:
            continue
        for band in range(len(key_BM)):
            if key_BM[band, x] == key_BM[band, y]:
                parent_M[max(a, b)] = min(a, b)
                break
    for document in range(parent_M.size):
        parent_M[document] = find_root(parent_M, document)
