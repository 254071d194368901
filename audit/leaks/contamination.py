"""Which items of benchmarks stand in train, each with its longest span."""

# Q = items, T = their different texts, S = spans, P = pairs

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from assay.audit.leaks.shared import SharedText
from assay.formats.leak_totals import BenchmarkTotals, SuiteTotals
from assay.text.buffers import pad_buffer
from assay.text.shingling import Shingling, count_units

_95_PERCENT = 1.959963984540054  # quantile of the normal distribution


@dataclass(frozen=True, slots=True)
class Contamination:
    """What Q items share with train.

    Attributes:
        measured_Q: Whether the part of the item that must match has an n-gram with a letter.
        span_Q: The longest span, of which n words or more are in that part; -1 where there is none.
        coverage_Q: The share of its n-grams with a letter that stand in train; NaN without any.
    """

    measured_Q: NDArray[np.bool_]
    span_Q: NDArray[np.int64]
    coverage_Q: NDArray[np.float64]

    @property
    def contaminated_Q(self) -> NDArray[np.bool_]:
        """Whether train has n words in a row of the part that must match."""
        return self.span_Q >= 0


def find_contamination(
    shared: SharedText, text_Q: NDArray[np.int64], questions: Sequence[str]
) -> Contamination:
    """Find items of which train has an n-gram that counts, in the part of them that must match.

    Args:
        shared: What the items share with train.
        text_Q: The number of each item's text.
        questions: The beginning of each item that must match; all of it where nothing else follows.
    """
    index, overlaps = shared.index, shared.overlaps
    words_Q = _count_words(questions)
    begin_Q = index.word_T[text_Q]
    looked_for = np.append(0, np.cumsum(index.tables.first_W >= 0))
    last_Q = begin_Q + np.maximum(words_Q - index.length + 1, 0)
    measured_Q = looked_for[last_Q] > looked_for[begin_Q]
    order = np.lexsort((overlaps.word_S, -overlaps.num_words_S, overlaps.text_P[overlaps.pair_S]))
    text_S = overlaps.text_P[overlaps.pair_S][order]
    span_Q = np.full(text_Q.size, -1)
    for item in np.flatnonzero(measured_Q & (shared.covered_T[text_Q] > 0)):
        first, last = np.searchsorted(text_S, [text_Q[item], text_Q[item] + 1])
        spans = order[first:last]
        ends = overlaps.word_S[spans] + overlaps.num_words_S[spans]
        inside = np.minimum(ends, begin_Q[item] + words_Q[item]) - overlaps.word_S[spans]
        fits = spans[inside >= index.length]
        span_Q[item] = fits[0] if fits.size else -1
    return Contamination(measured_Q, span_Q, shared.coverage_T[text_Q])


def _count_words(texts: Sequence[str]) -> NDArray[np.int64]:
    parts = [text.encode() for text in texts]
    offsets = np.append(0, np.cumsum([len(part) for part in parts])).astype(np.int64)
    return count_units(pad_buffer(b"".join(parts)), offsets, Shingling())


def count_contamination(
    found: Contamination, suites: Sequence[str], shared: SharedText, limit: int
) -> BenchmarkTotals:
    """Count items by suite, in the order in which suites come first."""
    number_Q = np.array([*dict.fromkeys(suites)], object)
    by_suite = np.array(suites, object)
    chosen = [by_suite == suite for suite in number_Q]
    return BenchmarkTotals(
        ngram=f"words:{shared.index.length}",
        boilerplate_clusters=limit,
        total=_count(found, np.ones(len(suites), np.bool_), "all"),
        suites=[_count(found, own, suite) for suite, own in zip(number_Q, chosen, strict=True)],
    )


def _count(found: Contamination, chosen_Q: NDArray[np.bool_], suite: str) -> SuiteTotals:
    measured = int((found.measured_Q & chosen_Q).sum())
    contaminated = int((found.contaminated_Q & chosen_Q).sum())
    return SuiteTotals(
        suite=suite,
        items=int(chosen_Q.sum()),
        measured=measured,
        contaminated=contaminated,
        interval=estimate_share(contaminated, measured) if measured else UNSET,
    )


def estimate_share(part: int, whole: int) -> tuple[float, float]:
    """Return the interval at 95 % of a share of which `part` of `whole` were seen (Wilson 1927).

    >>> tuple(round(end, 4) for end in estimate_share(0, 10))
    (0.0, 0.2775)
    """
    square = _95_PERCENT**2
    center = (part + square / 2) / (whole + square)
    reach = _95_PERCENT * math.sqrt(part * (whole - part) / whole + square / 4) / (whole + square)
    return max(0.0, center - reach), min(1.0, center + reach)
