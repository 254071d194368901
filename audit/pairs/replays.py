"""Pairs proposed again: whether the bands would have, under other permutations.

A replay renames every shingle by a hash, each time another, which to a signature is what drawing
its permutations anew would be. The sets keep what they share, and so their Jaccard; whatever signs
and bands them is the code in force. Pairs that share documents are proposed or missed together as
often as they really are.
"""

# M = documents, E = pairs, B = bands

import numpy as np
from numpy.typing import NDArray

from assay.audit.minhash.lsh_config import MinHashConfig
from assay.audit.minhash.permutations import premix_64
from assay.audit.minhash.sign import sign_sets
from assay.audit.pairs.clusters import find_root
from assay.audit.pairs.jaccard import ShingleSets
from assay.engine import map_tasks
from assay.kernels import njit

NUM_REPLAYS = 40  # at most 64: a bit each
_STEP = 0x9E37_79B9_7F4A_7C15  # splitmix64's (Steele, Lea, Flood 2014)


def take_sets(sets: ShingleSets, chosen_M: NDArray[np.int64]) -> ShingleSets:
    """Copy the sets of some documents, in the order named."""
    first_M, last_M = sets.offsets_N[chosen_M], sets.offsets_N[chosen_M + 1]
    spans = zip(first_M.tolist(), last_M.tolist(), strict=True)
    parts = [np.empty(0, np.uint64), *(sets.values[first:last] for first, last in spans)]
    return ShingleSets(np.concatenate(parts), np.append(0, np.cumsum(last_M - first_M)))


def replay_pairs(
    sets: ShingleSets, pair_E2: NDArray[np.int64], config: MinHashConfig, *, threads: int = 1
) -> NDArray[np.uint64]:
    """Return for each pair the replays that propose it: bit i for the i-th of `NUM_REPLAYS`.

    About 5 ns a shingle and replay for 128 values of 32 bits, without the GIL.

    Args:
        sets: Shingle sets of M documents, all of which are signed.
        pair_E2: Pairs of them, by position.
        config: What signs the sets, and bands the signatures.
        threads: Replays made at a time; changes nothing else.
    """
    scheme = config.make_scheme()
    pairs = np.ascontiguousarray(pair_E2, np.int64)

    def replay(salt: int) -> NDArray[np.bool_]:
        renamed = sets.values ^ np.uint64(salt)
        premix_64(renamed, 0, renamed.size)
        return _agree(config.hash_bands(sign_sets(renamed, sets.offsets_N, scheme)), pairs)

    salts = [_STEP * (nth + 1) % (1 << 64) for nth in range(NUM_REPLAYS)]
    mask_E = np.zeros(len(pairs), np.uint64)
    for nth, agree_E in enumerate(map_tasks(replay, salts, threads)):
        mask_E |= agree_E.astype(np.uint64) << np.uint64(nth)
    return mask_E


@njit
def _agree(key_BM: NDArray[np.uint64], pair_E2: NDArray[np.int64]) -> NDArray[np.bool_]:
    agree_E = np.zeros(len(pair_E2), np.bool_)
    for pair in range(len(pair_E2)):
        for band in range(len(key_BM)):
            if key_BM[band, pair_E2[pair, 0]] == key_BM[band, pair_E2[pair, 1]]:
                agree_E[pair] = True
                break
    return agree_E


@njit
def find_apart(
    number: int, pair_E2: NDArray[np.int64], mask_E: NDArray[np.uint64], replays: int
) -> NDArray[np.uint64]:
    """Return for each pair of `number` documents the replays that leave it in two clusters.

    A replay joins the pairs that it proposes. Bits are as in `mask_E`, those of `replay_pairs`.
    """
    apart_E = np.zeros(len(pair_E2), np.uint64)
    for replay in range(replays):
        bit = np.uint64(1) << np.uint64(replay)
        parent_M = np.arange(number)
        for pair in range(len(pair_E2)):
            if mask_E[pair] & bit:
                a = find_root(parent_M, pair_E2[pair, 0])
                b = find_root(parent_M, pair_E2[pair, 1])
                parent_M[max(a, b)] = min(a, b)
        for pair in range(len(pair_E2)):
            a = find_root(parent_M, pair_E2[pair, 0])
            if a != find_root(parent_M, pair_E2[pair, 1]):
                apart_E[pair] |= bit
    return apart_E
