"""Examples in docstrings give what they say."""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
ROOMS = ("assay", "audit", "prepare", "train", "diagnose", "reports")


def list_modules() -> list[str]:
    """Name every module whose text has an example."""
    names = []
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):  # not into the links that lie in assay/
            if ">>>" in path.read_text(encoding="utf-8"):
                place = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                names.append(f"assay.{place}".replace("assay.assay.", "assay."))
    return names


@pytest.mark.parametrize("name", list_modules())
def test_examples_give_what_they_say(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples_to_hold() -> None:
    assert {"assay.terminal.numbers", "assay.laws.budgets", "assay.prepare.held_out_advice"} <= set(
        list_modules()
    )
