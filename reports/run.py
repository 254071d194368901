"""From folders to a page, and to a file."""

from pathlib import Path

from assay.errors import UsageError
from assay.paths import AnyPath, AnyPaths, to_path, to_paths
from assay.reports.build_page import build_page
from assay.reports.output_file import check_output
from assay.reports.render.text import render_markdown, render_text
from assay.storage.publish import publish_bytes
from assay.terminal.text import dump_json

FORMATS = {".html": "html", ".md": "md", ".txt": "text", ".json": "json"}


def render_report(
    folders: AnyPaths, *, format: str = "html", samples: bool = True, raw: bool = False
) -> str:
    """Render folders of any kinds as "html", "md", "text" or "json".

    JSON holds findings, totals and verdicts unrounded, and no text of a document. Arguments and
    errors as in `write_report`.
    """
    if format not in FORMATS.values():
        raise UsageError(
            f"format must be one of {', '.join(FORMATS.values())}, got {format!r}", "format"
        )
    page = build_page(to_paths(folders), samples=samples and format == "html", raw=raw)
    if format == "json":
        return dump_json(page.facts, indent=2) + "\n"
    if format == "md":
        return render_markdown(page)
    if format == "text":
        return render_text(page)
    from assay.reports.render.html import render_html  # altair takes half a second to load

    return render_html(page)


def write_report(
    folders: AnyPaths,
    output: AnyPath,
    *,
    format: str | None = None,
    samples: bool = True,
    raw: bool = False,
) -> Path:
    """Write what folders hold as one page that needs no network; it appears whole or not at all.

    A report of that name is replaced; the same folders give the same bytes.

    Args:
        folders: Folders of audits, bins, runs, comparisons, probes and diagnoses, one or many, in
            any order.
        output: A file; no other file than an older report is replaced.
        format: "html", "md", "text" or "json"; None to choose it by the file's extension.
        samples: Whether to show beginnings of texts, in HTML alone.
        raw: Show them, and ids, as they are; otherwise what looks like personal data is hidden.

    Raises:
        UsageError: A folder is missing, named twice, or of an unknown kind; or as in
            `output_file.check_output`.
        InputError: A folder cannot be read.
        IntegrityError: A file's size is not its manifest's.
        SpaceError: The disk is full.

    Cost: two to three seconds for a page with charts.
    """
    output = to_path(output)
    format = format or choose_format(output)
    replaced = check_output(output)
    text = render_report(folders, format=format, samples=samples, raw=raw)
    publish_bytes(output, text.encode("utf-8"), replace=replaced)
    return output


def choose_format(output: Path) -> str:
    """Read the format from a file's ending; HTML where it has none, as `-` has not.

    Raises:
        UsageError: No format has this ending.
    """
    ending = output.suffix.lower()
    if ending and ending not in FORMATS:
        raise UsageError(
            f"output ends in {output.suffix}, needed {' or '.join(FORMATS)}; or set format",
            "output",
            "format",
        )
    return FORMATS.get(ending, "html")
