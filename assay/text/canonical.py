"""Unicode's canonical forms as a table: what NFC takes apart, puts in order, and joins.

Everything comes from Python's `unicodedata`, whose version the word rule names, and lies in one
array, so that kernels take one argument and the cache one file. Its sections, one after another:

marks     for each code point its combining class and flags, and the row and the column that it has
          in the last section as the first or the second of a pair that is joined
parts     for each code point where, in fours of the next section, its decomposition stands; 0: none
points    full canonical decompositions: one to four code points each, zeros after them
joined    what a pair of code points is joined to, by row and column; 0: nothing

Hangul's syllables are in none of them: they are worked out.
"""

import functools
import unicodedata
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from assay.kernels import inline, keep_array

Canon: TypeAlias = NDArray[np.uint32]

CLASS = np.uint32(0xFF)
SHAKY = np.uint32(1 << 8)  # NFC may change it, move it, or join it to what stands before
OPEN = np.uint32(1 << 9)  # NFC may change it, or join it to what stands before: more than move it
ROW_SHIFT, ROWS = np.uint32(10), 1 << 10
COLUMN_SHIFT, COLUMNS = np.uint32(20), 1 << 7
LIMIT = 0x30000  # no code point from here on has a decomposition or a class; a test looks at all
PARTS = LIMIT
POINTS = PARTS + LIMIT
JOINED = POINTS + 4 * (1 << 12)
_SIZE = JOINED + ROWS * COLUMNS

L_FIRST, L_COUNT = 0x1100, 19  # Hangul's leading consonants, vowels, trailing consonants
V_FIRST, V_COUNT = 0x1161, 21
T_BEFORE, T_COUNT = 0x11A7, 28  # the first of them stands for none
S_FIRST, S_COUNT = 0xAC00, L_COUNT * V_COUNT * T_COUNT


@functools.cache
def canon_table() -> Canon:
    """Return the table; 2 MB, kept beside the compiled kernels, since building it takes 50 ms."""
    name = f"canon-1-unicode-{unicodedata.unidata_version}"
    return keep_array(name, build_canon_table, (_SIZE,), np.uint32)


def build_canon_table() -> Canon:
    """Build `canon_table` from Python's Unicode tables."""
    table = np.zeros(_SIZE, np.uint32)
    table[:LIMIT] = [unicodedata.combining(chr(point)) for point in range(LIMIT)]
    for point in [*range(V_FIRST, V_FIRST + V_COUNT), *range(T_BEFORE + 1, T_BEFORE + T_COUNT)]:
        table[point] |= OPEN
    rows: dict[int, int] = {}
    columns: dict[int, int] = {}
    places = 0
    for point in range(LIMIT):
        pair = unicodedata.decomposition(chr(point))
        if not pair or pair.startswith("<"):
            continue
        places += 1
        parts = [ord(part) for part in unicodedata.normalize("NFD", chr(point))]
        table[PARTS + point] = places
        table[POINTS + 4 * places : POINTS + 4 * places + len(parts)] = parts
        if unicodedata.normalize("NFC", chr(point)) != chr(point):
            table[point] |= OPEN
            continue
        first, second = (int(part, 16) for part in pair.split())
        row = rows.setdefault(first, len(rows) + 1)
        column = columns.setdefault(second, len(columns) + 1)
        table[JOINED + row * COLUMNS + column] = point
        table[second] |= OPEN
    assert len(rows) < ROWS
    assert len(columns) < COLUMNS
    assert POINTS + 4 * places + 4 <= JOINED
    for first, row in rows.items():
        table[first] |= np.uint32(row) << ROW_SHIFT
    for second, column in columns.items():
        table[second] |= np.uint32(column) << COLUMN_SHIFT
    table[:LIMIT][table[:LIMIT] & (CLASS | OPEN) != 0] |= SHAKY
    return table


def list_shaky() -> NDArray[np.int64]:
    """Return the code points that NFC may change, move, or join to what stands before them.

    A text without them is in NFC; before any other code point a text may be cut, and NFC of the
    parts is NFC of the whole.
    """
    return np.flatnonzero(canon_table()[:LIMIT] & SHAKY)


@inline
def find_mark(canon: Canon, point: np.uint32) -> np.uint32:
    """Return what the first section has of a code point."""
    return canon[point] if point < np.uint32(LIMIT) else np.uint32(0)


@inline
def join_pair(canon: Canon, first: np.uint32, second: np.uint32) -> np.uint32:
    """Return the code point that two are joined to, or 0."""
    leading = np.int64(first) - L_FIRST
    vowel = np.int64(second) - V_FIRST
    if 0 <= leading < L_COUNT and 0 <= vowel < V_COUNT:
        return np.uint32(S_FIRST + (leading * V_COUNT + vowel) * T_COUNT)
    syllable = np.int64(first) - S_FIRST
    trailing = np.int64(second) - T_BEFORE
    if 0 <= syllable < S_COUNT and syllable % T_COUNT == 0 and 0 < trailing < T_COUNT:
        return np.uint32(first + np.uint32(trailing))
    row = (find_mark(canon, first) >> ROW_SHIFT) & np.uint32(ROWS - 1)
    column = (find_mark(canon, second) >> COLUMN_SHIFT) & np.uint32(COLUMNS - 1)
    return np.uint32(canon[JOINED + np.int64(row) * COLUMNS + np.int64(column)])
