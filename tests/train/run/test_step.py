"""A step: the same however it is cut up, in whatever precision, and how it stops."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from assay.errors import UsageError
from assay.formats.bins import Bins
from assay.formats.config_checks import make_config
from assay.formats.run import open_run
from assay.formats.train_config import Intervals, TrainConfig
from assay.train.run.divergence import DivergedError, find_window_documents
from assay.train.run.step import Stepper
from assay.train.runtime.compiled_model import compile_model
from assay.train.runtime.distributed import ProcessGroup
from tests.support.bins_fixture import draw_documents, make_bins
from tests.support.runs import train

SETTINGS: dict[str, Any] = {
    **{"n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": 16, "batch_size": 4},
    **{"gradient_accumulation_steps": 3, "max_iters": 12, "device": "cpu"},
}
INTERVALS = Intervals(log=1, evaluate=0, checkpoint=0)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def bins(tmp_path: Path) -> Bins:
    return make_bins(tmp_path / "bins", draw_documents(0, 40), draw_documents(1, 10))


def settings(**changes: Any) -> TrainConfig:
    return make_config({**SETTINGS, **changes})


def losses(folder: Path) -> list[float]:
    return [line.loss or 0.0 for line in open_run(folder).read_metrics()]


def test_a_step_is_the_same_however_many_windows_are_computed_at_once(
    tmp_path: Path, bins: Bins
) -> None:
    for micro in (1, 3, 12):
        train(bins, tmp_path / str(micro), config=settings(micro_batch=micro), intervals=INTERVALS)

    for other in ("3", "12"):
        assert losses(tmp_path / other) == pytest.approx(losses(tmp_path / "1"), rel=1e-5)


def test_all_runs_of_a_comparison_share_one_compilation(tmp_path: Path, bins: Bins) -> None:
    graphs: list[Any] = []

    def keep(graph: Any, inputs: Any) -> Any:
        graphs.append(graph)
        return graph.forward

    config = settings(compile=True, max_iters=3)
    compiled = compile_model(config, bins.vocab_size, backend=keep)
    for seed in (1, 2, 3):
        other = settings(compile=True, max_iters=3, seed=seed, learning_rate=1e-3 * seed)
        train(bins, tmp_path / str(seed), config=other, intervals=INTERVALS, compiled=compiled)

    assert len(graphs) == 1


def test_nothing_in_a_step_reads_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    config = settings(optimizer="muon", dropout=0.1)
    stepper = Stepper(compile_model(config, 64), config, fetch_zeros)

    def refuse(*_: object) -> None:
        raise AssertionError("a step waited for the device")

    for name in ("item", "cpu", "tolist", "__bool__", "__float__", "numpy"):
        monkeypatch.setattr(torch.Tensor, name, refuse)
    for step in range(3):
        stepper.take(step, 12 * step, 1e-3)
    monkeypatch.undo()

    assert stepper.loss.item() > 0


def fetch_zeros(first: int, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    ids = torch.zeros(count, 16, dtype=torch.int64)
    return ids, ids + 1


def test_two_processes_have_the_losses_of_one(tmp_path: Path, bins: Bins) -> None:
    train(bins, tmp_path / "one", config=settings(), intervals=INTERVALS)
    words = [f"--{name}={value}" for name, value in SETTINGS.items()]
    words += ["-o", str(tmp_path / "two"), "--log-interval", "1", "--json"]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]

    done = subprocess.run(
        [*launcher, "--nproc-per-node", "2", "-m", "assay", "train", str(bins.folder), *words],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-2000:]
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=1e-5)
    assert json.loads(done.stdout) == open_run(tmp_path / "two").manifest.totals
    one, two = open_run(tmp_path / "one"), open_run(tmp_path / "two")
    assert two.loss_nats == pytest.approx(one.loss_nats, rel=1e-5)


def test_processes_that_cannot_share_a_step_evenly_are_refused() -> None:
    config = settings(batch_size=3, gradient_accumulation_steps=1)

    with pytest.raises(UsageError, match="2 processes cannot share the 3 windows of a step evenly"):
        Stepper(compile_model(config, 64), config, fetch_zeros, ProcessGroup(0, 2))


def test_float16_learns_with_a_loss_scale_and_is_resumed_after_a_stop(
    tmp_path: Path, bins: Bins
) -> None:
    config = settings(dtype="float16", max_iters=60)

    def log(line: str) -> None:
        if line.startswith("step 33/"):
            raise KeyboardInterrupt

    train(bins, tmp_path / "whole", config=config, intervals=INTERVALS)
    with pytest.raises(KeyboardInterrupt):
        train(bins, tmp_path / "run", config=config, intervals=Intervals(1, 0, 20), log=log)
    train(bins, tmp_path / "run", config=config, intervals=INTERVALS)

    assert losses(tmp_path / "run") == losses(tmp_path / "whole")
    assert losses(tmp_path / "run")[-1] < losses(tmp_path / "run")[0] - 0.5


def test_a_loss_scale_that_is_too_large_is_halved_and_its_step_left_out() -> None:
    config = settings(dtype="float16")
    stepper = Stepper(compile_model(config, 64), config, fetch_zeros)
    stepper.restore_scale((2.0**40, 0))
    before = [weight.detach().clone() for weight in stepper.compiled.model.parameters()]

    stepper.take(0, 0, 1e-3)

    after = list(stepper.compiled.model.parameters())
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert stepper.save_scale() == (2.0**39, 0)
    assert stepper.bad_step.item() == -1


def test_divergence_names_the_step_and_the_documents_of_its_windows(
    tmp_path: Path, bins: Bins
) -> None:
    config = settings(learning_rate=1e38, grad_clip=0, warmup_iters=0, block_size=8, batch_size=1)

    with pytest.raises(DivergedError) as caught:
        train(bins, tmp_path / "run", config=config, intervals=Intervals(log=5))

    assert "is not a finite number at step 2; its 3 windows, the first at id" in str(caught.value)
    assert "hold documents (shard:row) 0:" in str(caught.value)


def test_documents_of_windows_are_those_that_own_an_id_of_them(tmp_path: Path) -> None:
    lengths = [3, 10, 1, 0, 25, 7, 4]
    bins = make_bins(tmp_path / "bins", [[1] * length for length in lengths])
    owner = np.repeat(np.arange(7), np.array(lengths) + 1)

    for start in range(owner.size):
        held = {int(owner[(start + k) % owner.size]) for k in range(6)}
        position_BT = (start + np.arange(6)[None]) % owner.size
        found = find_window_documents(bins, position_BT)
        assert set(found["row"].to_list()) == held
