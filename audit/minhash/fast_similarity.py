"""Signatures by Fast Similarity Sketching: t slots that a document's shingles fill in rounds.

The definition, for a set A of shingles, t slots and 2t hash functions h_0 .. h_(2t-1), each of
which gives a shingle a slot and a value in [0, 1):

    in round i, each shingle a of A goes to slot b with value v, where (b, v) = h_i(a); from round t
    on, b is i - t for all of them. A slot keeps the smallest i + v that comes to it. When a round
    ends with all slots filled, no later one can change any, and the rest is left out.

Two documents agree in a slot with a chance of their Jaccard similarity, as for permutations; a
shingle costs a few operations in place of t. Long documents need one round.

A slot is therefore the smallest of all (i, v) that come to it, whatever their order: the slots of a
document are the minima of those of its pieces, each filled in as many rounds as the fullest slot
of those before still leaves open. No document is held in memory, nor read twice.

Here v has 24 bits, and a slot is `i << 24 | v` in 32. h_0 takes b and v from the upper 31 bits of
the shingle, which is evenly spread already; h_i from those of shingle * m_i modulo 2**64, where m_i
is fmix64(i * 0x9E3779B97F4A7C15) made odd (multiply-shift hashing). Two different shingles
win a slot with the same v with a chance of about (shingles / t) / 2**24: that of two minima of 32
bits to agree by accident.

Source: Dahlgaard, Knudsen, Thorup: Fast Similarity Sketching, FOCS 2017, algorithm 1.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from assay.kernels import inline, njit
from assay.text.simd import finish_64

NUM_SLOTS = 128  # rounds 0 to 255 just fit the upper 8 bits
EMPTY = np.uint32(0xFFFF_FFFF)

_SLOT_BITS = 7
_VALUE_BITS = 24
_VALUE = np.uint64((1 << _VALUE_BITS) - 1)
_SLOT_SHIFT = np.uint64(64 - _SLOT_BITS)
_VALUE_SHIFT = np.uint64(64 - _SLOT_BITS - _VALUE_BITS)
_REPEATS_ROUND = 3  # so many distinct shingles leave a slot open in rounds 0 to 2 once in 10**19
_REPEATS_COUNT = 2048
_ROUND = np.uint64(0x9E37_79B9_7F4A_7C15)


@dataclass(frozen=True, slots=True)
class Slots:
    """The choice of this scheme; all its signatures have 128 values."""

    num_perm: ClassVar[int] = NUM_SLOTS


@inline
def value_of(hashed: np.uint64, round_bits: np.uint64) -> np.uint32:
    """Return what a shingle of this hash offers its slot in a round."""
    return np.uint32(round_bits | ((hashed >> _VALUE_SHIFT) & _VALUE))


@inline
def multiplier_of(number: int) -> np.uint64:
    """Return the odd factor of a round's hash function."""
    return finish_64(np.uint64(number) * _ROUND) | np.uint64(1)


@njit
def _fill_first(
    shingles: NDArray[np.uint64], first: int, count: int, slots: NDArray[np.uint32]
) -> None:
    """Play round 0."""
    for place in range(first, first + count):
        hashed = shingles[place]
        slot = hashed >> _SLOT_SHIFT
        slots[slot] = min(slots[slot], value_of(hashed, np.uint64(0)))


@njit
def _fill_any(
    shingles: NDArray[np.uint64], first: int, count: int, number: int, slots: NDArray[np.uint32]
) -> None:
    """Play round `number`, from 1 to t - 1: slots as they fall."""
    multiplier = multiplier_of(number)
    round_bits = np.uint64(number << _VALUE_BITS)
    for place in range(first, first + count):
        hashed = shingles[place] * multiplier
        slot = hashed >> _SLOT_SHIFT
        slots[slot] = min(slots[slot], value_of(hashed, round_bits))


@njit
def _fill_one(
    shingles: NDArray[np.uint64], first: int, count: int, number: int, slots: NDArray[np.uint32]
) -> None:
    """Play round `number`, t or later: all shingles come to one slot."""
    multiplier = multiplier_of(number)
    round_bits = np.uint64(number << _VALUE_BITS)
    lowest = slots[number - NUM_SLOTS]
    for place in range(first, first + count):
        lowest = min(lowest, value_of(shingles[place] * multiplier, round_bits))
    slots[number - NUM_SLOTS] = lowest


@njit
def drop_repeats(shingles: NDArray[np.uint64], first: int, count: int) -> int:
    """Move the distinct ones of some shingles to their front, in place; returns their number.

    A few repeats may stay: two shingles that share a place drive each other out.
    """
    seen = np.zeros(1 << 14, np.uint64)
    kept = first
    for place in range(first, first + count):
        value = shingles[place]
        held = (value >> np.uint64(40)) & np.uint64((1 << 14) - 1)
        if seen[held] != value:
            seen[held] = value
            shingles[kept] = value
            kept += 1
    return kept - first


@njit
def lower_slots(
    shingles: NDArray[np.uint64], first: int, count: int, slots: NDArray[np.uint32]
) -> None:
    """Lower a document's slots, EMPTY at first, by more of its shingles, in any order.

    Many shingles fill all slots soon unless nearly all are repeats: then these are dropped, in
    place, or 100 MB of one word would take 256 rounds.

    About 0.6 ns a shingle in round 0, and 1 ns in each later one. A document of n shingles takes
    some 700 / n rounds, of under 200 shingles about as long as one of 700.
    """
    if count < 1:
        return
    _fill_first(shingles, first, count, slots)
    number = 1
    while number < 2 * NUM_SLOTS:
        fullest = slots[0]
        for slot in range(1, NUM_SLOTS):
            fullest = max(fullest, slots[slot])
        if fullest < np.uint32(number << _VALUE_BITS):
            return
        if number == _REPEATS_ROUND and count >= _REPEATS_COUNT:
            count = drop_repeats(shingles, first, count)
        if number < NUM_SLOTS:
            _fill_any(shingles, first, count, number, slots)
        elif slots[number - NUM_SLOTS] >= np.uint32(number << _VALUE_BITS):
            _fill_one(shingles, first, count, number, slots)
        number += 1
