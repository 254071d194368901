"""`write_report` as programs call it."""

from pathlib import Path

import pytest

import assay
from assay.errors import UsageError
from tests.support.report_folders import make_audit, make_bins


def test_folders_are_one_or_many_text_or_paths(tmp_path: Path) -> None:
    audit = make_audit(tmp_path / "audit")
    bins = make_bins(tmp_path / "bins", audit)

    one = assay.write_report(str(audit), str(tmp_path / "one.md"))
    many = assay.write_report([audit, str(bins)], tmp_path / "many.txt")

    assert one == tmp_path / "one.md"
    assert one.read_text().startswith("# audit audit\n")
    assert many.read_text().startswith("audit audit, bins bins  ")


def test_a_format_is_told_by_the_ending_or_set(tmp_path: Path) -> None:
    audit = make_audit(tmp_path / "audit")

    written = assay.write_report(audit, tmp_path / "page", format="json")

    assert written.read_text().startswith('{\n  "folders"')
    with pytest.raises(UsageError, match=r"^output ends in \.pdf, needed \.html or") as error:
        assay.write_report(audit, tmp_path / "page.pdf")
    assert error.value.parameters == ("output", "format")
    with pytest.raises(UsageError, match=r"^format must be one of html, md, text, json, got 'pdf'"):
        assay.write_report(audit, tmp_path / "page.pdf", format="pdf")
