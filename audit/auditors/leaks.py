"""Validation documents that have a copy in train."""

from collections.abc import Iterator

from assay.formats.audit_totals import AuditTotals
from assay.formats.findings import Finding, FindingKind
from assay.terminal.numbers import count, share

LEAK = FindingKind(
    name="leak",
    measures="validation documents that have a copy in train, exact or near",
    of="val documents",
    limits=(0.0, 0.0, 0.01),
    unmeasured="no validation documents",
    evidence="leaks.parquet",
)


def judge(totals: AuditTotals) -> Iterator[Finding]:
    """Yield the share of validation documents that leaked."""
    leaks = totals.leaks
    documents, leaked = leaks.val_documents, leaks.exact + leaks.near
    if documents:
        yield LEAK.find(
            leaked / documents,
            f"{share(leaked, documents)} of val documents have a copy in train: "
            f"{count(leaks.exact)} exact, {count(leaks.near)} near",
            action="prepare with --drop exact,near,leaked",
        )
    else:
        yield LEAK.skip(
            "no validation documents were given",
            action="name them with --val, or let assay prepare hold some out",
        )
