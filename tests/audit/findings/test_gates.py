"""`--fail-on`: a gate that nothing was measured for never passes."""

from pathlib import Path

import pytest

from assay.audit.findings.gates import NAMES, PLANNED, check_gates
from assay.audit.run import Settings, audit_shards
from assay.cli import run
from assay.errors import UsageError
from assay.formats.audit import open_audit
from assay.formats.findings import SHARES
from assay.laws.plans import read_plan


def test_every_finding_of_an_audit_can_be_asked_for(
    here: Path, corpus: Path, audited: Path
) -> None:
    plan = read_plan("--params 1M --batch-tokens 1000 --iters 10")
    files = corpus / "a.parquet", corpus / "b.parquet"

    planned = audit_shards([files[0]], here / "a", val=[files[1]], settings=Settings(plan=plan))

    findings = [f for audit in (planned, open_audit(audited)) for f in audit.read_findings()]
    found = [f.name for f in findings]
    assert {f.name for f in findings if f.unit == "share"} <= set(SHARES) <= set(NAMES)
    assert not {f.name for f in findings if f.unit != "share"} & set(SHARES)
    assert set(found) <= set(NAMES)
    assert set(NAMES) - set(found) <= {"token_count", "candidates"}
    assert len(set(NAMES)) == len(NAMES)


def test_leaks_cannot_be_a_gate_without_validation_documents(corpus: Path) -> None:
    with pytest.raises(UsageError, match="no validation documents: name them, --val"):
        check_gates(["leak>0"], [corpus], [], planned=False)

    check_gates(["leak>0"], [corpus / "a.parquet"], [corpus / "b.parquet"], planned=False)
    check_gates(["exact>0"], [corpus], [], planned=False)


def test_a_folder_of_bins_brings_its_own_validation_documents(here: Path) -> None:
    (here / "val.bin").write_bytes(b"\0\0")

    check_gates(["leak>0"], [here], [], planned=False)


@pytest.mark.parametrize("name", PLANNED)
def test_a_plans_findings_take_a_plan(corpus: Path, name: str) -> None:
    with pytest.raises(UsageError, match=f"asks for {name}, .* --plan"):
        check_gates([f"{name}>1"], [corpus], [], planned=False)

    check_gates([f"{name}>1"], [corpus], [], planned=True)


def test_a_gate_that_cannot_be_judged_ends_the_command_before_it_writes(
    here: Path, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for rule in ("leak>0", "epochs>4", "leek>0", "exact>10", "near>1"):
        assert run(["audit", str(corpus), "-o", "a", "--fail-on", rule]) == 2
        assert capsys.readouterr().err.startswith("assay: --fail-on")
    assert not (here / "a").exists()
