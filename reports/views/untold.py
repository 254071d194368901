"""What the report says in the place of documents, where an audit cannot tell them apart."""

from assay.formats.audit_totals import AuditTotals
from assay.reports.page.page import Note, Section
from assay.terminal.numbers import count
from assay.terminal.text import show_line

_MAX_LINES = 200


def skip_untold(anchor: str, title: str, totals: AuditTotals) -> Section | None:
    """Return a section that says what is not measured where documents cannot be told; else None."""
    if not totals.undivided:
        return None
    lines = [*totals.undivided][:_MAX_LINES]
    notes = tuple(Note(f"Not told apart: {show_line(line, 300)}", "warn") for line in lines)
    return Section(anchor, title, "Not measured: documents cannot be told apart.", notes)


def count_documents(totals: AuditTotals, number: int) -> str:
    """Say a number of documents, where they can be told."""
    return "documents not told" if totals.undivided else f"{count(number)} documents"
