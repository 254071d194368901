"""Training documents that may share enough with a validation document to be looked at as strings.

One pass over token ids looks each run of a few words up among those of the validation documents. A
document is a candidate where so many follow each other that an n-gram may be shared, or so many are
found that it may be a near duplicate. None that does share is left out: hashes stand in for words.
"""

# D = documents, T = token ids

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.kernels import inline, njit
from assay.prepare.leaks.token_words import (
    CLOSED,
    Vocabulary,
    end_document,
    hash_text,
    read_words,
)
from assay.spans.index import filter_mask
from assay.text.shingling import hash_runs, keep_last
from assay.text.words import Fold

SPANS, NEAR = np.uint8(1), np.uint8(2)  # what a candidate may share: flags
_PIECE = 1 << 13  # ids read at a time: what is kept of them stays in cache
_NEVER = (1 << 31) - 1
_MOST_WORDS = 5  # of a run that is looked up
_BITS = 16  # of the filter, for each run: one in 60 that is not there passes
_MIX = np.uint64(0xD6E8_FEB8_6659_FD93)


class Sought(NamedTuple):
    """Runs of words of the validation documents, and when a document with some is a candidate.

    Attributes:
        length: Words in a run.
        span_runs: Runs that follow each other where an n-gram is shared.
        near_runs: Likewise a shingle.
        short: Words below which a document is a candidate, having one shingle of all its words.
        bits: Two bits for each run, in a word of 64 that its hash chooses.
        key_S: A table of the hashes of runs; 0 in a free slot.
        need_S: The fewest shingles that a near duplicate of one of its documents shares with it.
        bits_shift: Bits that a hash loses to be a word of the filter.
        slot_shift: Likewise, to be a slot.
    """

    length: int
    span_runs: int
    near_runs: int
    short: int
    bits: NDArray[np.uint64]
    key_S: NDArray[np.uint64]
    need_S: NDArray[np.int32]
    bits_shift: np.uint64
    slot_shift: np.uint64


def seek_texts(
    text: NDArray[np.uint8],
    offset_D: NDArray[np.int64],
    fold: Fold,
    num_words: int,
    shingle: int | None,
    threshold: float,
) -> Sought:
    """State what to look for: the runs of words of validation documents.

    Args:
        text: Their texts, in NFC.
        offset_D: Where each begins, and the last ends.
        fold: `fold_table()`.
        num_words: Words of an n-gram.
        shingle: Words of a shingle; None where near duplicates are not looked for.
        threshold: The Jaccard from which on they are near duplicates.
    """
    length = min(num_words, shingle or _MOST_WORDS)
    runs: list[NDArray[np.uint64]] = [np.empty(0, np.uint64)]
    needs: list[NDArray[np.int32]] = [np.empty(0, np.int32)]
    fewest = _NEVER
    for start, end in pairwise(offset_D.tolist()):
        words = _mix_words(hash_text(text, start, end, fold))
        fewest = min(fewest, words.size or _NEVER)
        found = np.unique(_list_runs(words, length))
        need = _NEVER
        if shingle is not None:
            distinct = np.unique(_list_runs(words, shingle)).size
            need = max(1, math.ceil(threshold * distinct - 1e-9))
        runs.append(found)
        needs.append(np.full(found.size, need, np.int32))
    return _fill_tables(
        np.concatenate(runs),
        np.concatenate(needs),
        length=length,
        span_runs=num_words - length + 1,
        near_runs=_NEVER if shingle is None else shingle - length + 1,
        short=shingle if shingle is not None and fewest < shingle else 0,
    )


def _fill_tables(
    run_R: NDArray[np.uint64],
    need_R: NDArray[np.int32],
    *,
    length: int,
    span_runs: int,
    near_runs: int,
    short: int,
) -> Sought:
    slot_bits = max(4, (2 * run_R.size).bit_length())
    filter_bits = max(4, (_BITS * run_R.size // 64).bit_length())
    sought = Sought(
        length=length,
        span_runs=span_runs,
        near_runs=near_runs,
        short=short,
        bits=np.zeros(1 << filter_bits, np.uint64),
        key_S=np.zeros(1 << slot_bits, np.uint64),
        need_S=np.full(1 << slot_bits, _NEVER, np.int32),
        bits_shift=np.uint64(64 - filter_bits),
        slot_shift=np.uint64(64 - slot_bits),
    )
    _insert_runs(run_R, need_R, sought)
    return sought


@njit
def _insert_runs(run_R: NDArray[np.uint64], need_R: NDArray[np.int32], sought: Sought) -> None:
    for at in range(run_R.size):
        value = run_R[at]
        sought.bits[value >> sought.bits_shift] |= filter_mask(value)
        slot = _find_slot(value, sought)
        sought.key_S[slot] = value
        sought.need_S[slot] = min(sought.need_S[slot], need_R[at])


@inline
def _find_slot(value: np.uint64, sought: Sought) -> np.uint64:
    """Return the slot that holds a hash, or the free one where it belongs."""
    slot = value >> sought.slot_shift
    while sought.key_S[slot] != np.uint64(0) and sought.key_S[slot] != value:
        slot = (slot + np.uint64(1)) & np.uint64(sought.key_S.size - 1)
    return slot


@njit
def _mix_words(words: NDArray[np.uint64], first: int = 0) -> NDArray[np.uint64]:
    """Spread the bits of hashes from the given one on, in place: they are sums of powers so far."""
    for at in range(first, words.size):
        words[at] = (words[at] ^ (words[at] >> np.uint64(32))) * _MIX
    return words


@njit
def _list_runs(words: NDArray[np.uint64], length: int) -> NDArray[np.uint64]:
    """Return the hash of each run of so many words; they are odd."""
    runs = np.empty(words.size, np.uint64)
    return runs[: hash_runs(words, words.size, length, runs)]


@njit
def find_candidates(
    ids_T: NDArray[np.uint16],
    start_D: NDArray[np.int64],
    end_D: NDArray[np.int64],
    vocabulary: Vocabulary,
    sought: Sought,
    flag_D: NDArray[np.uint8],
) -> None:
    """Tell of each document whether it may share an n-gram (`SPANS`), or be near (`NEAR`).

    Args:
        ids_T: Token ids.
        start_D: Where each document begins there.
        end_D: Where it ends.
        vocabulary: Of the ids.
        sought: What to look for.
        flag_D: Where the flags go.
    """
    words, runs = np.empty(2 * _PIECE, np.uint64), np.empty(2 * _PIECE, np.uint64)
    for document in range(start_D.size):
        state, kept, total = CLOSED, 0, 0
        follow, found, need, spans = 0, 0, _NEVER, False
        start, end = start_D[document], end_D[document]
        for at in range(start, end, _PIECE):
            stop = min(at + _PIECE, end)
            words, count, state = read_words(ids_T, at, stop, vocabulary, state, words, kept)
            if stop == end:
                count = end_document(state, words, count)
            _mix_words(words[:count], kept)
            total += count - kept
            if runs.size < words.size:
                runs = np.empty(words.size, np.uint64)
            for place in range(hash_runs(words, count, sought.length, runs)):
                value = runs[place]
                mask = filter_mask(value)
                if sought.bits[value >> sought.bits_shift] & mask != mask:
                    follow = 0
                    continue
                slot = _find_slot(value, sought)
                follow = follow + 1 if sought.key_S[slot] == value else 0
                spans = spans or follow >= sought.span_runs
                if follow >= sought.near_runs:
                    found += 1
                    need = min(need, int(sought.need_S[slot]))
            kept = keep_last(words, count, sought.length)
        if state.shaky:  # its words may be others once it is in NFC
            flag_D[document] = SPANS | NEAR
            continue
        near = 0 < total < sought.short or (found > 0 and found >= need)
        flag_D[document] = (SPANS if spans else np.uint8(0)) | (NEAR if near else np.uint8(0))
