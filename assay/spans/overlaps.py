"""From hits to pairs of texts, and the spans that both have.

A *match* is a word of a document and one of an indexed text with which the same n-gram begins; a
*line* is matches that follow each other in both. n-grams that do not count, as boilerplate, carry a
line on, but a span is only what n-grams that count cover: a stretch of words without a gap.
"""

# R = runs of hits, H = hits, W = words of the index, T = its texts, P = pairs, S = spans

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.kernels import njit
from assay.spans.hits import DOCUMENT, NGRAM, NUM_NGRAMS, WORD, Hits
from assay.spans.index import ABSENT, NgramIndex
from assay.spans.rows import make_rows

_MIX = np.uint64(0x9E37_79B9_7F4A_7C15)


@dataclass(frozen=True, slots=True)
class Overlaps:
    """Pairs of a document and an indexed text that share an n-gram that counts, and their spans.

    Pairs are in the order of texts, then documents; spans in that of their pairs, then of words of
    the text.

    Attributes:
        document_P: The document of each pair.
        text_P: The indexed text.
        num_ngrams_P: n-grams of the text, repeats included, that count and stand in the document.
        longest_P: Words of their longest span; of equally long ones, the first in the text.
        pair_S: The pair of each span.
        word_S: The word of the text that it begins with; numbers of words of all texts.
        char_S: Where it begins in the document, in code points.
        num_words_S: Its words.
    """

    document_P: NDArray[np.int64]
    text_P: NDArray[np.int64]
    num_ngrams_P: NDArray[np.int64]
    longest_P: NDArray[np.int64]
    pair_S: NDArray[np.int64]
    word_S: NDArray[np.int64]
    char_S: NDArray[np.int64]
    num_words_S: NDArray[np.int64]

    def find_longest(self) -> NDArray[np.int64]:
        """Return the longest span of each pair, the first in the text of equally long ones."""
        order = np.lexsort((self.word_S, -self.num_words_S, self.pair_S))
        _, place = np.unique(self.pair_S[order], return_index=True)
        return order[place]


def find_overlaps(hits: Hits, index: NgramIndex, counts_W: NDArray[np.bool_]) -> Overlaps:
    """Find all pairs that share an n-gram that counts, and the spans that they share.

    Each span is as long as both texts allow. Where an n-gram stands several times in both, the
    first place in each is tried: of such repeats a longer span may be missed, a pair or one of its
    n-grams never.

    Args:
        hits: Of documents in ascending order.
        index: What they were found in.
        counts_W: The n-grams that count, by the first of equal ones.
    """
    run_R4 = np.ascontiguousarray(hits.run_R4)
    text_W = index.number_texts()
    pair_P3, span_S5 = _trace(
        run_R4,
        hits.char_H,
        index.length,
        index.tables.first_W,
        index.tables.next_W,
        text_W,
        index.num_texts,
        counts_W,
    )
    order = np.lexsort((pair_P3[:, 0], pair_P3[:, 1]))
    document_P, text_P, num_ngrams_P = pair_P3[order].T
    order = np.lexsort((span_S5[:, 3], span_S5[:, 2], span_S5[:, 0], span_S5[:, 1]))
    document_S, text_S, word_S, char_S, num_words_S = span_S5[order].T
    starts_S = np.append(True, (np.diff(document_S) != 0) | (np.diff(text_S) != 0))
    pair_S = np.cumsum(starts_S[: document_S.size]) - 1  # every pair has a span
    longest_P = np.zeros(document_P.size, np.int64)
    np.maximum.at(longest_P, pair_S, num_words_S)
    return Overlaps(
        document_P, text_P, num_ngrams_P, longest_P, pair_S, word_S, char_S, num_words_S
    )


class _Index(NamedTuple):
    """What is asked of the index, and which of its n-grams count."""

    length: int
    first_W: NDArray[np.int32]
    next_W: NDArray[np.int32]
    text_W: NDArray[np.int32]
    counts_W: NDArray[np.bool_]


@njit
def _trace(
    run_R4: NDArray[np.uint32],
    char_H: NDArray[np.uint32],
    length: int,
    first_W: NDArray[np.int32],
    next_W: NDArray[np.int32],
    text_W: NDArray[np.int32],
    num_texts: int,
    counts_W: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return pairs (document, text, n-grams), and spans (document, text, word, char, words)."""
    index = _Index(length, first_W, next_W, text_W, counts_W)
    seen_W = np.full(text_W.size, -1, np.int64)
    reached_W = np.full(text_W.size, -2, np.int64)
    last_T, count_T = np.full(num_texts, -1, np.int64), np.zeros(num_texts, np.int64)
    pair_P3, span_S5 = np.empty((1 << 8, 3), np.int64), np.empty((1 << 8, 5), np.int64)
    touched_T, anchor_A3 = np.empty(num_texts, np.int64), np.empty((1 << 8, 3), np.int64)
    match_M2 = np.empty((1 << 8, 2), np.int64)
    num_pairs = num_spans = hit = run = 0
    while run < len(run_R4):
        document, first_hit, count = run_R4[run, DOCUMENT], hit, 0
        while run < len(run_R4) and run_R4[run, DOCUMENT] == document:
            number = int(np.int64(run_R4[run, NUM_NGRAMS]))
            match_M2 = make_rows(match_M2, count, number)
            for place in range(number):
                match_M2[count, 0] = np.int64(run_R4[run, WORD]) + place
                match_M2[count, 1] = np.int64(run_R4[run, NGRAM]) + place
                count += 1
            run += 1
        hit += count
        anchor_A3, num_anchors, num_touched = _anchor(
            match_M2, count, first_hit, document, index,
            seen_W, reached_W, last_T, count_T, touched_T, anchor_A3,
        )  # fmt: skip
        pair_P3 = make_rows(pair_P3, num_pairs, num_touched)
        for text in touched_T[:num_touched]:
            pair = pair_P3[num_pairs]
            pair[0], pair[1], pair[2] = document, text, count_T[text]
            num_pairs += 1
        before = num_spans
        span_S5, num_spans = _draw_lines(
            match_M2, count, index, anchor_A3, num_anchors, span_S5, num_spans
        )
        for span in range(before, num_spans):
            span_S5[span, 0] = document
            span_S5[span, 3] = char_H[first_hit + span_S5[span, 3]]
    return pair_P3[:num_pairs].copy(), span_S5[:num_spans].copy()


@njit
def _anchor(
    match_M2: NDArray[np.int64],
    count: int,
    first_hit: int,
    document: int,
    index: _Index,
    seen_W: NDArray[np.int64],
    reached_W: NDArray[np.int64],
    last_T: NDArray[np.int64],
    count_T: NDArray[np.int64],
    touched_T: NDArray[np.int64],
    anchor_A3: NDArray[np.int64],
) -> tuple[NDArray[np.int64], int, int]:
    """Choose matches (text, word of the index, hit) from which every line that counts is drawn.

    Counts the n-grams that each text shares with the document in `count_T`, for the texts listed in
    `touched_T`. A match that follows on one that is an anchor, or follows on one, is none.
    """
    anchors = touched = 0
    for hit in range(count):
        ngram = match_M2[hit, 1]
        if not index.counts_W[ngram] or seen_W[ngram] == document:
            continue
        seen_W[ngram] = document
        follows = hit > 0 and match_M2[hit - 1, 0] + 1 == match_M2[hit, 0]
        word, text_before = ngram, -1
        while word != ABSENT:
            text = index.text_W[word]
            if last_T[text] != document:
                last_T[text], count_T[text], touched_T[touched] = document, 0, text
                touched += 1
            count_T[text] += 1
            on_line = (
                follows
                and word > 0
                and reached_W[word - 1] == first_hit + hit - 1
                and index.text_W[word - 1] == text
            )
            if on_line or text != text_before:
                reached_W[word] = first_hit + hit
            if not on_line and text != text_before:
                anchor_A3 = make_rows(anchor_A3, anchors, 1)
                anchor = anchor_A3[anchors]
                anchor[0], anchor[1], anchor[2] = text, word, hit
                anchors += 1
            text_before = text
            word = np.int64(index.next_W[word])
    return anchor_A3, anchors, touched


@njit
def _draw_lines(
    match_M2: NDArray[np.int64],
    count: int,
    index: _Index,
    anchor_A3: NDArray[np.int64],
    num_anchors: int,
    span_S5: NDArray[np.int64],
    num_spans: int,
) -> tuple[NDArray[np.int64], int]:
    """Draw each anchor's line as far as it goes, once, and append its spans.

    A span's columns are as in `_trace`, but that the document is missing and the place in it is
    the hit with which it begins.
    """
    size = 16
    while size < 2 * num_anchors:
        size *= 2
    drawn_3 = np.full((size, 3), -1, np.int64)  # of each line: text, its offset, its last word
    for anchor in range(num_anchors):
        text, word, hit = anchor_A3[anchor]
        offset = word - match_M2[hit, 0]
        slot = np.int64((np.uint64(offset) * _MIX) >> np.uint64(32)) & (size - 1)
        while drawn_3[slot, 0] >= 0 and (drawn_3[slot, 0] != text or drawn_3[slot, 1] != offset):
            slot = (slot + 1) & (size - 1)
        if drawn_3[slot, 0] >= 0 and word <= drawn_3[slot, 2]:
            continue
        first, last, at = word, word, hit
        while at > 0 and first > 0 and _joins(match_M2, at - 1, first - 1, text, index):
            first, at = first - 1, at - 1
        first_at, at = at, hit
        while (
            at + 1 < count
            and last + 1 < index.text_W.size
            and index.text_W[last + 1] == text
            and match_M2[at, 0] + 1 == match_M2[at + 1, 0]
            and index.first_W[last + 1] == match_M2[at + 1, 1]
        ):
            last, at = last + 1, at + 1
        drawn_3[slot, 0], drawn_3[slot, 1], drawn_3[slot, 2] = text, offset, last
        span_S5 = make_rows(span_S5, num_spans, (last - first) // index.length + 1)
        num_spans = _cut_line(first, last, first_at, text, index, span_S5, num_spans)
    return span_S5, num_spans


@njit
def _joins(match_M2: NDArray[np.int64], hit: int, word: int, text: int, index: _Index) -> bool:
    """Tell whether a hit and a word of the index match, and the next hit follows on it."""
    return bool(
        index.text_W[word] == text
        and match_M2[hit, 0] + 1 == match_M2[hit + 1, 0]
        and index.first_W[word] == match_M2[hit, 1]
    )


@njit
def _cut_line(
    first: int,
    last: int,
    hit: int,
    text: int,
    index: _Index,
    span_S5: NDArray[np.int64],
    num_spans: int,
) -> int:
    """Append the stretches of a line's words that n-grams that count cover; `hit` is its first."""
    begun = before = -1
    for word in range(first, last + 1):
        if not index.counts_W[index.first_W[word]]:
            continue
        if begun < 0 or word - before > index.length:
            span = span_S5[num_spans]
            span[1], span[2], span[3] = text, word, hit + word - first
            num_spans += 1
            begun = word
        before = word
        span_S5[num_spans - 1, 4] = word + index.length - begun
    return num_spans
