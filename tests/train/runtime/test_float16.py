"""Steps that float16's loss scale leaves out: whole ones, and counted."""

import os
import signal
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from assay.cli import run
from assay.errors import Interrupted
from assay.formats.config_checks import make_config
from assay.formats.run import open_run
from assay.formats.train_config import Intervals, TrainConfig
from assay.train.run.step import Stepper
from assay.train.runtime.compiled_model import compile_model
from tests.support.bins_fixture import draw_documents, make_bins
from tests.support.runs import train

INTERVALS = Intervals(1, 0, 500)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every run begin with a loss scale at which its gradients overflow."""
    scaler = torch.amp.GradScaler

    def make(device: str, *, init_scale: float, enabled: bool) -> torch.amp.GradScaler:
        return scaler(device, init_scale=2.0**40, enabled=enabled)

    monkeypatch.setattr(torch.amp, "GradScaler", make)


def settings(**changes: Any) -> TrainConfig:
    base = {"n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": 16, "batch_size": 4}
    return make_config({**base, "max_iters": 40, "device": "cpu", "dtype": "float16", **changes})


@pytest.mark.usefixtures("too_large")
def test_steps_left_out_are_in_metrics_progress_and_totals(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bins = make_bins(here / "bins", draw_documents(0, 40), draw_documents(1, 10))
    said: list[str] = []

    made = train(bins, here / "run", config=settings(), intervals=INTERVALS, log=said.append)

    counted = [line.left_out_steps for line in made.read_metrics()]
    total = counted[-1]
    assert 5 < total < 40
    assert counted[:3] == [1, 2, 3]  # the scale is halved each time, until a step is taken
    assert all(0 <= now - before <= 1 for before, now in pairwise(counted))
    assert made.manifest.totals["left_out_steps"] == total
    assert made.manifest.totals["steps"] == 40
    steps = [line for line in said if line.startswith("step ")]
    assert steps[0].endswith(" left, 1 step left out (float16 overflow)")
    assert steps[-1].endswith(f" left, {total} steps left out (float16 overflow)")
    words = ["n_layer=1", "n_head=2", "n_embd=16", "block_size=16", "batch_size=4", "max_iters=40"]
    command = [f"--{word}" for word in [*words, "device=cpu", "dtype=float16"]]
    assert run(["train", "bins", "-o", "again", *command]) == 0
    assert f"steps left out      {total} of 40: float16\n" in capsys.readouterr().out


@pytest.mark.usefixtures("too_large")
def test_the_count_is_kept_where_a_run_is_resumed(tmp_path: Path) -> None:
    bins = make_bins(tmp_path / "bins", draw_documents(0, 40), draw_documents(1, 10))
    whole = train(bins, tmp_path / "whole", config=settings(), intervals=INTERVALS)

    def log(line: str) -> None:
        if line.startswith("step 5/"):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted):
        train(bins, tmp_path / "run", config=settings(), intervals=INTERVALS, log=log)
    made = train(bins, tmp_path / "run", config=settings(), intervals=INTERVALS)

    columns = [
        [(line.left_out_steps, line.loss) for line in each.read_metrics()] for each in (whole, made)
    ]
    assert columns[0] == columns[1]
    assert made.manifest.totals == whole.manifest.totals


def test_an_overflow_in_one_part_of_the_optimizer_leaves_the_whole_step_out() -> None:
    config = settings(optimizer="muon")
    ids_BT = torch.arange(64).view(4, 16) % 60
    stepper = Stepper(compile_model(config, 64), config, lambda *_: (ids_BT, ids_BT))
    model = stepper.compiled.model
    assert len(stepper.optimizer.parts) == 2
    hook = model.wte.weight.register_hook(partial(torch.full_like, fill_value=float("inf")))
    before = [weight.detach().clone() for weight in model.parameters()]

    stepper.take(0, 0, 1e-3)

    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    assert (stepper.left_out, stepper.save_scale()) == (1, (2.0**13, 0))
    hook.remove()
    stepper.take(1, 0, 1e-3)
    assert not any(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    assert (stepper.left_out, stepper.bad_step.item()) == (1, -1)


def test_other_dtypes_have_no_such_count(tmp_path: Path) -> None:
    bins = make_bins(tmp_path / "bins", draw_documents(0, 40), draw_documents(1, 10))

    made = train(bins, tmp_path / "run", config=settings(dtype="float32", max_iters=2))

    assert "left_out_steps" not in made.manifest.totals
    assert all(line.left_out_steps is None for line in made.read_metrics())
    assert open_run(made.folder).manifest == made.manifest
