"""Formats of lines: patterns over blocks of bytes, whatever stands before them in a line."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assay.diagnose.logs.gatherer import Gatherer
from assay.diagnose.logs.text_blocks import read_blocks
from assay.terminal.numbers import number_of
from assay.terminal.text import show_line

# Which process printed a line: what torchrun puts before it (--tee), or programs themselves.
_RANK = re.compile(rb"(?m)^[^\r\n]{0,40}?\b(?:rank|default)[ :=]?(\d{1,4})\b([^\r\n]*)")

# A number as programs print it; a decimal comma is read as a point, and noted.
NUMBER = rb"([-+]?(?:\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?|nan|inf|NaN|Infinity))"
# A step, padded or with thousands apart.
STEP = rb" *(\d{1,3}(?:[,._']\d{3}){1,4}|\d{1,15})"
_APART = b",._'"


def follow_line(before: bytes) -> bytes:
    """Return a pattern of a number after `before`, up to 8 lines further and before the next step.

    For programs that print a validation loss without its step.
    """
    no_step = rb"(?:(?!\bstep)[^\r\n])*"
    # From the last step of its line: many in one line would each read all of it.
    rest = rb"[^\r\ns]*+(?:s(?!tep *\d)[^\r\ns]*+)*+"
    return rest + rb"(?:[\r\n]++" + no_step + rb"){1,8}?" + before + NUMBER


@dataclass(frozen=True, slots=True)
class Pattern:
    """A line of interest: its first group is the step, the others measurements of these kinds."""

    regex: re.Pattern[bytes]
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TextFormat:
    """How one program writes its log.

    Attributes:
        name: Of the program.
        patterns: Its lines of losses.
        begins: What such a line begins with; one that does and fits no pattern is noted.
        facts: By name, what the log states once; the last statement holds.
        val_unit: Of its validation loss.
        leads: A validation loss without a step; before the first step it is that of step 0.
    """

    name: str
    patterns: tuple[Pattern, ...]
    begins: re.Pattern[bytes]
    facts: tuple[tuple[str, re.Pattern[bytes]], ...] = ()
    val_unit: str = "nats/token"
    leads: re.Pattern[bytes] | None = None

    def count_lines(self, head: bytes) -> float:
        """Count lines of this format; those that only begin like one count little, as many do."""
        read = sum(len(pattern.regex.findall(head)) for pattern in self.patterns)
        return read + 1e-9 * len(self.begins.findall(head))

    def read(self, path: Path) -> Gatherer:
        """Read a log of such lines; about 30 MB a second. Errors as in `read_blocks`."""
        gathered = Gatherer(path, self.name)
        gathered.val_unit = self.val_unit
        commas = unread = 0
        example = b""
        for number, block in enumerate(read_blocks(path)):
            block = _drop_cut_line(gathered, block, self)
            gathered.ranks.update(_find_ranks(block, self))
            found = 0 if number else _add_first(gathered, block, self)
            for pattern in self.patterns:
                rows = pattern.regex.findall(block)
                found += len(rows)
                commas += _add_rows(gathered, pattern, rows)
            missed = len(self.begins.findall(block)) - found
            if missed > 0:
                unread += missed
                example = example or _find_unread(block, self)
            for name, regex in self.facts:
                for text in regex.findall(block):
                    gathered.facts[name] = float(text.replace(b",", b""))
        if commas:
            gathered.notes.append(f"{number_of(commas, 'decimal comma')} read as points")
        if unread:
            gathered.notes.append(
                f"{number_of(unread, 'line')} of {self.name}'s kind cannot be read, e.g. "
                f"{_show(example)!r}"
            )
        return gathered


def _find_ranks(block: bytes, form: TextFormat) -> set[bytes]:
    """Return the processes that printed losses; one that only says that it is there is none."""
    if b"rank" not in block and b"default" not in block:
        return set()
    return {rank for rank, rest in _RANK.findall(block) if form.begins.search(rest)}


def _add_first(gathered: Gatherer, block: bytes, form: TextFormat) -> int:
    """Add a validation loss that stands before step 0 or 1; return how many were found.

    llm.c and build-nanogpt evaluate before they train and print no step with it. Of a run that was
    resumed, whose first step is a later one, the loss has no step that is known.
    """
    steps = [found for each in form.patterns if (found := each.regex.search(block)) is not None]
    if form.leads is None or not steps:
        return 0
    first = min(steps, key=lambda found: found.start())
    losses = form.leads.findall(block, 0, first.start())
    if len(losses) != 1 or int(first[1].translate(None, _APART)) > 1:
        return 0
    loss = float(losses[0].replace(b",", b"."))
    gathered.add("val", np.zeros(1, np.int64), np.array([loss]))
    return 1


def _drop_cut_line(gathered: Gatherer, block: bytes, form: TextFormat) -> bytes:
    """Drop a last line that breaks off within a number: 3.6 of 3.6412, or 3 of 3.6412.

    Told by its decimals, fewer than those that all numbers of its kind before it have.
    """
    start = max(block.rfind(b"\n"), block.rfind(b"\r")) + 1
    line = block[start:]
    for pattern in form.patterns if line else ():
        match = pattern.regex.search(line)
        if match is None or match.lastindex is None or line[match.end() :].strip(b" .,"):
            continue
        last = match.lastindex
        before = [
            m[last] or b"" for m in pattern.regex.finditer(block, max(0, start - 9_999), start)
        ]
        usual = {_count_decimals(number) for number in before if number[-1:].isdigit()}
        if len(usual) == 1 and _count_decimals(match[last]) < usual.pop():
            gathered.notes.append(f"the last line breaks off ({_show(line)!r}); ignored")
            return block[:start]
    return block


def _count_decimals(number: bytes) -> int:
    return len(number.replace(b",", b".").partition(b".")[2])


def _show(line: bytes) -> str:
    return show_line(line.decode("utf-8", "replace"), 60)


def _add_rows(gathered: Gatherer, pattern: Pattern, rows: list[tuple[bytes, ...]]) -> int:
    """Add what a pattern found; return how many numbers had a decimal comma."""
    if not rows:
        return 0
    columns = list(zip(*rows, strict=True))
    step_N = np.array([step.translate(None, _APART) for step in columns[0]]).astype(np.int64)
    commas = 0
    for kind, column in zip(pattern.kinds, columns[1:], strict=True):
        text_N = np.array(column)
        present_N = text_N != b""
        if not present_N.any():
            continue
        comma_N = np.char.find(text_N, b",") >= 0
        if comma_N.any():
            commas += int(comma_N.sum())
            text_N = np.char.replace(text_N, b",", b".")
        gathered.add(kind, step_N[present_N], text_N[present_N].astype(np.float64))
    return commas


def _find_unread(block: bytes, form: TextFormat) -> bytes:
    """Return the first line that begins as the format's lines do and fits none of its patterns."""
    for match in form.begins.finditer(block):
        end = re.compile(rb"[\r\n]").search(block, match.end())
        line = block[match.start() : end.start() if end else len(block)]
        if not any(pattern.regex.search(line) for pattern in form.patterns):
            return line
    return b""
