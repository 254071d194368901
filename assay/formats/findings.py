"""Findings: measurements beside the threshold they are held to, worst first."""

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from assay.errors import UsageError
from assay.terminal.text import align, show_line, wrap

LEVELS = ("high", "medium", "low", "info", "ok")
# The findings of an audit whose value is a share, and of what it is one.
SHARES = {
    "leak": "val documents",
    "exact": "tokens",
    "near": "tokens",
    "null": "rows",
    "invalid_utf8": "rows",
    "oversized": "rows",
    "empty": "documents",
    "blank": "documents",
    "short": "documents",
    "chained": "documents",
    "near_recall": "near pairs",
    "candidates": "pairs compared",
}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement and what it means.

    Attributes:
        name: A short word, e.g. "leak"; `--fail-on` asks for it.
        level: One of `LEVELS`; "info" has no threshold, "ok" stayed within it.
        value: The measurement, in `unit`; None where nothing could be measured.
        threshold: The value from which on the level is no longer "ok"; None for "info".
        unit: "share" (0 to 1), "documents", "tokens", "ids", "words", ...
        interval: A 95 % interval of `value`, where it was estimated.
        sentence: The measurement in words, with its counts.
        action: What to do about it, or "".
        evidence: The file in the folder that has the rows, or "".
    """

    name: str
    level: str
    value: float | None
    threshold: float | None
    unit: str
    sentence: str
    interval: tuple[float, float] | None = None
    action: str = ""
    evidence: str = ""


def sort_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings worst first; in their own order within a level."""
    return sorted(findings, key=lambda finding: LEVELS.index(finding.level))


def describe_findings(findings: Iterable[Finding], width: int | None = None) -> str:
    """Lay findings out, worst first: level, name, sentence, evidence, what to do.

    Args:
        findings: Every part is untrusted text (a shard's name may be in a sentence): made visible.
        width: Columns of a terminal, within which sentences are broken; None: a line each.
    """
    rows = [
        (
            show_line(finding.level, 20),
            show_line(finding.name, 40),
            show_line(finding.sentence, 400),
            show_line(finding.evidence, 200),
            show_line(finding.action, 300),
        )
        for finding in sort_findings(findings)
    ]
    if not rows:
        return "no findings"
    return align(rows) if width is None else align(list(_break_rows(rows, width)))


def _break_rows(
    rows: Sequence[tuple[str, str, str, str, str]], width: int
) -> Iterator[tuple[str, str, str]]:
    """Break sentences; beneath those that ask for something, what to do, and the rows' file."""
    left = width - sum(max(len(row[i]) for row in rows) + 2 for i in (0, 1))
    for level, name, sentence, evidence, action in rows:
        lines = wrap(sentence, max(20, left))
        if level not in ("ok", "info") or action:
            lines += wrap("; ".join(part for part in (action, evidence) if part), max(20, left))
        for i, line in enumerate(lines):
            yield ("", "", line) if i else (level, name, line)


_RULE = re.compile(r"^\s*([a-z_]+)\s*(>=|<=|>|<|==)\s*([0-9.eE+-]+)\s*(%?)\s*$")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
}


def apply_gates(findings: Iterable[Finding], rules: Iterable[str]) -> list[str]:
    """Return one line for each rule such as `leak>0` or `exact>10%` that holds: a failed gate.

    A gate whose finding was not measured has failed, too: nothing vouches for it.

    Raises:
        UsageError: A rule cannot be read.
    """
    known = {finding.name: finding for finding in findings}
    failed = []
    for rule in rules:
        name, sign, limit = _read_rule(rule)
        finding, asked = known.get(name), f"asked to fail when {rule.strip()}"
        if finding is None or finding.value is None:
            why = f": {show_line(finding.sentence, 400)}" if finding else ""
            failed.append(f"gate failed: {name} was not measured{why}; {asked}")
        elif _COMPARE[sign](finding.value, limit):
            failed.append(f"gate failed: {name} is {_show_found(finding)}, {asked}")
    return failed


def _show_found(finding: Finding) -> str:
    """Write the value that a gate judged, and of what it is a share."""
    if finding.name not in SHARES:
        return f"{finding.value:g}"
    return f"{100 * (finding.value or 0):g}% of {SHARES[finding.name]}"


def check_rules(rules: Iterable[str], names: Sequence[str]) -> list[str]:
    """Return the names that rules ask for, before work begins.

    Raises:
        UsageError: A rule cannot be read, asks for none of `names`, or has a bound in another
            unit than its finding's: a share's over 1 without %, or one in % of what is no share.
    """
    asked = []
    for rule in rules:
        name, sign, limit = _read_rule(rule)
        if name not in names:
            raise UsageError(
                f"--fail-on {rule!r}: no finding {name!r}; there are {', '.join(names)}"
            )
        _check_unit(rule, name, sign, limit)
        asked.append(name)
    return asked


def _check_unit(rule: str, name: str, sign: str, limit: float) -> None:
    """Refuse a bound that a forgotten % puts out of reach, so that the gate would be off."""
    number = rule.strip().removeprefix(name).strip().removeprefix(sign).strip()
    if number.endswith("%"):
        if name not in SHARES:
            bare = number.removesuffix("%").strip()
            raise UsageError(f"--fail-on {rule!r}: {name} is no share; write '{name}{sign}{bare}'")
    elif name in SHARES and (limit > 1 or (limit == 1 and sign == ">")):
        raise UsageError(
            f"--fail-on {rule!r}: {name} is a share of {SHARES[name]}, from 0 to 1; write "
            f"'{name}{sign}{number}%'"
        )


def _read_rule(rule: str) -> tuple[str, str, float]:
    match = _RULE.match(rule)
    try:
        if match is None:
            raise ValueError(rule)
        name, sign, number, percent = match.groups()
        return name, sign, float(number) / (100 if percent else 1)
    except ValueError as error:
        message = (
            f"--fail-on {rule!r} is not NAME>VALUE; write 'leak>0' in quotes, as > is the shell's"
        )
        raise UsageError(message) from error
