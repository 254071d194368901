"""Where a report is written: over an older report alone, and never into a folder of assay's."""

import os
import shutil
from pathlib import Path

import pytest

from assay.cli import run
from tests.support.report_folders import make_audit, make_bins, make_run

FORMS = ("html", "md", "text", "json")


@pytest.fixture
def made(here: Path) -> Path:
    """An audit in the working directory."""
    return make_audit(here / "aud")


def refuse(target: str, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    """Ask for a report that is refused, and return the line that says why."""
    capsys.readouterr()
    assert run(["report", "aud", "-o", target, *more]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


@pytest.mark.parametrize("name", ["findings.json", "manifest.json", "new.json", "tokens/x.json"])
def test_nothing_is_written_into_a_sealed_folder(
    made: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (made / "tokens").mkdir(exist_ok=True)
    before = {path: path.read_bytes() for path in made.rglob("*") if path.is_file()}

    said = refuse(f"aud/{name}", capsys)

    assert f"aud/{name} lies in {made}" in said
    assert "name a file outside of it" in said
    assert {path: path.read_bytes() for path in made.rglob("*") if path.is_file()} == before


def test_nor_into_one_that_is_reached_by_a_link_or_from_within(
    made: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("link").symlink_to(made, target_is_directory=True)
    assert "lies in" in refuse("link/x.md", capsys)
    monkeypatch.chdir(made)
    assert run(["report", ".", "-o", "x.md"]) == 2
    assert not (made / "x.md").exists()


def test_nor_into_an_unfinished_folder(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("run").mkdir()
    Path("run/.unfinished").write_text("run")

    assert "run/x.html lies in" in refuse("run/x.html", capsys)
    assert os.listdir("run") == [".unfinished"]


@pytest.mark.parametrize("form", FORMS)
def test_a_file_of_the_users_stays(
    made: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    for text in ("", "mine\n", "<!doctype html>\n<p>mine</p>\n", "# audit of mine\n\ntext\n",
                 "audit notes  made with assay\n", '{\n  "folders": []\n}\n'):  # fmt: skip
        Path("mine.html").write_text(text)

        said = refuse("mine.html", capsys, "--format", form)

        assert "mine.html is not a report of assay's; name another file, or remove it" in said
        assert Path("mine.html").read_text() == text


def test_a_link_that_leads_nowhere_and_a_pipe_stay(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("link.md").symlink_to("absent")
    os.mkfifo("pipe.md")

    for name in ("link.md", "pipe.md"):
        assert "is not a report of assay's" in refuse(name, capsys)
    assert Path("link.md").is_symlink()
    assert Path("pipe.md").is_fifo()


@pytest.mark.long
@pytest.mark.parametrize("form", FORMS)
def test_a_report_replaces_one_of_any_format(
    made: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr("assay.reports.render.html.draw_chart", lambda *given: "")
    make_bins(Path("bins"), made)
    make_run(Path("one"))
    for older in FORMS:
        for raw in ([], ["--show-raw"]):
            for folders in (["aud"], ["bins"], ["one"], ["one", "bins", "aud"]):
                assert run(["report", *folders, "-o", "x", "--format", older, *raw]) == 0
                assert run(["report", "aud", "-o", "x", "--format", form]) == 0
                shutil.copy("x", "y")
                assert run(["report", "aud", "-o", "y", "--format", form]) == 0
                assert Path("x").read_bytes() == Path("y").read_bytes()
