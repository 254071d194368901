"""Two versions held against each other: what a comparison sees, and what it leaves out."""

import json
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.versions.carry import CASES, FILES, RECORD, Place, carry_out
from bench.versions.case import case, check_table
from bench.versions.compare import compare_folders, compare_trees, list_stale
from bench.versions.folders import add, flip
from bench.versions.found import Findings
from bench.versions.inputs import build_inputs
from bench.versions.masks import MASKS
from bench.versions.options import list_unused
from bench.versions.run import RUN, choose, rename
from bench.versions.table import list_cases
from bench.versions.tables import Key, Number, Sentence, Tables, read_tables, split
from bench.versions.tree import Tree

METRICS = '{"step": 1, "loss": 2.5, "tokens_per_second": 1000.5}\n'


def make_tree(folder: Path, files: dict[str, str | bytes], **changes: Any) -> Tree:
    """Write a record of one case, `c`; names are those in it: stdout, files/x."""
    contents = {"stdout": "", "stderr": "", **files}
    for name, data in contents.items():
        path = folder / CASES / "c" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
    written = [name.removeprefix("files/") for name in files if name.startswith(FILES)]
    record = {
        "argv": ["audit", "x", "--rows", "8"],
        "code": 0,
        "given": {},
        "written": sorted(written),
        "changed": [],
        "removed": [],
        "folders": [],
    }
    (folder / CASES / "c" / RECORD).write_text(json.dumps(record | changes))
    facts = {
        "assay": {"version": "0.1.0", "python": "3.11", "libraries": {}},
        "cases": ["c"],
        "inputs": {},
        "unused_options": [],
        "unexpected_codes": {},
    }
    (folder / RUN).write_text(json.dumps(facts))
    return Tree(folder)


def compare(
    here: Path, old: dict[str, Any], new: dict[str, Any], tables: Tables | None = None
) -> Findings:
    trees = make_tree(here / "old", old), make_tree(here / "new", new)
    return compare_trees(*trees, tables or Tables())


def told(findings: Findings) -> list[tuple[str, str, str, str]]:
    return [(each.file, each.place, each.old, each.new) for each in findings.differences]


def seal(metrics: str, **totals: Any) -> dict[str, str | bytes]:
    """A run's folder of two files: the manifest vouches for the metrics."""
    entry = {
        "name": "metrics.jsonl",
        "size": len(metrics),
        "sha256": sha256(metrics.encode()).hexdigest(),
    }
    manifest = {"tool": "assay 0.1.0", "outputs": [entry], "totals": {"steps": 1, **totals}}
    return {"files/metrics.jsonl": metrics, "files/manifest.json": json.dumps(manifest)}


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


def test_the_version_is_left_out_and_no_other_one(here: Path) -> None:
    old = make_tree(here / "old", {"stdout": "assay 0.1.0 and assay 0.0.9\n"})
    new = make_tree(here / "new", {"stdout": "assay 0.2.0 and assay 0.0.9\n"})
    new.facts["assay"]["version"] = "0.2.0"

    assert compare_trees(old, new, Tables()).differences == []
    new.facts["assay"]["version"] = "0.1.0"
    assert len(compare_trees(old, new, Tables()).differences) == 1


def test_values_move_with_the_map_of_keys(here: Path) -> None:
    tables = Tables(
        keys=[Key("*", split("arms.#.leak"), split("arms.#.leak_effect"))],
        sentences=[Sentence("too few", "not enough")],
    )

    findings = compare(
        here,
        {"files/v.json": '{"arms": [{"leak": {"d": 1}}, {"leak": null, "why": "too few"}]}'},
        {
            "files/v.json": '{"arms": [{"leak_effect": {"d": 1}}, '
            '{"leak_effect": null, "why": "not enough"}]}'
        },
        tables,
    )

    assert findings.differences == []
    assert tables.list_stale() == []


def test_a_key_that_was_not_moved_everywhere_is_told(here: Path) -> None:
    tables = Tables(keys=[Key("*", split("leak"), split("leak_effect"))])

    findings = compare(
        here, {"files/v.json": '{"leak": 1}'}, {"files/v.json": '{"leak": 1}'}, tables
    )

    assert [each[1] for each in told(findings)] == ["leak_effect", "leak"]


def test_numbers_may_differ_in_the_last_digits_where_a_routine_is_named(here: Path) -> None:
    old = {"files/v.json": '{"p": [0.1], "d": 0.1}'}
    allowed = Number("*/v.json", split("p.#"), "a quantile by another library")
    near = {"files/v.json": '{"p": [0.10000000001], "d": 0.10000000001}'}
    far = {"files/v.json": '{"p": [0.100001], "d": 0.1}'}

    close = compare(here / "1", old, near, Tables(numbers=[allowed]))
    wide = compare(here / "2", old, far, Tables(numbers=[allowed]))

    assert [each[1] for each in told(close)] == ["d"]
    assert [each[1] for each in told(wide)] == ["p[0]"]


def test_sentences_are_met_over_lines_in_html_and_in_columns(here: Path) -> None:
    sentence = Sentence("the <law's> loss", "its loss")
    old = {
        "stdout": "the <law's>\n  loss is 3\n----------\n",
        "files/p.html": "<p>the &lt;law&#39;s&gt; loss is 3",
        "stderr": "assay: the loss\n",
    }
    new = {"stdout": "its loss is 3\n------\n", "files/p.html": "<p>its loss is 3"}

    findings = compare(here, old, new | {"stderr": old["stderr"]}, Tables(sentences=[sentence]))

    assert findings.differences == []
    assert sentence.used == 2


def test_a_sentence_hides_no_other_change_of_its_text(here: Path) -> None:
    tables = Tables(sentences=[Sentence(r"\bkept\b", "held", regex=True, where="*/stdout")])

    findings = compare(
        here,
        {"stdout": "kept 3\n", "stderr": "kept 3\n"},
        {"stdout": "held 4\n", "stderr": "held 3\n"},
        tables,
    )

    assert [each[0] for each in told(findings)] == ["c/stderr", "c/stdout"]


def test_what_no_table_needs_is_stale(here: Path) -> None:
    tree = make_tree(here / "old", {"stdout": "a\n"})
    tables = Tables(
        keys=[Key("*", ("a",), ("b",))],
        numbers=[Number("*", ("a",), "a routine")],
        sentences=[Sentence("no such words", "none")],
    )

    stale = list_stale(compare_trees(tree, tree, tables), tables, tree)

    assert stale[:3] == ["keys.toml: a", "keys.toml: a routine", "sentences.toml: no such words"]
    assert stale[3:] == [f"masks.py: {mask.name}" for mask in MASKS]


def test_the_summary_and_the_exit_code(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_tree(here / "old", {"stdout": "\n".join(map(str, range(30)))})
    make_tree(here / "new", {"stdout": "\n".join(map(str, range(1, 60, 2)))})

    assert compare_folders(here / "old", here / "new", most=5) == 1

    out = capsys.readouterr().out
    assert "more differences; --all prints them" in out
    assert "1 commands, 2 files" in out
    assert out.count("c/stdout: line ") == 5


def test_the_committed_tables_can_be_read() -> None:
    tables = read_tables()

    assert len({sentence.old for sentence in tables.sentences}) == len(tables.sentences)


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


def test_renamed_options_are_written_in_commands_of_their_verb_alone() -> None:
    names = [("audit", ["--keep", "first"], ["--keep-first"]), ("prepare", ["x"], ["y"])]

    assert rename(["audit", "x", "--keep", "first"], names) == ("audit", "x", "--keep-first")
    assert rename(["audit", "--keep", "last"], names) == ("audit", "--keep", "last")
    assert rename([], names) == ()


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
