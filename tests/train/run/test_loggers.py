"""wandb, tensorboard and trackio: where they are there for real, and where they are not."""

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
import torch
from click.testing import CliRunner

from assay.cli import commands
from assay.errors import UsageError
from assay.formats.bins import Bins
from assay.formats.config_checks import make_config
from assay.formats.train_config import Intervals, TrainConfig
from assay.train.run.metrics import open_loggers
from tests.support.bins_fixture import draw_documents, make_bins
from tests.support.runs import train

TINY = {"n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": 16, "batch_size": 4}
INTERVALS = Intervals(log=1, evaluate=0, checkpoint=0)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def bins(tmp_path: Path) -> Bins:
    return make_bins(tmp_path / "bins", draw_documents(0, 40), draw_documents(1, 10))


def settings() -> TrainConfig:
    return make_config({**TINY, "max_iters": 3, "device": "cpu"})


class FakeTracker(ModuleType):
    """What wandb and trackio have in common."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.calls: list[Any] = []

    def init(self, **words: Any) -> None:
        print("trackers print as they like")
        self.calls.append(words)

    def log(self, line: dict[str, float], step: int) -> None:
        self.calls.append((step, line))

    def finish(self) -> None:
        self.calls.append("finish")


@pytest.mark.parametrize("name", ["wandb", "trackio"])
def test_a_logger_gets_every_line_and_scalars_alone(
    tmp_path: Path, bins: Bins, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = FakeTracker(name)
    monkeypatch.setitem(sys.modules, name, module)
    loggers = open_loggers([name], tmp_path / "run", {"seed": 0})

    run = train(bins, tmp_path / "run", config=settings(), intervals=INTERVALS, loggers=loggers)

    assert module.calls[0]["config"] == {"seed": 0}
    assert module.calls[-1] == "finish"
    lines = [
        (
            line.step,
            {
                key: value
                for key, value in msgspec.to_builtins(line).items()
                if key != "step" and value is not None
            },
        )
        for line in run.read_metrics()
    ]
    assert module.calls[1:-1] == lines
    assert all(isinstance(value, int | float) for _, line in lines for value in line.values())


@pytest.mark.parametrize("name", ["wandb", "tensorboard", "trackio"])
def test_a_logger_that_is_not_installed_is_refused_with_its_extra(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (name, "torch.utils.tensorboard"):
        monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(UsageError, match=rf"pip install 'assay\[{name}\]'"):
        open_loggers([name], tmp_path, {})
    with pytest.raises(
        UsageError, match="log_to must be some of wandb, tensorboard, trackio, got 'mlflow'"
    ):
        open_loggers(["mlflow"], tmp_path, {})


def test_a_logger_that_began_is_closed_where_the_next_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = FakeTracker("wandb")
    monkeypatch.setitem(sys.modules, "wandb", module)
    monkeypatch.setitem(sys.modules, "trackio", None)

    with pytest.raises(UsageError, match="trackio"):
        open_loggers(["wandb", "trackio"], tmp_path / "run", {})

    assert module.calls[-1] == "finish"


def test_what_a_logger_prints_is_not_the_result(
    tmp_path: Path, bins: Bins, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "trackio", FakeTracker("trackio"))
    words = [f"--{name}={value}" for name, value in TINY.items()]
    words += ["-o", str(tmp_path / "run"), "--max_iters", "1", "--log-to", "trackio"]

    done = CliRunner().invoke(commands, ["train", str(bins.folder), *words, "--device", "cpu"])

    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("held-out loss")
    assert "trackers print as they like" in done.stderr


def test_a_logger_that_cannot_begin_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**words: Any) -> None:
        raise RuntimeError("No API key configured.\nUse `wandb login`.")

    module = FakeTracker("wandb")
    module.init = fail  # type: ignore[method-assign]
    monkeypatch.setitem(sys.modules, "wandb", module)

    with pytest.raises(UsageError) as caught:
        open_loggers(["wandb"], tmp_path / "run", {})
    assert str(caught.value) == (
        "logging to wandb could not begin: No API key configured; WANDB_MODE=offline needs no login"
    )


def test_tensorboard_itself_gets_the_losses(tmp_path: Path, bins: Bins) -> None:
    accumulators = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="extra tensorboard"
    )
    loggers = open_loggers(["tensorboard"], tmp_path / "run", {})

    run = train(bins, tmp_path / "run", config=settings(), intervals=INTERVALS, loggers=loggers)

    read = accumulators.EventAccumulator(str(tmp_path / "tensorboard" / "run"))
    read.Reload()
    assert [(each.step, each.value) for each in read.Scalars("loss")] == [
        (line.step, pytest.approx(line.loss)) for line in run.read_metrics()
    ]


def test_wandb_itself_takes_a_run_offline(tmp_path: Path, bins: Bins) -> None:
    pytest.importorskip("wandb", reason="extra wandb")
    words = [f"--{name}={value}" for name, value in TINY.items()]
    words += ["-o", str(tmp_path / "run"), "--max_iters", "2", "--log-to", "wandb", "--json"]

    done = subprocess.run(
        [sys.executable, "-m", "assay", "train", str(bins.folder), *words, "--device", "cpu"],
        env={**os.environ, "WANDB_MODE": "offline", "OMP_NUM_THREADS": "1"},
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("{")
    assert done.stdout.count("\n") == 1
    assert [*(tmp_path / "wandb").glob("offline-run-*/run-*.wandb")]
