"""The pages in docs/ and the README: their commands exist, and what they quote is printed."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from assay.cli import commands, run
from assay.formats.bins import open_bins
from assay.formats.train_config import TrainConfig
from assay.train.compare.validity import check_held_out
from tests.support import docs_case
from tests.support.origin import CONFIG, make_log

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def list_commands(page: Path) -> Iterator[list[str]]:
    """Yield the words of each command in a page's indented blocks."""
    text = page.read_text().replace("\\\n", " ")
    for line in text.splitlines():
        words = shlex.split(line, comments=True) if line.startswith("    assay ") else []
        if words:
            yield words


def read_quotes(name: str) -> list[str]:
    """Return what a page quotes."""
    blocks = (ROOT / "docs" / f"{name}.md").read_text().split("```text\n")[1:]
    return [block.split("\n```")[0] for block in blocks]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_on_a_page_can_be_parsed(page: Path) -> None:
    for words in list_commands(page):
        parse(words)


def parse(words: list[str]) -> None:
    """Read a command as the command line would, and carry nothing out."""
    command = commands.get_command(commands.make_context("assay", words[1:2]), words[1])
    assert command is not None, words
    command.make_context(words[1], words[2:])


@pytest.mark.parametrize("verb", commands.list_commands(click.Context(commands)))
def test_every_option_of_a_verb_is_in_the_docs(verb: str) -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES).replace("_", "-")
    command = commands.get_command(click.Context(commands), verb)
    assert command is not None

    missing = [
        each.opts[0]
        for each in command.params
        if isinstance(each, click.Option) and not each.hidden
        # The settings of a run are listed there under nanoGPT's names, without dashes.
        if not any(names_option(text, name.replace("_", "-")) for name in each.opts)
    ]

    assert missing == []
    assert not names_option("--val-tokens, --no-val and val", "--val")


def names_option(text: str, name: str) -> bool:
    """Whether a text has an option, or the setting of a run of that name."""
    setting = name.removeprefix("--").replace("-", "_") in TrainConfig.__struct_fields__
    word = re.escape(name.removeprefix("--") if setting else name)
    return re.search(rf"(?<![\w-]){word}(?![\w-])", text) is not None


def test_a_command_with_an_option_that_is_not_there_would_be_noticed() -> None:
    with pytest.raises(click.NoSuchOption):
        parse(["assay", "audit", "shards", "-o", "x", "--no-such"])


def test_pages_are_there_and_linked_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()

    verbs = "audit prepare train compare diagnose score probe report"
    for name in (*verbs.split(), "origin-case"):
        assert f"docs/{name}.md" in readme
    for page in PAGES[1:]:
        assert page.name in readme
    assert sum(len([*list_commands(page)]) for page in PAGES) > 20


def test_audit_prepare_and_report_print_what_their_pages_quote(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    docs_case.make_shards()

    for name, words in (
        ("audit", ["audit", "shards", "-o", "audit"]),
        ("prepare", ["prepare", "audit", "-o", "bins/clean", "--drop", "exact,near,leaked",
                     "--val-share", "0.2"]),
        ("report", ["report", "audit", "-o", "-", "--format", "text"]),
    ):  # fmt: skip
        assert run(words) == 0
        out = capsys.readouterr().out
        quotes = read_quotes(name)
        assert quotes
        for quote in quotes:
            assert is_quoted(quote, out), name


def is_quoted(quote: str, out: str) -> bool:
    """Whether an output has a quote, any blanks in a row being one and `...` standing for a part.

    Columns are as wide as their widest word, which a new finding may be.
    """
    words = [re.escape(word).replace(re.escape("..."), ".*") for word in quote.split()]
    return re.search(r"\s+".join(words).replace(r"\s+.*\s+", r"\s.*"), out, re.DOTALL) is not None


def test_a_quote_is_found_by_its_words() -> None:
    assert is_quoted("audit: ... to act on\na  b", "x audit: 5 findings to act on\na b")
    assert not is_quoted("audit: ... to act on\na  b", "x audit: 5 findings to act on\na c")
    assert not is_quoted("5 findings", "6 findings")


def test_the_bins_on_the_page_of_prepare_can_be_compared(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    docs_case.make_shards()
    assert run(["audit", "shards", "-o", "audit"]) == 0
    capsys.readouterr()
    made = [words for words in list_commands(ROOT / "docs" / "prepare.md") if "-o" in words]

    for words in made:
        assert run(words[1:]) == 0

    assert capsys.readouterr().err == ""  # enough documents are held out
    bins = [open_bins(Path(words[words.index("-o") + 1])) for words in made]
    assert [each.folder.name for each in bins] == ["raw", "clean"]
    assert check_held_out(bins).passed


def test_diagnose_prints_what_its_page_quotes(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("train.log").write_text(make_log())
    Path("config.py").write_text(CONFIG)

    run(["diagnose", "train.log", "--config", "config.py", "--unique-tokens", "0.73B"])

    out = capsys.readouterr().out
    assert len(read_quotes("diagnose")) == 2
    assert all(quote in out for quote in read_quotes("diagnose"))
