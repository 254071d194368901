"""Signatures: for each of many permutations, the smallest value that a document's shingles take.

The values equal those of datasketch 2's scheme "affine32", so that a signature made here can be
compared with one made there. Of a 64-bit shingle the upper 32 bits are what datasketch's
`hashfunc` would return; then come the scheme's own steps: MurmurHash3's fmix32, and for each
permutation `a * value + b` modulo 2**32 with odd `a`.
"""

# N = documents, P = permutations, Q = permutations filled up to a multiple of 16

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.audit.shingles import (
    SHINGLE_WORDS,
    count_shingles,
    hash_run,
    hash_short,
    keep_last,
    read_piece,
)
from assay.audit.simd import make_permute
from assay.audit.spans import check_offsets, readable_spans
from assay.audit.words import Fold, fold_table
from assay.kernels import inline, njit

NUM_PERM = 128
MAX_HASH = np.uint32(0xFFFF_FFFF)

_LANES = 16
_BLOCK = 1024  # shingles permuted at a time: their 4 kB stay in the fastest cache
_permute_128 = make_permute(8)
_permute_16 = make_permute(1)


@dataclass(frozen=True, slots=True)
class Permutations:
    """The maps whose minima make a signature: value -> multiplier * value + increment.

    Both arrays are filled up to a multiple of 16; `num_perm` of their values count.
    """

    num_perm: int
    seed: int
    multipliers_Q: NDArray[np.uint32]
    increments_Q: NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Signed:
    """What one pass over the text of N documents yields.

    A document without words has no shingle; its signature is all `MAX_HASH` and must not be
    compared (`eligible_N`).
    """

    signature_NP: NDArray[np.uint32]
    words_N: NDArray[np.int64]
    chars_N: NDArray[np.int64]
    num_shingles_N: NDArray[np.int64]
    short_N: NDArray[np.bool_]

    @property
    def eligible_N(self) -> NDArray[np.bool_]:
        """Whether a document has a shingle, and so can be a duplicate."""
        return self.num_shingles_N > 0


def make_permutations(num_perm: int = NUM_PERM, seed: int = 1) -> Permutations:
    """Draw the permutations that datasketch 2 draws for the same number and seed.

    Raises:
        ValueError: `num_perm` is not positive.
    """
    if num_perm < 1:
        raise ValueError(f"num_perm is {num_perm}; it must be at least 1")
    generator = np.random.RandomState(seed)
    a = generator.randint(0, 1 << 31, num_perm, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    b = generator.randint(0, 1 << 32, num_perm, dtype=np.uint32)
    fill = np.zeros(-num_perm % _LANES, np.uint32)
    return Permutations(num_perm, seed, np.concatenate([a, fill]), np.concatenate([b, fill]))


def sign_documents(
    text: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    permutations: Permutations,
    *,
    shingle_words: int = SHINGLE_WORDS,
) -> Signed:
    """Sign documents that lie one after another in a buffer of valid UTF-8.

    Runs without the GIL: call it from several threads, on one buffer or several. Needs 8 bytes
    of scratch per word of the longest document, or of its longest stretch of text beyond 64 kB
    without an ASCII space or mark.

    Args:
        text: The bytes, contiguous; an Arrow buffer as it is, with no padding.
        offsets: N + 1 ascending positions in `text`; document i is `offsets[i]:offsets[i + 1]`.
        permutations: From `make_permutations`.
        shingle_words: Words in a shingle.

    Raises:
        ValueError: `offsets` reach beyond `text` or descend, or `shingle_words` is below 1.
    """
    offsets = check_offsets(text, offsets)
    if shingle_words < 1:
        raise ValueError(f"shingle_words is {shingle_words}; it must be at least 1")
    documents = len(offsets) - 1
    signature_NP = np.empty((documents, permutations.num_perm), np.uint32)
    words_N = np.zeros(documents, np.int64)
    chars_N = np.zeros(documents, np.int64)
    for first, last, span, start in readable_spans(text, offsets):
        _sign_span(
            span.ctypes.data - start,
            offsets[first : last + 1],
            fold_table(),
            shingle_words,
            permutations.multipliers_Q,
            permutations.increments_Q,
            signature_NP[first:last],
            words_N[first:last],
            chars_N[first:last],
        )
    num_shingles_N = count_shingles(words_N, shingle_words)
    short_N = (words_N > 0) & (words_N < shingle_words)
    return Signed(signature_NP, words_N, chars_N, num_shingles_N, short_N)


def sign_sets(
    shingles: NDArray[np.uint64], offsets: NDArray[np.int64], permutations: Permutations
) -> NDArray[np.uint32]:
    """Sign sets of shingles that lie one after another; as `sign_documents` signs their texts.

    Args:
        shingles: 64-bit shingles; repeats change nothing.
        offsets: N + 1 ascending positions: set i is `shingles[offsets[i]:offsets[i + 1]]`.
        permutations: From `make_permutations`.
    """
    signature_NP = np.empty((len(offsets) - 1, permutations.num_perm), np.uint32)
    _sign_sets(
        np.ascontiguousarray(shingles, np.uint64),
        np.ascontiguousarray(offsets, np.int64),
        permutations.multipliers_Q,
        permutations.increments_Q,
        signature_NP,
    )
    return signature_NP


@inline
def premix_32(shingle: np.uint64) -> np.uint32:
    """Take a shingle's upper 32 bits through MurmurHash3's fmix32, as scheme affine32 does."""
    value = np.uint32(shingle >> np.uint64(32))
    value = np.uint32(value ^ (value >> np.uint32(16)))
    value = np.uint32(value * np.uint32(0x85EB_CA6B))
    value = np.uint32(value ^ (value >> np.uint32(13)))
    value = np.uint32(value * np.uint32(0xC2B2_AE35))
    return np.uint32(value ^ (value >> np.uint32(16)))


@njit
def lower_minima(
    hashes: NDArray[np.uint32],
    count: int,
    a_Q: NDArray[np.uint32],
    b_Q: NDArray[np.uint32],
    minima_Q: NDArray[np.uint32],
) -> None:
    """Lower each minimum to the smallest permuted value of `hashes[:count]`, premixed ones."""
    if count < 1:
        return
    first = 0
    while a_Q.size - first >= 128:
        place = np.uint64(4 * first)
        a, b, minima = a_Q.ctypes.data, b_Q.ctypes.data, minima_Q.ctypes.data
        _permute_128(hashes.ctypes.data, count, a + place, b + place, minima + place)
        first += 128
    while first < a_Q.size:
        place = np.uint64(4 * first)
        a, b, minima = a_Q.ctypes.data, b_Q.ctypes.data, minima_Q.ctypes.data
        _permute_16(hashes.ctypes.data, count, a + place, b + place, minima + place)
        first += _LANES


@njit
def _sign_span(
    base: int,
    offsets: NDArray[np.int64],
    fold: Fold,
    num_words: int,
    a_Q: NDArray[np.uint32],
    b_Q: NDArray[np.uint32],
    signature_NP: NDArray[np.uint32],
    words_N: NDArray[np.int64],
    chars_N: NDArray[np.int64],
) -> None:
    """Sign documents whose buffer is readable 64 bytes past the last of them."""
    words = np.empty(1 << 15, np.uint64)
    hashes = np.empty(_BLOCK, np.uint32)
    minima_Q = np.empty(a_Q.size, np.uint32)
    for document in range(offsets.size - 1):
        minima_Q[:] = MAX_HASH
        at, end = offsets[document], offsets[document + 1]
        kept = 0
        while at < end:
            words, count, chars, at = read_piece(base, at, end, fold, words, kept)
            words_N[document] += count - kept
            chars_N[document] += chars
            for first in range(0, count - num_words + 1, _BLOCK):
                size = min(_BLOCK, count - num_words + 1 - first)
                if num_words == SHINGLE_WORDS:  # a length known when compiled: unrolled
                    for place in range(size):
                        hashes[place] = premix_32(hash_run(words, first + place, SHINGLE_WORDS))
                else:
                    for place in range(size):
                        hashes[place] = premix_32(hash_run(words, first + place, num_words))
                lower_minima(hashes, size, a_Q, b_Q, minima_Q)
            kept = keep_last(words, count, num_words)
        if 0 < words_N[document] < num_words:
            hashes[0] = premix_32(hash_short(words, kept))
            lower_minima(hashes, 1, a_Q, b_Q, minima_Q)
        signature_NP[document] = minima_Q[: signature_NP.shape[1]]


@njit
def _sign_sets(
    shingles: NDArray[np.uint64],
    offsets: NDArray[np.int64],
    a_Q: NDArray[np.uint32],
    b_Q: NDArray[np.uint32],
    signature_NP: NDArray[np.uint32],
) -> None:
    """Sign sets of shingles, a block of them at a time."""
    hashes = np.empty(_BLOCK, np.uint32)
    minima_Q = np.empty(a_Q.size, np.uint32)
    for index in range(offsets.size - 1):
        minima_Q[:] = MAX_HASH
        for first in range(offsets[index], offsets[index + 1], _BLOCK):
            size = min(_BLOCK, offsets[index + 1] - first)
            for place in range(size):
                hashes[place] = premix_32(shingles[first + place])
            lower_minima(hashes, size, a_Q, b_Q, minima_Q)
        signature_NP[index] = minima_Q[: signature_NP.shape[1]]
