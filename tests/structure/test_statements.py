"""What counts as a statement, and what is too long."""

from pathlib import Path

import pytest

from tests.structure.conftest import MakeTree
from tests.structure.statements import find_long, measure_amounts
from tests.structure.tree import read_beside, read_tree

TEXT = '''
"""A docstring of a file: none."""

import os  # 1


class Thing:  # 2
    """None."""

    size: int  # 3

    def grow(self, by: int) -> None:  # 4
        """None."""
        if by:  # 5
            self.size += by  # 6
        else:
            "no docstring, so a statement"  # 7

    def _hidden(self, by): ...  # 8, 9


def plain(first, *rest: int) -> int:  # 10
    def inside(): return 1  # 11, 12
    return inside()  # 13


async def waits(*, first: int, **more: int) -> int:  # 14
    """None."""
'''


def test_statements_are_counted_at_every_depth_without_docstrings(make_tree: MakeTree) -> None:
    amounts = measure_amounts(make_tree({"train/a.py": TEXT, "assay/b.py": "x = 1; y = 2\n"}))

    assert amounts["train"].statements == 14
    assert amounts["assay"].statements == 2
    assert amounts["all"].statements == 16
    assert "audit" not in amounts


def test_lengths_docstrings_and_annotations(make_tree: MakeTree) -> None:
    train = measure_amounts(make_tree({"train/a.py": TEXT}))["train"]

    assert (train.functions, train.longest_function, train.median_function) == (5, 6, 2.0)
    assert (train.public, train.documented) == (5, 4), "the file, Thing, grow, waits; not plain"
    assert (train.public_functions, train.annotated) == (3, 2), "plain's first has no annotation"


@pytest.mark.parametrize(
    ("lines", "found"),
    [(298, None), (299, "assay.train.a has 301 lines, at most 300 are allowed")],
)
def test_a_long_file_is_found(make_tree: MakeTree, lines: int, found: str | None) -> None:
    files = make_tree({"train/a.py": "x = 1\n" * lines + "y = 2\nz = 3\n"})

    assert find_long(files) == ([found] if found else [])


@pytest.mark.parametrize("name", ["tests.train.test_a", "bench.a", "tests"])
def test_a_long_file_of_tests_or_benchmarks_is_found(tmp_path: Path, name: str) -> None:
    place = "tests/__init__" if name == "tests" else name.replace(".", "/")
    path = tmp_path / f"{place}.py"
    path.parent.mkdir(parents=True)
    path.write_text("x = 1\n" * 301)

    found = find_long(read_beside(tmp_path))

    assert found == [f"{name} has 301 lines, at most 300 are allowed"]
    assert not read_tree(tmp_path), "no file of the product"


@pytest.mark.parametrize(
    ("lines", "found"),
    [(59, None), (60, "assay.train.a.A.f has 61 lines, at most 60 are allowed")],
)
def test_a_long_function_is_found(make_tree: MakeTree, lines: int, found: str | None) -> None:
    text = "class A:\n    @decorated\n    def f(self):\n" + "        x = 1\n" * lines

    assert find_long(make_tree({"train/a.py": text})) == ([found] if found else [])
