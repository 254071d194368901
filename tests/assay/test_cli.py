"""The command line: exit codes, one line for each error, nothing left behind."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from assay import cli
from assay.cli import VERBS, run
from assay.errors import UsageError
from tests.support.command_lines import assert_one_line
from tests.support.make import make_corpus, make_corrupt_page, write_shard

HEAVY = {"torch", "pyarrow", "polars", "numba", "datasketch", "tiktoken", "altair", "numpy"}
ASSAY = [sys.executable, "-m", "assay"]


def test_gates_and_shards_set_aside_have_their_codes(
    here: Path, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "bad.parquet").write_bytes(b"<html>")
    inputs = ["audit", str(corpus), "--threads", "1"]

    assert run([*inputs, "-o", "a", "--fail-on", "exact>0.9", "--fail-on", "near>0.9"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if not line.startswith("compil")] == []
    assert run([*inputs, "-o", "b", "--fail-on", "exact>0", "--fail-on", "near>=0"]) == 1
    assert capsys.readouterr().err.count("gate failed: ") == 2
    assert run([*inputs, "bad.parquet", "-o", "c", "--on-bad-shard", "skip"]) == 4
    assert "set aside: bad.parquet is not a parquet file" in capsys.readouterr().err
    skip = ["bad.parquet", "--on-bad-shard", "skip", "--fail-on", "exact>0"]
    assert run([*inputs, "-o", "d", *skip]) == 1
    assert run([*inputs, "-o", "e", "--fail-on", "nothing>0"]) == 2
    for name in "abcd":
        assert (here / name / "manifest.json").exists()


def test_a_shard_found_corrupt_while_it_is_read_is_set_aside(
    here: Path, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_corrupt_page(here / "bad.parquet")
    inputs = [str(corpus / "a.parquet"), "bad.parquet", str(corpus / "b.parquet")]

    code = run(["audit", *inputs, "-o", "skipped", "--on-bad-shard", "skip"])

    assert code == 4
    assert "set aside: bad.parquet: row group 0 is corrupt" in capsys.readouterr().err
    assert run(["audit", inputs[0], inputs[2], "-o", "without"]) == 0
    for name in ("documents.parquet", "pairs.parquet", "tokens/00001.bin"):
        assert (here / "skipped" / name).read_bytes() == (here / "without" / name).read_bytes()


def test_json_is_all_that_stdout_holds(
    here: Path, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["audit", str(corpus), "-o", "a", "--json"]) == 0
    audit = json.loads(capsys.readouterr().out)
    assert audit["totals"]["documents"] > 100
    assert {"leak", "exact", "near"} <= {finding["name"] for finding in audit["findings"]}
    assert run(["prepare", "a", "-o", "b", "--json", "--val-share", "0.2"]) == 0
    totals = json.loads(capsys.readouterr().out)
    assert totals["documents_in"] == audit["totals"]["documents"]
    assert run(["prepare", "a", "--dry-run", "--json", "--val-share", "0.2"]) == 0
    assert json.loads(capsys.readouterr().out) == totals
    assert run(["prepare", "a"]) == 2
    assert "--dry-run" in capsys.readouterr().err


def test_every_kind_of_text_counts_apart(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = ["words enough to be a document", "", " \n", None, None, b"\xff bad", "short"]
    raw = [text.encode() if isinstance(text, str) else text for text in texts]
    write_shard(here / "a.parquet", raw)

    assert run(["audit", "a.parquet", "-o", "a", "--json"]) == 0

    totals = json.loads(capsys.readouterr().out)["totals"]
    names = ("rows", "documents", "null", "empty", "blank", "invalid_utf8", "dropped_invalid")
    assert [totals[name] for name in names] == [7, 5, 2, 1, 1, 1, 0]


def test_hostile_text_does_not_reach_the_terminal(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = "\x1b[2J\x1b]52;c;b3duZWQ=\x07\u202e\x9b31m"
    name = f"{hostile.replace('/', '')}.parquet"
    texts = [f"{hostile} {text}" for text in make_corpus(30)]
    write_shard(here / name, texts, id=[hostile] * len(texts), url=[hostile] * len(texts))

    assert run(["audit", name, "-o", "a"]) == 0
    assert run(["prepare", "a", "-o", "b", "--val-share", "0.3"]) == 0
    assert run(["audit", name, "-o", "c", "--text-column", hostile]) == 3

    out, err = capsys.readouterr()
    shown = out + err
    assert "\\x1b[2J" in shown
    for char in ("\x1b", "\x07", "\x9b", "\u202e"):
        assert char not in shown


def test_a_shard_named_twice_counts_once_and_is_told(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_shard(here / "a.parquet", make_corpus(20))
    write_shard(here / "b.parquet", make_corpus(20, seed=1))
    (here / "c.parquet").symlink_to("a.parquet")

    assert run(["audit", "a.parquet", "b.parquet", "-o", "once", "--json"]) == 0
    once = capsys.readouterr()
    assert run(["audit", "*.parquet", "b.parquet", "./b.parquet", "-o", "twice", "--json"]) == 0
    twice = capsys.readouterr()
    assert run(["audit", *["b.parquet"] * 8, "-o", "often"]) == 0

    told = "named more than once, counted once: c.parquet (is a.parquet), b.parquet, b.parquet\n"
    assert told in twice.err
    assert "named more than once" not in once.err
    assert ": b.parquet, b.parquet, b.parquet and 4 more\n" in capsys.readouterr().err
    totals = json.loads(twice.out)["totals"]
    again = [["c.parquet", "a.parquet"], ["b.parquet", "b.parquet"], ["b.parquet", "b.parquet"]]
    assert totals.pop("named_again") == again
    assert totals == json.loads(once.out)["totals"]


def test_a_defect_is_no_failed_gate(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("assay.audit.run.audit_shards", fail)

    assert run(["audit", "x", "-o", "y"]) == 5
    assert "ZeroDivisionError: a defect" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyboardInterrupt(), 130),
        (MemoryError(), 5),
        (OSError(5, "Input/output error", "disk"), 5),
        (BrokenPipeError(), 141),
    ],
)
def test_errors_of_the_system_have_their_codes(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("assay.audit.run.audit_shards", fail)
    monkeypatch.setattr("assay.cli._silence_stdout", lambda: None)

    assert run(["audit", "x", "-o", "y"]) == code

    err = capsys.readouterr().err
    if code == 141:
        assert err == ""
    else:
        assert_one_line(err)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    if importlib.util.find_spec(VERBS[verb][0]) is None:
        pytest.skip(f"{VERBS[verb][0]} is not written yet")

    assert run([verb, "--help"]) == 0

    out = capsys.readouterr().out
    assert out.startswith(f"Usage: assay {verb}")
    assert "\\b" not in out


def test_the_verbs_are_listed_without_loading_them() -> None:
    code = (
        "import sys; from assay.cli import run; code = run(['--help'])\n"
        f"sys.exit(code or ' '.join({HEAVY!r} & set(sys.modules)) or 0)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert done.stderr == ""
    assert done.returncode == 0
    for verb in VERBS:
        assert f"\n  {verb} " in done.stdout


def test_usage_without_a_verb_and_with_a_wrong_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    assert "Commands:" in capsys.readouterr().err
    assert run(["audti"]) == 2
    assert_one_line(capsys.readouterr().err)


def test_a_reader_that_went_away_is_no_error() -> None:
    for arguments in (["--help"], ["audit", "--help"]):
        with subprocess.Popen(
            [*ASSAY, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()
            assert process.stderr.read() == b""
            assert process.wait() == 141


def test_a_pool_of_threads_that_nobody_closed_does_not_hold_up_the_end() -> None:
    script = (
        "import atexit, sys\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from assay.cli import main\n"
        "pool = ThreadPoolExecutor(1)\n"
        "pool.submit(int).result()\n"
        "atexit.register(print, 'hooks ran')\n"
        "sys.argv = ['assay', 'no-such-verb']\n"
        "main()\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stdout) == (2, "hooks ran\n")


@pytest.mark.skipif(os.name != "posix", reason="closes a stream by the shell")
def test_streams_closed_before_the_start_are_no_defect(here: Path) -> None:
    write_shard(here / "a.parquet", make_corpus(20))
    command = f"exec '{sys.executable}' -m assay audit a.parquet -o audit >&- 2>&-"

    done = subprocess.run(["sh", "-c", command], cwd=here, timeout=60, check=False)

    assert done.returncode == 0
    assert (here / "audit" / "manifest.json").exists()


def test_the_module_exits_with_the_code(here: Path) -> None:
    np.zeros(3, np.uint8).tofile(here / "a.bin")

    done = subprocess.run([*ASSAY, "audit", "a.bin", "-o", "out"], capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (3, "")
    assert_one_line(done.stderr)


@pytest.mark.parametrize("verb", ["", *sorted(VERBS)])
def test_help_fits_80_columns(capsys: pytest.CaptureFixture[str], verb: str) -> None:
    assert run([verb, "--help"] if verb else ["--help"]) == 0

    assert max(len(line) for line in capsys.readouterr().out.splitlines()) <= 80


def test_the_first_help_begins_with_the_question_people_come_with(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(["--help"])

    examples = [
        line for line in capsys.readouterr().out.splitlines() if line.startswith("  assay ")
    ]
    assert examples[0].startswith("  assay diagnose train.log")
    assert {line.split()[1] for line in examples} >= {"audit", "prepare", "compare", "report"}


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        (
            ["prepare", "a", "--seed", "1"],
            UsageError("val_share must be between 0 and 1, got 3", "val_share"),
            "--val-share must be between 0 and 1, got 3",
        ),
        (["prepare", "a"], UsageError("drop is odd, seed too", "seed"), "drop is odd, --seed too"),
        (["audit", "x"], UsageError("output is a file", "output"), "--output is a file"),
        (["audit", "x"], UsageError("my_val_share is no parameter", "val_share"), "my_val_share"),
        (["nothing"], UsageError("seed is odd", "seed"), "seed is odd"),
    ],
)
def test_parameters_of_the_library_are_told_as_options(
    words: list[str], error: UsageError, said: str
) -> None:
    assert cli._name_options(error, words).startswith(said)
