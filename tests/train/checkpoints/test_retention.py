"""Checkpoints that are kept, and runs that go on from them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
import torch
from click.testing import CliRunner

from assay.cli import commands, run
from assay.errors import UsageError
from assay.formats.run import open_run
from assay.reports.inspect.verify import verify_folder
from assay.train.settings.retention import Retention, make_retention
from tests.support.bins_fixture import draw_documents, make_bins

TINY = [
    *("--n_layer", "1", "--n_head", "2", "--n_embd", "16"),
    *("--block_size", "16", "--batch_size", "8", "--device", "cpu"),
]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.chdir(tmp_path)
    make_bins(Path("bins"), draw_documents(0, 60), draw_documents(1, 25))
    make_bins(Path("new"), draw_documents(2, 60), draw_documents(1, 25))


def train(folder: str, *words: str) -> list[tuple[int, float]]:
    done = CliRunner().invoke(commands, ["train", "bins", "-o", folder, *words])
    assert done.exit_code == 0, f"{done.output} {done.exception}"
    return losses(folder)


def losses(folder: str) -> list[tuple[int, float]]:
    return [(line.step, line.loss or 0.0) for line in open_run(Path(folder)).read_metrics()]


def kept(folder: str) -> list[str]:
    return sorted(path.name for path in Path(folder).glob("*-*") if path.is_dir())


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([], []),
        (["--keep-checkpoints", "all"], ["step-12", "step-18", "step-24", "step-6"]),
        (["--keep-checkpoints", "6,10"], ["step-10", "step-6"]),
    ],
)
def test_checkpoints_are_kept_as_asked_and_change_no_loss(
    words: list[str], found: list[str]
) -> None:
    plain = train("plain", *TINY, "--max_iters", "30")

    again = train("run", *TINY, "--max_iters", "30", "--checkpoint-interval", "6", *words)

    assert kept("run") == found
    assert again == plain
    listed = [entry.name for entry in verify_folder(Path("run"), deep=True).outputs]
    assert [name for name in listed if name.endswith("/state.json")] == [
        f"{name}/state.json" for name in sorted(found, key=lambda name: int(name[5:]))
    ]


def test_a_kept_checkpoint_can_be_scored_probed_and_begun_with() -> None:
    train("run", *TINY, "--max_iters", "60", "--keep-checkpoints", "30")
    words = ["--old", "bins", "--new", "new", "--steps", "20", "--device", "cpu"]

    assert run(["score", "run/step-30", "run", "--held-out", "bins", "--device", "cpu"]) == 0
    assert run(["probe", "run/step-30", "-o", "why", *words]) == 0
    assert run(["train", "bins", "-o", "on", "--init-from", "run/step-30", "--max_iters", "1",
                "--batch_size", "8", "--device", "cpu"]) == 0  # fmt: skip


def test_a_run_from_a_kept_checkpoint_has_the_losses_of_the_one_that_it_left() -> None:
    whole = train("run", *TINY, "--max_iters", "30", "--keep-checkpoints", "12",
                  "--log-interval", "6")  # fmt: skip

    part = train("part", "--resume-from", "run/step-12", "--log-interval", "6")
    train("rare", *TINY, "--max_iters", "30", "--keep-checkpoints", "12", "--log-interval", "0")
    last = train("last", "--resume-from", "rare/step-12", "--log-interval", "6")

    assert part == [line for line in whole if line[0] > 12]
    assert last == part  # a line's mean is over its own run's steps
    changes = msgspec.json.decode(Path("part/manifest.json").read_bytes())["settings"]["changes"]
    assert [(each["step"], each["changed"]) for each in changes] == [(12, {})]


def test_a_finished_run_is_resumed_in_another_folder_with_more_tokens(
    capsys: pytest.CaptureFixture[str],
) -> None:
    train("run", *TINY, "--max_iters", "10")

    assert run(["train", "bins", "-o", "on", "--resume-from", "run"]) == 2
    assert (
        "has 10 steps already, and the budget is 10; raise --max_iters" in capsys.readouterr().err
    )
    done = CliRunner().invoke(
        commands, ["train", "bins", "-o", "on", "--resume-from", "run", "--max_iters", "14"]
    )

    assert (
        "a new schedule begins here: wsd from learning_rate 0.003 over the 4 remaining steps"
        in (done.stderr)
    )
    assert open_run(Path("on")).totals.steps == 14


def test_kept_checkpoints_outlive_a_kill_and_a_command_without_the_option() -> None:
    words = [sys.executable, "-m", "assay", "train", "bins", "-o", "run", *TINY]
    words += ["--max_iters", "20000", "--checkpoint-interval", "50"]
    process = subprocess.Popen(
        [*words, "--keep-checkpoints", "10"], env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    while not list(Path("run").glob("checkpoint-*/state.json")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    Path("run/step-7").mkdir()  # one that was killed while it was written

    train("run", "--resume", "--max_iters", "2000", "--learning-rate", "1e-4")

    assert kept("run") == ["step-10"]
    verify_folder(Path("run"))


def test_a_resumed_run_keeps_what_is_not_named_and_its_budget_at_another_batch() -> None:
    train("run", *TINY, "--max_iters", "16", "--keep-checkpoints", "8", "--lr_decay_iters", "12")

    for word in ("--batch-size=16", "--batch-size=16 --max-iters=8"):
        folder = f"again-{len(word)}"
        train(folder, "--resume-from", "run/step-8", *word.split())
        found = open_run(Path(folder))
        assert (found.config.max_iters, found.config.lr_decay_iters) == (8, 6)
        assert found.totals.tokens_seen == 16 * 8 * 16


def test_what_cannot_be_kept_or_resumed_from_is_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    train("run", *TINY, "--max_iters", "4", "--keep-checkpoints", "2")
    train("from", "--resume-from", "run/step-2")
    Path("half").mkdir()
    Path("from/manifest.json").unlink()  # unfinished again
    Path("from/checkpoint-3").mkdir()
    for name in ("model.safetensors", "optimizer.safetensors", "state.json"):
        (Path("from") / name).rename(Path("from/checkpoint-3") / name)
    capsys.readouterr()

    for words, message in (
        (
            ["--keep-checkpoints", "soon"],
            "--keep-checkpoints must be all, or steps such as",
        ),
        (
            ["--keep-checkpoints", "4", "--max_iters", "4"],
            "--keep-checkpoints must be steps below 4",
        ),
        (
            ["--resume-from", "half"],
            "half has no state.json; --resume-from takes",
        ),
        (["--resume-from", "from"], "from is an unfinished run; name its last checkpoint, from/c"),
        (["--resume-from", "run", "--resume"], "--resume-from excludes --resume and --init-from"),
        (
            ["-o", "run", "--resume"],
            "run is finished; to train on, name it with",
        ),
        (
            ["--resume-from", "run/step-2", "--seed", "3"],
            "step-2 was trained with seed 0, not 3",
        ),
    ):
        assert run(["train", "bins", "-o", "new-run", *words, "--device", "cpu"]) == 2
        assert message in capsys.readouterr().err


def test_steps_are_read() -> None:
    assert (
        make_retention("10, 20") == make_retention([10, 20]) == Retention(steps=frozenset({10, 20}))
    )
    with pytest.raises(UsageError, match="must be steps below 10"):
        Retention(steps=frozenset({3, 10})).refuse_beyond(10)


@pytest.mark.parametrize(
    ("keep", "step", "interval", "told"),
    [
        (
            Retention(steps=frozenset({3, 5, 9})),
            5,
            0,
            "checkpoints after step 3 are not kept: the run resumes at step 5",
        ),
        (Retention(steps=frozenset({5, 9})), 5, 0, ""),
        (Retention(every=True), 0, 10, "no checkpoint is kept: none is saved before the run ends"),
        (Retention(every=True), 0, 0, "no checkpoint is kept: none is saved before the run ends"),
        (Retention(every=True), 0, 9, ""),
        (Retention(), 5, 0, ""),
    ],
)
def test_what_will_not_be_kept_is_reported(
    keep: Retention, step: int, interval: int, told: str
) -> None:
    found = keep.describe_missed(step, 10, interval, {5})

    assert told in found
    assert bool(told) == bool(found)


def test_a_run_says_what_it_will_not_keep() -> None:
    words = ["train", "bins", "-o", "run", *TINY, "--max_iters", "3", "--keep-checkpoints", "all"]

    assert "none is saved before the run ends" in CliRunner().invoke(commands, words).stderr
