"""What a shingle is made of, and the kernel that reads a document's shingles piece by piece.

A shingle is the hash of so many consecutive units of a document: words, letters, or characters.
Whatever the unit, a document of fewer units than a shingle takes has one short shingle, of all of
them, and a document without units has none. Full shingles are odd and short ones even, so that
neither ever equals the other, and none is 0.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from assay.kernels import inline, njit
from assay.text.buffers import check_offsets, readable_spans
from assay.text.canonical import canon_table
from assay.text.characters import letter_table
from assay.text.pieces import Place, Tables, begin_document, read_units
from assay.text.simd import finish_64
from assay.text.words import fold_table

Unit: TypeAlias = Literal["words", "letters", "characters"]

UNITS: tuple[Unit, ...] = ("words", "letters", "characters")  # in the order of `pieces`

_STEP = np.uint64(0x9FB2_1C65_1E98_DF25)
_ONE = np.uint64(1)
_FIVE = 5  # a length known when compiled: unrolled, and on wide registers


@dataclass(frozen=True, slots=True)
class Shingling:
    """How shingles are made: of `length` consecutive units.

    *words* by the rule of `assay.text.words`, *letters* and *characters* by those of
    `assay.text.characters`. SlimPajama takes 13 letters, NeMo Curator 24 characters.
    """

    unit: Unit = "words"
    length: int = 5

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise ValueError(f"unit is {self.unit!r}; it must be one of {', '.join(UNITS)}")
        if self.length < 1:
            raise ValueError(f"a shingle of {self.length} {self.unit}; it must have at least 1")

    @property
    def kind(self) -> int:
        """The unit as kernels know it."""
        return UNITS.index(self.unit)

    @property
    def tables(self) -> Tables:
        """The tables of code points that the unit's rule asks for."""
        return letter_table() if self.unit == "letters" else fold_table(), canon_table()


@inline
def hash_run(words: NDArray[np.uint64], start: int, num_words: int) -> np.uint64:
    """Hash `num_words` consecutive words into a full shingle, which is odd."""
    value = words[start]
    for place in range(start + 1, start + num_words):
        value = value * _STEP + words[place]
    return finish_64(value) | _ONE


@inline
def hash_short(words: NDArray[np.uint64], num_words: int) -> np.uint64:
    """Hash all words of a short document, and their number, into a shingle: even, not 0."""
    value = np.uint64(num_words)
    for place in range(num_words):
        value = value * _STEP + words[place]
    value = finish_64(value) & ~_ONE
    return value if value != np.uint64(0) else np.uint64(2)


@njit
def hash_runs(
    units: NDArray[np.uint64], count: int, length: int, shingles: NDArray[np.uint64]
) -> int:
    """Hash each run of `length` of the first `count` units; returns how many there are.

    Equal to `hash_run` of each, at a cost that does not grow with the length: a run's sum of
    powers is the one before, times the step, less the unit that leaves it.
    """
    if count < length:
        return 0
    if length == _FIVE:
        for start in range(count - _FIVE + 1):
            shingles[start] = hash_run(units, start, _FIVE)
        return count - _FIVE + 1
    value = np.uint64(0)
    leaving = _ONE
    for at in range(length):
        value = value * _STEP + units[at]
        leaving *= _STEP
    shingles[0] = finish_64(value) | _ONE
    for at in range(length, count):
        value = value * _STEP + (units[at] - units[at - length] * leaving)
        shingles[at - length + 1] = finish_64(value) | _ONE
    return count - length + 1


@inline
def keep_last(words: NDArray[np.uint64], count: int, num_words: int) -> int:
    """Move the words that the next piece's first shingles begin with to the front."""
    kept = min(count, num_words - 1)
    for place in range(kept):
        words[place] = words[count - kept + place]
    return kept


@njit
def read_shingles(
    base: int,
    place: Place,
    end: int,
    kind: int,
    tables: Tables,
    length: int,
    units: NDArray[np.uint64],
    shingles: NDArray[np.uint64],
) -> tuple[Place, NDArray[np.uint64], NDArray[np.uint64], int]:
    """Read the shingles of a document's next piece, or its one short shingle with the last.

    Args:
        base: Address of a buffer that is readable 64 bytes past `end`.
        place: `begin_document(start)`, then what the call before returned: where the next piece
            starts, units kept at the front of `units`, what the rule remembers, and the units and
            code points read so far. The document is read when its first value reaches `end`.
        end: First byte after the document.
        kind: `Shingling.kind`.
        tables: `Shingling.tables`.
        length: Units in a shingle.
        units: Scratch, kept between calls.
        shingles: Where the shingles go.

    Returns:
        The new place; `units` and `shingles`, larger ones where they had no room; and the number
        of shingles.
    """
    place, units, count = read_units(base, place, end, kind, tables, units)
    at, kept, state, total, chars = place
    if count > shingles.size:
        shingles = np.empty(units.size, np.uint64)
    found = hash_runs(units, count, length, shingles)
    kept = keep_last(units, count, length)
    if at >= end and 0 < total < length:
        shingles[0] = hash_short(units, kept)
        found = 1
    return (at, kept, state, total, chars), units, shingles, found


def count_shingles(units_N: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """Return the number of shingles, repeats counted, of documents of so many units."""
    full_N = np.maximum(units_N - (length - 1), 0)
    return np.where(units_N > 0, np.maximum(full_N, 1), 0)


def count_units(
    text: NDArray[np.uint8], offsets: NDArray[np.int64], shingling: Shingling
) -> NDArray[np.int64]:
    """Count the units of documents; arguments and errors as in `check_offsets`."""
    offsets = check_offsets(text, offsets)
    units_N = np.zeros(len(offsets) - 1, np.int64)
    for first, last, span, start in readable_spans(text, offsets):
        base, cut = span.ctypes.data - start, offsets[first : last + 1]
        _count_units(base, cut, shingling.kind, shingling.tables, units_N[first:last])
    return units_N


@njit
def _count_units(
    base: int,
    offsets: NDArray[np.int64],
    kind: int,
    tables: Tables,
    units_N: NDArray[np.int64],
) -> None:
    units = np.empty(1 << 15, np.uint64)
    for document in range(offsets.size - 1):
        place, end = begin_document(offsets[document]), offsets[document + 1]
        while place[0] < end:
            place, units, _ = read_units(base, place, end, kind, tables, units)
        units_N[document] = place[3]
