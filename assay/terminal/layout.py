"""Lines and tables for a terminal of any width; for a pipe or a file, of one width."""

from collections.abc import Iterator, Sequence

from assay.terminal.text import align, show_line, wrap

PROSE = 100  # columns; a longer line is hard to read, so a wider terminal gets no longer ones
_INDENT = "  "
_NARROW = 30  # columns left for a table's last cell: under that it goes below its row


def find_width(screen: int | None) -> int:
    """Return the width of prose for a terminal of so many columns, None for a pipe or a file."""
    return PROSE if screen is None else min(PROSE, screen)


def hang(text: str, screen: int | None, indent: str = _INDENT) -> str:
    """Break a text at a terminal's width, its further lines indented; whole for a pipe or a file.

    >>> print(hang("prepare with --drop exact", 22))
    prepare with --drop
      exact
    """
    return text if screen is None else f"\n{indent}".join(wrap(text, screen - len(indent)))


def lay_item(label: str, text: str, screen: int | None) -> str:
    """Put a label before a text that wraps under itself; the text is untrusted."""
    lines = wrap(show_line(text, 1_000), max(20, find_width(screen) - len(label) - 1)) or [""]
    return "\n".join(
        f"{' ' * len(label) if number else label} {line}".rstrip()
        for number, line in enumerate(lines)
    )


def lay_table(rows: Sequence[tuple[str, ...]], screen: int | None) -> str:
    """Align rows; on a terminal that they are too wide for, the last cells wrap."""
    whole = align(rows, _INDENT)
    if screen is None or all(len(line) <= screen for line in whole.splitlines()):
        return whole
    before = len(_INDENT) + sum(
        max(len(row[i]) for row in rows) + 2 for i in range(len(rows[0]) - 1)
    )
    if screen - before < _NARROW:
        return "\n".join(_put_below(rows, screen))
    return align(list(_wrap_last(rows, screen - before)), _INDENT)


def _wrap_last(rows: Sequence[tuple[str, ...]], left: int) -> Iterator[tuple[str, ...]]:
    """Yield rows whose last cell fits in `left` columns, and rows that go on with it."""
    for row in rows:
        lines = wrap(row[-1], left) or [""]
        yield (*row[:-1], lines[0])
        yield from ((*[""] * (len(row) - 1), line) for line in lines[1:])


def _put_below(rows: Sequence[tuple[str, ...]], screen: int) -> Iterator[str]:
    """Yield the lines of a table whose last cells stand under their rows."""
    heads = align([row[:-1] for row in rows], _INDENT).splitlines()
    for head, row in zip(heads, rows, strict=True):
        fits = len(head) <= screen
        yield from [head] if fits else (_INDENT + line for line in wrap(head.strip(), screen - 2))
        yield from (f"{3 * _INDENT}{line}" for line in wrap(row[-1], screen - 3 * len(_INDENT)))
