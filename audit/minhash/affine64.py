"""Signatures of 64-bit values, equal to those of datasketch 2's scheme "affine64".

The whole shingle is what datasketch's `hashfunc` would return; then come the scheme's own steps:
MurmurHash3's fmix64, and for each permutation `a * value + b` modulo 2**64 with odd `a`.
"""

# P = permutations, Q = permutations filled up to a multiple of 8

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from assay.audit.text.simd import finish_64, make_permute
from assay.kernels import njit

WIDE_MAX_HASH = np.uint64(0xFFFF_FFFF_FFFF_FFFF)

# Multipliers and increments as a kernel takes them.
WideMaps: TypeAlias = tuple[NDArray[np.uint64], NDArray[np.uint64]]

_BLOCK = 1024  # shingles permuted at a time: they stay in the fastest cache
_LANES = 8
_permute_64 = make_permute(8, bits=64)
_permute_16 = make_permute(2, bits=64)
_permute_8 = make_permute(1, bits=64)


@dataclass(frozen=True, slots=True)
class WidePermutations:
    """The maps whose minima make a signature: value -> multiplier * value + increment.

    Both arrays are filled up to a multiple of 8; `num_perm` of their values count.
    """

    num_perm: int
    seed: int
    multipliers_Q: NDArray[np.uint64]
    increments_Q: NDArray[np.uint64]


def make_wide_permutations(num_perm: int, seed: int = 1) -> WidePermutations:
    """Draw the permutations that datasketch 2 draws for scheme "affine64", this number and seed.

    Raises:
        ValueError: `num_perm` is not positive.
    """
    if num_perm < 1:
        raise ValueError(f"num_perm is {num_perm}; it must be at least 1")
    generator = np.random.RandomState(seed)
    a = generator.randint(0, 1 << 63, num_perm, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    b = generator.randint(0, 1 << 64, num_perm, dtype=np.uint64)
    fill = np.zeros(-num_perm % _LANES, np.uint64)
    return WidePermutations(num_perm, seed, np.concatenate([a, fill]), np.concatenate([b, fill]))


@njit
def premix_all(values: NDArray[np.uint64], first: int, count: int) -> None:
    """Take `values[first:first + count]` through MurmurHash3's fmix64, in place."""
    for place in range(first, first + count):
        values[place] = finish_64(values[place])


@njit
def lower_wide_minima(
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
            _permute_64(start, count, a + place, b + place, minima + place)
            done += 64
        elif a_Q.size - done >= 16:
            _permute_16(start, count, a + place, b + place, minima + place)
            done += 16
        else:
            _permute_8(start, count, a + place, b + place, minima + place)
            done += _LANES


@njit
def lower_wide(
    shingles: NDArray[np.uint64],
    first: int,
    count: int,
    maps: WideMaps,
    minima_Q: NDArray[np.uint64],
) -> None:
    """Lower minima by `shingles[first:first + count]`, mixed in place, a block at a time."""
    a_Q, b_Q = maps
    for start in range(first, first + count, _BLOCK):
        size = min(_BLOCK, first + count - start)
        premix_all(shingles, start, size)
        lower_wide_minima(shingles, start, size, a_Q, b_Q, minima_Q)
