"""The repository's shape: public names, and one name for each file. Imports: `tests/structure`."""

import ast
from importlib import import_module
from pathlib import Path

import pytest

import assay

ROOT = Path(__file__).parent.parent.parent
STAGES = ("audit", "prepare", "train", "diagnose", "reports")


def test_public_names_agree() -> None:
    eager = {"AssayError", "__version__"}

    assert set(assay.__all__) == set(assay._HOMES) | eager
    assert all(hasattr(assay, name) for name in assay.__all__)


@pytest.mark.parametrize("stage", STAGES)
def test_link_leads_to_the_stage(stage: str) -> None:
    link = ROOT / "assay" / stage

    # A checkout without symbolic links has a small text file here: unused, and no harm.
    assert not link.is_dir() or link.samefile(ROOT / stage), f"{link} is a copy, not a link"


def test_what_benchmarks_import_of_ours_is_there() -> None:
    pytest.importorskip("torch")  # few of them run in the tests, and type checkers see none
    for file in (ROOT / "bench").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith("assay."):
                module = import_module(str(node.module))
                missing = [alias.name for alias in node.names if not hasattr(module, alias.name)]
                assert not missing, f"{file} imports {missing} of {node.module}"
