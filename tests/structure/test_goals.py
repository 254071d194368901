"""Figures against their limits: each limit can be broken, each goal can be missed."""

import copy
from typing import Any

import pytest

from tests.structure.conftest import MakeTree
from tests.structure.goals import find_growth, find_unmet
from tests.structure.imports import find_arrows
from tests.structure.tree import HALL, ROOMS
from tests.structure.twice import Excepted

TREE = {
    "assay/errors.py": "",
    **{f"{room}/a.py": "" for room in ROOMS},
    "audit/b.py": "import assay.audit.a",
    "train/__init__.py": 'PACKAGES = ("one", "two")',
    "train/one/x.py": "",
    "train/two/y.py": "from assay.train.one import x\n",
    "train/loop.py": "from assay.train.two import y\ndef train_on():\n    pass\n",
}
LIMITS: dict[str, Any] = {
    "arrows": dict.fromkeys((HALL, *ROOMS), 0) | {"train": 2, "audit": 1},
    "folder_files": dict.fromkeys((HALL, *ROOMS), 1) | {"train": 2, "audit": 2},
    "loop": {"function": "train_on", "closure": 2},
    "goal": {
        "train_packages": [2, 3],
        "train_package_arrows": 2,
        "train_arrows": 2,
        "folder_files": 2,
        "loop_closure": 2,
    },
}


def change(path: str, value: Any) -> dict[str, Any]:
    """Return the limits with one changed."""
    limits = copy.deepcopy(LIMITS)
    table, name = path.split(".")
    limits[table][name] = value
    return limits


def test_nothing_to_say_at_the_limits(make_tree: MakeTree) -> None:
    files = make_tree(TREE)
    arrows = find_arrows(files)

    assert find_growth(files, arrows, LIMITS) == []
    assert find_unmet(files, arrows, [], LIMITS) == []


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        ("arrows.train", 1, "train: arrows is 2, at most 1 allowed by limits.toml"),
        ("folder_files.audit", 1, "audit: folder_files is 2, at most 1 allowed by limits.toml"),
        ("folder_files.assay", 0, "assay: folder_files is 1, at most 0 allowed by limits.toml"),
        ("loop.closure", 1, "train: train_on leads to 2 files, over 1"),
    ],
)
def test_each_limit_can_be_broken(make_tree: MakeTree, path: str, value: Any, found: str) -> None:
    files = make_tree(TREE)

    assert find_growth(files, find_arrows(files), change(path, value)) == [found]


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        ("goal.train_packages", [3, 4], "train has 2 packages, needed 3 to 4"),
        ("goal.train_packages", [0, 1], "train has 2 packages, needed 0 to 1"),
        ("goal.train_package_arrows", 1, "arrows between packages of train: 2, needed at most 1"),
        ("goal.train_arrows", 1, "arrows between files of train: 2, needed at most 1"),
        ("goal.loop_closure", 1, "files that train_on leads to: 2, needed at most 1"),
    ],
)
def test_each_goal_can_be_missed(make_tree: MakeTree, path: str, value: Any, found: str) -> None:
    files = make_tree(TREE)

    limits = change(path, value)
    assert find_unmet(files, find_arrows(files), [], limits) == [found]


def test_a_crowded_folder_and_a_merge_to_come_are_goals_missed(make_tree: MakeTree) -> None:
    files = make_tree(
        TREE
        | {"diagnose/logs/__init__.py": ""}
        | {f"diagnose/logs/{name}.py": "" for name in "xyz"}
    )
    exceptions = [
        Excepted("structs", ("a:A", "b:B"), "", "to be merged", True),
        Excepted("structs", ("a:C", "b:D"), "", "may stay", False),
    ]

    assert find_unmet(files, find_arrows(files), exceptions, LIMITS) == [
        "declared twice and still to go: 1, needed at most 0",
        "assay.diagnose.logs holds 3 files, needed at most 2",
    ]
