"""Permutations: of each, a signature has the smallest value that a document's shingles take.

The values equal those of datasketch 2's schemes "affine32" and "affine64", so that a signature made
here can be compared with one made there. Of a 64-bit shingle the upper 32 bits, or all of it, are
what datasketch's `hashfunc` would return; then come the scheme's own steps: MurmurHash3's fmix32 or
fmix64, and for each permutation `a * value + b` modulo 2**32 or 2**64, with odd `a`.
"""

# P = permutations, Q = permutations filled up to whole registers

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from assay.kernels import inline, njit
from assay.text.simd import finish_64, make_permute

NUM_PERM = 128
MAX_HASH = np.uint32(0xFFFF_FFFF)
MAX_HASH_64 = np.uint64(0xFFFF_FFFF_FFFF_FFFF)

# Multipliers and increments as a kernel takes them, and scratch for a block of hashes.
Maps32: TypeAlias = tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32]]
Maps64: TypeAlias = tuple[NDArray[np.uint64], NDArray[np.uint64]]

BLOCK = 1024  # shingles permuted at a time: they stay in the fastest cache
_REGISTER_BITS = 512
_permute_32x128 = make_permute(8)
_permute_32x16 = make_permute(1)
_permute_64x64 = make_permute(8, bits=64)
_permute_64x16 = make_permute(2, bits=64)
_permute_64x8 = make_permute(1, bits=64)


@dataclass(frozen=True, slots=True)
class Permutations:
    """The maps whose minima make a signature: value -> multiplier * value + increment.

    Both arrays are of uint32 or uint64, and filled up to whole registers of 512 bits; `num_perm`
    of their values count.
    """

    num_perm: int
    multipliers_Q: NDArray[Any]
    increments_Q: NDArray[Any]


def make_permutations(num_perm: int = NUM_PERM, seed: int = 1, *, bits: int = 32) -> Permutations:
    """Draw the permutations of 32 or 64 bits that datasketch 2 draws for this number and seed.

    Raises:
        ValueError: `num_perm` is not positive.
    """
    if num_perm < 1:
        raise ValueError(f"num_perm must be at least 1, got {num_perm}")
    kind = np.dtype(f"uint{bits}").type
    generator = np.random.RandomState(seed)
    a = generator.randint(0, 1 << (bits - 1), num_perm, dtype=kind) * kind(2) + kind(1)
    b = generator.randint(0, 1 << bits, num_perm, dtype=kind)
    fill = np.zeros(-num_perm % (_REGISTER_BITS // bits), kind)
    return Permutations(num_perm, np.concatenate([a, fill]), np.concatenate([b, fill]))


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
def premix_64(values: NDArray[np.uint64], first: int, count: int) -> None:
    """Take `values[first:first + count]` through MurmurHash3's fmix64, in place."""
    for place in range(first, first + count):
        values[place] = finish_64(values[place])


@njit
def lower_minima_32(
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
    while first < a_Q.size:
        place = np.uint64(4 * first)
        a, b, minima = a_Q.ctypes.data, b_Q.ctypes.data, minima_Q.ctypes.data
        if a_Q.size - first >= 128:
            _permute_32x128(hashes.ctypes.data, count, a + place, b + place, minima + place)
            first += 128
        else:
            _permute_32x16(hashes.ctypes.data, count, a + place, b + place, minima + place)
            first += 16


@njit
def _lower_minima_64(
    hashes: NDArray[np.uint64],
    first: int,
    count: int,
    a_Q: NDArray[np.uint64],
    b_Q: NDArray[np.uint64],
    minima_Q: NDArray[np.uint64],
) -> None:
    """Lower each permutation's minimum to those of `hashes[first:first + count]`, premixed ones."""
    if count < 1:
        return
    start = hashes.ctypes.data + np.uint64(8 * first)
    done = 0
    while done < a_Q.size:
        place = np.uint64(8 * done)
        a, b, minima = a_Q.ctypes.data, b_Q.ctypes.data, minima_Q.ctypes.data
        if a_Q.size - done >= 64:
            _permute_64x64(start, count, a + place, b + place, minima + place)
            done += 64
        elif a_Q.size - done >= 16:
            _permute_64x16(start, count, a + place, b + place, minima + place)
            done += 16
        else:
            _permute_64x8(start, count, a + place, b + place, minima + place)
            done += 8


@njit
def lower_32(
    shingles: NDArray[np.uint64],
    first: int,
    count: int,
    maps: Maps32,
    minima_Q: NDArray[np.uint32],
) -> None:
    """Lower minima by `shingles[first:first + count]`, a block at a time."""
    a_Q, b_Q, hashes = maps
    for start in range(first, first + count, BLOCK):
        size = min(BLOCK, first + count - start)
        for at in range(size):
            hashes[at] = premix_32(shingles[start + at])
        lower_minima_32(hashes, size, a_Q, b_Q, minima_Q)


@njit
def lower_64(
    shingles: NDArray[np.uint64],
    first: int,
    count: int,
    maps: Maps64,
    minima_Q: NDArray[np.uint64],
) -> None:
    """Lower minima by `shingles[first:first + count]`, mixed in place, a block at a time."""
    a_Q, b_Q = maps
    for start in range(first, first + count, BLOCK):
        size = min(BLOCK, first + count - start)
        premix_64(shingles, start, size)
        _lower_minima_64(shingles, start, size, a_Q, b_Q, minima_Q)
