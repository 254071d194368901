"""A document's units, piece by piece: words, letters or characters, of its text in NFC.

Only a piece in which NFC may change something is normalised, into a copy; all others are read where
they lie. A piece ends where NFC of the parts is NFC of the whole. *Characters* are those of the
text as it stands.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from assay.kernels import inline, njit
from assay.text.buffers import make_room
from assay.text.canonical import Canon
from assay.text.characters import list_characters, list_letters
from assay.text.normal_form import normalise
from assay.text.simd import load_8, mask_words
from assay.text.utf8 import SHAKY_POINT, decode
from assay.text.words import hash_words

Place: TypeAlias = tuple[int, int, int, int, int]
Tables: TypeAlias = tuple[NDArray[np.uint32], Canon]  # of the unit's rule, and of NFC

WORDS, LETTERS, CHARACTERS = range(3)

# A document is read in pieces of about so many bytes: what is kept of one stays in cache.
# Characters come one a byte, words one in five: their pieces are smaller.
PIECE_BYTES, CHARACTER_PIECE_BYTES = 1 << 16, 1 << 14

_ONE = np.uint64(1)
_SETTLED = np.uint32(0)


@inline
def begin_document(start: int) -> Place:
    """Return where a document's reading begins: see `shingling.read_shingles`."""
    none = int(np.int64(0))  # not 0 itself, for which numba would compile every kernel once more
    return start, none, none, none, none


@njit
def end_piece(base: int, start: int, end: int) -> int:
    """Return where to end the piece that begins at `start`: before an ASCII byte of no word.

    No word reaches over such a byte. Text without one is a single piece, however long.
    """
    at = start + PIECE_BYTES
    while at < end:
        if load_8(base, at) & np.uint64(0x80) == np.uint64(0) and mask_words(base, at) & _ONE == 0:
            return at
        at += 1
    return end


@njit
def read_piece(
    base: int, start: int, end: int, tables: Tables, words: NDArray[np.uint64], kept: int
) -> tuple[NDArray[np.uint64], int, int, int]:
    """Hash the words of the next piece of a document, behind the `kept` ones from before.

    Returns the words (a larger array where they had no room), their number, the code points
    read, and where the next piece begins.
    """
    fold, canon = tables
    stop = end_piece(base, start, end)
    words = make_room(words, kept, (stop - start + 1) // 2)
    count, chars = hash_words(base, start, stop, fold, words, kept, SHAKY_POINT)
    if count < 0:
        text, size, chars = normalise(base, start, stop, canon)
        words = make_room(words, kept, (size + 1) // 2)
        count = _hash_words_of(text, size, tables, words, kept)
    return words, count, chars, stop


@njit
def _hash_words_of(
    text: NDArray[np.uint8], size: int, tables: Tables, words: NDArray[np.uint64], kept: int
) -> int:
    """Hash the words of a text in NFC. Its array lives as long as this call, for it is asked."""
    base, start = int(np.int64(text.ctypes.data)), int(np.int64(0))
    return hash_words(base, start, size, tables[0], words, kept, _SETTLED)[0]


@njit
def end_characters(base: int, start: int, end: int, table: NDArray[np.uint32]) -> int:
    """Return where to end the piece of characters that begins at `start`.

    Before a code point that NFC neither changes nor joins to what stands before it.
    """
    at = start + CHARACTER_PIECE_BYTES
    while at < end:
        text = load_8(base, at)
        if text & np.uint64(0xC0) != np.uint64(0x80):
            point, _ = decode(text)
            if table[point] & SHAKY_POINT == np.uint32(0):
                return at
        at += 1
    return end


@njit
def read_letters(
    base: int,
    start: int,
    stop: int,
    tables: Tables,
    units: NDArray[np.uint64],
    kept: int,
    state: int,
) -> tuple[NDArray[np.uint64], int, int, int]:
    """List the letters of a piece behind the `kept` units from before.

    `state` is as for `list_letters`. Returns the units (a larger array where they had no room),
    their number, the code points read, and the new state.
    """
    table, canon = tables
    units = make_room(units, kept, stop - start + 2)
    count, chars, after = list_letters(base, start, stop, table, units, kept, state, SHAKY_POINT)
    if count < 0:
        text, size, chars = normalise(base, start, stop, canon)
        units = make_room(units, kept, size + 2)
        count, after = _list_letters_of(text, size, tables, units, kept, state)
    return units, count, chars, after


@njit
def _list_letters_of(
    text: NDArray[np.uint8],
    size: int,
    tables: Tables,
    units: NDArray[np.uint64],
    kept: int,
    state: int,
) -> tuple[int, int]:
    """List the letters of a text in NFC; as `_hash_words_of`."""
    base, start = int(np.int64(text.ctypes.data)), int(np.int64(0))
    count, _, after = list_letters(base, start, size, tables[0], units, kept, state, _SETTLED)
    return count, after


@njit
def read_units(
    base: int, place: Place, end: int, kind: int, tables: Tables, units: NDArray[np.uint64]
) -> tuple[Place, NDArray[np.uint64], int]:
    """Append the units of a document's next piece behind the kept ones.

    Arguments and the new place as in `shingling.read_shingles`; also returns the units, and their
    number.
    """
    at, kept, state, total, chars = place
    if kind == WORDS:
        units, count, more, stop = read_piece(base, at, end, tables, units, kept)
    else:
        stop = end_characters(base, at, end, tables[0])
        if kind == LETTERS:
            units, count, more, state = read_letters(base, at, stop, tables, units, kept, state)
        else:
            units = make_room(units, kept, stop - at)
            count, more = list_characters(base, at, stop, units, kept)
    return (stop, kept, state, total + count - kept, chars + more), units, count
