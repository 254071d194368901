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
    benchmarks,
    budget,
    detection,
    duplicates,
    integrity,
    leaks,
    repeats,
    texts,
    tokens,
)
from assay.corpus.text_batch import TextBatch
from assay.formats.audit import MeasuredColumn
from assay.formats.audit_totals import AuditTotals
from assay.formats.findings import Finding, FindingKind, sort_findings
from assay.terminal.numbers import count
from assay.terminal.text import show_line


@dataclass(frozen=True, slots=True)
class Auditor:
    """What is measured of documents, and what it means.

    Attributes:
        kinds: The findings that `judge` may yield.
        judge: Turns totals into findings; what it leaves out is not measured, for the reason that
            its kind states.
        columns: What `measure` returns of each document.
        measure: Measures a batch: an array a column, by name. Runs on several threads.
    """

    kinds: tuple[FindingKind, ...]
    judge: Callable[[AuditTotals], Iterator[Finding]] = lambda totals: iter(())
    columns: tuple[MeasuredColumn, ...] = ()
    measure: Callable[[TextBatch], dict[str, np.ndarray]] | None = None


AUDITORS = (
    Auditor((integrity.SET_ASIDE, integrity.INTEGRITY), integrity.judge),
    Auditor(leaks.KINDS, leaks.judge),
    Auditor((benchmarks.BENCHMARKS,), benchmarks.judge),
    Auditor((duplicates.EXACT, duplicates.NEAR), duplicates.judge_copies),
    Auditor((tokens.TOKEN_COUNT,), tokens.judge_stored_counts),
    Auditor(texts.KINDS, texts.judge, texts.COLUMNS, texts.measure),
    Auditor((repeats.REPEATED_SPANS,)),
    Auditor((duplicates.GIANT_CLUSTER, duplicates.CHAINED), duplicates.judge_clusters),
    Auditor((detection.NEAR_RECALL,), detection.judge_recall),
    Auditor((duplicates.UNIQUE_TOKENS,), duplicates.judge_unique),
    Auditor((tokens.LENGTH,), tokens.judge_lengths),
    Auditor((detection.NEAR_UNCOMPARED, detection.CANDIDATES), detection.judge_candidates),
    Auditor((budget.EPOCHS, budget.BUDGET), budget.judge),
)
COLUMNS = tuple(column for auditor in AUDITORS for column in auditor.columns)
KINDS = {kind.name: kind for auditor in AUDITORS for kind in auditor.kinds}


def measure_texts(texts: TextBatch) -> dict[str, np.ndarray]:
    """Return the columns of every auditor for a batch of documents."""
    return {
        name: column
        for auditor in AUDITORS
        if auditor.measure is not None
        for name, column in auditor.measure(texts).items()
    }


def judge_totals(totals: AuditTotals) -> list[Finding]:
    """Turn an audit's totals into findings, worst first: one of each kind, measured or not."""
    found = {finding.name: finding for auditor in AUDITORS for finding in auditor.judge(totals)}
    return sort_findings(
        _skip_undivided(kind, totals) or found.get(kind.name) or kind.skip(kind.unmeasured)
        for kind in KINDS.values()
    )


def _skip_undivided(kind: FindingKind, totals: AuditTotals) -> Finding | None:
    """Return the finding of a kind that takes documents where a shard has none that can be told."""
    if not kind.by_document or not totals.undivided:
        return None
    more = len(totals.undivided) - 1
    return kind.skip(
        "documents cannot be told apart: "
        + show_line(totals.undivided[0], 300)
        + (f"; {count(more)} more alike" if more else ""),
        action="name the id that ends documents with --end-of-text, or audit the text itself",
    )


def tabulate_kinds() -> str:
    """Return the table of docs/audit.md: what each finding measures, and where it does not."""
    head = ("finding", "measures", "value", "levels", "not measured", "rows in")
    rows = [
        (
            f"*{kind.name}*",
            kind.measures,
            f"share of {kind.of}" if kind.unit == "share" else kind.unit,
            _show_levels(kind),
            _show_unmeasured(kind),
            f"`{kind.evidence}`" if kind.evidence else "",
        )
        for kind in KINDS.values()
    ]
    lines = [f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows)]
    added = [f"`{column.name}`: {column.measures}" for column in COLUMNS if column.in_table]
    if added:
        lines += ["", f"Columns that these add to `documents.parquet`: {'; '.join(added)}."]
    return "\n".join(lines) + "\n"


def _show_unmeasured(kind: FindingKind) -> str:
    undivided = ("a shard cannot be cut into documents",) if kind.by_document else ()
    other = () if kind.unmeasured == "never" else (kind.unmeasured,)
    return "; ".join(other + undivided) or "never"


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
