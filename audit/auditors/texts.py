"""Rows without a text, and texts that are broken, empty or very short."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from assay.corpus.text_batch import TextBatch
from assay.formats.audit import MeasuredColumn
from assay.formats.audit_totals import AuditTotals
from assay.formats.findings import Finding, FindingKind
from assay.terminal.numbers import share

COLUMNS = (MeasuredColumn("blank", pa.bool_(), "white space alone", in_table=False),)


def _make_kind(name: str, of: str, measures: str) -> FindingKind:
    return FindingKind(
        name=name,
        measures=measures,
        of=of,
        limits=(0.001, 0.01, 0.1),
        by_document=of == "documents",
        # Rows that are no documents have none.
        evidence="" if name in ("null", "oversized") else "documents.parquet",
    )


NULL = _make_kind("null", "rows", "rows whose text is null; they are skipped")
INVALID_UTF8 = _make_kind("invalid_utf8", "rows", "texts that are not UTF-8")
OVERSIZED = _make_kind("oversized", "rows", "texts over 256 MB; they are skipped")
EMPTY = _make_kind("empty", "documents", "documents of no bytes")
BLANK = _make_kind("blank", "documents", "documents of white space alone")
SHORT = _make_kind("short", "documents", "documents of fewer words (or other units) than a shingle")
KINDS = (NULL, INVALID_UTF8, OVERSIZED, EMPTY, BLANK, SHORT)


def measure(texts: TextBatch) -> dict[str, np.ndarray]:
    """Tell documents of white space alone, empty ones not among them."""
    blank_N = np.zeros(texts.words_N.size, dtype=bool)
    for index in np.flatnonzero((texts.words_N == 0) & (np.diff(texts.offsets_N) > 0)).tolist():
        blank_N[index] = not texts.read(index).decode("utf-8").strip()
    return {"blank": blank_N}


def judge(totals: AuditTotals) -> Iterator[Finding]:
    """Yield the share of each kind of row or text."""
    unit, _, length = totals.lsh.shingle.partition(":")
    for kind, number, words in (
        (NULL, totals.null, "rows have null text and were skipped"),
        (INVALID_UTF8, totals.invalid_utf8, "texts are not UTF-8"),
        (OVERSIZED, totals.oversized, "texts are over 256 MB each and were skipped"),
        (EMPTY, totals.empty, "documents are empty"),
        (BLANK, totals.blank, "documents are white space alone"),
        (SHORT, totals.short, f"documents have fewer than {length} {unit}"),
    ):
        whole = totals.rows if kind.of == "rows" else totals.documents
        value = number / whole if whole else 0.0
        yield kind.find(value, f"{share(number, whole)} of {words}")
