"""Texts compared line by line."""

import difflib
import re

from bench.versions.found import Findings
from bench.versions.masks import mask_text
from bench.versions.tables import Tables
from bench.versions.tree import Tree
from bench.versions.values import settle_text

_NOTHING = "(nothing)"
_BLANK = re.compile(r"\s+")
_RULE = re.compile(r"(?:-{3,}|─{2,}|={3,})")


def compare_texts(
    name: str, old: bytes, new: bytes, trees: tuple[Tree, Tree], tables: Tables, findings: Findings
) -> None:
    """Compare two texts, the old one in the new one's words."""
    before, after = (
        _prepare(name, data, tree, findings)
        for data, tree in zip((old, new), trees, strict=True)
    )  # fmt: skip
    said = before
    for sentence in tables.sentences:
        before = sentence.apply(name, before)
    if before == after:
        return
    if before != said and squeeze(before) == squeeze(after):
        findings.mask("white space of texts in which sentences.toml changed words")
        return
    _list_lines(name, before, after, findings)


def _prepare(name: str, data: bytes, tree: Tree, findings: Findings) -> str:
    text = settle_text(data.decode("utf-8", "surrogateescape"), tree, findings)
    text, counts = mask_text(name, text)
    for mask, times in counts.items():
        findings.mask(mask, times)
    return text


def squeeze(text: str) -> str:
    """Write one blank for white space of any length, and one dash for a rule of dashes.

    >>> squeeze("a   b\\n -----  c")
    'a b - c'
    """
    return _BLANK.sub(" ", _RULE.sub("-", text)).strip()


def _list_lines(name: str, before: str, after: str, findings: Findings) -> None:
    one, other = before.splitlines(), after.splitlines()
    matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
    listed = False
    for tag, start, end, first, last in matcher.get_opcodes():
        if tag == "equal":
            continue
        listed = True
        for place in range(max(end - start, last - first)):
            lines = [
                side[at + place] if at + place < stop else _NOTHING
                for side, at, stop in ((one, start, end), (other, first, last))
            ]
            findings.differ(name, f"line {start + place + 1:,}", *_narrow(*lines))
    if not listed:  # line ends, or white space at the end
        findings.differ(name, "line ends", repr(before[-40:]), repr(after[-40:]))


def _narrow(one: str, other: str) -> tuple[str, str]:
    """Cut two long lines to where they begin to differ."""
    if max(len(one), len(other)) < 300:
        return one, other
    at = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
    at = max(0, at - 60)
    return tuple(f"{'...' * bool(at)}{side[at:]}" for side in (one, other))  # type: ignore[return-value]
