"""Gates, as of `--fail-on`: rules such as `leak>0` are read, checked before work, and applied."""

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from assay.audit.auditors.registry import KINDS
from assay.errors import UsageError
from assay.formats.findings import Finding, FindingKind
from assay.terminal.text import show_line

_RULE = re.compile(r"^\s*([a-z_]+)\s*(>=|<=|>|<|==)\s*([0-9.eE+-]+)\s*(%?)\s*$")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
}


@dataclass(frozen=True, slots=True)
class Gate:
    """A rule: it fails where the finding's value compares with `limit` as `sign` says.

    And where the finding was not measured, unless it `may_skip`.
    """

    rule: str
    kind: FindingKind
    sign: str
    limit: float
    may_skip: bool = False

    def apply(self, finding: Finding | None) -> str:
        """Return a line that says why the gate failed, or ""."""
        asked = f"asked to fail when {self.rule}"
        if finding is None or finding.value is None:
            if self.may_skip:
                return ""
            why = show_line(finding.sentence, 400) if finding else "not measured"
            name = self.kind.name
            return f"gate failed: {name}: {why}; {asked}; --allow-unmeasured {name} lets it pass"
        if not _COMPARE[self.sign](finding.value, self.limit):
            return ""
        of = self.kind.of
        value = f"{100 * finding.value:g}% of {of}" if of else f"{finding.value:g}"
        return f"gate failed: {self.kind.name} is {value}, {asked}"


def read_gates(
    rules: Iterable[str],
    kinds: Mapping[str, FindingKind] = KINDS,
    *,
    allow_unmeasured: Iterable[str] = (),
) -> list[Gate]:
    """Read rules such as `leak>0` or `exact>10%`.

    Args:
        rules: One or several.
        kinds: The findings there are, by name.
        allow_unmeasured: Names of findings whose gates pass where they were not measured.

    Raises:
        UsageError: A rule cannot be read, names none of `kinds`, or has a bound in another unit
            than the finding's: a share's over 1 without %, or one in % of what is no share.
            Or `allow_unmeasured` names what no rule asks for.
    """
    allowed = set(allow_unmeasured)
    gates = [_read_gate(rule, kinds) for rule in rules]
    for name in sorted(allowed - {gate.kind.name for gate in gates}):
        raise UsageError(
            f"allow_unmeasured {name!r}: no fail_on asks for it"
            + ("" if name in kinds else f"; there are {', '.join(kinds)}"),
            *("allow_unmeasured", "fail_on"),
        )
    return [replace(gate, may_skip=gate.kind.name in allowed) for gate in gates]


def warn_early(gates: Iterable[Gate], known: Mapping[str, bool]) -> list[str]:
    """Return a line for each gate that will fail, since what it asks for will not be measured.

    Args:
        gates: As `read_gates` returns them.
        known: Of findings that take more than shards, by name: whether it is there.
    """
    return [
        f"{gate.kind.name} will not be measured ({gate.kind.unmeasured}), so the gate "
        f"{gate.rule!r} will fail; --allow-unmeasured {gate.kind.name} lets it pass"
        for gate in gates
        if not gate.may_skip and not known.get(gate.kind.name, True)
    ]


def _read_gate(rule: str, kinds: Mapping[str, FindingKind]) -> Gate:
    match = _RULE.match(rule)
    try:
        if match is None:
            raise ValueError(rule)
        name, sign, number, percent = match.groups()
        limit = float(number) / (100 if percent else 1)
    except ValueError as error:
        raise UsageError(
            f"fail_on must be NAME>VALUE, got {rule!r}; write 'leak>0' in quotes, as > is the "
            "shell's",
            "fail_on",
        ) from error
    if name not in kinds:
        raise UsageError(
            f"fail_on {rule!r}: no finding {name!r}; there are {', '.join(kinds)}", "fail_on"
        )
    kind = kinds[name]
    if percent and not kind.of:
        raise UsageError(
            f"fail_on {rule!r}: {name} is not a share; write '{name}{sign}{number}'", "fail_on"
        )
    # A forgotten % would put the bound out of reach, and the gate would be off.
    if kind.of and not percent and (limit > 1 or (limit == 1 and sign == ">")):
        raise UsageError(
            f"fail_on {rule!r}: {name} is a share of {kind.of}, from 0 to 1; write "
            f"'{name}{sign}{number}%'",
            "fail_on",
        )
    return Gate(rule.strip(), kind, sign, limit)


def apply_gates(findings: Iterable[Finding], gates: Iterable[Gate]) -> list[str]:
    """Return a line for each gate that failed."""
    known = {finding.name: finding for finding in findings}
    return [line for gate in gates if (line := gate.apply(known.get(gate.kind.name)))]
