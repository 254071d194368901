"""N-grams of a batch of texts that an index has, each checked as strings on the spot."""

# N = texts of the batch, W = words of one, H = hits, R = runs of hits

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.kernels import njit
from assay.spans.index import ABSENT, NgramIndex, Tables, find_ngram, follows
from assay.spans.rows import make_rows
from assay.spans.word_places import equal_words, list_words
from assay.text.buffers import check_offsets, readable_spans
from assay.text.normal_form import normalise
from assay.text.pieces import WORDS, begin_document
from assay.text.pieces import Tables as RuleTables
from assay.text.shingling import Shingling, read_shingles
from assay.text.utf8 import SHAKY_POINT
from assay.text.words import Fold

# Columns of a run: consecutive words of a text begin consecutive n-grams of the index.
DOCUMENT, NGRAM, WORD, NUM_NGRAMS = range(4)


@dataclass(frozen=True, slots=True)
class Hits:
    """N-grams of some texts that the index has, by runs; in the order of texts and words.

    Attributes:
        run_R4: uint32: the text, the first n-gram (of the equal ones in the index the first), the
            word of the text that it begins with, and how many n-grams follow each other so.
        char_H: uint32: where each n-gram of each run begins in its text in NFC, in code points.
    """

    run_R4: NDArray[np.uint32]
    char_H: NDArray[np.uint32]


_SETTLED = np.uint32(0)
NO_HITS = Hits(np.empty((0, 4), np.uint32), np.empty(0, np.uint32))


def find_hits(text: NDArray[np.uint8], offsets: NDArray[np.int64], index: NgramIndex) -> Hits:
    """Find the n-grams of texts that an index has.

    Each is compared with that of the index word by word, as lower-cased strings: a hash alone
    decides nothing. Runs without the GIL. Arguments and errors as for `minhash.sign.sign_texts`.
    """
    offsets = check_offsets(text, offsets)
    if not index.text.size:
        return NO_HITS
    parts = []
    for first, last, span, start in readable_spans(text, offsets):
        base, cut = span.ctypes.data - start, offsets[first : last + 1]
        run_R4, char_H = _find_hits(
            base, cut, first, index.length, Shingling().tables, index.tables, index.text
        )
        parts.append(Hits(run_R4, char_H))
    return join_hits(parts)


def join_hits(parts: Sequence[Hits]) -> Hits:
    """Put the hits of consecutive texts one after another."""
    return Hits(
        np.concatenate([NO_HITS.run_R4, *(part.run_R4 for part in parts)]),
        np.concatenate([NO_HITS.char_H, *(part.char_H for part in parts)]),
    )


def shift_hits(hits: Hits, first: int) -> Hits:
    """Return hits whose texts are numbered from `first` on."""
    run_R4 = hits.run_R4.copy()
    run_R4[:, DOCUMENT] += np.uint32(first)
    return Hits(run_R4, hits.char_H)


def choose_hits(hits: Hits, chosen_N: NDArray[np.bool_]) -> Hits:
    """Return the hits of the chosen texts."""
    chosen_R = chosen_N[hits.run_R4[:, DOCUMENT]]
    if chosen_R.all():
        return hits
    return Hits(hits.run_R4[chosen_R], hits.char_H[np.repeat(chosen_R, hits.run_R4[:, NUM_NGRAMS])])


@njit
def _find_hits(
    base: int,
    offsets: NDArray[np.int64],
    number: int,
    length: int,
    rule: RuleTables,
    tables: Tables,
    indexed: NDArray[np.uint8],
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Find hits in texts that are numbered from `number`; `base` as for `read_shingles`."""
    units, shingles = np.empty(1 << 15, np.uint64), np.empty(1 << 15, np.uint64)
    hit_H2 = np.empty((1 << 10, 2), np.int64)
    byte_W, char_W = np.empty(1 << 10, np.int64), np.empty(1 << 10, np.uint32)
    run_R4, char_H = np.empty((1 << 6, 4), np.uint32), np.empty(1 << 10, np.uint32)
    num_runs = num_chars = 0
    unchanged = np.empty(0, np.uint8)
    for text in range(offsets.size - 1):
        start, end = offsets[text], offsets[text + 1]
        place, first, found = begin_document(start), 0, 0
        line = ABSENT
        while place[0] < end:
            place, units, shingles, count = read_shingles(
                base, place, end, WORDS, rule, length, units, shingles
            )
            hit_H2 = make_rows(hit_H2, found, count)
            for at in range(count):
                # What follows on a hit is mostly what follows in the index: no table need be asked.
                if follows(shingles[at], line, tables):
                    line += 1
                    ngram = int(tables.first_W[line])
                else:
                    ngram = line = find_ngram(shingles[at], tables)
                if ngram != ABSENT:
                    hit_H2[found, 0], hit_H2[found, 1] = first + at, ngram
                    found += 1
            first += count
        if found == 0:
            continue
        if byte_W.size < place[3]:
            byte_W, char_W = np.empty(2 * place[3], np.int64), np.empty(2 * place[3], np.uint32)
        read_from, normal = base, unchanged
        if list_words(base, start, end, rule[0], byte_W, char_W, 0, SHAKY_POINT) < 0:
            normal, end, _ = normalise(base, start, end, rule[1])
            read_from = int(np.int64(normal.ctypes.data))
            list_words(read_from, 0, end, rule[0], byte_W, char_W, 0, _SETTLED)
        run_R4, char_H = make_rows(run_R4, num_runs, found), make_rows(char_H, num_chars, found)
        num_runs, num_chars = _check_hits(
            read_from, end, number + text, hit_H2, found, byte_W, char_W,
            indexed, length, rule[0], tables, run_R4, num_runs, char_H, num_chars, normal,
        )  # fmt: skip
    return run_R4[:num_runs].copy(), char_H[:num_chars].copy()


@njit
def _check_hits(
    base: int,
    end: int,
    number: int,
    hit_H2: NDArray[np.int64],
    found: int,
    byte_W: NDArray[np.int64],
    char_W: NDArray[np.uint32],
    indexed: NDArray[np.uint8],
    length: int,
    fold: Fold,
    tables: Tables,
    run_R4: NDArray[np.uint32],
    num_runs: int,
    char_H: NDArray[np.uint32],
    num_chars: int,
    normal: NDArray[np.uint8],
) -> tuple[int, int]:
    """Append the hits (word, n-gram) of one text that are equal as strings; return the counts.

    `normal` is what `base` is the address of where the text had to be brought into NFC: so that it
    lives as long as this call.
    """
    base_b, end_b = indexed.ctypes.data, indexed.size
    compared, same_from, line = 0, 0, 0
    last_word, last_ngram = -2, -2
    open_run = False
    for hit in range(found):
        word, ngram = hit_H2[hit, 0], hit_H2[hit, 1]
        follows_on = word == last_word + 1
        # Equal n-grams of the index were compared: its line goes on where it has an equal one.
        if follows_on and line + 1 < tables.first_W.size and tables.first_W[line + 1] == ngram:
            line += 1
        else:
            line, compared, same_from = ngram, word, word
        while compared < word + length:
            at_b = tables.byte_W[line + compared - word]
            at = byte_W[compared]
            compared += 1
            if not equal_words(base, at, end, base_b, at_b, end_b, fold):
                same_from = compared
        open_run = open_run and follows_on and ngram == last_ngram + 1
        last_word, last_ngram = word, ngram
        if same_from > word:
            open_run = False
            continue
        if not open_run:
            run = run_R4[num_runs]
            run[DOCUMENT], run[NGRAM], run[WORD], run[NUM_NGRAMS] = number, ngram, word, 0
            num_runs += 1
            open_run = True
        run_R4[num_runs - 1, NUM_NGRAMS] += np.uint32(1)
        char_H[num_chars] = char_W[word]
        num_chars += 1
    return num_runs, num_chars
