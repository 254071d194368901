"""Findings: measurements beside the threshold they are held to, worst first."""

import operator
import re
from collections.abc import Callable, Iterable

import msgspec

from assay.console import align, show_line
from assay.errors import UsageError

LEVELS = ("high", "medium", "low", "info", "ok")


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement and what it means.

    Attributes:
        name: A short word, e.g. "leak"; `--fail-on` asks for it.
        level: One of `LEVELS`; "info" has no threshold, "ok" stayed within it.
        value: The measurement, in `unit`.
        threshold: The value from which on the level is no longer "ok"; None for "info".
        unit: "share" (0 to 1), "documents", "tokens", "ids", "words", ...
        interval: A 95 % interval of `value`, where it was estimated.
        sentence: The measurement in words, with its counts.
        action: What to do about it, or "".
        evidence: The file in the folder that has the rows, or "".
    """

    name: str
    level: str
    value: float
    threshold: float | None
    unit: str
    sentence: str
    interval: tuple[float, float] | None = None
    action: str = ""
    evidence: str = ""


def sort_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings worst first; in their own order within a level."""
    return sorted(findings, key=lambda finding: LEVELS.index(finding.level))


def describe_findings(findings: Iterable[Finding]) -> str:
    """Lay findings out for a terminal, worst first: level, name, sentence, evidence, aligned.

    Every part is untrusted text (a shard's name may be in a sentence) and is made visible.
    """
    rows = [
        (
            show_line(finding.level, 20),
            show_line(finding.name, 40),
            show_line(finding.sentence, 400),
            show_line(finding.evidence, 200),
        )
        for finding in sort_findings(findings)
    ]
    return align(rows) if rows else "no findings"


_RULE = re.compile(r"^\s*([a-z_]+)\s*(>=|<=|>|<|==)\s*([0-9.eE+-]+)\s*$")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
}


def apply_gates(findings: Iterable[Finding], rules: Iterable[str]) -> list[str]:
    """Return one line for each rule such as `leak>0` that holds: a gate that failed.

    Raises:
        UsageError: A rule cannot be read, or names no finding.
    """
    values = {finding.name: finding.value for finding in findings}
    failed = []
    for rule in rules:
        name, sign, limit = _read_rule(rule)
        if name not in values:
            raise UsageError(
                f"--fail-on {rule!r}: no finding {name!r}; there are {', '.join(values)}"
            )
        if _COMPARE[sign](values[name], limit):
            failed.append(
                f"gate failed: {name} is {values[name]:g}, asked to fail when {rule.strip()}"
            )
    return failed


def check_rules(rules: Iterable[str]) -> None:
    """Raise UsageError for a rule that cannot be read, before work begins."""
    for rule in rules:
        _read_rule(rule)


def _read_rule(rule: str) -> tuple[str, str, float]:
    match = _RULE.match(rule)
    try:
        if match is None:
            raise ValueError(rule)
        name, sign, number = match.groups()
        return name, sign, float(number)
    except ValueError as error:
        message = f"--fail-on {rule!r} is not NAME>VALUE, e.g. leak>0 or exact>0.2"
        raise UsageError(message) from error
