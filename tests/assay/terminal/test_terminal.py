import doctest
import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.terminal import numbers, text
from assay.terminal.progress import Progress
from assay.terminal.text import align, show_line, show_text

BIDI = {
    chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x61C)
}
HARD = [chr(code) for code in (*range(32), *range(0x7F, 0xA0), 0x2028, 0x2029, 0xFEFF)] + sorted(
    BIDI
)
hostile = st.lists(st.one_of(st.characters(), st.sampled_from(HARD)), max_size=80).map("".join)


def test_examples_in_docstrings_hold() -> None:
    assert all(doctest.testmod(module).failed == 0 for module in (numbers, text))


@given(text=hostile)
def test_nothing_that_steers_a_terminal_is_left(text: str) -> None:
    shown = show_text(text)

    for char in shown:
        assert char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cs", "Zl", "Zp")
        assert char not in BIDI
    shown.encode("utf-8")


@given(text=hostile)
def test_a_line_is_one_line(text: str) -> None:
    assert len(show_line(text).splitlines()) <= 1
    assert "\t" not in show_line(text)


@given(text=st.text(st.characters(categories=["L", "N", "P", "S", "M"])))
def test_plain_text_is_shown_as_it_is(text: str) -> None:
    assert show_text(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]52;c;aGk=\x07", "\\x1b]52;c;aGk=\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\rb", "a\\x0db"),
        ("user\u202egpj.exe", "user\\u202egpj.exe"),
        ("\ud800", "\\ud800"),
        ("line\u2028break", "line\\u2028break"),
    ],
)
def test_known_attacks_become_visible(text: str, shown: str) -> None:
    assert show_text(text) == shown


def test_a_cut_is_shown() -> None:
    assert show_text("abcdef", 3) == "abc..."
    assert show_text("abc", 3) == "abc"
    assert show_line(None) == "-"


def test_columns_line_up() -> None:
    lines = align([("a", "bb", "c"), ("aaa", "b", "cc")]).splitlines()

    assert lines == ["a    bb  c", "aaa  b   cc"]
    assert align([]) == ""


class Screen(io.StringIO):
    """A stderr that is, or is not, a terminal."""

    def __init__(self, live: bool) -> None:
        super().__init__()
        self._live = live

    def isatty(self) -> bool:
        return self._live


@pytest.mark.parametrize(
    ("live", "quiet", "seconds", "drawn"),
    [
        (True, False, 10.0, True),
        (True, True, 10.0, False),
        (True, False, 1.0, False),
        (False, False, 40.0, True),
        (False, False, 10.0, False),
    ],
)
def test_progress_speaks_when_work_is_long(
    monkeypatch: pytest.MonkeyPatch, live: bool, quiet: bool, seconds: float, drawn: bool
) -> None:
    now = 100.0
    screen = Screen(live)
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr("time.monotonic", lambda: now)
    with Progress("scan", 10, "documents", quiet=quiet) as bar:
        now += seconds
        bar.advance(5)

    assert ("50%  5 of 10 documents" in screen.getvalue()) is drawn
    assert ("\x1b" in screen.getvalue()) is (drawn and live)


def test_what_was_done_before_counts_but_not_as_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    screen = Screen(False)
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr("time.monotonic", lambda: now)
    with Progress("scan", 1_000, "documents", done=400) as bar:
        now += 30
        bar.advance(300)

    assert "70%  700 of 1,000 documents  10/s  30.0 s left" in screen.getvalue()
