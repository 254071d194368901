"""Words of documents, hashed straight from token ids.

A table says of each id what its bytes do to the word that stands open: carry it on, or end it and
begin another. Bytes that are no whole code points, and scripts without spaces, are read one by one.
Equal words have equal hashes, by the word rule of the audit; which of them are equal is for others
to check. Bytes that are not UTF-8 are no letters. Code points that NFC may change are told:
the words of a document with some may be others.
"""

# V = ids of the vocabulary, B = their bytes

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.corpus.tokenizer import Tokenizer
from assay.formats.audit import WORD_RULE
from assay.kernels import inline, keep_array, njit
from assay.text.buffers import make_room
from assay.text.utf8 import CODE_POINT, DOT_ABOVE, SHAKY_POINT, TWO
from assay.text.words import Fold, fold_table

# Columns of the table: the open word times the first plus the second is the open word after an id.
# The factor is a power of _STEP, which is odd, where letters carry the word on; or one of these.
_SCALE, _ADD = range(2)
_ENDS, _BYTES = np.uint64(0), np.uint64(2)
_LONE = np.uint32(1 << 30)  # as in the fold table: a word by itself
_STEP = 0x9E37_79B9_7F4A_7C15
_NONE = np.uint64(0)
_MASK = (1 << 64) - 1


class Vocabulary(NamedTuple):
    """What kernels know of a tokenizer.

    Attributes:
        table_V2: What each id does to the open word: a factor, and a summand.
        byte_B: The bytes of all ids.
        start_V: Where those of each id begin, and the last end: V + 1.
        fold: `fold_table()`.
    """

    table_V2: NDArray[np.uint64]
    byte_B: NDArray[np.uint8]
    start_V: NDArray[np.int64]
    fold: Fold


class Open(NamedTuple):
    """What a piece of a document leaves open.

    Attributes:
        word: The hash of the word so far; 0 where none is open.
        point: The code point so far.
        left: Bytes that it lacks.
        least: The least code point that so many bytes may spell.
        shaky: Whether there was a code point, from the document's start on, that NFC may change.
    """

    word: np.uint64
    point: int
    left: int
    least: int
    shaky: bool


CLOSED = Open(_NONE, 0, 0, 0, False)


def load_vocabulary(tokenizer: Tokenizer) -> Vocabulary:
    """Load what kernels know of a tokenizer; kept beside them, as it takes 0.2 s to work out."""
    data, starts = tokenizer.pieces
    table_V2 = keep_array(
        f"{WORD_RULE.replace('/', '-')}-{tokenizer.fingerprint[:16]}",
        lambda: build_table(tokenizer),
        (tokenizer.vocab_size, 2),
        np.uint64,
    )
    return Vocabulary(table_V2, np.asarray(data), np.asarray(starts, np.int64), fold_table())


def build_table(tokenizer: Tokenizer) -> NDArray[np.uint64]:
    """Work out what each id does to the open word."""
    data, starts = tokenizer.pieces
    fold = fold_table()
    whole, places = data.tobytes(), starts.tolist()
    rows = [_describe(whole[first:last], fold) for first, last in pairwise(places)]
    return np.array(rows, np.uint64)


def _describe(piece: bytes, fold: Fold) -> tuple[int, int]:
    try:
        folded = [int(fold[ord(char)]) for char in piece.decode("utf-8")]
    except UnicodeDecodeError:
        return int(_BYTES), 0
    if any(point & int(SHAKY_POINT | _LONE) for point in folded):
        return int(_BYTES), 0
    words: list[list[int]] = [[]]
    for point in folded:
        if not point:
            words.append([])
            continue
        words[-1].append(point & int(CODE_POINT))
        if point & int(TWO):
            words[-1].append(int(DOT_ABOVE))
    if len(words) == 1:
        return pow(_STEP, len(words[0]), 1 << 64), _hash_points(words[0])
    if any(words[:-1]):
        return int(_BYTES), 0
    return int(_ENDS), _hash_points(words[-1])


def _hash_points(points: list[int]) -> int:
    value = 0
    for point in points:
        value = (value * _STEP + point) & _MASK
    return value


@njit
def read_words(
    ids_T: NDArray[np.uint16],
    start: int,
    end: int,
    vocabulary: Vocabulary,
    state: Open,
    words: NDArray[np.uint64],
    count: int,
) -> tuple[NDArray[np.uint64], int, Open]:
    """Append the hashes of the words that end in a piece of a document behind the first `count`.

    Returns the words (a larger array where they had no room), their number, and what is open.
    """
    table_V2 = vocabulary.table_V2
    words = make_room(words, count, end - start + 1)
    word, point, left, least, shaky = state
    for at in range(start, end):
        token = np.uint64(ids_T[at])
        if left or token >= np.uint64(len(table_V2)) or table_V2[token, _SCALE] == _BYTES:
            if token >= np.uint64(len(table_V2)):
                continue  # of no vocabulary: it stands for no bytes
            first = int(vocabulary.start_V[token])
            last = int(vocabulary.start_V[token + np.uint64(1)])
            words = make_room(words, count, end - at + last - first + 1)
            opened = Open(word, point, left, least, shaky)
            count, (word, point, left, least, shaky) = _read_bytes(
                vocabulary.byte_B, first, last, vocabulary.fold, opened, words, count
            )
            continue
        # Without a branch on whether a word ends: it would be guessed wrong in one of ten ids.
        scale = table_V2[token, _SCALE]
        words[count] = word
        count += int((scale == _ENDS) & (word != _NONE))
        word = word * scale + table_V2[token, _ADD]
    return words, count, Open(word, point, left, least, shaky)


@njit
def end_document(state: Open, words: NDArray[np.uint64], count: int) -> int:
    """Append the word that a document's last piece leaves open; there must be room for it."""
    return _end_word(state.word, words, count)


@njit
def hash_text(text: NDArray[np.uint8], start: int, end: int, fold: Fold) -> NDArray[np.uint64]:
    """Return the hashes of all words of a text, some bytes of an array."""
    words = np.empty(end - start + 2, np.uint64)
    count, state = _read_bytes(text, start, end, fold, CLOSED, words, 0)
    return words[: end_document(state, words, count)]


@inline
def _end_word(word: np.uint64, words: NDArray[np.uint64], count: int) -> int:
    words[count] = word
    return count + (1 if word != _NONE else 0)


@njit
def _read_bytes(
    byte_B: NDArray[np.uint8],
    first: int,
    last: int,
    fold: Fold,
    state: Open,
    words: NDArray[np.uint64],
    count: int,
) -> tuple[int, Open]:
    """Read bytes one by one; there must be room for a word each, and one more."""
    word, point, left, least, shaky = state
    for place in range(first, last):
        byte = int(byte_B[place])
        if left and byte & 0xC0 == 0x80:
            point, left = point << 6 | byte & 0x3F, left - 1
        else:
            if left:
                count, word = _end_word(word, words, count), _NONE
            point, left, least = _begin_point(byte)
        if left:
            continue
        valid = least <= point <= 0x10FFFF and not 0xD800 <= point <= 0xDFFF
        folded = fold[point] if valid else np.uint32(0)
        shaky = shaky or folded & SHAKY_POINT != 0
        folded &= ~SHAKY_POINT
        if folded == 0 or folded & _LONE:
            count, word = _end_word(word, words, count), _NONE
        if folded != 0:
            word = word * np.uint64(_STEP) + np.uint64(folded & CODE_POINT)
        if folded & TWO:
            word = word * np.uint64(_STEP) + np.uint64(DOT_ABOVE)
        if folded & _LONE:
            count, word = _end_word(word, words, count), _NONE
    return count, Open(word, point, left, least, shaky)


@inline
def _begin_point(byte: int) -> tuple[int, int, int]:
    """Return what the first byte says of a code point, the bytes that follow, and its least value.

    A byte that begins none stands for a code point that there is not.
    """
    if byte < 0x80:
        return byte, 0, 0
    if 0xC2 <= byte < 0xE0:
        return byte & 0x1F, 1, 0x80
    if 0xE0 <= byte < 0xF0:
        return byte & 0x0F, 2, 0x800
    if 0xF0 <= byte < 0xF5:
        return byte & 0x07, 3, 0x10000
    return 0x1FFFFF, 0, 0
