"""Examples in docstrings give what they say."""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("assay", "audit", "prepare", "train", "diagnose", "reports")


def list_modules() -> list[str]:
    """Name every module whose text has an example."""
    names = []
    for room in ROOMS:
        for path in sorted((ROOT / room).glob("*.py")):
            if ">>>" in path.read_text(encoding="utf-8"):
                names.append(f"assay.{room}.{path.stem}".replace("assay.assay.", "assay."))
    return names


@pytest.mark.parametrize("name", list_modules())
def test_examples_give_what_they_say(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))

    assert result.failed == 0


def test_there_are_examples_to_hold() -> None:
    assert {"assay.console", "assay.budgets", "assay.prepare.advice"} <= set(list_modules())
