import msgspec
import pytest

from assay.errors import UsageError
from assay.findings import (
    LEVELS,
    Finding,
    apply_gates,
    check_rules,
    describe_findings,
    sort_findings,
)


def find(name: str, value: float, level: str = "low", sentence: str = "s") -> Finding:
    return Finding(
        name=name, level=level, value=value, threshold=0.0, unit="share", sentence=sentence
    )


FINDINGS = [find("leak", 0.25), find("exact", 0.0)]


@pytest.mark.parametrize(
    ("rule", "fails"),
    [
        ("leak>0", True),
        ("leak>0.25", False),
        ("leak >= .25", True),
        ("leak<1e-1", False),
        ("leak<=0.25", True),
        ("leak==0.25", True),
        ("exact>0", False),
        ("exact==0", True),
        ("exact>-1", True),
    ],
)
def test_a_gate_fails_where_its_rule_holds(rule: str, fails: bool) -> None:
    lines = apply_gates(FINDINGS, [rule])

    assert len(lines) == int(fails)
    assert all(line.startswith("gate failed: ") and rule.strip() in line for line in lines)


@pytest.mark.parametrize(
    "rule", ["", "leak", "leak>", ">0", "leak=0", "leak>x", "leak>1e", "leak>..", "leak>-", "a b>0"]
)
def test_a_malformed_rule_is_refused_before_work_begins(rule: str) -> None:
    with pytest.raises(UsageError, match="is not NAME>VALUE"):
        check_rules(["leak>0", rule], ["leak"])


def test_a_rule_for_an_unknown_finding_names_the_known() -> None:
    with pytest.raises(UsageError, match="no finding 'leek'; there are leak, exact"):
        check_rules(["leek>0"], ["leak", "exact"])


def test_a_gate_on_what_was_not_measured_has_failed() -> None:
    unknown = find("near_recall", 0.0, sentence="too few near pairs")
    unknown = msgspec.structs.replace(unknown, value=None)

    assert apply_gates([unknown], ["near_recall<0.9", "token_count>0"]) == [
        "gate failed: near_recall was not measured: too few near pairs; "
        "asked to fail when near_recall<0.9",
        "gate failed: token_count was not measured; asked to fail when token_count>0",
    ]


def test_findings_come_worst_first_and_keep_their_order() -> None:
    mixed = [find(f"{level}{n}", 0, level) for n in (1, 2) for level in reversed(LEVELS)]

    assert [finding.name for finding in sort_findings(mixed)] == [
        f"{level}{n}" for level in LEVELS for n in (1, 2)
    ]


def test_hostile_names_do_not_reach_the_terminal() -> None:
    shown = describe_findings([find("a", 0, sentence="shard \x1b[2J\u202e.parquet\nhigh  fake")])

    assert len(shown.splitlines()) == 1
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert describe_findings([]) == "no findings"
