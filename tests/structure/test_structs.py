"""Structs that are declared twice: found on small copies, not where fields only meet."""

import pytest

from tests.structure.conftest import MakeTree
from tests.structure.structs import find_copies, list_structs

VERDICT = """
    class Gate(msgspec.Struct, frozen=True):
        name: str
        passed: bool
        found: str
        needed: str = ""
"""


def declare(name: str, fields: str, head: str = "(msgspec.Struct)") -> str:
    """Write a struct of these fields."""
    lines = [f"    {field}: int" for field in fields.split()]
    return "\n".join([f"class {name}{head}:", *lines, ""])


@pytest.mark.parametrize(
    "copy",
    [
        VERDICT,
        "@dataclass(frozen=True, slots=True)\n" + declare("Row", "name passed found needed", ""),
        declare("Row", "needed found passed name", "(TypedDict)"),
        declare("Row", "name passed found needed", "(NamedTuple)"),
        declare("Row", "name passed found needed", ""),
        declare("Row", "name passed found needed out of many more", ""),
        "def f():\n    class Row:\n        name: str; passed: bool; found: str; needed: str",
    ],
    ids=["struct", "dataclass", "typed dict", "named tuple", "plain", "cut down", "in a function"],
)
def test_a_copy_is_found_whatever_it_is(make_tree: MakeTree, copy: str) -> None:
    files = make_tree({"train/verdict.py": VERDICT, "reports/verdict.py": copy})

    [found] = find_copies(files)

    assert found.keys in {("reports:Row", "train:Gate"), ("reports:Gate", "train:Gate")}
    assert "4 shared of 4 and" in str(found)


@pytest.mark.parametrize(
    ("one", "other", "is_copy"),
    [
        ("a b c d e", "a b c d x", True),  # 4 of 5
        ("a b c d", "a b c x", False),  # 3 of 4
        ("a b c d e f g h i j", "a b c d e f g h x y", True),  # 8 of 10
        ("a b c d e f g h i j", "a b c d e f g w x y", False),  # 7 of 10
        ("a b c", "a b c", False),  # three fields agree by chance
    ],
)
def test_four_fifths_of_the_smaller(
    make_tree: MakeTree, one: str, other: str, is_copy: bool
) -> None:
    files = make_tree({"train/a.py": declare("One", one), "audit/b.py": declare("Other", other)})

    assert bool(find_copies(files)) == is_copy


@pytest.mark.parametrize(("fields", "found"), [("a b c", 1), ("a b c d e", 1), ("a b x", 0)])
def test_namesakes_are_copies_from_three_fields_on(
    make_tree: MakeTree, fields: str, found: int
) -> None:
    files = make_tree(
        {"train/a.py": declare("Look", "a b c"), "reports/b.py": declare("Look", fields)}
    )

    assert len(find_copies(files)) == found


@pytest.mark.parametrize(
    "other",
    [
        declare("Row", "name passed found needed", "(Protocol)"),
        declare("Row", "more", "(Gate)"),
        "class Row:\n    name: ClassVar[str]; passed: bool; found: str; needed: ClassVar[str] = ''",
        "class Row:\n    def f(self):\n        name: str; passed: bool; found: str; needed: str",
        "Row = dict(name='', passed='', found='', needed='')",
    ],
    ids=["protocol", "inherited", "class variables", "locals", "dict"],
)
def test_what_is_no_copy(make_tree: MakeTree, other: str) -> None:
    assert find_copies(make_tree({"train/a.py": VERDICT, "reports/b.py": other})) == []


def test_a_nested_struct_has_its_whole_name(make_tree: MakeTree) -> None:
    files = make_tree({"train/a.py": "class A:\n    x: int\n    class B:\n        y: int"})

    assert [each.key for each in list_structs(files)] == ["train:A", "train:A.B"]
