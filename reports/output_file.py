"""The file that a report is written to: never one that somebody else made."""

import os
import re
from pathlib import Path

from assay.errors import UsageError
from assay.storage.sealed_folder import find_made

_KINDS = "audit|bins|run|comparison|probe|diagnosis"
_BEGINNING = 65_536  # bytes; a title names every folder
# How a report of each format begins: HTML, Markdown, text, JSON.
_REPORT = re.compile(
    r'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    r'<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; [^\n]*\n'
    rf"(?:<meta [^\n]*\n)*<title>(?:{_KINDS}) [^\n]* \u00b7 assay</title>\n"
    rf"|\# (?:{_KINDS}) [^\n]*\n\nassay [0-9][^\n]*\n\n"
    rf"|(?:{_KINDS}) [^\n]*  assay [0-9][^\s]*\n"
    rf'|{{\n  "folders": \[\n    {{\n      "kind": "(?:{_KINDS})",\n      "folder": [^\n]*\n'
    r'      "manifest_sha256": "[0-9a-f]{64}",\n'
)


def check_output(output: Path) -> bool:
    """Say whether `output` is a report to be replaced; False where nothing is there.

    Raises:
        UsageError: It is a folder, lies in none or in one that assay wrote, or is a file that
            does not begin as a report does.
    """
    if output.is_dir():
        raise UsageError(f"{output} is a folder; name a file, e.g. {output}/report.html")
    if not output.absolute().parent.is_dir():
        raise UsageError(f"{output}: no folder {output.parent}; make it first")
    if (made := find_made(output)) is not None:
        raise UsageError(
            f"{output} lies in {made}, a folder with a manifest or an unfinished one, which stays "
            "as it is; name a file outside of it"
        )
    if not os.path.lexists(output):
        return False
    if not _is_report(output):
        raise UsageError(f"{output} is not a report of assay's; name another file, or remove it")
    return True


def _is_report(path: Path) -> bool:
    """Tell by its beginning whether a file is a report, of any format."""
    if not path.is_file():  # a pipe would wait for its writer
        return False
    try:
        with path.open("rb") as file:
            beginning = file.read(_BEGINNING)
    except OSError:
        return False
    return _REPORT.match(beginning.decode("utf-8", errors="replace")) is not None
