"""The same facts as Markdown, text and JSON; nothing in them moves a terminal or makes markup."""

import json
import re
from pathlib import Path

import pytest

from assay.cli import run
from assay.formats.comparison import read_verdict
from assay.formats.findings import FindingKind, describe_findings
from assay.reports.render.text import escape
from assay.reports.run import render_report
from assay.reports.views.duplicates import state_recall
from assay.terminal.text import dump_json
from tests.support.report_folders import (
    HOSTILE,
    make_audit,
    make_bins,
    make_comparison,
    make_findings,
)

CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(params=HOSTILE)
def hostile(request: pytest.FixtureRequest, tmp_path: Path) -> list[Path]:
    audit = make_audit(tmp_path / "audit", nasty=request.param)
    bins = make_bins(tmp_path / "bins", audit, nasty=request.param)
    return [audit, bins, make_comparison(tmp_path / "ab", nasty=request.param)]


@pytest.mark.parametrize("form", ["text", "md", "json"])
def test_no_form_holds_a_control_or_direction_mark(hostile: list[Path], form: str) -> None:
    assert CONTROL.search(render_report(hostile, format=form, raw=True)) is None


def test_markdown_holds_no_markup_from_the_data(hostile: list[Path]) -> None:
    text = render_report(hostile, format="md")

    outside = re.sub(r"(?ms)^(`{3,})\n.*?\n\1$", "", text)
    assert re.findall(r"(?<!\\)[<\[`]", outside) == []
    for line in outside.splitlines():
        if line.startswith("|"):
            assert line.endswith("|")
    rows = [line for line in outside.splitlines() if line.startswith("|") and "shard-" in line]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} <= {8, 5}


@pytest.mark.parametrize("letter", list("|`<[]>*_#\\"))
def test_escape_hides_what_markdown_reads(letter: str) -> None:
    assert escape(f"a{letter}b") == f"a\\{letter}b"


def test_json_has_findings_totals_and_verdict_as_they_are(tmp_path: Path) -> None:
    audit, ab = make_audit(tmp_path / "audit"), make_comparison(tmp_path / "ab")

    facts = json.loads(render_report([ab, audit], format="json"))

    by_kind = {folder["kind"]: folder for folder in facts["folders"]}
    stored = json.loads((audit / "manifest.json").read_bytes())
    assert by_kind["audit"]["totals"] == stored["totals"]
    assert [f["name"] for f in by_kind["audit"]["findings"]] == ["leak", "near", "length"]
    assert by_kind["comparison"]["verdict"] == json.loads(dump_json(read_verdict(ab)))
    assert "court" not in json.dumps(facts)


def test_findings_are_aligned_worst_first() -> None:
    lines = describe_findings(make_findings()).splitlines()

    names = [["high", "leak"], ["low", "near"], ["info", "length"]]
    begins = zip(lines, ("100.00%", "3.12%", "half"), strict=True)
    assert [line.split()[:2] for line in lines] == names
    assert len({line.index(word) for line, word in begins}) == 1


@pytest.mark.parametrize("nasty", HOSTILE)
def test_findings_on_a_terminal_hold_no_control_mark(nasty: str) -> None:
    assert CONTROL.search(describe_findings(make_findings(nasty))) is None


def test_text_is_what_the_terminal_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audit = make_audit(tmp_path / "audit")

    code = run(["report", str(audit), "-o", "-", "--format", "text"])

    assert code == 0
    assert capsys.readouterr().out == render_report([audit], format="text")


def test_ending_of_the_file_chooses_the_format(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bins = make_bins(tmp_path / "bins", make_audit(tmp_path / "audit"))

    for name, begins in (("r.md", "# "), ("r.json", "{"), ("r.txt", "bins bins")):
        assert run(["report", str(bins), "-o", str(tmp_path / name)]) == 0
        assert (tmp_path / name).read_text(encoding="utf-8").startswith(begins)
        assert name in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["absent"], 2, "no folder at absent"),
        (["."], 3, "manifest.json"),
        ([], 2, "Missing argument"),
        (["x", "--no-samples", "--show-raw"], 2, "choose one"),
    ],
)
def test_report_refuses_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)

    assert run(["report", *words, "-o", "r.html"]) == code

    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1
    assert not (tmp_path / "r.html").exists()


def test_the_share_of_near_pairs_found_is_told_as_the_finding_tells_it() -> None:
    kind = FindingKind(name="near_recall", measures="")

    told = kind.find(0.99, "found", interval=(0.97, 1.0))
    assert state_recall([told]) == "an estimated 99.0% (95% interval 97.0 to 100.0%)"
    assert state_recall([kind.skip("too few near pairs")]) == "not measured"
    assert state_recall([kind.find(None, "odd", level="high")]) == "not measured"
    assert state_recall([]) == "not measured"


def test_markdown_parts_a_finding_from_what_to_do(tmp_path: Path) -> None:
    page = render_report([make_audit(tmp_path / "audit")], format="md")

    assert re.search(r"^- \*\*high\*\* .+ \u2192 .+", page, re.MULTILINE)
