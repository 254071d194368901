from pathlib import Path

from assay.audit.run import audit_shards
from assay.reports.run import write_report
from tests.support.bin_writers import write_characters


def test_a_report_says_nothing_of_documents_that_cannot_be_told(tmp_path: Path) -> None:
    folder = tmp_path / "char"
    folder.mkdir()
    write_characters(folder, "First Citizen:\nBefore we\n" * 50, "Speak, speak.\n" * 30)
    audit = audit_shards(folder, tmp_path / "audit", threads=1)

    text = " ".join(write_report(audit, tmp_path / "report.txt").read_text().split())
    page = write_report(audit, tmp_path / "report.html")

    assert text.count("Not measured: documents cannot be told apart.") == 3
    assert "1,670 tokens; documents cannot be told apart." in text
    assert "documents not told, 1,250 tokens" in text
    for claim in ("are unique", "have a copy in train", "Half of the documents"):
        assert claim not in text
    assert "cannot be told apart" in page.read_text()
