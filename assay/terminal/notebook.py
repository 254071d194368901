"""Results as a notebook shows them: a line, and a small table; everything escaped."""

from collections.abc import Iterable

from markupsafe import escape

from assay.terminal.text import show_line


def draw_result(line: str, rows: Iterable[tuple[str, str]] = ()) -> str:
    """Return HTML for `_repr_html_`: the line that the result prints as, and rows of (what, value).

    >>> draw_result("Bins <a>", [("documents", "3")])
    '<p>Bins &lt;a&gt;</p><table><tr><th>documents</th><td>3</td></tr></table>'
    """
    cells = "".join(
        f"<tr><th>{escape(show_line(what, 80))}</th><td>{escape(show_line(value, 400))}</td></tr>"
        for what, value in rows
    )
    table = f"<table>{cells}</table>" if cells else ""
    return f"<p>{escape(show_line(line, 400))}</p>{table}"
