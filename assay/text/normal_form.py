"""A text in Unicode's normal form C (NFC), so that what differs in form alone is one text.

`é` may be one code point or two, a Korean syllable one or three, and marks may stand in several
orders: canonically equivalent texts, which look alike, have one NFC. Only stretches that may
change are taken apart; the rest is copied. Time is linear in the text, whatever the text is: a
hundred thousand marks on one letter, too. `unicodedata.normalize` is the slow twin.
"""

import numpy as np
from numpy.typing import NDArray

from assay.kernels import inline, njit
from assay.text.buffers import PADDING
from assay.text.canonical import (
    CLASS,
    L_FIRST,
    LIMIT,
    OPEN,
    PARTS,
    POINTS,
    S_COUNT,
    S_FIRST,
    SHAKY,
    T_BEFORE,
    T_COUNT,
    V_COUNT,
    V_FIRST,
    Canon,
    find_mark,
    join_pair,
)
from assay.text.simd import copy_bytes, load_8
from assay.text.utf8 import CODE_POINT, decode, encode

_HIGH = np.uint64(0x8080_8080_8080_8080)
_NONE = np.uint64(0)
_NO_CLASS = np.uint32(0)
_CLASS_SHIFT = np.uint32(24)  # of a code point in a run: its class lies above it
_SHORT = 24  # marks in a row that are sorted by insertion


@njit
def normalise(base: int, start: int, end: int, canon: Canon) -> tuple[NDArray[np.uint8], int, int]:
    """Bring valid UTF-8 into NFC.

    Args:
        base: Address of the buffer, of which 7 bytes past `end` may be read.
        start: First byte of the text: of a document's first code point, or of one that is not
            shaky (`canonical.list_shaky`).
        end: First byte after it; likewise.
        canon: `canon_table()`.

    Returns:
        An array that holds the text in NFC and 64 bytes to spare, the number of its bytes, and
        the number of code points read.
    """
    out = np.empty(end - start + PADDING, np.uint8)
    run = np.empty(64, np.uint32)
    used, chars, last = 0, 0, _NO_CLASS
    copied, sure, at = start, start, start
    while at < end:
        text = load_8(base, at)
        if text & _HIGH == _NONE and at + 8 <= end:
            at += 8
            chars += 8
            sure, last = at - 1, _NO_CLASS
            continue
        point, width = decode(text)
        mark = find_mark(canon, point)
        chars += 1
        if mark & SHAKY == _NO_CLASS:
            sure, last = at, _NO_CLASS
        elif mark & OPEN == _NO_CLASS and mark & CLASS >= last:
            last = mark & CLASS
        else:
            stop, more = end_stretch(base, at + width, end, canon)
            used = copy_text(base, copied, sure, out, used)
            run, count = take_apart(base, sure, stop, canon, run)
            sort_marks(run, count)
            count = join_run(run, count, canon)
            out = make_bytes(out, used, 4 * count + end - stop + PADDING)
            used = write_run(run, count, out, used)
            copied, sure, last = stop, stop, _NO_CLASS
            at, width = stop, 0
            chars += more
        at += width
    return out, copy_text(base, copied, end, out, used), chars


@njit
def end_stretch(base: int, at: int, end: int, canon: Canon) -> tuple[int, int]:
    """Return where the next code point begins that is not shaky, and how many lie before it."""
    chars = 0
    while at < end:
        point, width = decode(load_8(base, at))
        if find_mark(canon, point) & SHAKY == _NO_CLASS:
            break
        at += width
        chars += 1
    return at, chars


@inline
def copy_text(base: int, start: int, end: int, out: NDArray[np.uint8], used: int) -> int:
    """Append bytes as they stand to `out[used:]`, which has room; returns the new number."""
    copy_bytes(out.ctypes.data + used, base + start, end - start)
    return used + end - start


@njit
def make_bytes(out: NDArray[np.uint8], used: int, more: int) -> NDArray[np.uint8]:
    """Return an array that holds the first `used` bytes and has room for `more`."""
    if used + more <= out.size:
        return out
    larger = np.empty(used + more + used // 2, np.uint8)
    copy_text(out.ctypes.data, 0, used, larger, 0)
    return larger


@njit
def take_apart(
    base: int, at: int, end: int, canon: Canon, run: NDArray[np.uint32]
) -> tuple[NDArray[np.uint32], int]:
    """Decompose each code point of a text; a class lies above its code point.

    Returns the run (a larger array where it had no room) and how many code points it has.
    """
    if run.size < 4 * (end - at):
        run = np.empty(4 * (end - at), np.uint32)
    count = 0
    while at < end:
        point, width = decode(load_8(base, at))
        at += width
        syllable = np.int64(point) - S_FIRST
        place = np.int64(canon[PARTS + point]) if point < np.uint32(LIMIT) else 0
        if 0 <= syllable < S_COUNT:
            run[count] = L_FIRST + syllable // (V_COUNT * T_COUNT)
            run[count + 1] = V_FIRST + syllable // T_COUNT % V_COUNT
            run[count + 2] = T_BEFORE + syllable % T_COUNT
            count += 3 if syllable % T_COUNT else 2
        elif place == 0:
            run[count] = point | (find_mark(canon, point) & CLASS) << _CLASS_SHIFT
            count += 1
        else:
            for number in range(POINTS + 4 * place, POINTS + 4 * place + 4):
                part = canon[number]
                run[count] = part | (find_mark(canon, part) & CLASS) << _CLASS_SHIFT
                count += part != np.uint32(0)
    return run, count


@njit
def sort_marks(run: NDArray[np.uint32], count: int) -> None:
    """Put marks in a row in the order of their classes; those of one class stay as they stand."""
    first = 0
    while first < count:
        last = first
        while last < count and run[last] >> _CLASS_SHIFT != _NO_CLASS:
            last += 1
        if last - first > _SHORT:
            sort_many(run[first:last])
        else:
            for place in range(first + 1, last):
                moved, hole = run[place], place
                while hole > first and run[hole - 1] >> _CLASS_SHIFT > moved >> _CLASS_SHIFT:
                    run[hole] = run[hole - 1]
                    hole -= 1
                run[hole] = moved
        first = last + 1


@njit
def sort_many(marks: NDArray[np.uint32]) -> None:
    """Sort marks by their classes, by counting: linear, and equal ones keep their order."""
    places = np.zeros(257, np.int64)
    for mark in marks:
        places[(mark >> _CLASS_SHIFT) + np.uint32(1)] += 1
    for rank in range(256):
        places[rank + 1] += places[rank]
    for mark in marks.copy():
        rank = mark >> _CLASS_SHIFT
        marks[places[rank]] = mark
        places[rank] += 1


@njit
def join_run(run: NDArray[np.uint32], count: int, canon: Canon) -> int:
    """Join what NFC joins, in place; returns how many code points stay."""
    starter, kept, last = -1, 0, _NO_CLASS
    for place in range(count):
        rank = run[place] >> _CLASS_SHIFT
        if starter >= 0 and (last < rank or kept == starter + 1):
            joined = join_pair(canon, run[starter], run[place] & CODE_POINT)
            if joined != np.uint32(0):
                run[starter] = joined
                continue
        if rank == _NO_CLASS:
            starter = kept
        last = rank
        run[kept] = run[place]
        kept += 1
    return kept


@njit
def write_run(run: NDArray[np.uint32], count: int, out: NDArray[np.uint8], used: int) -> int:
    """Append code points as UTF-8 to `out[used:]`, which has room; returns the new number."""
    for place in range(count):
        bytes_left, num_left = encode(run[place] & CODE_POINT)
        for _ in range(num_left):
            out[used] = bytes_left & np.uint64(0xFF)
            bytes_left >>= np.uint64(8)
            used += 1
    return used
