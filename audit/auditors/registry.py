"""The auditors, in the order of their findings: a new one is a file beside this, and a line here.

An auditor measures columns of each batch of documents in the scan, or nothing there; from the
totals, which have the sums of its columns under `measured`, it judges findings. Its columns stand
in documents.parquet, its findings in findings.json, in reports and in docs/audit.md, and
`--fail-on` takes their names.

`python -m assay.audit.auditors.registry` prints the table of docs/audit.md.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from assay.audit.auditors import (
    budget,
    detection,
    duplicates,
    leaks,
    lengths,
    texts,
    token_counts,
)
from assay.corpus.text_batch import TextBatch
from assay.formats.audit import MeasuredColumn
from assay.formats.audit_totals import AuditTotals
from assay.formats.findings import Finding, FindingKind, sort_findings


@dataclass(frozen=True, slots=True)
class Auditor:
    """What is measured of documents, and what it means.

    Attributes:
        kinds: The findings that `judge` may yield.
        judge: Turns totals into findings; none of what was not measured.
        columns: What `measure` returns of each document.
        measure: Measures a batch: an array a column, by name. Runs on several threads.
    """

    kinds: tuple[FindingKind, ...]
    judge: Callable[[AuditTotals], Iterator[Finding]]
    columns: tuple[MeasuredColumn, ...] = ()
    measure: Callable[[TextBatch], dict[str, np.ndarray]] | None = None


AUDITORS = (
    Auditor(leaks.KINDS, leaks.judge),
    Auditor(duplicates.COPY_KINDS, duplicates.judge_copies),
    Auditor(token_counts.KINDS, token_counts.judge),
    Auditor(texts.KINDS, texts.judge, texts.COLUMNS, texts.measure),
    Auditor(duplicates.CLUSTER_KINDS, duplicates.judge_clusters),
    Auditor(detection.RECALL_KINDS, detection.judge_recall),
    Auditor((duplicates.UNIQUE_TOKENS,), duplicates.judge_unique),
    Auditor(lengths.KINDS, lengths.judge),
    Auditor(detection.CANDIDATE_KINDS, detection.judge_candidates),
    Auditor(budget.KINDS, budget.judge),
)
COLUMNS = tuple(column for auditor in AUDITORS for column in auditor.columns)
KINDS = {kind.name: kind for auditor in AUDITORS for kind in auditor.kinds}


def measure_texts(texts: TextBatch) -> dict[str, np.ndarray]:
    """Return the columns of every auditor for a batch of documents."""
    columns: dict[str, np.ndarray] = {}
    for auditor in AUDITORS:
        if auditor.measure is not None:
            columns |= auditor.measure(texts)
    return columns


def judge_totals(totals: AuditTotals) -> list[Finding]:
    """Turn an audit's totals into findings, worst first."""
    return sort_findings(finding for auditor in AUDITORS for finding in auditor.judge(totals))


def tabulate_kinds() -> str:
    """Return the table of docs/audit.md: what each finding measures, and where it does not."""
    head = ("finding", "measures", "value", "levels", "not measured", "rows in")
    rows = [head, ("---", "---", "---", "---", "---", "---")]
    for kind in KINDS.values():
        value = f"share of {kind.of}" if kind.unit == "share" else kind.unit
        evidence = f"`{kind.evidence}`" if kind.evidence else ""
        rows.append(
            (f"*{kind.name}*", kind.measures, value, _show_levels(kind), kind.unmeasured, evidence)
        )
    lines = [f"| {' | '.join(row)} |" for row in rows]
    added = [f"`{column.name}`: {column.measures}" for column in COLUMNS if column.in_table]
    if added:
        lines += ["", f"Columns that these add to `documents.parquet`: {'; '.join(added)}."]
    return "\n".join(lines) + "\n"


def _show_levels(kind: FindingKind) -> str:
    if kind.limits is None:
        return kind.levels or "info"
    low, medium, high = (
        f"{100 * limit:g}%" if kind.unit == "share" else f"{limit:g}" for limit in kind.limits
    )
    word = "under" if kind.limits[2] < kind.limits[0] else "over"
    if low == medium:
        return f"medium {word} {low}, high from {high}"
    return f"low {word} {low}, medium from {medium}, high from {high}"


if __name__ == "__main__":
    print(tabulate_kinds(), end="")
