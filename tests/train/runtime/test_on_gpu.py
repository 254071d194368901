"""What only a CUDA device can show: a run on it beside the same run on the CPU.

Elsewhere they are skipped; `make test-gpu` runs them alone. Tolerances are a tenth, or less, of
what training moves the loss by.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from assay.formats.bins import Bins
from assay.formats.config_checks import make_config
from assay.formats.run import Run
from assay.formats.train_config import Intervals
from assay.train.run.train import train_on
from assay.train.runtime.compiled_model import compile_model
from tests.support.bins_fixture import draw_documents, make_bins

# Compilers warn of what they themselves do.
pytestmark = [pytest.mark.gpu, pytest.mark.filterwarnings("default")]
DEVICE = "cuda"
SHAPE = {"n_layer": 2, "n_head": 2, "n_embd": 32, "block_size": 32, "batch_size": 16}
SHAPE |= {"max_iters": 40, "learning_rate": 3e-3, "warmup_iters": 5}
ON_CPU = {"device": "cpu", "compile": False, "dtype": "float32"}


@pytest.fixture(scope="module")
def bins(tmp_path_factory: pytest.TempPathFactory) -> Bins:
    folder = tmp_path_factory.mktemp("bins") / "bins"
    return make_bins(folder, draw_documents(0, 200), draw_documents(1, 30))


def train(bins: Bins, output: Path, **changes: Any) -> Run:
    settings = SHAPE | {"device": DEVICE, "compile": True} | changes
    intervals = Intervals(log=1, evaluate=0, checkpoint=0)
    return train_on(bins, output, intervals=intervals, **settings)


def read_nats(run: Run) -> np.ndarray:
    """Nats a token of each held-out document."""
    losses = run.read_losses()
    return (losses["nats"] / losses["tokens"]).to_numpy()


@pytest.fixture(scope="module")
def on_cpu(bins: Bins, tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """What each document costs after training on the CPU, which taught the model something."""
    run = train(bins, tmp_path_factory.mktemp("cpu") / "run", **ON_CPU)
    losses_nats = [line.loss for line in run.read_metrics() if line.loss is not None]
    assert losses_nats[0] - run.loss_nats > 0.5
    return read_nats(run)


def test_a_compiled_model_computes_what_the_plain_one_does_on_the_cpu() -> None:
    losses_nats, gradients = [], []
    for settings in ({"device": DEVICE, "compile": True, "dtype": "float32"}, ON_CPU):
        compiled = compile_model(make_config(SHAPE | {"arch": "nanogpt"} | settings), 64)
        compiled.model.init_weights(seed=3)
        ids_BT = torch.arange(4 * 33).view(4, 33).remainder(61).to(compiled.device)
        with compiled.use_kernels():
            loss = compiled.forward(ids_BT[:, :-1].contiguous(), ids_BT[:, 1:].contiguous())
            loss.backward()
        losses_nats.append(loss.item())
        gradients.append(compiled.model.wte.weight.grad.cpu())

    assert losses_nats[0] == pytest.approx(losses_nats[1], abs=2e-3)  # TF32 has 10 bits
    assert torch.linalg.norm(gradients[0] - gradients[1]) < 0.02 * torch.linalg.norm(gradients[1])


def test_a_compiled_run_in_float32_ends_where_the_one_on_the_cpu_does(
    bins: Bins, on_cpu: np.ndarray, tmp_path: Path
) -> None:
    run = train(bins, tmp_path / "run", dtype="float32")

    assert run.totals.computed[0].dtype == "float32"
    assert np.abs(read_nats(run) - on_cpu).mean() < 0.02


def test_left_to_itself_a_run_takes_half_precision_and_loses_little(
    bins: Bins, on_cpu: np.ndarray, tmp_path: Path
) -> None:
    able = torch.cuda.get_device_properties(DEVICE).major >= 8
    run = train(bins, tmp_path / "run", dtype="auto")

    (computed,) = run.totals.computed
    nats_J = read_nats(run)
    assert computed.dtype == ("bfloat16" if able else "float16")
    assert computed.device == torch.cuda.get_device_name()
    assert not np.array_equal(nats_J, on_cpu)
    assert np.abs(nats_J - on_cpu).mean() < 0.05


def test_a_run_that_is_deterministic_gives_the_same_bits_twice(bins: Bins, tmp_path: Path) -> None:
    runs = [
        train(bins, tmp_path / name, deterministic=True, dropout=0.1, micro_batch=16)
        for name in "ab"
    ]

    weights = [(run.folder / "model.safetensors").read_bytes() for run in runs]
    assert weights[0] == weights[1]
    assert runs[0].read_losses().equals(runs[1].read_losses())


def test_where_memory_is_capped_fewer_windows_are_computed_at_once() -> None:
    """Each choice was tried with a forward and a backward pass, under the cap."""
    shape = {"n_layer": 4, "n_head": 4, "n_embd": 256, "block_size": 512, "batch_size": 256}
    config = make_config({**shape, "device": DEVICE, "compile": False, "head": "plain"})
    compiled = compile_model(config, 50_257)
    total = torch.cuda.get_device_properties(DEVICE).total_memory
    chosen = []
    try:
        for gib in (8, 3):
            torch.cuda.set_per_process_memory_fraction(min(1.0, gib * 2**30 / total))
            chosen.append(compiled.choose_micro_batch(config, 256))
            compiled._chosen.clear()
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)

    assert 1 <= chosen[1] < chosen[0] < 256
    assert all(256 % micro == 0 for micro in chosen)
