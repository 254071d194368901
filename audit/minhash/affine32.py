"""Permutations: of each, a signature has the smallest value that a document's shingles take.

The values equal those of datasketch 2's scheme "affine32", so that a signature made here can be
compared with one made there. Of a 64-bit shingle the upper 32 bits are what datasketch's
`hashfunc` would return; then come the scheme's own steps: MurmurHash3's fmix32, and for each
permutation `a * value + b` modulo 2**32 with odd `a`.
"""

# Q = permutations filled up to a multiple of 16

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from assay.audit.text.simd import make_permute
from assay.kernels import inline, njit

NUM_PERM = 128
MAX_HASH = np.uint32(0xFFFF_FFFF)

# Multipliers and increments as a kernel takes them, and scratch for a block of hashes.
NarrowMaps: TypeAlias = tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32]]

_BLOCK = 1024  # shingles permuted at a time: they stay in the fastest cache
_LANES = 16
_permute_128 = make_permute(8)
_permute_16 = make_permute(1)


@dataclass(frozen=True, slots=True)
class Permutations:
    """The maps whose minima make a signature: value -> multiplier * value + increment.

    Both arrays are filled up to a multiple of 16; `num_perm` of their values count.
    """

    num_perm: int
    seed: int
    multipliers_Q: NDArray[np.uint32]
    increments_Q: NDArray[np.uint32]


def make_permutations(num_perm: int = NUM_PERM, seed: int = 1) -> Permutations:
    """Draw the permutations that datasketch 2 draws for the same number and seed.

    Raises:
        ValueError: `num_perm` is not positive.
    """
    if num_perm < 1:
        raise ValueError(f"num_perm is {num_perm}; it must be at least 1")
    generator = np.random.RandomState(seed)
    a = generator.randint(0, 1 << 31, num_perm, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    b = generator.randint(0, 1 << 32, num_perm, dtype=np.uint32)
    fill = np.zeros(-num_perm % _LANES, np.uint32)
    return Permutations(num_perm, seed, np.concatenate([a, fill]), np.concatenate([b, fill]))


def make_maps(permutations: Permutations) -> NarrowMaps:
    """Return permutations as kernels take them, with scratch of their own: for one thread."""
    hashes = np.empty(_BLOCK, np.uint32)
    return permutations.multipliers_Q, permutations.increments_Q, hashes


@inline
def premix_32(shingle: np.uint64) -> np.uint32:
    """Take a shingle's upper 32 bits through MurmurHash3's fmix32, as scheme affine32 does."""
    value = np.uint32(shingle >> np.uint64(32))
    value = np.uint32(value ^ (value >> np.uint32(16)))
    value = np.uint32(value * np.uint32(0x85EB_CA6B))
    value = np.uint32(value ^ (value >> np.uint32(13)))
    value = np.uint32(value * np.uint32(0xC2B2_AE35))
    return np.uint32(value ^ (value >> np.uint32(16)))


@njit
def lower_minima(
    hashes: NDArray[np.uint32],
    count: int,
    a_Q: NDArray[np.uint32],
    b_Q: NDArray[np.uint32],
    minima_Q: NDArray[np.uint32],
) -> None:
    """Lower each minimum to the smallest permuted value of `hashes[:count]`, premixed ones."""
    if count < 1:
        return
    first = 0
    while a_Q.size - first >= 128:
        place = np.uint64(4 * first)
        a, b, minima = a_Q.ctypes.data, b_Q.ctypes.data, minima_Q.ctypes.data
        _permute_128(hashes.ctypes.data, count, a + place, b + place, minima + place)
        first += 128
    while first < a_Q.size:
        place = np.uint64(4 * first)
        a, b, minima = a_Q.ctypes.data, b_Q.ctypes.data, minima_Q.ctypes.data
        _permute_16(hashes.ctypes.data, count, a + place, b + place, minima + place)
        first += _LANES


@njit
def lower_narrow(
    shingles: NDArray[np.uint64],
    first: int,
    count: int,
    maps: NarrowMaps,
    minima_Q: NDArray[np.uint32],
) -> None:
    """Lower minima by `shingles[first:first + count]`, a block at a time."""
    a_Q, b_Q, hashes = maps
    for start in range(first, first + count, _BLOCK):
        size = min(_BLOCK, first + count - start)
        for at in range(size):
            hashes[at] = premix_32(shingles[start + at])
        lower_minima(hashes, size, a_Q, b_Q, minima_Q)
