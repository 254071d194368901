"""Shingles: one 64-bit hash for every run of consecutive words of a document.

A document of fewer words than a run takes has one short shingle, of all its words. Full shingles
are odd and short ones even, so that neither ever equals the other, and none is 0.
"""

import numpy as np
from numpy.typing import NDArray

from assay.audit.text.buffers import make_room
from assay.audit.text.simd import finish_64, load_8, mask_words
from assay.audit.text.words import Fold, hash_words
from assay.kernels import inline, njit

# A document is read in pieces of about so many bytes: what is kept of one stays in cache.
PIECE_BYTES = 1 << 16

_STEP = np.uint64(0x9FB2_1C65_1E98_DF25)
_ONE = np.uint64(1)
_ASCII = np.uint64(0x80)


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
def end_piece(base: int, start: int, end: int) -> int:
    """Return where to end the piece that begins at `start`: before an ASCII byte of no word.

    No word reaches over such a byte. Text without one is a single piece, however long.
    """
    at = start + PIECE_BYTES
    while at < end:
        if load_8(base, at) & _ASCII == np.uint64(0) and mask_words(base, at) & _ONE == 0:
            return at
        at += 1
    return end


@njit
def read_piece(
    base: int, start: int, end: int, fold: Fold, words: NDArray[np.uint64], kept: int
) -> tuple[NDArray[np.uint64], int, int, int]:
    """Hash the words of the next piece of a document, behind the `kept` ones from before.

    Returns the words (a larger array where they had no room), their number, the code points
    read, and where the next piece begins.
    """
    stop = end_piece(base, start, end)
    words = make_room(words, kept, (stop - start + 1) // 2)
    count, chars = hash_words(base, start, stop, fold, words, kept)
    return words, count, chars, stop


@inline
def keep_last(words: NDArray[np.uint64], count: int, num_words: int) -> int:
    """Move the words that the next piece's first shingles begin with to the front."""
    kept = min(count, num_words - 1)
    for place in range(kept):
        words[place] = words[count - kept + place]
    return kept
