"""An auditor such as a contributor would add: lines that are bullet points.

Gopher drops a document over 90% (Rae et al. 2021, table A1).
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from assay.corpus.text_batch import TextBatch
from assay.formats.audit import MeasuredColumn
from assay.formats.audit_totals import AuditTotals
from assay.formats.findings import Finding, FindingKind
from assay.terminal.numbers import share

COLUMNS = (
    MeasuredColumn("listed_lines", pa.uint64(), "lines that are not empty"),
    MeasuredColumn("bullet_lines", pa.uint64(), "those of them that begin with `-` or `*`"),
)
BULLETS = FindingKind(
    name="bullets",
    measures="lines that are bullet points",
    of="lines",
    limits=(0.5, 0.7, 0.9),
    unmeasured="no document has a line",
    evidence="documents.parquet",
)
KINDS = (BULLETS,)


def measure(texts: TextBatch) -> dict[str, np.ndarray]:
    """Count lines, and those that are bullet points."""
    lines_N, bullets_N = np.zeros((2, texts.words_N.size), np.int64)
    for index in range(texts.words_N.size):
        lines = [line for line in texts.read(index).split(b"\n") if line]
        lines_N[index] = len(lines)
        bullets_N[index] = sum(line.startswith((b"-", b"*")) for line in lines)
    return {"listed_lines": lines_N, "bullet_lines": bullets_N}


def judge(totals: AuditTotals) -> Iterator[Finding]:
    """Yield the share of lines that are bullet points, where there are lines."""
    bullets, lines = totals.sum_of("bullet_lines"), totals.sum_of("listed_lines")
    if lines:
        yield BULLETS.find(
            bullets / lines,
            f"{share(bullets, lines)} of lines are bullet points",
            action="look at documents that are lists",
        )
