"""Where the words of a text stand, and whether two words are the same string.

The rule is that of `assay.text.words`, which hashes words and does not say where they are.
Texts are read in NFC.
"""

# W = words

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from assay.kernels import inline, njit
from assay.text.simd import count_trailing_zeros, load_8, mask_wide, mask_words
from assay.text.utf8 import CODE_POINT, DOT_ABOVE, SHAKY_POINT, TWO, decode
from assay.text.words import Fold

Reading: TypeAlias = tuple[int, bool]

_LONE = np.uint32(1 << 30)  # as in the table: a word by itself
_NONE = np.uint64(0)
_ONE = np.uint64(1)
_ALL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)


@njit
def list_words(
    base: int,
    start: int,
    end: int,
    fold: Fold,
    byte_W: NDArray[np.int64],
    char_W: NDArray[np.uint32],
    count: int,
    shaky: np.uint32,
) -> int:
    """Write where each word of a text begins behind the first `count` places; return the new count.

    Reads up to 63 bytes past `end` but heeds none of them.

    Args:
        base: Address of the buffer.
        start: First byte of the text, valid UTF-8.
        end: First byte after it.
        fold: `fold_table()`.
        byte_W: Where words begin, as bytes of the buffer; needs room for `(end - start + 1) // 2`.
        char_W: Likewise, as code points of the text.
        count: Places that are taken.
        shaky: SHAKY_POINT, to stop at a code point that NFC may change and return -1; 0 for a text
            in NFC.
    """
    at, char, inside = start, 0, False
    while at < end:
        wide = mask_wide(base, at)
        span = min(end - at, 64)
        if wide != _NONE:
            span = min(span, count_trailing_zeros(wide))
        if span > 0:
            word = mask_words(base, at) & (_ALL >> np.uint64(64 - span))
            begins = word & ~(word << _ONE | np.uint64(inside))
            while begins != _NONE:
                offset = count_trailing_zeros(begins)
                byte_W[count], char_W[count] = at + offset, char + offset
                count += 1
                begins &= begins - _ONE
            inside = (word >> np.uint64(span - 1)) != _NONE
            at += span
            char += span
        while at < end:
            text = load_8(base, at)
            if text & np.uint64(0x80) == _NONE:
                break
            point, width = decode(text)
            folded = fold[point]
            if folded & shaky:
                return -1
            folded &= ~SHAKY_POINT
            lone = folded & _LONE != 0
            if lone or (folded != 0 and not inside):
                byte_W[count], char_W[count] = at, char
                count += 1
            inside = folded != 0 and not lone
            at += width
            char += 1
    return count


@inline
def _read_point(
    base: int, at: int, end: int, dotted: bool, fold: Fold
) -> tuple[np.uint32, int, bool]:
    """Return the lower-cased code point at `at`, with its flags; 0 for the end of a word.

    `dotted` asks for the dot that the code point before left behind. Returns where the next one
    stands, and whether this one leaves a dot.
    """
    folded, width = np.uint32(0), 0
    if dotted:
        folded = DOT_ABOVE
    elif at < end:
        point, width = decode(load_8(base, at))
        folded = fold[point] & ~SHAKY_POINT
    return folded & ~TWO, at + width, folded & TWO != 0


@njit
def equal_words(
    base_a: int, at_a: int, end_a: int, base_b: int, at_b: int, end_b: int, fold: Fold
) -> bool:
    """Tell whether the words at two places, of texts in NFC, are the same once lower-cased.

    `end_a` and `end_b` are the ends of the texts that they stand in; up to 7 bytes more are read.
    """
    dotted_a = dotted_b = False
    begun = False
    while True:
        folded_a, at_a, dotted_a = _read_point(base_a, at_a, end_a, dotted_a, fold)
        folded_b, at_b, dotted_b = _read_point(base_b, at_b, end_b, dotted_b, fold)
        lone_a, lone_b = folded_a & _LONE != 0, folded_b & _LONE != 0
        if not begun and (lone_a or lone_b):
            return bool(folded_a == folded_b)
        # A lone character begins the next word.
        ends_a, ends_b = folded_a == 0 or lone_a, folded_b == 0 or lone_b
        if ends_a or ends_b:
            return ends_a and ends_b and begun
        if folded_a & CODE_POINT != folded_b & CODE_POINT:
            return False
        begun = True
