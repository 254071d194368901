"""Findings: measurements, each beside its threshold, worst first."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from assay.terminal.text import align, show_line, wrap

LEVELS = ("high", "medium", "low", "unmeasured", "info", "ok")


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement and what it means.

    Attributes:
        name: A short word, e.g. "leak"; `--fail-on` asks for it.
        level: One of `LEVELS`; "info" has no threshold, "ok" stayed within it; "unmeasured": it
            was not looked at, `value` is None and `sentence` says why.
        value: The measurement, in `unit`; None where it was not measured.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingKind:
    """What findings of one name measure: stated once, for findings, gates and docs.

    Attributes:
        name: As in `Finding`, as is `unit`.
        measures: What it measures, in a line of docs/audit.md.
        of: What a share is of: "tokens", "val documents", ...
        limits: Up to the first a value is "ok"; from the second on it is "medium", from the third
            "high". Where they descend, less is worse. None: "info", or levels of its own.
        levels: In a line of docs/audit.md, where `limits` do not say it.
        unmeasured: Where it is not measured, likewise.
        evidence: The file that has the rows, or "".
        by_document: Whether it takes documents: not measured where a shard cannot be cut into them.
    """

    name: str
    measures: str
    unit: str = "share"
    of: str = ""
    limits: tuple[float, float, float] | None = None
    levels: str = ""
    unmeasured: str = "never"
    evidence: str = ""
    by_document: bool = True

    def find(
        self,
        value: float | None,
        sentence: str,
        *,
        action: str = "",
        level: str | None = None,
        threshold: float | None = None,
        interval: tuple[float, float] | None = None,
        evidence: str | None = None,
    ) -> Finding:
        """Make a finding; level, threshold and evidence are those of its kind where none are given.

        Args:
            value: In `unit`; None where something else than it has the level that is given.
            sentence: The measurement in words, with its counts.
            action: What to do about it; left out where the level is "ok".
            level: One of `LEVELS`.
            threshold: The value up to which the level is "ok".
            interval: A 95 % interval of `value`, where it was estimated.
            evidence: The file that has the rows.
        """
        if level is None:
            level = self.grade(value) if self.limits and value is not None else "info"
        if threshold is None and self.limits:
            threshold = self.limits[0]
        return Finding(
            name=self.name,
            level=level,
            value=value,
            threshold=threshold,
            unit=self.unit,
            sentence=sentence,
            interval=interval,
            action="" if level == "ok" else action,
            evidence=self.evidence if evidence is None else evidence,
        )

    def skip(self, reason: str, *, action: str = "") -> Finding:
        """Make the finding of what was not measured.

        Args:
            reason: Why not, after "not measured: ".
            action: What would have it measured.

        >>> FindingKind(name="leak", measures="").skip("no validation documents").sentence
        'not measured: no validation documents'
        """
        return Finding(
            name=self.name,
            level="unmeasured",
            value=None,
            threshold=self.limits[0] if self.limits else None,
            unit=self.unit,
            sentence=f"not measured: {reason}",
            action=action,
        )

    def grade(self, value: float, limits: tuple[float, float, float] | None = None) -> str:
        """Return the level of a value by these limits, or by those of the kind.

        >>> kind = FindingKind(name="near", measures="", limits=(0.01, 0.05, 0.2))
        >>> [kind.grade(value) for value in (0.01, 0.02, 0.05, 0.2)]
        ['ok', 'low', 'medium', 'high']
        >>> kind.grade(0.3, limits=(0.9, 0.5, 0.2))
        'medium'
        """
        bounds = limits or self.limits
        assert bounds is not None
        low, medium, high = bounds
        if high < low:
            value, low, medium, high = -value, -low, -medium, -high
        if value <= low:
            return "ok"
        return "high" if value >= high else "medium" if value >= medium else "low"


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
    """Break sentences; beneath those that ask for something, what to do, and the rows' file.

    What was not measured for the reason of a row before names that row instead.
    """
    reasons: dict[tuple[str, str], str] = {}
    left = width - sum(max(len(row[i]) for row in rows) + 2 for i in (0, 1))
    for level, name, sentence, evidence, action in rows:
        first = reasons.setdefault((sentence, action), name) if level == "unmeasured" else name
        if first != name:
            yield level, name, f"not measured, as {first}"
            continue
        lines = wrap(sentence, max(20, left))
        if level not in ("ok", "info") or action:
            lines += wrap("; ".join(part for part in (action, evidence) if part), max(20, left))
        for i, line in enumerate(lines):
            yield ("", "", line) if i else (level, name, line)
