"""What a new auditor needs is its file, and a line in the registry: all else follows."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from assay.formats.audit import DOCUMENT_COLUMNS, open_audit
from tests.support.make import write_shard

# Registers the auditor before anything reads the registry, and runs `assay`.
DRIVER = """
from assay.audit.auditors import registry
from tests.support import bullets as new
registry.AUDITORS += (registry.Auditor(new.KINDS, new.judge, new.COLUMNS, new.measure),)
registry.COLUMNS += new.COLUMNS
registry.KINDS |= {kind.name: kind for kind in new.KINDS}
from assay.audit.scan import shard_cache
from assay.cli import main
shard_cache.MIN_BYTES = 0
print(registry.tabulate_kinds())
main()
"""
TEXTS = [["- one\n* two\n\nthree", ""], ["x\n", "- no", "- e\n*\n"]]
SUMS = {"listed_lines": 7, "bullet_lines": 5}


def run(here: Path, *words: str, code: int = 0, driver: str = DRIVER) -> tuple[str, str]:
    root = Path(__file__).parent.parent.parent.parent
    done = subprocess.run(
        [sys.executable, "-c", driver, *words],
        cwd=here,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    assert done.returncode == code, done.stderr
    return done.stdout, done.stderr


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = tmp_path_factory.mktemp("made")
    for name, texts in zip("ab", TEXTS, strict=True):
        write_shard(here / f"{name}.parquet", texts)
    run(here, "audit", "a.parquet", "b.parquet", "-o", "audit")
    return here


def test_its_columns_stand_behind_the_others(made: Path) -> None:
    table = open_audit(made / "audit").read("documents")

    assert table.columns[: len(DOCUMENT_COLUMNS)] == DOCUMENT_COLUMNS.names
    assert table.columns[-2:] == ["listed_lines", "bullet_lines"]
    assert table["listed_lines"].to_list() == [3, 0, 1, 1, 2]
    assert table["bullet_lines"].to_list() == [2, 0, 0, 1, 2]


def test_its_sums_are_totals_and_its_finding_is_judged(made: Path) -> None:
    audit = open_audit(made / "audit")

    found = next(f for f in audit.read_findings() if f.name == "bullets")

    assert audit.totals.measured.items() >= SUMS.items()
    assert (found.value, found.level, found.threshold) == (5 / 7, "medium", 0.5)


def test_it_is_a_gate_a_row_of_the_report_and_a_line_of_the_docs(made: Path) -> None:
    command = ["audit", "a.parquet", "b.parquet", "-o", "audit"]
    table, failed = run(made, *command, "--fail-on", "bullets>50%", code=1)
    report, _ = run(made, "report", "audit", "-o", "-", "--format", "text")

    assert failed.count("gate failed: bullets is 71.4286% of lines") == 1
    assert "71.43% (5 of 7) of lines are bullet points" in report
    assert "| *bullets* | lines that are bullet points | share of lines | low over 50%" in table
    assert "`listed_lines`: lines that are not empty; `bullet_lines`: those" in table


def test_shards_that_a_stopped_run_cached_keep_its_columns(made: Path) -> None:
    for name in ("a", "b"):
        (made / f"c{name}.parquet").write_bytes((made / f"{name}.parquet").read_bytes())
    stop = DRIVER.replace(
        "main()", "import assay.audit.run as r\nr.measure_documents = lambda *_: 1 / 0\nmain()"
    )
    words = ["audit", "ca.parquet", "cb.parquet", "-o", "stopped"]
    run(made, *words, code=5, driver=stop)

    _, err = run(made, *words)

    assert "2 of 2 shards were scanned before" in err
    totals = json.loads((made / "stopped" / "manifest.json").read_text())["totals"]
    assert totals["measured"].items() >= SUMS.items()
