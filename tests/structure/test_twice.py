"""Exceptions: with a reason, of one pair or group, and gone when what they excuse is gone."""

from pathlib import Path

import pytest

from tests.structure.conftest import MakeTree
from tests.structure.twice import find_twice, hold_against, read_exceptions

FIELDS = "class {}:\n    a: int; b: int; c: int; d: int\n"
FORMULA = "def {}(x, y, z):\n    return x * (y + 1) / (z + 1)\n"
BODY = "def {}(x):\n" + "    x = f(x)\n" * 6

STRUCTS = '[[structs]]\nof = ["train:One", "reports:Other"]\nreason = "known"\n'
BODIES = '[[bodies]]\nof = ["train:g", "reports:h"]\nreason = "known"\n'
FORMULAS = """[[formulas]]
of = ["train:f", "reports:f"]
formula = "(((1 + a) * b) / (1 + c))"
reason = "known"
to_go = true
"""


@pytest.fixture
def exceptions(tmp_path: Path) -> Path:
    path = tmp_path / "exceptions.toml"
    path.write_text(STRUCTS + BODIES + FORMULAS, encoding="utf-8")
    return path


def write_copies(name: str = "Other", formula: str = FORMULA) -> dict[str, str]:
    """A struct, a formula and a body, each twice."""
    return {
        "train/a.py": FIELDS.format("One") + formula.format("f") + BODY.format("g"),
        "reports/b.py": FIELDS.format(name) + formula.format("f") + BODY.format("h"),
    }


def test_each_kind_is_found_without_an_exception(make_tree: MakeTree) -> None:
    lines = hold_against(find_twice(make_tree(write_copies())), [])

    assert [line.split(" declared twice: ")[0] for line in lines] == [
        "structs",
        "bodies",
        "formulas",
    ]


def test_exceptions_excuse_what_they_name(make_tree: MakeTree, exceptions: Path) -> None:
    known = read_exceptions(exceptions)

    assert hold_against(find_twice(make_tree(write_copies())), known) == []
    assert [each.to_go for each in known] == [False, False, True]


def test_an_exception_excuses_nothing_else(make_tree: MakeTree, exceptions: Path) -> None:
    files = make_tree(write_copies(name="Third", formula=FORMULA.replace("1", "2")))

    lines = hold_against(find_twice(files), read_exceptions(exceptions))

    assert [line.split(":")[0] for line in lines] == [
        "structs declared twice",
        "formulas declared twice",
        "stale exception, to be taken out",
        "stale exception, to be taken out",
    ]


@pytest.mark.parametrize(
    "text",
    [
        '[[structs]]\nof = ["train:One", "reports:Other"]\n',
        '[[structs]]\nof = ["train:One", "reports:Other"]\nreason = " "\n',
        STRUCTS.replace("structs", "struct"),
    ],
)
def test_an_exception_needs_a_reason_and_a_kind(exceptions: Path, text: str) -> None:
    exceptions.write_text(text, encoding="utf-8")

    with pytest.raises(ValueError, match=r"exceptions\.toml: struct"):
        read_exceptions(exceptions)
