"""Gates, as of `--fail-on`: rules such as `leak>0` are read, checked before work, and applied."""

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.audit.auditors.registry import KINDS
from assay.corpus.inputs import list_inputs
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
    """A rule: it fails where the finding's value compares with `limit` as `sign` says."""

    rule: str
    kind: FindingKind
    sign: str
    limit: float

    def apply(self, finding: Finding | None) -> str:
        """Return a line that says why the gate failed, or "".

        Where the finding was not measured it failed, too: nothing vouches for it.
        """
        asked = f"asked to fail when {self.rule}"
        if finding is None or finding.value is None:
            why = f": {show_line(finding.sentence, 400)}" if finding else ""
            return f"gate failed: {self.kind.name} was not measured{why}; {asked}"
        if not _COMPARE[self.sign](finding.value, self.limit):
            return ""
        of = self.kind.of
        value = f"{100 * finding.value:g}% of {of}" if of else f"{finding.value:g}"
        return f"gate failed: {self.kind.name} is {value}, {asked}"


def read_gates(rules: Iterable[str], kinds: Mapping[str, FindingKind] = KINDS) -> list[Gate]:
    """Read rules such as `leak>0` or `exact>10%`.

    Raises:
        UsageError: A rule cannot be read, names none of `kinds`, or has a bound in another unit
            than the finding's: a share's over 1 without %, or one in % of what is no share.
    """
    return [_read_gate(rule, kinds) for rule in rules]


def check_gates(
    gates: Iterable[Gate],
    inputs: Sequence[str | Path],
    *,
    val: Sequence[str | Path] = (),
    all_train: bool = False,
    plan: bool,
) -> None:
    """Refuse, before work begins, gates that this audit cannot judge, whatever it finds.

    Args:
        gates: As `read_gates` returns them.
        inputs: What is audited; some of it may be named for validation.
        val: Validation documents that are named beside them.
        all_train: Whether names tell nothing.
        plan: Whether the tokens are compared with a training run.

    Raises:
        UsageError: A gate needs validation documents, or a plan, and there are none.
    """
    for gate in gates:
        if gate.kind.needs == "plan" and not plan:
            raise UsageError(
                f"fail_on {gate.rule!r} needs a training run to compare with: name it with plan",
                *("fail_on", "plan"),
            )
        if gate.kind.needs == "val" and not (
            val or list_inputs(inputs, all_train=all_train).has_val
        ):
            raise UsageError(
                f"fail_on {gate.rule!r} needs validation documents: name them with val",
                *("fail_on", "val"),
            )


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
