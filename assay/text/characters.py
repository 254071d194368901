"""The characters of a text as shingles take them: one 64-bit unit for each code point.

Two rules. *Characters* are the code points as they stand, as NeMo Curator takes them. *Letters*
are what SlimPajama leaves of a text: in Unicode's normal form NFC, lower-cased, without the 32
punctuation marks of ASCII (Python's `string.punctuation`; marks beyond ASCII stay), each run of
white space one space, and none at either end; in this order. Code points are lower-cased one by
one, as words are. SlimPajama's own NFC was ftfy's, which also mends text decoded wrongly, unifies
quotes and ligatures, and unescapes HTML: none of that is done here. `tests/twins/audit.py` has the
same rules, slow.
"""

import functools
import string

import numpy as np
from numpy.typing import NDArray

from assay.kernels import inline, njit
from assay.text.canonical import list_shaky
from assay.text.simd import load_8
from assay.text.utf8 import CODE_POINT, DOT_ABOVE, SHAKY_POINT, TWO, decode, lower_point

# What `list_letters` remembers from one piece of a document to the next.
NOTHING, AFTER_LETTER, AFTER_SPACE = 0, 1, 2

_CASED_END = 0x20000  # no code point from here on has a lower case; a test looks at all of them
_MARK_SHIFT = np.uint32(29)  # two bits: what else than a letter it is
_MARKS, _REMOVED, _BLANK = np.uint32(3), np.uint32(1), np.uint32(2)
_SPACE = np.uint32(0x20)
_HIGH = np.uint64(0x8080_8080_8080_8080)
_NONE = np.uint64(0)
_BYTE = np.uint64(0xFF)
_MIX = np.uint64(0x9E37_79B9_7F4A_7C15)


@functools.cache
def letter_table() -> NDArray[np.uint32]:
    """Return for each code point its lower-cased self and flags; 0 stays, beyond ASCII, as it is.

    2**21 values, so that even broken UTF-8 cannot index past the end; pages of zeros cost no
    memory. Built on first use, about 20 ms.
    """
    table = np.zeros(1 << 21, np.uint32)
    for point in range(_CASED_END):
        char = chr(point)
        if char.lower() != char:
            table[point] = lower_point(point)
        elif char.isspace():
            table[point] = _BLANK << _MARK_SHIFT | _SPACE
        elif point < 0x80:
            table[point] = point  # so that ASCII need not ask
    table[list(string.punctuation.encode())] = _REMOVED << _MARK_SHIFT
    shaky = list_shaky()
    table[shaky] = np.where(table[shaky] == 0, shaky, table[shaky]) | SHAKY_POINT
    table.flags.writeable = False
    return table


@inline
def hash_point(point: np.uint32) -> np.uint64:
    """Turn a code point into a unit: one to one, and not in proportion to it."""
    mixed = np.uint64(point) * _MIX
    return mixed ^ (mixed >> np.uint64(32))


@njit
def list_characters(
    base: int, start: int, end: int, units: NDArray[np.uint64], count: int
) -> tuple[int, int]:
    """Append a unit for each code point of valid UTF-8 to `units[count:]`.

    Reads up to 7 bytes past `end` but heeds none of them. `units` needs room for `end - start`
    more. Returns the number of units in `units`, and the number of code points read.
    """
    first = count
    at = start
    while at < end:
        text = load_8(base, at)
        if text & _HIGH == _NONE and at + 8 <= end:
            for place in range(8):
                units[count + place] = hash_point(np.uint32((text >> np.uint64(8 * place)) & _BYTE))
            count += 8
            at += 8
        else:
            point, width = decode(text)
            units[count] = hash_point(point)
            count += 1
            at += width
    return count, count - first


@inline
def take_letter(
    folded: np.uint32, units: NDArray[np.uint64], count: int, opened: int
) -> tuple[int, int]:
    """Append what stays of a code point, given as in the table; `opened` is 1 after a letter.

    Without branches, which cost ten times as much here: what comes next cannot be foreseen.
    Returns the new count and `opened`.
    """
    mark = (folded >> _MARK_SHIFT) & _MARKS
    letter = int(mark == 0)
    units[count] = hash_point(folded & CODE_POINT)
    count += letter | (int(mark == _BLANK) & opened)
    return count, letter | (int(mark == _REMOVED) & opened)


@njit
def list_letters(
    base: int,
    start: int,
    end: int,
    table: NDArray[np.uint32],
    units: NDArray[np.uint64],
    count: int,
    state: int,
    shaky: np.uint32,
) -> tuple[int, int, int]:
    """Append a unit for each letter of the next piece of a document to `units[count:]`.

    A space at the end of a piece is held back until the next, so that none ends the document.
    Reads up to 7 bytes past `end` but heeds none of them.

    Args:
        base: Address of the buffer.
        start: First byte of the piece, which begins a code point.
        end: First byte after the piece, which ends one.
        table: `letter_table()`.
        units: Where the units go; needs room for `end - start + 2` more.
        count: How many units it holds already.
        state: NOTHING at the document's start, then what the piece before returned.
        shaky: SHAKY_POINT, to stop at a code point that NFC may change; 0 for a text in NFC.

    Returns:
        The number of units in `units`, or -1 where it stopped, the number of code points read, and
        the new state.
    """
    chars = 0
    at = start
    first = count
    if state == AFTER_SPACE:
        units[count] = hash_point(_SPACE)
        count += 1
    opened = int(state == AFTER_LETTER)
    while at < end:
        text = load_8(base, at)
        if text & _HIGH == _NONE and at + 8 <= end:
            for place in range(8):
                folded = table[(text >> np.uint64(8 * place)) & _BYTE]
                count, opened = take_letter(folded, units, count, opened)
            chars += 8
            at += 8
        else:
            point, width = decode(text)
            folded = table[point]
            if folded & shaky:
                return -1, chars, state
            count, opened = take_letter(folded if folded else point, units, count, opened)
            if folded & TWO:
                units[count] = hash_point(DOT_ABOVE)
                count += 1
            chars += 1
            at += width
    if opened:
        return count, chars, AFTER_LETTER
    if state == NOTHING and count == first:
        return count, chars, NOTHING
    return count - 1, chars, AFTER_SPACE
