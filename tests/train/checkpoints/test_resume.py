"""Runs that go on: after a kill at any moment, at another batch size, with a new schedule."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from click.testing import CliRunner

from assay.cli import commands
from assay.errors import UsageError
from assay.formats.bins import Bins
from assay.formats.config_checks import make_config
from assay.formats.run import open_run
from assay.formats.train_config import Intervals, TrainConfig
from tests.support.bins_fixture import draw_documents, make_bins
from tests.support.runs import train

SETTINGS: dict[str, Any] = {
    **{"n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": 16, "batch_size": 4},
    **{"max_iters": 30, "device": "cpu", "dropout": 0.1},
}
INTERVALS = Intervals(log=1, evaluate=0, checkpoint=10)


class StoppedError(Exception):
    """What a test raises where a user would pull the plug."""


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def bins(tmp_path: Path) -> Bins:
    return make_bins(tmp_path / "bins", draw_documents(0, 40), draw_documents(1, 10))


def settings(**changes: Any) -> TrainConfig:
    return make_config({**SETTINGS, **changes})


def stop_after(bins: Bins, folder: Path, step: int, **changes: Any) -> None:
    def log(line: str) -> None:
        if line.startswith(f"step {step}/"):
            raise StoppedError

    with pytest.raises(StoppedError):
        train(bins, folder, config=settings(**changes), intervals=INTERVALS, log=log)


def lines_of(folder: Path) -> list[tuple[Any, ...]]:
    names = ("step", "loss", "lr", "grad_norm", "tokens_seen", "unique_tokens_seen")
    return [
        tuple(getattr(line, name) for name in names) for line in open_run(folder).read_metrics()
    ]


def test_sigkill_at_random_moments_changes_no_bit(tmp_path: Path, bins: Bins) -> None:
    steps = 420
    words = ["train", str(bins.folder), "--log-interval", "1", "--checkpoint-interval", "11"]
    words += [f"--{name}={value}" for name, value in (SETTINGS | {"max_iters": steps}).items()]
    whole = CliRunner().invoke(commands, [*words, "-o", str(tmp_path / "whole")])
    assert whole.exit_code == 0, whole.output
    seed = random.randrange(1 << 30)
    print(f"killed at moments drawn with seed {seed}")
    draws = random.Random(seed)
    killed = [0]
    for _ in range(2):
        # A step after the last kill's, so that each kill comes while new steps are taken.
        at = draws.randrange(killed[-1] + 12, killed[-1] + 130)
        killed.append(kill_at(tmp_path / "run", [*words, "-o", str(tmp_path / "run")], at))

    again = CliRunner().invoke(commands, [*words, "-o", str(tmp_path / "run"), "--resume"])

    assert again.exit_code == 0, again.output
    print(f"killed after steps {killed[1:]} of {steps}")
    assert "resumes at step" in again.stderr
    assert lines_of(tmp_path / "run") == lines_of(tmp_path / "whole")
    for name in ("model.safetensors", "optimizer.safetensors"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    losses = [open_run(tmp_path / name).read_losses() for name in ("run", "whole")]
    assert losses[0].equals(losses[1])


def kill_at(folder: Path, words: list[str], step: int) -> int:
    """Start the command and kill it, outright, once it wrote that step; return its last line's."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "assay", *words],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    metrics, deadline = folder / "metrics.jsonl", time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if metrics.exists() and metrics.read_bytes().count(b"\n") >= step:
            process.send_signal(signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.005)
    process.kill()
    assert process.wait() == -signal.SIGKILL, "it ended before it could be killed"
    return metrics.read_bytes().count(b"\n")


def test_a_run_is_resumed_at_another_batch_size_with_the_next_window(
    tmp_path: Path, bins: Bins
) -> None:
    stop_after(bins, tmp_path / "run", 12)
    notes: list[str] = []

    run = train(
        bins,
        tmp_path / "run",
        config=settings(batch_size=8, max_iters=15),
        intervals=INTERVALS,
        resume=True,
        log=notes.append,
    )

    lines = run.read_metrics()
    assert [line.step for line in lines] == [*range(1, 21)]
    assert [line.tokens_seen for line in lines[9:]] == [640 + 128 * k for k in range(11)]
    assert any("the schedule continues by tokens" in note for note in notes)
    rates = [settings(batch_size=8, max_iters=15).learning_rate_at(5 + k) for k in range(10)]
    assert [line.lr for line in lines[10:]] == pytest.approx(rates)
    changed = run.manifest.settings["changes"]
    assert changed[0]["changed"] == {"batch_size": [4, 8], "max_iters": [30, 15]}
    assert run.config.batch_size == 8


def test_micro_batches_may_change_without_being_asked(tmp_path: Path, bins: Bins) -> None:
    stop_after(bins, tmp_path / "run", 12, dropout=0.0)
    train(bins, tmp_path / "whole", config=settings(dropout=0.0), intervals=INTERVALS)

    train(bins, tmp_path / "run", config=settings(dropout=0.0, micro_batch=1), intervals=INTERVALS)

    pairs = zip(lines_of(tmp_path / "run"), lines_of(tmp_path / "whole"), strict=True)
    assert all(a == pytest.approx(b, rel=1e-4) for a, b in pairs)


def test_another_learning_rate_begins_a_new_schedule_and_says_so(
    tmp_path: Path, bins: Bins
) -> None:
    stop_after(bins, tmp_path / "run", 12)
    stop_after_words = ["train", str(bins.folder), "-o", str(tmp_path / "run"), "--resume"]
    words = [f"--{name}={value}" for name, value in SETTINGS.items()]

    result = CliRunner().invoke(
        commands,
        [*stop_after_words, *words, "--learning-rate", "1e-3", "--log-interval", "1"],
    )

    assert result.exit_code == 0, result.output
    assert "learning_rate 0.001 (was 0.003); a new schedule begins here" in result.stderr
    assert "over the 20 remaining steps" in result.stderr
    rates = [line.lr for line in open_run(tmp_path / "run").read_metrics()[10:]]
    assert rates[:14] == pytest.approx([1e-3] * 14)  # of 20 steps, 6 cool down, none warm up
    assert rates[-1] == pytest.approx(1e-3 / 6)
    config = msgspec.json.decode((tmp_path / "run" / "manifest.json").read_bytes())["settings"]
    assert config["config"]["learning_rate"] == 1e-3
    assert config["changes"][0]["step"] == 10


def test_a_longer_budget_begins_a_new_schedule_over_what_is_left(
    tmp_path: Path, bins: Bins
) -> None:
    stop_after(bins, tmp_path / "run", 12)

    run = train(
        bins, tmp_path / "run", config=settings(max_iters=50), intervals=INTERVALS, resume=True
    )

    rates = [line.lr for line in run.read_metrics()[10:]]
    assert len(rates) == 40
    assert rates[:28] == pytest.approx([3e-3] * 28)  # the last 12 of 40 cool down
    assert rates[-1] == pytest.approx(3e-3 / 12)


def test_a_new_schedule_survives_a_second_stop(tmp_path: Path, bins: Bins) -> None:
    for folder in ("once", "twice"):
        stop_after(bins, tmp_path / folder, 12)
    low = settings(learning_rate=1e-3)
    train(bins, tmp_path / "once", config=low, intervals=INTERVALS, resume=True)

    def log(line: str) -> None:
        if line.startswith("step 24/"):
            raise StoppedError

    with pytest.raises(StoppedError):
        train(bins, tmp_path / "twice", config=low, intervals=INTERVALS, resume=True, log=log)
    train(bins, tmp_path / "twice", config=low, intervals=INTERVALS)

    assert lines_of(tmp_path / "twice") == lines_of(tmp_path / "once")


def test_another_batch_keeps_a_schedule_that_began_on_the_way(tmp_path: Path, bins: Bins) -> None:
    stop_after(bins, tmp_path / "run", 12)

    def log(line: str) -> None:
        if line.startswith("step 22/"):
            raise StoppedError

    low = settings(learning_rate=1e-3)
    with pytest.raises(StoppedError):
        train(bins, tmp_path / "run", config=low, intervals=INTERVALS, resume=True, log=log)
    wide = settings(learning_rate=1e-3, batch_size=8, max_iters=15)

    run = train(bins, tmp_path / "run", config=wide, intervals=INTERVALS, resume=True)

    lines = run.read_metrics()
    assert lines[-1].tokens_seen == 30 * 4 * 16
    # The leg from step 10 on has 20 steps of 4 windows or 10 of 8; the last 3 of these cool down.
    assert [line.lr for line in lines[20:]] == pytest.approx([1e-3, 1e-3, 1e-3, 2e-3 / 3, 1e-3 / 3])
    assert [sorted(each["changed"]) for each in run.manifest.settings["changes"]] == [
        ["learning_rate"],
        ["batch_size", "max_iters"],
    ]


def test_what_resume_may_change_is_said_and_the_rest_refused(tmp_path: Path, bins: Bins) -> None:
    stop_after(bins, tmp_path / "run", 12)

    with pytest.raises(UsageError, match=r"learning_rate 0\.003, not 0\.1; .* resume to change it"):
        train(bins, tmp_path / "run", config=settings(learning_rate=0.1))
    with pytest.raises(UsageError, match="trained with seed 0, not 1; use the same, or another"):
        train(bins, tmp_path / "run", config=settings(seed=1), resume=True)


@pytest.mark.parametrize("changes", [{"optimizer": "muon"}, {"sampling": "replacement"}])
def test_muon_and_other_orders_are_resumed_to_the_same_bits(
    tmp_path: Path, bins: Bins, changes: dict[str, Any]
) -> None:
    stop_after(bins, tmp_path / "run", 17, **changes)
    train(bins, tmp_path / "whole", config=settings(**changes), intervals=INTERVALS)

    train(bins, tmp_path / "run", config=settings(**changes), intervals=INTERVALS)

    assert lines_of(tmp_path / "run") == lines_of(tmp_path / "whole")
    assert np.isfinite([line[1] for line in lines_of(tmp_path / "run")]).all()
