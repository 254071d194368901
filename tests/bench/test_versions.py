"""Two versions held against each other: what a comparison sees, and what it leaves out."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.versions.carry import CASES
from bench.versions.compare import compare_folders, compare_trees
from bench.versions.masks import MASKS
from bench.versions.tables import Tables
from bench.versions.tree import Tree
from tests.support.versions_record import compare, make_tree, seal, told

METRICS = '{"step": 1, "loss": 2.5, "tokens_per_second": 1000.5}\n'


def test_a_record_equals_itself(here: Path) -> None:
    files = {"stdout": "1 of 2\n", "files/a.bin": b"\0\1", **seal(METRICS)}

    findings = compare(here, files, files)

    assert findings.differences == []
    assert dict(findings.files) == {"bytes": 1, "values": 2, "text": 2}


@pytest.mark.parametrize(
    ("name", "old", "new", "place"),
    [
        ("files/a.bin", b"\0\1\2", b"\0\3\2", "byte 1"),
        ("files/a.bin", b"\0\1\2", b"\0\1", "byte 2"),
        ("files/unknown.xyz", b"a", b"b", "byte 0"),
        ("files/a.json", '{"a": [1, {"b": 2}]}', '{"a": [1, {"b": 3}]}', "a[1].b"),
        ("files/a.json", '{"a": 1}', '{"a": 1.0}', "a"),
        ("files/a.json", '{"a": 1.0}', '{"a": 1.0000000000000002}', "a"),
        ("files/a.json", '{"a": null}', "{}", "a"),
        ("files/a.json", '{"a": []}', '{"a": {}}', "a"),
        ("files/a.json", "[1, 2]", "[2, 1]", "[0]"),
        ("files/a.jsonl", '{"a": 1}\n{"a": 2}\n', '{"a": 1}\n', "[1].a"),
        ("files/a.toml", "a = 1\n", "a = 2\n", "a"),
        ("files/a.html", "<p>one\n<p>two", "<p>one\n<p>three", "line 2"),
        ("files/a.txt", "one\ntwo\n", "one\n", "line 2"),
        ("files/a.txt", "one\n", "one", "line ends"),
        ("stdout", "a  b\n", "a   b\n", "line 1"),
        ("stdout", '{"a": 1}\n', '{"a": 2}\n', "a"),
        ("stderr", "assay: no\n", "assay: yes\n", "line 1"),
        ("stderr", "100 tokens/s, 1 s left\n", "101 tokens/s, 1 s left\n", "line 1"),
    ],
)
def test_each_kind_of_difference_is_told_with_its_place(
    here: Path, name: str, old: Any, new: Any, place: str
) -> None:
    findings = compare(here, {name: old}, {name: new})

    assert (f"c/{name}", place) in [each[:2] for each in told(findings)]


def test_a_table_tells_which_columns_differ(here: Path) -> None:
    def write(*values: float) -> bytes:
        pq.write_table(pa.table({"a": [1, 2], "b": values}), here / "t.parquet")
        return (here / "t.parquet").read_bytes()

    findings = compare(here, {"files/t.parquet": write(1, 2)}, {"files/t.parquet": write(1, 3)})

    assert told(findings)[0][1].endswith("; columns b")


def test_files_and_cases_that_one_record_lacks_are_told(here: Path) -> None:
    findings = compare(here, {"files/a": b"", "files/b": b""}, {"files/b": b"", "files/d": b""})
    whole = [each for each in told(findings) if each[1] == "the whole file"]
    (here / "new" / CASES / "c").rename(here / "new" / CASES / "e")

    cases = compare_trees(Tree(here / "old"), Tree(here / "new"), Tables())

    assert whole == [
        ("c/files/a", "the whole file", "(there)", "(missing)"),
        ("c/files/d", "the whole file", "(missing)", "(there)"),
    ]
    assert [each[0] for each in told(cases)[:2]] == ["c", "e"]


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"code": 1}, "exit code"),
        ({"argv": ["audit", "x", "--rows", "9"]}, "argv"),
        ({"removed": ["x"]}, "files removed"),
        ({"folders": ["x"]}, "files folders"),
        ({"given": {"x": "0"}}, "given x"),
    ],
)
def test_commands_exit_codes_and_lists_of_files_are_compared(
    here: Path, changes: dict[str, Any], place: str
) -> None:
    trees = make_tree(here / "old", {}), make_tree(here / "new", {}, **changes)

    (found,) = told(compare_trees(*trees, Tables()))

    assert found[:2] == ("c", place)


def test_clocks_are_masked_and_what_vouches_for_them_goes_along(here: Path) -> None:
    faster = METRICS.replace("1000.5", "2000.25")
    progress = "step 1/1: 128 unique, {} left\n"

    findings = compare(
        here,
        {**seal(METRICS), "stderr": progress.format("1,000 tokens/s, 0.1 s")},
        {**seal(faster), "stderr": progress.format("2,000 tokens/s, 9 s")},
    )

    assert findings.differences == []
    assert findings.masked["sha256 of recorded files, compared by the file's name"] == 2
    assert findings.masked["sizes of files that are compared as values or text"] == 2
    assert sum(findings.masked[mask.name] for mask in MASKS) == 4


def test_a_manifest_that_does_not_vouch_for_its_file_is_told(here: Path) -> None:
    lying = seal(METRICS) | {"files/metrics.jsonl": METRICS.replace("1000.5", "2000.5")}

    places = [each[1] for each in told(compare(here, seal(METRICS), lying))]

    assert "outputs[0].sha256" in places
    assert "outputs[0].size" in places


def test_a_sha256_that_stands_for_another_file_is_told(here: Path) -> None:
    one, other = (sha256(data).hexdigest() for data in (b"one", b"other"))
    both = {"files/one.bin": b"one", "files/other.bin": b"other"}

    parents = compare(
        here,
        both | {"files/m.json": f'{{"audit": "{one}"}}', "stderr": f"made by {one[:12]}\n"},
        both | {"files/m.json": f'{{"audit": "{other}"}}', "stderr": f"made by {other[:12]}\n"},
    )

    assert [each[0] for each in told(parents)] == ["c/files/m.json", "c/stderr"]
    assert "64 digits of sha256 of c/files/one.bin" in told(parents)[0][2]


def test_the_place_of_a_record_is_left_out_of_absolute_paths(here: Path) -> None:
    old, new = ({"stderr": f"assay: {here}/{name}/audit is there\n"} for name in ("old", "new"))

    assert compare(here, old, new).differences == []
    assert len(compare(here, old, old).differences) == 1


def test_the_version_is_left_out_and_no_other_one(here: Path) -> None:
    old = make_tree(here / "old", {"stdout": "assay 0.1.0 and assay 0.0.9\n"})
    new = make_tree(here / "new", {"stdout": "assay 0.2.0 and assay 0.0.9\n"})
    new.facts["assay"]["version"] = "0.2.0"

    assert compare_trees(old, new, Tables()).differences == []
    new.facts["assay"]["version"] = "0.1.0"
    assert len(compare_trees(old, new, Tables()).differences) == 1


def test_the_summary_and_the_exit_code(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_tree(here / "old", {"stdout": "\n".join(map(str, range(30)))})
    make_tree(here / "new", {"stdout": "\n".join(map(str, range(1, 60, 2)))})

    assert compare_folders(here / "old", here / "new", most=5) == 1

    out = capsys.readouterr().out
    assert "more differences; --all prints them" in out
    assert "1 commands, 2 files" in out
    assert out.count("c/stdout: line ") == 5
