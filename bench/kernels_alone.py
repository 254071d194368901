"""Parts of assay's kernels by themselves: what a stage could not be faster than."""

import numpy as np
from numpy.typing import NDArray

from assay.audit.minhash.permutations import MAX_HASH, Permutations, lower_minima_32
from assay.corpus.readers.batch import Batch
from assay.kernels import njit
from assay.text.pieces import Tables, read_piece
from assay.text.shingling import Shingling, keep_last

_SHINGLE_WORDS = 5
_BLOCK = 1024  # hashes permuted at a time; they stay in the fastest cache


def count_words(batch: Batch) -> int:
    """Split and hash the words of a batch, and do nothing with them; return how many."""
    count: int = _count_words(batch.data.ctypes.data, batch.offsets_N, Shingling().tables)
    return count


def permute_hashes(num_hashes: int, permutations: Permutations) -> NDArray[np.uint32]:
    """Permute so many hashes, 1,024 at a time, as signing does, with nothing around it."""
    hashes = np.random.default_rng(1).integers(0, 1 << 32, _BLOCK, np.uint32)
    a, b = permutations.multipliers_Q, permutations.increments_Q
    minima: NDArray[np.uint32] = _permute(hashes, num_hashes, a, b)
    return minima


@njit
def _count_words(base: int, offsets: NDArray[np.int64], tables: Tables) -> int:
    words = np.empty(1 << 15, np.uint64)
    total = 0
    for document in range(offsets.size - 1):
        at, end = offsets[document], offsets[document + 1]
        kept = 0
        while at < end:
            words, count, _, at = read_piece(base, at, end, tables, words, kept)
            total += count - kept
            kept = keep_last(words, count, _SHINGLE_WORDS)
    return total


@njit
def _permute(
    hashes: NDArray[np.uint32], num_hashes: int, a: NDArray[np.uint32], b: NDArray[np.uint32]
) -> NDArray[np.uint32]:
    minima = np.full(a.size, MAX_HASH, np.uint32)
    done = 0
    while done < num_hashes:
        lower_minima_32(hashes, min(_BLOCK, num_hashes - done), a, b, minima)
        done += _BLOCK
    return minima
