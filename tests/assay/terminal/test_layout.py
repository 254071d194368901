"""A diagnosis at a terminal's width; in a pipe or a file as it always was."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.cli import run
from assay.diagnose.run import weigh_log
from assay.terminal.layout import PROSE, lay_item, lay_table
from assay.terminal.text import align
from tests.support.origin import CONFIG, make_log

WORDS = st.lists(st.text("abc", min_size=1, max_size=12), max_size=30).map(" ".join)


@pytest.fixture
def origin(here: Path) -> Path:
    (here / "train.log").write_text(make_log())
    (here / "config.py").write_text(CONFIG)
    return here


@pytest.mark.parametrize("unique", [730_000_000, 3_000_000])
def test_no_line_is_wider_than_the_terminal(origin: Path, unique: int) -> None:
    diagnosis = weigh_log(Path("train.log"), config="config.py", unique_tokens=unique)
    piped = diagnosis.describe()

    for screen in (60, 80, 97, 120, 200):
        shown = diagnosis.describe(screen)

        assert max(map(len, shown.splitlines())) <= screen
        assert shown.split() == piped.split(), "the same words"
    assert shown.count("\n") < diagnosis.describe(60).count("\n")


def test_the_verb_asks_the_terminal(
    origin: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("assay.diagnose.command.screen_width", lambda: 70)

    assert run(["diagnose", "train.log", "--config", "config.py", "-o", "why"]) == 0

    shown, kept = capsys.readouterr().out, Path("why/diagnosis.txt").read_text()
    assert max(map(len, shown.splitlines())) <= 70 < max(map(len, kept.splitlines()))


@given(WORDS, st.integers(60, 150))
def test_an_item_keeps_its_words_under_its_label(text: str, screen: int) -> None:
    first, *rest = lay_item("  for", text, screen).splitlines()

    assert first.startswith("  for")
    assert all(line.startswith(" " * 6) for line in rest)
    assert " ".join([first[5:], *rest]).split() == text.split()
    assert max(map(len, [first, *rest])) <= min(PROSE, screen)


@given(st.lists(st.tuples(st.text("xy", max_size=45), WORDS), min_size=1), st.integers(60, 150))
def test_a_table_keeps_its_words_and_its_columns(rows: list[tuple[str, str]], screen: int) -> None:
    shown = lay_table(rows, screen)

    assert shown.split() == align(rows).split()
    assert max(map(len, shown.splitlines())) <= screen
    assert lay_table(rows, None) == align(rows, "  ")
