from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import UsageError
from assay.formats.audit import open_audit
from assay.formats.findings import (
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
        ("leak>24%", True),
        ("leak > 26 %", False),
        ("leak==25%", True),
    ],
)
def test_a_gate_fails_where_its_rule_holds(rule: str, fails: bool) -> None:
    lines = apply_gates(FINDINGS, [rule])

    assert len(lines) == int(fails)
    assert all(line.startswith("gate failed: ") and rule.strip() in line for line in lines)


def test_a_gate_on_a_share_says_of_what_it_is_one() -> None:
    small, seen = find("exact", 0.000099), find("epochs", 5.25)

    assert apply_gates([*FINDINGS[:1], small, seen], ["leak>24%", "exact>0", "epochs>4"]) == [
        "gate failed: leak is 25% of val documents, asked to fail when leak>24%",
        "gate failed: exact is 0.0099% of tokens, asked to fail when exact>0",
        "gate failed: epochs is 5.25, asked to fail when epochs>4",
    ]


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "leak",
        "leak>",
        ">0",
        "leak=0",
        "leak>x",
        "leak>1e",
        "leak>..",
        "leak>-",
        "a b>0",
        "leak>%",
    ],
)
def test_a_malformed_rule_is_refused_before_work_begins(rule: str) -> None:
    with pytest.raises(UsageError, match="is not NAME>VALUE"):
        check_rules(["leak>0", rule], ["leak"])


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("exact>10", "exact is a share of tokens, from 0 to 1; write 'exact>10%'"),
        (" leak >= 1.5 ", "leak is a share of val documents, from 0 to 1; write 'leak>=1.5%'"),
        ("exact>1", "write 'exact>1%'"),
        ("exact<1e9", "write 'exact<1e9%'"),
        ("epochs>4%", "epochs is no share; write 'epochs>4'"),
        ("epochs > 4 %", "epochs is no share; write 'epochs>4'"),
    ],
)
def test_a_bound_in_another_unit_than_the_findings_is_refused(rule: str, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_rules([rule], ["leak", "exact", "epochs"])

    assert str(refused.value).startswith(f"--fail-on {rule!r}: ")
    assert str(refused.value).endswith(says)


@pytest.mark.parametrize(
    "rule", ["exact>10%", "exact>0.5", "exact>=1", "exact<1", "exact>150%", "epochs>4", "epochs>1"]
)
def test_a_bound_in_the_findings_unit_is_taken(rule: str) -> None:
    assert len(check_rules([rule], ["exact", "epochs"])) == 1


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


def test_on_a_terminal_sentences_are_broken_and_what_to_do_stands_beneath() -> None:
    worst = find("exact", 0.3, "high", "56.50% of documents repeat another, byte for byte")
    worst = msgspec.structs.replace(worst, action="prepare with --drop exact", evidence="p.parquet")
    calm = find("null", 0.0, "ok", "none")

    shown = describe_findings([calm, worst], 50)

    assert shown.splitlines() == [
        "high  exact  56.50% of documents repeat another,",
        "             byte for byte",
        "             prepare with --drop exact; p.parquet",
        "ok    null   none",
    ]
    assert describe_findings([worst]).endswith("p.parquet  prepare with --drop exact")


@given(width=st.integers(60, 200), words=st.lists(st.text("ab-=>5", min_size=1, max_size=12)))
def test_no_line_of_a_finding_passes_the_edge(width: int, words: list[str]) -> None:
    shown = describe_findings([find("giant_cluster", 0.0, sentence=" ".join(words))], width)

    assert all(len(line) <= width for line in shown.splitlines())
    assert " ".join(shown.split()[2:]) == " ".join(words)


def test_rows_that_are_no_documents_have_no_table_to_look_in(audited: Path) -> None:
    evidence = {each.name: each.evidence for each in open_audit(audited).read_findings()}

    assert (evidence["null"], evidence["oversized"]) == ("", "")
    assert evidence["empty"] == evidence["invalid_utf8"] == "documents.parquet"
    assert all(name == "" or (audited / name).exists() for name in evidence.values())
