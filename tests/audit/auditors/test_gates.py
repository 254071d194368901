"""`--fail-on`: a gate that nothing was measured for never passes."""

from pathlib import Path

import msgspec
import pytest

from assay.audit.auditors.gates import apply_gates, read_gates, warn_early
from assay.audit.auditors.registry import KINDS
from assay.audit.run import audit_shards
from assay.cli import run
from assay.errors import UsageError
from assay.formats.audit import open_audit
from assay.formats.findings import Finding
from assay.laws.plans import read_plan


def find(name: str, value: float, sentence: str = "s") -> Finding:
    return Finding(
        name=name, level="low", value=value, threshold=0.0, unit="share", sentence=sentence
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
    lines = apply_gates(FINDINGS, read_gates([rule]))

    assert len(lines) == int(fails)
    assert all(line.startswith("gate failed: ") and rule.strip() in line for line in lines)


def test_a_gate_on_a_share_says_of_what_it_is_one() -> None:
    small, seen = find("exact", 0.000099), find("epochs", 5.25)

    assert apply_gates(
        [*FINDINGS[:1], small, seen], read_gates(["leak>24%", "exact>0", "epochs>4"])
    ) == [
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
    with pytest.raises(UsageError, match="fail_on must be NAME>VALUE, got"):
        read_gates(["leak>0", rule])


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("exact>10", "exact is a share of tokens, from 0 to 1; write 'exact>10%'"),
        (" leak >= 1.5 ", "leak is a share of val documents, from 0 to 1; write 'leak>=1.5%'"),
        ("exact>1", "write 'exact>1%'"),
        ("exact<1e9", "write 'exact<1e9%'"),
        ("epochs>4%", "epochs is not a share; write 'epochs>4'"),
        ("epochs > 4 %", "epochs is not a share; write 'epochs>4'"),
    ],
)
def test_a_bound_in_another_unit_than_the_findings_is_refused(rule: str, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_gates([rule])

    assert str(refused.value).startswith(f"fail_on {rule!r}: ")
    assert str(refused.value).endswith(says)


@pytest.mark.parametrize(
    "rule", ["exact>10%", "exact>0.5", "exact>=1", "exact<1", "exact>150%", "epochs>4", "epochs>1"]
)
def test_a_bound_in_the_findings_unit_is_taken(rule: str) -> None:
    assert len(read_gates([rule])) == 1


def test_a_rule_for_an_unknown_finding_names_the_known() -> None:
    with pytest.raises(UsageError, match="no finding 'leek'; there are leak, exact"):
        read_gates(["leek>0"], {name: KINDS[name] for name in ("leak", "exact")})


def test_a_gate_on_what_was_not_measured_has_failed() -> None:
    unknown = find("near_recall", 0.0, sentence="too few near pairs")
    unknown = msgspec.structs.replace(unknown, value=None)

    assert apply_gates([unknown], read_gates(["near_recall<0.9", "token_count>0"])) == [
        "gate failed: near_recall: too few near pairs; asked to fail when near_recall<0.9; "
        "--allow-unmeasured near_recall lets it pass",
        "gate failed: token_count: not measured; asked to fail when token_count>0; "
        "--allow-unmeasured token_count lets it pass",
    ]


def test_a_gate_that_may_be_unmeasured_still_fails_where_it_was_measured() -> None:
    unknown = KINDS["leak"].skip("no validation documents")
    gates = read_gates(["leak>0"], allow_unmeasured=["leak"])

    assert apply_gates([unknown], gates) == []
    assert apply_gates([], gates) == []
    assert len(apply_gates(FINDINGS, gates)) == 1
    assert len(apply_gates([unknown], read_gates(["leak>0"]))) == 1


@pytest.mark.parametrize(("name", "says"), [("exact", "no fail_on asks"), ("leek", "there are")])
def test_what_may_be_unmeasured_has_to_be_asked_for(name: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        read_gates(["leak>0"], allow_unmeasured=[name])


def test_every_finding_of_an_audit_can_be_asked_for(
    here: Path, corpus: Path, audited: Path
) -> None:
    plan = read_plan("--params 1M --batch-tokens 1000 --iters 10")
    files = corpus / "a.parquet", corpus / "b.parquet"

    planned = audit_shards([files[0]], here / "a", val=[files[1]], plan=plan)

    findings = [f for audit in (planned, open_audit(audited)) for f in audit.read_findings()]
    found = [f.name for f in findings]
    assert sorted(found) == sorted([*KINDS, *KINDS])
    assert all(f.unit == KINDS[f.name].unit for f in findings)
    assert all((f.unit == "share") == bool(KINDS[f.name].of) for f in findings)


@pytest.mark.parametrize("rule", ["leak>0", "epochs>4", "budget>1"])
def test_a_gate_that_cannot_be_judged_is_announced_and_fails(
    here: Path, corpus: Path, rule: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name = rule.partition(">")[0]
    command = ["audit", str(corpus), "-o", "a", "--fail-on", rule]

    assert run(command) == 1
    early, *_, last = capsys.readouterr().err.splitlines()
    assert early.startswith(f"{name} will not be measured (no ")
    assert last.startswith(f"gate failed: {name}: not measured: no ")

    assert run([*command, "--allow-unmeasured", name]) == 0
    assert "gate" not in capsys.readouterr().err


def test_what_is_there_is_not_announced_as_missing() -> None:
    gates = read_gates(["leak>0", "exact>0"])

    assert warn_early(gates, {"leak": True}) == []
    assert len(warn_early(gates, {"leak": False})) == 1


def test_a_rule_that_cannot_be_read_ends_the_command_before_it_writes(
    here: Path, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for rule in ("leek>0", "exact>10", "near>1"):
        assert run(["audit", str(corpus), "-o", "a", "--fail-on", rule]) == 2
        assert capsys.readouterr().err.startswith("assay: --fail-on")
    assert run(["audit", str(corpus), "-o", "a", "--allow-unmeasured", "leak"]) == 2
    assert capsys.readouterr().err.startswith("assay: --allow-unmeasured 'leak': no --fail-on")
    assert not (here / "a").exists()
