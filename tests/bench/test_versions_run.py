"""The fixed set that two versions carry out: its table, its inputs, and what is recorded."""

import doctest
import importlib
import json
import sys
from pathlib import Path

import pytest

import assay
from bench.versions.carry import CASES, RECORD, Place, carry_out
from bench.versions.case import case, check_table
from bench.versions.folders import add, flip
from bench.versions.inputs import build_inputs
from bench.versions.options import ask_checkout, list_unused
from bench.versions.run import choose
from bench.versions.table import list_cases

ROOT = Path(__file__).parent.parent.parent


def test_the_table_of_cases_is_in_order_and_a_wrong_one_is_refused() -> None:
    assert len(list_cases()) > 500
    with pytest.raises(ValueError, match="two cases are called a"):
        check_table([case("a", "show"), case("a", "show")])
    with pytest.raises(ValueError, match="a needs b, which come later"):
        check_table([case("a", "show x", "b/x"), case("b", "show")])
    assert [each.name for each in choose(list_cases(), "prepare-dry")] == [
        "audit-plain",
        "prepare-dry",
        "prepare-dry-json",
    ]


def test_options_that_nothing_uses_are_named() -> None:
    verbs = {
        "go": [
            {"names": ["--kept", "-k"], "choices": ["a", "b"]},
            {"names": ["--max_iters"], "choices": []},
            {"names": ["--lost"], "choices": []},
            {"names": ["--refused"], "choices": []},
        ]
    }
    cases = [
        case("1", "go x -k a --max-iters=3"),
        case("2", "go x --refused", code=2),
        case("3", "stay x --lost"),
    ]

    found = [line for line in list_unused(verbs, cases) if line.startswith("go")]

    assert found == [
        "go --kept b: no command asks for it",
        "go --lost: no command carries it out",
        "go --refused: no command carries it out",
    ]


def test_inputs_are_the_same_each_time(tmp_path: Path) -> None:
    assert build_inputs(tmp_path / "a") == build_inputs(tmp_path / "b")


def test_a_command_is_recorded_with_what_it_wrote_and_changed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "inputs").mkdir(parents=True)
    (out / "inputs" / "x").write_text("given")
    (tmp_path / "cache").mkdir()
    code = (
        "import pathlib, sys; p = pathlib.Path\n"
        "p('new').mkdir(); p('new/a').write_text('a'); p('y').write_text('changed')\n"
        "p('z').unlink(); print(sys.argv[1:], sys.stdin.read()); sys.exit(3)"
    )
    each = case(
        "c",
        "--some words",
        "@x y=@x z=@x",
        3,
        setup=add("s", "in"),
        stdin="s",
        program=("-c", code),
    )
    place = Place(out, sys.executable, {"PYTHONPATH": ""}, tmp_path / "cache")

    found, _ = carry_out(each, each.argv, place)

    record = json.loads((out / CASES / "c" / RECORD).read_text())
    listed = [record[key] for key in ("written", "changed", "removed", "folders")]
    assert (found, record["code"]) == (3, 3)
    assert listed == [["new/a"], ["y"], ["z"], ["new"]]
    assert record["given"].keys() == {"s", "x", "y", "z"}
    assert (out / CASES / "c" / "stdout").read_text() == "['--some', 'words'] in\n"
    left = sorted(path.name for path in place.files("c").rglob("*"))
    assert left == ["a", "new", "y"]


def test_a_flipped_byte_is_another_one(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"\x0f\0")

    flip("f", 0)(tmp_path)

    assert (tmp_path / "f").read_bytes() == b"\xf0\0"


@pytest.mark.parametrize("name", ["case", "kinds", "lines", "options", "run", "tables", "values"])
def test_examples_give_what_they_say(name: str) -> None:
    found = doctest.testmod(importlib.import_module(f"bench.versions.{name}"))

    assert found.attempted
    assert found.failed == 0


def test_an_assay_from_elsewhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"not imported from .*: assay"):
        ask_checkout(tmp_path, sys.executable, {"PYTHONPATH": str(ROOT)})


def test_a_checkout_says_its_version_and_options() -> None:
    found = ask_checkout(ROOT, sys.executable, {"PYTHONPATH": str(ROOT)})

    names = {name for option in found.verbs["audit"] for name in option["names"]}
    assert {"--threads", "--json", "-o", "--output"} <= names
    assert found.facts["version"] == assay.__version__
