"""What names tell, through the command line: counts, leaks, what is said, what prepare advises."""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest

from assay.cli import run
from assay.corpus.tokenizer import Tokenizer
from assay.formats.audit import open_audit
from tests.support.make import make_texts, write_shard


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write_bin(path: Path, texts: list[str], tokenizer: Tokenizer) -> None:
    """Write a bin as nanoGPT does: uint16, end-of-text after each document."""
    parts = [
        np.append(tokenizer.encode_reference(text.encode()), tokenizer.end_of_text)
        for text in texts
    ]
    np.concatenate(parts).astype(np.uint16).tofile(path)


def audit(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[dict[str, object], str]:
    assert run(["audit", *words, "--json"]) == 0
    printed = capsys.readouterr()
    totals = json.loads(printed.out)["totals"]
    return {
        "train": totals["train"]["documents"],
        "val": totals["val"]["documents"],
        "leaks": totals["leaks"]["exact"],
        "told": totals.get("told_by_name"),
    }, printed.err


@pytest.mark.parametrize(
    ("train", "val"),
    [
        ("data/train-00000-of-00001.parquet", "data/validation-00000-of-00001.parquet"),
        ("train/0000.parquet", "val/0000.parquet"),
        ("train.parquet", "val.parquet"),
        ("fineweb_train_000001.bin", "fineweb_val_000000.bin"),
        ("TinyStories_train.bin", "TinyStories_val.bin"),
        ("TinyStoriesV2-GPT4-train.parquet", "TinyStoriesV2-GPT4-valid.parquet"),
    ],
)
def test_validation_files_are_told_and_their_leaks_found(
    train: str, val: str, gpt2: Tokenizer, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = make_texts(20, 1)
    for name, part in ((train, texts[:15]), (val, texts[12:])):
        path = Path("in", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".bin":
            write_bin(path, part, gpt2)
        else:
            write_shard(path, part)

    found, said = audit(capsys, "in", "-o", "A")

    assert found == {"train": 15, "val": 8, "leaks": 3, "told": {"val": [f"in/{val}"]}}
    assert "val by name: " in said
    assert "--all-train takes all as train" in said
    everything, said = audit(capsys, "in", "-o", "B", "--all-train")
    assert everything == {"train": 23, "val": 0, "leaks": 0, "told": None}
    assert "by name" not in said


def test_test_files_are_neither_train_nor_val(capsys: pytest.CaptureFixture[str]) -> None:
    Path("in").mkdir()
    for name in ("train", "test"):
        write_shard(Path("in", f"{name}.parquet"), make_texts(5, 2))

    found, said = audit(capsys, "in", "-o", "A")

    assert found == {"train": 5, "val": 0, "leaks": 0, "told": {"test": ["in/test.parquet"]}}
    assert "test (set apart, not read) by name: in/test.parquet" in said


def test_a_gate_on_leaks_takes_validation_documents_told_by_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("in").mkdir()
    for name in ("train", "val"):
        write_shard(Path("in", f"{name}.parquet"), make_texts(5, 2))

    assert run(["audit", "in", "-o", "A", "--fail-on", "leak>0"]) == 1
    assert run(["audit", "in", "-o", "B", "--fail-on", "leak>0", "--all-train"]) == 1
    assert "leak: not measured" in capsys.readouterr().err


def test_prepare_names_the_command_that_draws_from_all(capsys: pytest.CaptureFixture[str]) -> None:
    Path("in").mkdir()
    for name in ("train", "val"):
        write_shard(Path("in", f"{name}.parquet"), make_texts(60, len(name)))
    audit(capsys, "in", "-o", "A")

    assert run(["prepare", "A", "-o", "B", "--val-share", "0.2"]) == 2

    line = capsys.readouterr().err
    assert "leave out --val-share; they were told by name (in/val.parquet)" in line
    command = line[line.index("assay audit") :].split()
    assert command == shlex.split("assay audit in/train.parquet in/val.parquet --all-train -o NEW")
    assert run(command[1:]) == 0
    assert run(["prepare", "NEW", "-o", "B", "--val-share", "0.2"]) == 0
    assert open_audit("NEW").totals.val.documents == 0


@pytest.mark.parametrize(
    "words",
    [
        ["prepare", "in", "-o", "B"],
        ["show", "in"],
        ["diagnose", "log", "--bins", "in"],
        ["prepare", "in/a.parquet", "-o", "B"],
    ],
)
def test_each_verb_says_how_raw_shards_become_bins(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("in").mkdir()
    write_shard(Path("in", "a.parquet"), ["a"])
    Path("log").write_text("step 0: train loss 4.0, val loss 4.0\n")

    assert run(words) in (2, 3)

    raw = "in/a.parquet" if "in/a.parquet" in words else "in"
    assert f"assay audit {raw} -o A; assay prepare A -o B" in capsys.readouterr().err
