"""What the command line refuses: one line, an exit code, and nothing written."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.cli import run
from tests.support.command_lines import assert_one_line, snapshot
from tests.support.make import make_corpus, make_corrupt_page, write_shard


def write_shard_with_columns(path: Path, names: list[str]) -> None:
    pq.write_table(pa.table({name: ["some words"] for name in names}), path)


def make_nothing(_: Path) -> None:
    pass


def make_folder(path: Path) -> None:
    path.mkdir()


def make_truncated(path: Path) -> None:
    whole = write_shard(path, make_corpus(20)).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def contain(data: bytes) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.write_bytes(data)

    return make


BAD_INPUTS: dict[str, tuple[Callable[[Path], None], list[str], int, str]] = {
    "missing file": (make_nothing, [], 2, "in.parquet does not exist"),
    "empty folder": (make_folder, [], 2, "holds no shard (.parquet, "),
    "truncated": (make_truncated, [], 3, "it is truncated"),
    "corrupt page": (make_corrupt_page, [], 3, "row group 0 is corrupt"),
    "no bytes": (contain(b""), [], 3, "it is empty (0 bytes)"),
    "html": (contain(b"<!DOCTYPE html><p>Not found"), [], 3, "it is an HTML or XML page"),
    "lfs": (contain(b"version https://git-lfs.github.com/spec/v1\n"), [], 3, "run git lfs pull"),
    "no text column": (
        lambda path: write_shard_with_columns(path, ["Text", "id", "url"]),
        [],
        3,
        "no column 'text'; it has 'Text', 'id', 'url'; did you mean text column 'Text'?",
    ),
    "hostile column": (
        lambda path: write_shard_with_columns(path, ["\x1b]0;owned\x07te\u202ext", "a\nb"]),
        [],
        3,
        "has no column 'text'",
    ),
    "zero rows": (lambda path: write_shard_none(path, []), [], 3, "no documents in in.parquet"),
    "null texts alone": (
        lambda path: write_shard_none(path, [None, None]),
        [],
        3,
        "the shards hold 2 rows, no text",
    ),
    "not UTF-8, policy stop": (
        lambda path: write_shard_none(path, [b"a", b"\xff"]),
        ["--invalid-utf8", "stop"],
        3,
        "row 1 is not UTF-8",
    ),
    "unknown tokenizer": (
        make_truncated,
        ["--tokenizer", "gpt9"],
        2,
        "--tokenizer must be one of gpt2",
    ),
    "unknown option": (make_truncated, ["--thresold", "1"], 2, "No such option"),
    "threshold": (
        make_truncated,
        ["--threshold", "0"],
        2,
        "--threshold must be above 0",
    ),
    "threshold no number": (make_truncated, ["--threshold", "x"], 2, "'x' is not a valid float"),
    "bands": (make_truncated, ["--bands", "9999"], 2, "--bands x --rows must be at most 16,384"),
    "preset": (make_truncated, ["--preset", "fine"], 2, "--preset must be one of fineweb"),
    "rule": (make_truncated, ["--fail-on", "leak"], 2, "--fail-on must be NAME>VALUE"),
    "rule without a number": (
        make_truncated,
        ["--fail-on", "leak>1e"],
        2,
        "--fail-on must be NAME>VALUE",
    ),
    "threads": (make_truncated, ["--threads", "0"], 2, "0 is not in the range"),
    "train as val": (
        lambda path: write_shard_none(path, ["a b c"]),
        ["--val", "in.parquet"],
        2,
        "named both for train and for --val",
    ),
}


def write_shard_none(path: Path, texts: list[str | bytes | None]) -> None:
    write_shard(path, texts)


@pytest.mark.parametrize("case", BAD_INPUTS)
def test_bad_input_is_one_line_and_an_exit_code(
    here: Path, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    make, options, code, message = BAD_INPUTS[case]
    make(here / "in.parquet")
    before = snapshot(here)

    found = run(["audit", "in.parquet", "-o", "deep/out", *options])

    out, err = capsys.readouterr()
    assert_one_line(err)
    assert message in err
    assert (found, out) == (code, "")
    assert snapshot(here) == before


@pytest.mark.parametrize("data", [b"", b"\0", b"\xff\xff\0\0"])
def test_bad_bins_are_refused(here: Path, capsys: pytest.CaptureFixture[str], data: bytes) -> None:
    """Empty; of an odd size; with an id that GPT-2 has not."""
    (here / "in.bin").write_bytes(data)

    assert run(["audit", "in.bin", "-o", "out"]) == 3

    assert_one_line(capsys.readouterr().err)
    assert os.listdir(here) == ["in.bin"]


@pytest.mark.parametrize("verb", ["audit", "prepare"])
def test_an_output_that_exists_is_refused_and_untouched(
    here: Path, audited: Path, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    write_shard(here / "in.parquet", make_corpus(20))
    shutil.copytree(audited, here / "sealed")
    (here / "foreign").mkdir()
    (here / "foreign" / "notes").touch()
    (here / "file").touch()
    before = snapshot(here)
    source = "in.parquet" if verb == "audit" else "sealed"
    for output, message in (
        ("sealed", "holds a finished run already"),
        ("foreign", "is not empty and not ours"),
        ("file", "is a file"),
        ("file/below", "cannot be made"),
    ):
        assert run([verb, source, "-o", output]) == 2
        err = capsys.readouterr().err
        assert_one_line(err)
        assert message in err
    assert snapshot(here) == before


@pytest.mark.parametrize(
    ("make", "code", "message"),
    [
        (lambda path: None, 2, "no folder at a"),
        (lambda path: path.mkdir(), 3, "has no manifest.json (no assay command wrote it"),
        (lambda path: (path.mkdir(), (path / ".unfinished").touch()), 3, "(unfinished"),
        (lambda path: (path.mkdir(), (path / "manifest.json").touch()), 3, "cannot be read"),
    ],
)
def test_what_is_no_audit_is_not_prepared(
    here: Path,
    capsys: pytest.CaptureFixture[str],
    make: Callable[[Path], object],
    code: int,
    message: str,
) -> None:
    make(here / "a")

    assert run(["prepare", "a", "-o", "bins"]) == code

    err = capsys.readouterr().err
    assert_one_line(err)
    assert message in err
    assert not (here / "bins").exists()


def test_altered_bins_do_not_verify(
    here: Path, audited: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["prepare", str(audited), "-o", "bins", "--val-share", "0.2"]) == 0
    assert run(["verify", "bins"]) == 0
    good = (here / "bins" / "train.bin").read_bytes()
    capsys.readouterr()
    for data, message in (
        (good[:-2], f"has {len(good) - 2:,} bytes, its manifest says {len(good):,}"),
        (good[:-2] + b"\0\0", "has sha256"),
    ):
        (here / "bins" / "train.bin").write_bytes(data)
        assert run(["verify", "bins"]) == 3
        err = capsys.readouterr().err
        assert_one_line(err)
        assert message in err
