"""A page as Markdown or as text for a terminal: the same facts, without pictures and samples."""

import re
from collections.abc import Iterator

from assay.reports.page.page import Banner, Block, Chart, Facts, Note, Page, Section, Table
from assay.terminal.text import align, show_line

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~$&@-])")


def render_text(page: Page) -> str:
    """Render a page for a terminal: aligned, ASCII control characters made visible."""
    return "\n".join(_text_lines(page)) + "\n"


def _text_lines(page: Page) -> Iterator[str]:
    yield "  ".join(part for part in (page.title, page.source, page.made_by) if part)
    if page.raw:
        yield page.warning
    for banner in page.banners:
        yield f"\n{banner.about}: {banner.word}\n{banner.sentence}"
        if banner.marks:
            yield align([(m.level, m.sentence, m.action) for m in banner.marks], "  ")
    for section in page.sections:
        yield f"\n{section.title.upper()}\n{section.lead}"
        yield from map(_text_block, section.blocks)
    for command in page.commands:
        yield f"\n{command}"


def _text_block(block: Block) -> str:
    if isinstance(block, Table):
        return "\n" + _align_table(block)
    if isinstance(block, Chart):
        return f"\n{block.label}\n{_align_table(block.table)}"
    if isinstance(block, Facts):
        return "\n" + align(block.items)
    if isinstance(block, Note):
        return "\n" + block.text
    return f"\n{block.title}\n  {block.left_name}\n  {block.right_name}"


def _align_table(table: Table) -> str:
    rows = [table.columns, *table.rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(table.columns))]
    cells = [
        tuple(cell.rjust(widths[i]) if i in table.numeric else cell for i, cell in enumerate(row))
        for row in rows
    ]
    text = align(cells)
    return f"{table.caption}\n{text}" if table.caption else text


def render_markdown(page: Page) -> str:
    """Render a page as Markdown (GitHub's tables) in which nothing from the data is markup."""
    return "\n".join(_markdown_lines(page)) + "\n"


def _markdown_lines(page: Page) -> Iterator[str]:
    yield f"# {escape(page.title)}\n"
    yield escape(", ".join(part for part in (page.made_by, page.source) if part)) + "\n"
    if page.raw:
        yield f"**{escape(page.warning)}**\n"
    for banner in page.banners:
        yield from _markdown_banner(banner)
    for section in page.sections:
        yield from _markdown_section(section)
    if page.commands:
        yield "## Reproduce this\n"
    for command in page.commands:
        yield _fence(command) + "\n"


def _markdown_banner(banner: Banner) -> Iterator[str]:
    yield f"**{escape(banner.word)}** ({escape(banner.about)}): {escape(banner.sentence)}\n"
    for mark in banner.marks:
        action = f" \u2192 {escape(mark.action)}" if mark.action else ""
        yield f"- **{escape(mark.level)}** {escape(mark.sentence)}{action}"
    yield ""


def _markdown_section(section: Section) -> Iterator[str]:
    yield f"## {escape(section.title)}\n"
    yield f"{escape(section.lead)}\n"
    for block in section.blocks:
        if isinstance(block, Table):
            yield _markdown_table(block)
        elif isinstance(block, Chart):
            yield f"{escape(block.label)}.\n\n{_markdown_table(block.table)}"
        elif isinstance(block, Facts):
            yield "".join(f"- {escape(name)}: {escape(value)}\n" for name, value in block.items)
        elif isinstance(block, Note):
            yield f"{escape(block.text)}\n"
        else:
            names = f"{escape(block.left_name)} and {escape(block.right_name)}"
            yield f"- {escape(block.title)}: {names}\n"


def _markdown_table(table: Table) -> str:
    head = " | ".join(escape(name) for name in table.columns)
    rule = " | ".join("---:" if i in table.numeric else "---" for i in range(len(table.columns)))
    body = [" | ".join(escape(cell) for cell in row) for row in table.rows]
    caption = f"{escape(table.caption)}\n\n" if table.caption else ""
    return caption + "\n".join(f"| {line} |" for line in [head, rule, *body]) + "\n"


def escape(text: str) -> str:
    r"""Escape what Markdown or HTML inside it would take for markup; one line.

    >>> print(escape("a|b <i> [x](y) `z`"))
    a\|b \<i\> \[x\]\(y\) \`z\`
    """
    return _SPECIAL.sub(r"\\\1", show_line(text, 2_000))


def _fence(text: str) -> str:
    """Put text in a code block whose fence is longer than any run of backticks in it."""
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
    return f"{fence}\n{text}\n{fence}"
