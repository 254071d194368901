"""What a newer version calls otherwise: keys, numbers, sentences, options."""

import json
from pathlib import Path

import pytest

from bench.versions.compare import compare_folders, compare_trees, list_stale
from bench.versions.masks import MASKS
from bench.versions.run import RUN, rename
from bench.versions.tables import Added, Code, Key, Number, Sentence, Tables, read_tables, split
from tests.support.versions_record import compare, make_tree, told


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


def test_values_may_be_added_where_a_reason_is_given(here: Path) -> None:
    old, new = {"files/v.json": '{"a": 1}'}, {"files/v.json": '{"a": 2, "b": {"c": 1}, "d": 1}'}
    added = [Added("*", (name,), "one reader for all") for name in ("a", "b", "e")]
    tables = Tables(added=added)

    findings = compare(here, old, new, tables)

    assert [each[1] for each in told(findings)] == ["a", "d"]
    assert tables.list_stale() == ["keys.toml: one reader for all"] * 2


def test_an_exit_code_may_be_mended_where_a_reason_is_given(here: Path) -> None:
    old, new = (make_tree(here / name, {"stdout": "a\n"}) for name in ("old", "new"))
    old.facts["unexpected_codes"] = {"c": [2, 5]}
    for tree, code in ((old, 5), (new, 2)):
        path = tree.folder / "cases" / "c" / "record.json"
        path.write_text(json.dumps(tree.record("c") | {"code": code}))

    mended = compare_trees(old, new, Tables(codes=[Code("c", 5, 2, "refused")]))
    other = compare_trees(old, new, Tables(codes=[Code("c", 5, 3, "refused")]))

    assert mended.differences == []
    assert [each[1:] for each in told(other)] == [("exit code", "5", "2")]


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


def test_the_committed_tables_can_be_read() -> None:
    tables = read_tables()

    assert len({sentence.old for sentence in tables.sentences}) == len(tables.sentences)


def test_renamed_options_are_written_in_commands_of_their_verb_alone() -> None:
    names = [("audit", ["--keep", "first"], ["--keep-first"]), ("prepare", ["x"], ["y"])]

    assert rename(["audit", "x", "--keep", "first"], names) == ("audit", "x", "--keep-first")
    assert rename(["audit", "--keep", "last"], names) == ("audit", "--keep", "last")
    assert rename([], names) == ()


def test_of_a_part_of_the_set_nothing_is_stale(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("old", "new"):
        tree = make_tree(here / name, {"stdout": "a\n"})
        (tree.folder / RUN).write_text(json.dumps(tree.facts | {"only": "audit"}))

    assert compare_folders(here / "old", here / "new") == 0
    assert "a part of the set (audit)" in capsys.readouterr().out
