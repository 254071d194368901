"""From folders to a file."""

from collections.abc import Sequence
from pathlib import Path

from assay.reports.build import build_page
from assay.reports.render.text import render_markdown, render_text
from assay.reports.target import check_target
from assay.storage.publish import publish_bytes
from assay.terminal.text import dump_json


def render_report(
    folders: Sequence[Path], *, form: str = "html", samples: bool = True, raw: bool = False
) -> str:
    """Render folders of any kinds as "html", "md", "text" or "json".

    JSON holds findings, totals and verdicts unrounded, and no text of a document.
    Errors as in `build.build_page`.
    """
    page = build_page(folders, samples=samples and form == "html", raw=raw)
    if form == "json":
        return dump_json(page.facts, indent=2) + "\n"
    if form == "md":
        return render_markdown(page)
    if form == "text":
        return render_text(page)
    from assay.reports.render.html import (
        render_html,  # altair and vl-convert take half a second to load
    )

    return render_html(page)


def write_report(
    folders: Sequence[Path],
    output: Path,
    *,
    form: str = "html",
    samples: bool = True,
    raw: bool = False,
) -> Path:
    """Write folders of any kinds as one file; it appears whole or not at all.

    A report of that name is replaced; the same folders give the same bytes.

    Raises:
        UsageError: As in `target.check_target`. Others as in `build.build_page`.
        SpaceError: The disk is full.
    """
    replaced = check_target(output)
    text = render_report(folders, form=form, samples=samples, raw=raw)
    publish_bytes(output, text.encode("utf-8"), replace=replaced)
    return output
