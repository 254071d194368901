"""Parity with nanoGPT: its formulae step by step, and its checkpoint file."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import Tensor

from assay.cli import commands
from assay.errors import InputError, UsageError
from assay.formats.bins import Bins
from assay.formats.config_checks import make_config
from assay.formats.run import open_run
from assay.formats.train_config import Intervals, TrainConfig
from assay.storage.fingerprint import hash_file
from assay.train.checkpoints.initial_weights import read_initial_weights
from assay.train.checkpoints.nanogpt_checkpoint import read_nanogpt, write_nanogpt
from assay.train.data.window_order import EpochOrder
from assay.train.model.gpt import GPT
from assay.train.model.optimizer import make_optimizer
from tests.support.bins_fixture import VOCAB_SIZE, draw_documents, make_bins
from tests.support.runs import train
from tests.twins.diagnose import cosine_rate
from tests.twins.gpt import adamw_step, gpt2_loss

SETTINGS: dict[str, Any] = {
    **{"arch": "nanogpt", "n_layer": 2, "n_head": 2, "n_embd": 32, "block_size": 24},
    **{"batch_size": 4, "gradient_accumulation_steps": 2, "max_iters": 50, "device": "cpu"},
    **{"schedule": "cosine", "learning_rate": 3e-3, "min_lr": 3e-4, "warmup_iters": 5},
    **{"dtype": "float32", "grad_clip": 0.7, "seed": 11},
}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def bins(tmp_path: Path) -> Bins:
    return make_bins(tmp_path / "bins", draw_documents(0, 60), draw_documents(1, 10))


def draw_nanogpt(seed: int, vocabulary: int = 128) -> dict[str, Tensor]:
    """Weights of a nanoGPT under its own names, as `raw_model.state_dict()` has them."""
    generator = torch.Generator().manual_seed(seed)
    width, shapes = 32, {"wte": (vocabulary, 32), "wpe": (24, 32), "ln_f": (32,)}
    for layer in range(2):
        shapes |= {
            f"h.{layer}.ln_1": (width,),
            f"h.{layer}.attn.c_attn": (3 * width, width),
            f"h.{layer}.attn.c_proj": (width, width),
            f"h.{layer}.ln_2": (width,),
            f"h.{layer}.mlp.c_fc": (4 * width, width),
            f"h.{layer}.mlp.c_proj": (width, 4 * width),
        }
    state = {
        f"transformer.{name}.weight": 0.1 * torch.randn(shape, generator=generator)
        + float(len(shape) == 1)
        for name, shape in shapes.items()
    }
    return state | {"lm_head.weight": state["transformer.wte.weight"]}


def make_checkpoint(state: dict[str, Tensor], **changes: Any) -> dict[str, Any]:
    shape = {"n_layer": 2, "n_head": 2, "n_embd": 32, "block_size": 24, "bias": False}
    return {
        "model": state,
        "optimizer": None,
        "model_args": {**shape, "vocab_size": 128, "dropout": 0.0},
        "iter_num": 7,
        "best_val_loss": torch.tensor(3.5),
        "config": {"learning_rate": 1e-3, "out_dir": "out", "device": "cuda", "decay_lr": True},
        **changes,
    }


def train_by_formula(config: TrainConfig, bins: Bins) -> tuple[list[float], dict[str, Tensor]]:
    """Train as nanoGPT's formulae say, from the run's first weights, on the run's windows."""
    model = GPT(config, VOCAB_SIZE, torch.float32)
    model.init_weights(config.seed)
    path = bins.folder.parent / "first.pt"
    write_nanogpt(path, model)
    state = torch.load(path, weights_only=True)["model"]
    state["lm_head.weight"] = state["transformer.wte.weight"]
    weights = {name: each for name, each in state.items() if name != "lm_head.weight"}
    ids = np.asarray(bins.map_ids("train")).astype(np.int64)
    order, moments, losses = EpochOrder(config.seed, ids.size, config.block_size), {}, []
    windows = config.batch_size * config.gradient_accumulation_steps
    for step in range(config.max_iters):
        start = order.starts(step * windows, windows)
        index = (start[:, None] + np.arange(config.block_size + 1)) % ids.size
        window = torch.from_numpy(ids[index])
        for weight in weights.values():
            weight.requires_grad_(True)
        loss = gpt2_loss(state, config.n_head, window[:, :-1], window[:, 1:])
        grads = torch.autograd.grad(loss, list(weights.values()))
        losses.append(loss.item())
        rate = cosine_rate(step, config.learning_rate, config.min_lr, 5, config.max_iters)
        with torch.no_grad():
            adamw_step(
                {name: weight.detach() for name, weight in weights.items()},
                dict(zip(weights, grads, strict=True)),
                moments,
                step=step + 1,
                rate=rate,
                betas=(config.beta1, config.beta2),
                decay=config.weight_decay,
                clip=config.grad_clip,
            )
    return losses, {name: weight.detach() for name, weight in state.items()}


def test_fifty_steps_have_the_losses_of_nanogpts_formulae(tmp_path: Path, bins: Bins) -> None:
    config = make_config(SETTINGS)
    expected, _ = train_by_formula(config, bins)

    run = train(bins, tmp_path / "run", config=config, intervals=Intervals(log=1, evaluate=0))

    found = [line.loss for line in run.read_metrics()]
    assert len(found) == 50
    worst = max(abs(a - b) for a, b in zip(found, expected, strict=True))
    print(f"largest difference over 50 steps: {worst:.1e} nats; {found[0]:.3f} to {found[-1]:.3f}")
    assert worst < 1e-4
    assert found[-1] < found[0] - 0.5


def test_a_checkpoint_of_nanogpts_gives_the_loss_of_its_formulae(tmp_path: Path) -> None:
    state = draw_nanogpt(0)
    torch.save(make_checkpoint(state), tmp_path / "ckpt.pt")
    ids = torch.randint(0, 128, (3, 24), generator=torch.Generator().manual_seed(1))

    found = read_nanogpt(tmp_path / "ckpt.pt")

    model = found.make_model().eval()
    expected = gpt2_loss(state, 2, ids, ids.flip(0))
    assert model(ids, ids.flip(0)).item() == pytest.approx(expected.item(), abs=1e-5)
    assert (found.step, found.vocab_size) == (7, 128)
    assert found.settings["learning_rate"] == 1e-3
    assert "device" not in found.settings


@pytest.mark.parametrize("prefix", ["", "_orig_mod.", "module."])
def test_a_checkpoint_round_trips_to_the_same_dictionary(tmp_path: Path, prefix: str) -> None:
    state = draw_nanogpt(0)
    saved = make_checkpoint({prefix + name: each for name, each in state.items()})
    torch.save(saved, tmp_path / "ckpt.pt")
    found = read_nanogpt(tmp_path / "ckpt.pt")

    write_nanogpt(tmp_path / "again.pt", found.make_model(), step=found.step, loss_nats=3.5)

    again = torch.load(tmp_path / "again.pt", weights_only=True)
    assert set(again) == set(saved)
    assert set(again["model"]) == set(state)
    assert all(torch.equal(again["model"][name], state[name]) for name in state)
    assert again["model_args"] == saved["model_args"]
    assert (again["iter_num"], again["best_val_loss"].item()) == (7, 3.5)


def test_the_optimizer_goes_along_in_nanogpts_order(tmp_path: Path) -> None:
    config = make_config(SETTINGS)
    model = GPT(config, VOCAB_SIZE, torch.float32)
    model.init_weights(0)
    optimizer = make_optimizer(model, config).adamw
    ids = torch.zeros(1, 24, dtype=torch.int64)
    model(ids, ids).backward()
    optimizer.step()

    write_nanogpt(tmp_path / "ckpt.pt", model, optimizer, step=1)

    saved = torch.load(tmp_path / "ckpt.pt", weights_only=True)
    groups = saved["optimizer"]["param_groups"]
    names = [name for name in saved["model"] if name != "lm_head.weight"]
    matrices = [name for name in names if saved["model"][name].dim() >= 2]
    vectors = [name for name in names if saved["model"][name].dim() < 2]
    assert [len(group["params"]) for group in groups] == [len(matrices), len(vectors)]
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0]
    for place, name in enumerate(matrices + vectors):
        assert saved["optimizer"]["state"][place]["exp_avg"].shape == saved["model"][name].shape


class Payload:
    """What an attacker would put into a pickle."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("owned",)


def test_a_checkpoint_that_would_run_code_is_refused(here: Path) -> None:
    torch.save(make_checkpoint({}, config=Payload()), "evil.pt")

    with pytest.raises(InputError, match="cannot be read as tensors and literals alone") as caught:
        read_nanogpt(Path("evil.pt"))
    assert "it asks for posix.mkdir" in str(caught.value)
    assert "weights_only" not in str(caught.value)  # torch's advice is to unpickle all the same
    assert not (here / "owned").exists()


@pytest.mark.parametrize(
    "data", [b".", b"\x80\x02", b"\x80\x02J\x01", b"PK\x03\x04", b"1", b"\x85."]
)
def test_broken_bytes_are_one_line(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "ckpt.pt").write_bytes(data)

    with pytest.raises(InputError, match="cannot be read as tensors and literals alone"):
        read_nanogpt(tmp_path / "ckpt.pt")


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ckpt.pt"
    with pytest.raises(UsageError, match="no checkpoint at"):
        read_nanogpt(path)
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(InputError, match="cannot be read"):
        read_nanogpt(path)
    torch.save({"model": {}}, path)
    with pytest.raises(InputError, match="needs 'model' and 'model_args'"):
        read_nanogpt(path)
    torch.save(make_checkpoint(draw_nanogpt(0, vocabulary=64)), path)
    with pytest.raises(InputError, match=r"wte\.weight has shape \(64, 32\), model_args need"):
        read_nanogpt(path)


def test_a_run_begins_with_a_checkpoints_weights_and_shape(tmp_path: Path, bins: Bins) -> None:
    torch.save(make_checkpoint(draw_nanogpt(0)), tmp_path / "ckpt.pt")
    words = ["train", str(bins.folder), "-o", str(tmp_path / "run"), "--device", "cpu"]
    words += ["--init-from", str(tmp_path / "ckpt.pt"), "--max_iters", "1", "--batch_size", "4"]

    result = CliRunner().invoke(commands, words)

    assert result.exit_code == 0, result.output
    run = open_run(tmp_path / "run")
    assert (run.config.arch, run.config.n_layer, run.config.block_size) == ("nanogpt", 2, 24)
    window = EpochOrder(0, bins.map_ids("train").size, 24).starts(0, 4)[:, None] + np.arange(25)
    ids = torch.from_numpy(bins.map_ids("train")[window % bins.map_ids("train").size].astype(int))
    expected = gpt2_loss(draw_nanogpt(0), 2, ids[:, :-1], ids[:, 1:]).item()
    assert run.read_metrics()[0].loss == pytest.approx(expected, abs=1e-5)
    assert run.manifest.parents["init"] == hash_file(tmp_path / "ckpt.pt")


def test_a_checkpoint_of_another_shape_is_refused(tmp_path: Path, bins: Bins) -> None:
    torch.save(make_checkpoint(draw_nanogpt(0)), tmp_path / "ckpt.pt")
    start = read_initial_weights(tmp_path / "ckpt.pt")

    with pytest.raises(UsageError, match=r"wte\.weight has shape \(128, 32\), the run needs"):
        train(bins, tmp_path / "run", config=make_config({**SETTINGS, "n_embd": 64}), initial=start)


def test_the_modern_model_is_not_written_for_nanogpt(tmp_path: Path) -> None:
    model = GPT(make_config({"n_embd": 32, "n_head": 2}), 64, torch.float32)

    with pytest.raises(UsageError, match="arch must be nanogpt, got modern"):
        write_nanogpt(tmp_path / "ckpt.pt", model)
