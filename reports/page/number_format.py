"""Numbers and names as every view writes them."""

from assay.formats.findings import Finding
from assay.reports.page.redact import redact_label
from assay.terminal.numbers import count
from assay.terminal.text import show_line

NO_VALUE = "\u2013"
LEVEL_TONES = {
    "high": "bad",
    "medium": "warn",
    "low": "warn",
    "unmeasured": "plain",
    "info": "plain",
    "ok": "good",
}


def percent(part: float, whole: float) -> str:
    """Format a share as a percentage; a dash of nothing.

    >>> percent(412, 53_248)
    '0.77%'
    """
    return f"{100 * part / whole:.2f}%" if whole else NO_VALUE


def four_digits(value: float | None) -> str:
    """Format a loss; a dash where there is none.

    >>> four_digits(3.12346)
    '3.1235'
    """
    return NO_VALUE if value is None else f"{value:.4f}"


def signed(value: float) -> str:
    r"""Format a difference with its sign, a true minus: four digits.

    >>> ascii(signed(-0.0184))
    "'\\u22120.0184'"
    """
    return f"{value:+.4f}".replace("-", "\u2212")


def name_document(label: str | None, shard: int, row: int, *, raw: bool = False) -> str:
    """Name a document: its place, and its id with emails and keys hidden.

    >>> name_document("a@b.org", 0, 7)
    'shard 0 row 7, id [email]'
    """
    place = f"shard {shard} row {row:,}"
    if label is None:
        return place
    return f"{place}, id {shorten(show_line(label if raw else redact_label(label), 500))}"


def shorten(text: str, limit: int = 72) -> str:
    r"""Cut a long name in its middle: paths and URLs differ at their ends.

    >>> ascii(shorten("a" * 50 + "b" * 50, 11))
    "'aaaaa\\u2026bbbbb'"
    """
    half = (limit - 1) // 2
    return text if len(text) <= limit else f"{text[:half]}\u2026{text[-half:]}"


def show_value(finding: Finding, value: float | None) -> str:
    """Format a finding's value or threshold in its unit; a dash for None.

    >>> finding = Finding(name="x", level="ok", value=.5, threshold=None, unit="share", sentence="")
    >>> show_value(finding, 0.0077)
    '0.77%'
    """
    if value is None:
        return NO_VALUE
    if finding.unit == "share":
        return f"{100 * value:.2f}%"
    number = count(int(value)) if float(value).is_integer() else f"{value:,.4g}"
    return f"{number} {show_line(finding.unit, 20)}" if finding.unit else number
