"""The word rule, and the kernel that hashes the words of a text.

A word is a maximal run of word characters, after the text was brought into Unicode's normal form
NFC and each code point was lower-cased by itself. Word characters are letters, numbers and marks
(Unicode categories L, N, M) and `_`. In scripts that are written without spaces each word character
is a word of its own. Texts that differ in canonical form alone so have the same words. What NFC
keeps apart stays apart: full-width and half-width letters, ligatures, superscripts (NFKC would join
them), a soft hyphen or a zero-width space within a word, which cut it in two. The rule depends on
Unicode's tables, so its name says which. `tests/twins/audit.py` has the same rule, slow and
readable.
"""

import functools
import unicodedata
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from assay.formats.audit import WORD_RULE
from assay.kernels import inline, keep_array, njit
from assay.text.canonical import list_shaky
from assay.text.simd import count_trailing_zeros, load_8, mask_wide, mask_words
from assay.text.utf8 import (
    CODE_POINT,
    DOT_ABOVE,
    SHAKY_POINT,
    TWO,
    decode,
    encode,
    lower_point,
)

Fold: TypeAlias = NDArray[np.uint32]

# First and last code point of the blocks of scripts written without spaces.
LONE_RANGES = (
    (0x2E80, 0x2FDF, "Han"),  # radicals
    (0x3000, 0x303F, "Han"),  # iteration mark, ideographic numbers
    (0x3400, 0x4DBF, "Han"),
    (0x4E00, 0x9FFF, "Han"),
    (0xF900, 0xFAFF, "Han"),  # compatibility ideographs
    (0x20000, 0x3FFFF, "Han"),  # supplementary and tertiary ideographic planes
    (0x3040, 0x309F, "Hiragana"),
    (0x30A0, 0x30FF, "Katakana"),
    (0x31F0, 0x31FF, "Katakana"),
    (0xFF66, 0xFF9F, "Katakana"),  # half width
    (0x1AFF0, 0x1AFFF, "Katakana"),
    (0x1B000, 0x1B16F, "Hiragana"),  # and Katakana: supplements of both
    (0x0E00, 0x0E7F, "Thai"),
    (0x0E80, 0x0EFF, "Lao"),
    (0x1780, 0x17FF, "Khmer"),
    (0x19E0, 0x19FF, "Khmer"),
    (0x1000, 0x109F, "Myanmar"),
    (0xA9E0, 0xA9FF, "Myanmar"),
    (0xAA60, 0xAA7F, "Myanmar"),
    (0x116D0, 0x116FF, "Myanmar"),
)

# Elsewhere are unassigned and private code points only; a test looks at all of them.
_ASSIGNED = ((0, 0x3FFFF), (0xE0000, 0xE01FF))
_LONE = np.uint32(1 << 30)
_NONE = np.uint64(0)
_ONE = np.uint64(1)
_ALL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
_LOW_7 = np.uint64(0x7F7F_7F7F_7F7F_7F7F)
_HIGH = np.uint64(0x8080_8080_8080_8080)
_FROM_A = np.uint64(0x3F3F_3F3F_3F3F_3F3F)  # 0x80 - "A": carries into bit 7 from "A" on
_AFTER_Z = np.uint64(0x2525_2525_2525_2525)  # 0x80 - "[": carries from "[" on
_SEED = np.uint64(0xC2B2_AE3D_27D4_EB4F)
_MIX = np.uint64(0x9E37_79B9_7F4A_7C15)
_FINISH = np.uint64(0xFF51_AFD7_ED55_8CCD)


@functools.cache
def fold_table() -> Fold:
    """Return for each code point its lower-cased self and flags, or 0 for no word character.

    2**21 values, so that even broken UTF-8 cannot index past the end; pages of unassigned code
    points cost no memory. Kept beside the compiled kernels, since building it takes 40 ms.
    """
    return keep_array(WORD_RULE.replace("/", "-"), build_fold_table, (1 << 21,), np.uint32)


def build_fold_table() -> Fold:
    """Build `fold_table` from Python's Unicode tables."""
    table = np.zeros(1 << 21, np.uint32)
    for first, last in _ASSIGNED:
        categories = "".join(map(unicodedata.category, map(chr, range(first, last + 1))))
        major, minor = np.frombuffer(categories.encode(), np.uint8).reshape(-1, 2).T
        points = first + np.flatnonzero(np.isin(major, list(b"LNM")))
        table[points] = points
        cased = np.isin(major, list(b"LN")) & np.isin(minor, list(b"utl"))
        for point in (first + np.flatnonzero(cased)).tolist():
            table[point] = lower_point(point)
    table[ord("_")] = ord("_")
    for first, last, _ in LONE_RANGES:
        block = table[first : last + 1]
        block[block != 0] |= _LONE
    table[list_shaky()] |= SHAKY_POINT
    return table


@inline
def lower_8(text: np.uint64) -> np.uint64:
    """Lower-case the ASCII letters among 8 bytes; other bytes stay."""
    low = text & _LOW_7
    capital = ((low + _FROM_A) ^ (low + _AFTER_Z)) & _HIGH & ~text
    return text | (capital >> np.uint64(2))


@inline
def mix_8(state: np.uint64, text: np.uint64) -> np.uint64:
    """Take 8 more bytes into the hash of a word."""
    mixed = (state ^ text) * _MIX
    return mixed ^ (mixed >> np.uint64(32))


@njit
def hash_word(base: int, start: int, end: int) -> np.uint64:
    """Hash the bytes of a word, ASCII capitals lower-cased. Words up to 8 bytes never collide."""
    state = _SEED
    while end - start > 8:
        state = mix_8(state, lower_8(load_8(base, start)))
        start += 8
    rest = load_8(base, start) & (_ALL >> np.uint64(64 - 8 * (end - start)))
    return mix_8(state, lower_8(rest)) * _FINISH


@njit
def hash_folded(base: int, start: int, end: int, fold: Fold) -> np.uint64:
    """Hash a word whose letters beyond ASCII must be lower-cased, as `hash_word` would after."""
    state = _SEED
    held = _NONE
    filled = 0
    while start < end:
        point, width = decode(load_8(base, start))
        start += width
        folded = fold[point]
        point = folded & CODE_POINT
        for _ in range(2 if folded & TWO else 1):
            bytes_left, num_left = encode(point)
            for _ in range(num_left):
                if filled == 8:
                    state = mix_8(state, held)
                    held = _NONE
                    filled = 0
                held |= (bytes_left & np.uint64(0xFF)) << np.uint64(8 * filled)
                bytes_left >>= np.uint64(8)
                filled += 1
            point = DOT_ABOVE
    return mix_8(state, held) * _FINISH


@njit
def hash_any(base: int, start: int, end: int, altered: bool, fold: Fold) -> np.uint64:
    """Hash a word; `altered` says that lower-casing changes a letter of it beyond ASCII."""
    if altered:
        return hash_folded(base, start, end, fold)
    return hash_word(base, start, end)


@inline
def hash_narrow(
    base: int,
    at: int,
    span: int,
    state: tuple[int, bool, bool],
    fold: Fold,
    words: NDArray[np.uint64],
    count: int,
) -> tuple[int, tuple[int, bool, bool]]:
    """Append the words that end within the next `span` bytes, 1 to 64, all of them ASCII.

    `state` is where the word began that reaches up to `at`, whether there is one, and whether
    it is altered. Returns the new count and state.
    """
    began, inside, altered = state
    valid = _ALL >> np.uint64(64 - span)
    word = mask_words(base, at) & valid
    before = word << _ONE | np.uint64(inside)
    starts = word & ~before
    ends = before & ~word & valid
    if inside and ends != _NONE:
        words[count] = hash_any(base, began, at + count_trailing_zeros(ends), altered, fold)
        count += 1
        ends &= ends - _ONE
        altered = False
    while ends != _NONE:
        start = at + count_trailing_zeros(starts)
        words[count] = hash_word(base, start, at + count_trailing_zeros(ends))
        count += 1
        starts &= starts - _ONE
        ends &= ends - _ONE
    if starts != _NONE:
        began = at + count_trailing_zeros(starts)
    return count, (began, (word >> np.uint64(span - 1)) != _NONE, altered)


@inline
def hash_wide(
    base: int,
    at: int,
    width: int,
    point: np.uint32,
    folded: np.uint32,
    state: tuple[int, bool, bool],
    fold: Fold,
    words: NDArray[np.uint64],
    count: int,
) -> tuple[int, tuple[int, bool, bool]]:
    """Append the words that one code point beyond ASCII ends; as `hash_narrow`.

    `folded` is what the table has of it, but that NFC may change it.
    """
    began, inside, altered = state
    if inside and (folded == 0 or folded & _LONE):
        words[count] = hash_any(base, began, at, altered, fold)
        count += 1
        inside = False
        altered = False
    if folded & _LONE:
        words[count] = hash_word(base, at, at + width)
        count += 1
    elif folded != 0:
        if not inside:
            began = at
            inside = True
        altered = altered or folded != point
    return count, (began, inside, altered)


@njit
def hash_words(
    base: int,
    start: int,
    end: int,
    fold: Fold,
    words: NDArray[np.uint64],
    count: int,
    shaky: np.uint32,
) -> tuple[int, int]:
    """Append the hash of each word of valid UTF-8 to `words[count:]`.

    Reads up to 63 bytes past `end` but heeds none of them. Where 64 bytes are ASCII, masks find
    the words; elsewhere code points are read one by one. Words are those of the text as it is
    given, and so are their places: whoever reads a text that is not in NFC gives it in NFC.

    Args:
        base: Address of the buffer.
        start: First byte of the text.
        end: First byte after it.
        fold: `fold_table()`.
        words: Where the hashes go; needs room for `(end - start + 1) // 2` more.
        count: How many hashes it holds already.
        shaky: SHAKY_POINT, to stop at a code point that NFC may change; 0 for a text in NFC.

    Returns:
        The number of hashes in `words`, or -1 where it stopped, and the number of code points read.
    """
    chars = 0
    at = start
    state = (start, False, False)
    while at < end:
        wide = mask_wide(base, at)
        span = min(end - at, 64)
        if wide != _NONE:
            span = min(span, count_trailing_zeros(wide))
        if span > 0:
            count, state = hash_narrow(base, at, span, state, fold, words, count)
            at += span
            chars += span
        while at < end:
            text = load_8(base, at)
            if text & np.uint64(0x80) == _NONE:
                break
            point, width = decode(text)
            folded = fold[point]
            if folded & shaky:
                return -1, chars
            folded &= ~SHAKY_POINT
            count, state = hash_wide(base, at, width, point, folded, state, fold, words, count)
            at += width
            chars += 1
    if state[1]:
        words[count] = hash_any(base, state[0], min(at, end), state[2], fold)
        count += 1
    return count, chars
