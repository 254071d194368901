"""What a report holds, before it is HTML, Markdown, text or JSON.

Views make these; renderers only lay them out, and escape. Every string may be hostile: views make
control and direction marks visible (`console.show_text`), renderers escape for their format.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

TONES = ("bad", "warn", "good", "plain")

# Draws a chart at a width in pixels; an altair chart, which has no types.
Draw = Callable[[int], Any]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of formatted cells.

    Attributes:
        columns: Their names.
        rows: One formatted cell a column.
        numeric: Indices of the columns that are aligned on the right.
        caption: What the table says, or "".
        strong: Indices of rows that are totals.
        folded: Where not "", the table is shown only when this line is clicked.
        tones: For each row one of `TONES`, the colour of its first cell; or empty.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = frozenset()
    caption: str = ""
    strong: frozenset[int] = frozenset()
    tones: tuple[str, ...] = ()
    folded: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture, the sentence that says what it shows, and the numbers under it.

    `open` shows the numbers without a click.
    """

    label: str
    draw: Draw
    table: Table
    open: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """A paragraph; `tone` is one of `TONES`."""

    text: str
    tone: str = "plain"


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values, a line each."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words: "same" on both sides, or "differs"."""

    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two documents side by side; without samples the pieces are empty."""

    title: str
    left_name: str
    right_name: str
    left: tuple[Piece, ...] = ()
    right: tuple[Piece, ...] = ()
    note: str = ""


Block = Table | Chart | Note | Facts | Pair


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of the page. `anchor` is a word of ours, never a name from the data."""

    anchor: str
    title: str
    lead: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """One line of a finding: its level as a word, its sentence, what to do."""

    tone: str
    level: str
    sentence: str
    action: str = ""


@dataclass(frozen=True, slots=True)
class Banner:
    """What a reader with ten seconds takes away.

    `word` is a verdict ("worse", "invalid", "2 findings to act on"), `about` the folder.
    """

    tone: str
    word: str
    about: str
    sentence: str
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A whole report.

    Attributes:
        title: What it is about.
        source: How many inputs it goes back to, in a line; or "".
        made_by: The tool and its version.
        banners: Verdicts, the comparisons' first.
        sections: In reading order.
        commands: What to run to get the same folders.
        raw: Whether samples and ids are shown as they are, unredacted.
        facts: Findings, totals and verdicts, unrounded, for `--format json`.
    """

    title: str
    source: str
    made_by: str
    banners: tuple[Banner, ...]
    sections: tuple[Section, ...]
    commands: tuple[str, ...]
    raw: bool
    facts: dict[str, Any]

    @property
    def warning(self) -> str:
        """What a page says of itself where `raw`."""
        return "Texts and ids are shown as they are, personal data included. Do not pass this on."
