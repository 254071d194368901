"""The word rule, and the kernel that hashes the words of a text.

A word is a maximal run of word characters, after each code point was lower-cased by itself. Word
characters are letters, numbers and marks (Unicode categories L, N, M) and `_`. In scripts that
are written without spaces each word character is a word of its own. The rule depends on Unicode's
tables, so its name says which. `tests/reference.py` has the same rule, slow and readable.
"""

import functools
import unicodedata
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from assay.audit.simd import count_trailing_zeros, load_8, mask_wide, mask_words
from assay.kernels import inline, njit

WORD_RULE = f"words-1/unicode-{unicodedata.unidata_version}"

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
PADDING = 64  # bytes that a kernel may read after the last one it is asked for

_LONE = np.uint32(1 << 30)
_TWO = np.uint32(1 << 31)  # lower-cases to two code points: itself as in the table, then U+0307
_CODE_POINT = np.uint32((1 << 21) - 1)
_DOT_ABOVE = np.uint32(0x307)
_NONE = np.uint64(0)
_ONE = np.uint64(1)
_ALL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
_EIGHT = np.uint64(8)
_LOW_7 = np.uint64(0x7F7F_7F7F_7F7F_7F7F)
_HIGH = np.uint64(0x8080_8080_8080_8080)
_FROM_A = np.uint64(0x3F3F_3F3F_3F3F_3F3F)  # 0x80 - "A": carries into bit 7 from "A" on
_AFTER_Z = np.uint64(0x2525_2525_2525_2525)  # 0x80 - "[": carries from "[" on
_SEED = np.uint64(0xC2B2_AE3D_27D4_EB4F)
_MIX = np.uint64(0x9E37_79B9_7F4A_7C15)
_FINISH = np.uint64(0xFF51_AFD7_ED55_8CCD)


@functools.cache
def fold_table() -> NDArray[np.uint32]:
    """Return for each code point its lower-cased self and flags, or 0 for no word character.

    2**21 values, so that even broken UTF-8 cannot index past the end; pages of unassigned code
    points cost no memory. Built on first use, about 0.3 s.
    """
    table = np.zeros(1 << 21, np.uint32)
    categories = map(unicodedata.category, map(chr, range(0x110000)))
    kinds = np.frombuffer("".join(categories).encode(), np.uint8)[::2]
    is_word = np.isin(kinds, np.frombuffer(b"LNM", np.uint8))
    is_word[ord("_")] = True
    points = np.flatnonzero(is_word)
    table[points] = points
    for first, last, _ in LONE_RANGES:
        table[first : last + 1] |= np.where(is_word[first : last + 1], _LONE, np.uint32(0))
    for point in points[points < 0x20000].tolist():
        lower = chr(point).lower()
        if ord(lower[0]) != point:
            assert len(lower) == 1 or lower[1:] == "\u0307", f"U+{point:04X} lower-cases oddly"
            table[point] = ord(lower[0]) | (int(_TWO) if len(lower) > 1 else 0)
    table.flags.writeable = False
    return table


def pad_buffer(text: bytes | NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Copy bytes into a new array of the same length after which 64 more may be read."""
    source = np.frombuffer(text, np.uint8) if isinstance(text, bytes) else text
    padded = np.zeros(source.size + PADDING, np.uint8)
    padded[: source.size] = source
    return padded[: source.size]


def readable_spans(
    text: NDArray[np.uint8], offsets: NDArray[np.int64]
) -> Iterator[tuple[int, int, NDArray[np.uint8], int]]:
    """Cut documents into spans that kernels may read 64 bytes past the end of.

    Yields (first document, last document + 1, array to read from, byte of `text` where that
    array starts). Only the documents that end within 64 bytes of the end of `text` are copied.
    """
    documents = len(offsets) - 1
    safe = int(np.searchsorted(offsets[1:], text.size - PADDING, side="right"))
    if safe:
        yield 0, safe, text, 0
    if safe < documents:
        start = int(offsets[safe])
        yield safe, documents, pad_buffer(text[start : int(offsets[-1])]), start


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


@inline
def decode(text: np.uint64) -> tuple[np.uint32, int]:
    """Decode the code point that starts 8 bytes of UTF-8; returns it and its length in bytes."""
    lead = np.uint32(text & np.uint64(0xFF))
    second = np.uint32((text >> np.uint64(8)) & np.uint64(0x3F))
    if lead < np.uint32(0x80):
        return lead, 1
    if lead < np.uint32(0xE0):
        return ((lead & np.uint32(0x1F)) << np.uint32(6)) | second, 2
    third = np.uint32((text >> np.uint64(16)) & np.uint64(0x3F))
    head = (second << np.uint32(6)) | third
    if lead < np.uint32(0xF0):
        return ((lead & np.uint32(0x0F)) << np.uint32(12)) | head, 3
    fourth = np.uint32((text >> np.uint64(24)) & np.uint64(0x3F))
    return ((lead & np.uint32(0x07)) << np.uint32(18)) | (head << np.uint32(6)) | fourth, 4


@inline
def encode(point: np.uint32) -> tuple[np.uint64, int]:
    """Encode a code point as UTF-8, first byte lowest; returns it and its length in bytes."""
    wide = np.uint64(point)
    tail = np.uint64(0x80)
    six = np.uint64(0x3F)
    if wide < np.uint64(0x80):
        return wide, 1
    if wide < np.uint64(0x800):
        return (np.uint64(0xC0) | wide >> np.uint64(6)) | (tail | wide & six) << _EIGHT, 2
    last = tail | wide & six
    third = tail | (wide >> np.uint64(6)) & six
    if wide < np.uint64(0x10000):
        lead = np.uint64(0xE0) | wide >> np.uint64(12)
        return lead | third << _EIGHT | last << np.uint64(16), 3
    second = tail | (wide >> np.uint64(12)) & six
    lead = np.uint64(0xF0) | wide >> np.uint64(18)
    return lead | second << _EIGHT | third << np.uint64(16) | last << np.uint64(24), 4


@njit
def hash_folded(base: int, start: int, end: int, fold: NDArray[np.uint32]) -> np.uint64:
    """Hash a word whose letters beyond ASCII must be lower-cased, as `hash_word` would after."""
    state = _SEED
    held = _NONE
    filled = 0
    while start < end:
        point, width = decode(load_8(base, start))
        start += width
        folded = fold[point]
        more = 2 if folded & _TWO else 1
        point = folded & _CODE_POINT
        for _ in range(more):
            bytes_left, num_left = encode(point)
            for _ in range(num_left):
                if filled == 8:
                    state = mix_8(state, held)
                    held = _NONE
                    filled = 0
                held |= (bytes_left & np.uint64(0xFF)) << np.uint64(8 * filled)
                bytes_left >>= _EIGHT
                filled += 1
            point = _DOT_ABOVE
    return mix_8(state, held) * _FINISH


@njit
def hash_words(
    base: int,
    start: int,
    end: int,
    fold: NDArray[np.uint32],
    words: NDArray[np.uint64],
    count: int,
) -> tuple[int, int]:
    """Append the hash of each word of valid UTF-8 to `words[count:]`.

    Reads up to 63 bytes past `end` but heeds none of them. `words` must have room for
    `(end - start + 1) // 2` more.

    Args:
        base: Address of the buffer.
        start: First byte of the text.
        end: First byte after it.
        fold: `fold_table()`.
        words: Where the hashes go.
        count: How many hashes it holds already.

    Returns:
        The number of hashes in `words`, and the number of code points read.
    """
    chars = 0
    at = start
    began = start
    inside = False  # a word reaches up to `at`, from `began` on
    altered = False  # that word has a letter beyond ASCII that is not lower case
    while at < end:
        wide = mask_wide(base, at)
        span = min(end - at, 64)
        if wide != _NONE:
            span = min(span, count_trailing_zeros(wide))
        if span > 0:
            word = mask_words(base, at) & (_ALL >> np.uint64(64 - span))
            before = word << _ONE | np.uint64(inside)
            starts = word & ~before
            ends = before & ~word & (_ALL >> np.uint64(64 - span))
            if inside and ends != _NONE:
                stop = at + count_trailing_zeros(ends)
                ends &= ends - _ONE
                if altered:
                    words[count] = hash_folded(base, began, stop, fold)
                    altered = False
                else:
                    words[count] = hash_word(base, began, stop)
                count += 1
            while ends != _NONE:
                words[count] = hash_word(
                    base, at + count_trailing_zeros(starts), at + count_trailing_zeros(ends)
                )
                count += 1
                starts &= starts - _ONE
                ends &= ends - _ONE
            if starts != _NONE:
                began = at + count_trailing_zeros(starts)
            inside = (word >> np.uint64(span - 1)) != _NONE
            at += span
            chars += span
        while at < end:
            text = load_8(base, at)
            if text & np.uint64(0x80) == _NONE:
                break
            point, width = decode(text)
            folded = fold[point]
            chars += 1
            if inside and (folded == 0 or folded & _LONE):
                words[count] = (
                    hash_folded(base, began, at, fold) if altered else hash_word(base, began, at)
                )
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
                altered |= folded != point
            at += width
    if inside:
        at = min(at, end)
        words[count] = hash_folded(base, began, at, fold) if altered else hash_word(base, began, at)
        count += 1
    return count, chars
