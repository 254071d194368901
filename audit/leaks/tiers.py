"""Each leaked validation document, its tier, and the training document that gives it away."""

# N = documents, D = validation documents, L = leaked ones, T = their different texts

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from assay.audit.duplicates.leakage import LeakedDocuments
from assay.audit.leaks.shared import SharedText
from assay.audit.scan.documents import Documents
from assay.formats.audit import CONTAINED_COVERAGE, COPIED_WORDS, TIERS
from assay.formats.leak_totals import Leaks, SpanTotals

_EXACT, _NEAR, _CONTAINED, _COPIED, _SPAN, _NONE = range(6)  # as `TIERS`; the smallest goes first
_UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Leaked:
    """Leaked validation documents, in their order, and the training document of each.

    Attributes:
        val_L: Their positions.
        train_L: The position of the training document named: of an exact copy the first, of a near
            one the nearest found, else the one that shares most.
        tier_L: A place in `TIERS`.
        jaccard_L: NaN where it is not known.
        coverage_L: The share of its n-grams that stand in train; NaN where it has none.
        val_start_L: Where the longest span that both have begins in it, in code points; `_UNKNOWN`
            (-1) where they share none that counts. `train_start_L` likewise in the other, and
            `words_L` is its length.
        tier_D: The tier of each validation document, leaked or not: a place in `TIERS`, or one
            beyond.
    """

    val_L: NDArray[np.int64]
    train_L: NDArray[np.int64]
    tier_L: NDArray[np.int64]
    jaccard_L: NDArray[np.float64]
    coverage_L: NDArray[np.float64]
    val_start_L: NDArray[np.int64]
    train_start_L: NDArray[np.int64]
    words_L: NDArray[np.int64]
    tier_D: NDArray[np.int64]


def find_leaked(
    documents: Documents,
    copies: LeakedDocuments,
    text_D: NDArray[np.int64],
    shared: SharedText | None,
) -> Leaked:
    """Give each validation document its tier.

    Args:
        documents: All documents.
        copies: Validation documents with an exact or near copy in train.
        text_D: The number of each validation document's text among those held.
        shared: What these share with train; None where nothing was looked for.
    """
    val_D = np.flatnonzero(documents.val_N)
    tier_D, train_D = np.full(val_D.size, _NONE), np.full(val_D.size, -1)
    jaccard_D = np.full(val_D.size, np.nan)
    if shared is not None:
        tier_D, train_D = _judge_texts(shared)
        tier_D, train_D = tier_D[text_D], train_D[text_D]
    copied = np.searchsorted(val_D, copies.val_L)
    tier_D[copied] = np.where(copies.exact_L, _EXACT, _NEAR)
    train_D[copied], jaccard_D[copied] = copies.train_L, copies.jaccard_L
    leaked = np.flatnonzero(tier_D < _SPAN)
    unknown_L = np.full(leaked.size, _UNKNOWN)
    found = Leaked(
        val_L=val_D[leaked],
        train_L=train_D[leaked],
        tier_L=tier_D[leaked],
        jaccard_L=jaccard_D[leaked],
        coverage_L=np.full(leaked.size, np.nan),
        val_start_L=unknown_L,
        train_start_L=unknown_L,
        words_L=unknown_L,
        tier_D=tier_D,
    )
    return found if shared is None else _add_places(found, text_D[leaked], shared)


def _judge_texts(shared: SharedText) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the tier of each text by its n-grams, and the training document that it names."""
    contained_T = shared.coverage_T >= CONTAINED_COVERAGE
    copied_T = shared.longest_T >= COPIED_WORDS
    tier_T = np.select(
        [contained_T, copied_T, shared.covered_T > 0], [_CONTAINED, _COPIED, _SPAN], _NONE
    )
    most_T, longest_T = (shared.choose_pairs(longest=longest) for longest in (False, True))
    pair_T = np.where(tier_T == _CONTAINED, most_T, longest_T)
    document_P = np.append(shared.overlaps.document_P, -1)  # for texts that share nothing
    return tier_T, document_P[pair_T]


def _add_places(found: Leaked, text_L: NDArray[np.int64], shared: SharedText) -> Leaked:
    """Add coverage, and where the longest span stands that each shares with the document named."""
    index, overlaps = shared.index, shared.overlaps
    pair_L = shared.find_pairs(found.train_L, text_L)
    span_L = np.append(overlaps.find_longest(), -1)[pair_L]
    known_L = span_L >= 0
    val_start_L, train_start_L, words_L = (np.full(text_L.size, _UNKNOWN) for _ in range(3))
    spans = span_L[known_L]
    val_start_L[known_L] = index.char_W[overlaps.word_S[spans]]
    train_start_L[known_L] = overlaps.char_S[spans]
    words_L[known_L] = overlaps.num_words_S[spans]
    # A copy is one throughout, whether its n-grams count or not, and if it is too short for any.
    exact_L = found.tier_L == _EXACT
    num_words_L = index.num_words_T[text_L]
    begins_L = exact_L & (num_words_L > 0)
    starts = index.char_W[index.word_T[text_L[begins_L]]]
    val_start_L[begins_L] = train_start_L[begins_L] = starts
    words_L[begins_L] = num_words_L[begins_L]
    return replace(
        found,
        coverage_L=np.where(exact_L, 1.0, shared.coverage_T[text_L]),
        val_start_L=val_start_L,
        train_start_L=train_start_L,
        words_L=words_L,
    )


def count_leaks(
    documents: Documents,
    leaked: Leaked,
    text_D: NDArray[np.int64],
    shared: SharedText | None,
    limit: int,
    num_listed: int,
) -> Leaks:
    """Count validation documents by tier; `num_listed` spans are listed."""
    numbers = np.bincount(leaked.tier_D, minlength=len(TIERS))
    exact, near, contained, copied, spans = numbers[: len(TIERS)].tolist()
    tokens = int(documents.tokens_N[leaked.val_L].sum())
    if shared is None:
        return Leaks(leaked.tier_D.size, exact, near, tokens)
    boilerplate_D = shared.boilerplate_T[text_D]
    found = SpanTotals(
        ngram=f"words:{shared.index.length}",
        boilerplate_clusters=limit,
        contained=contained,
        copied=copied,
        spans=spans,
        too_short=int((shared.num_ngrams_T[text_D] == 0).sum()),
        ngrams=int(shared.num_ngrams_T[text_D].sum()),
        shared_ngrams=int(shared.covered_T[text_D].sum()),
        boilerplate_ngrams=int(boilerplate_D.sum()),
        boilerplate_documents=int((boilerplate_D > 0).sum()),
        listed=num_listed,
        unlisted=shared.overlaps.word_S.size - num_listed,
    )
    return Leaks(leaked.tier_D.size, exact, near, tokens, found)
