"""Totals of an audit that was never made: what a test changes, and little else."""

from typing import Any

from assay.audit.auditors.registry import COLUMNS
from assay.formats.audit_totals import AuditTotals, Lsh


def make_totals(**changes: Any) -> AuditTotals:
    """Totals of ten documents of ten tokens, with what is named in place of their fields."""
    lsh = Lsh(threshold=0.8, bands=16, rows=8, detection=[(0.8, 0.947), (0.9, 0.9999)])
    measured = {column.name: 0 for column in COLUMNS if column.in_table}
    fields = {"rows": 10, "documents": 10, "bytes": 400, "tokens": 100, "unique_tokens": 100}
    return AuditTotals(**fields | {"lsh": lsh, "measured": measured} | changes)
