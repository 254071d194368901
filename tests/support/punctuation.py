"""An auditor such as a contributor would add: lines that end in punctuation."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from assay.corpus.text_batch import TextBatch
from assay.formats.audit import MeasuredColumn
from assay.formats.audit_totals import AuditTotals
from assay.formats.findings import Finding, FindingKind
from assay.terminal.numbers import share

COLUMNS = (
    MeasuredColumn("lines", pa.uint64(), "lines that are not empty"),
    MeasuredColumn("punctuated_lines", pa.uint64(), "those of them that end in `.`, `!` or `?`"),
)
PUNCTUATION = FindingKind(
    name="punctuation",
    measures="lines that end in punctuation",
    of="lines",
    limits=(0.5, 0.3, 0.1),
    unmeasured="no document has a line",
    evidence="documents.parquet",
)
KINDS = (PUNCTUATION,)


def measure(texts: TextBatch) -> dict[str, np.ndarray]:
    """Count lines, and those that end in punctuation."""
    lines_N, punctuated_N = np.zeros((2, texts.words_N.size), np.int64)
    for index in range(texts.words_N.size):
        lines = [line for line in texts.read(index).split(b"\n") if line]
        lines_N[index] = len(lines)
        punctuated_N[index] = sum(line[-1:] in b".!?" for line in lines)
    return {"lines": lines_N, "punctuated_lines": punctuated_N}


def judge(totals: AuditTotals) -> Iterator[Finding]:
    """Yield the share of lines that end in punctuation, where there are lines."""
    ended, lines = totals.sum_of("punctuated_lines"), totals.sum_of("lines")
    if lines:
        yield PUNCTUATION.find(
            ended / lines,
            f"{share(ended, lines)} of lines end in punctuation",
            action="look at documents of many short lines",
        )
