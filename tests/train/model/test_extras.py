"""What arch modern may have beyond itself: softcap, value embeddings, residual scalars."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from functorch.compile import make_boxed_func
from torch import Tensor
from torch._dynamo.backends.common import aot_autograd

from assay.errors import UsageError
from assay.formats.bins import Bins
from assay.formats.config_checks import make_config
from assay.formats.run import open_run
from assay.formats.train_config import EXTRAS, Intervals, TrainConfig, list_extras, record_config
from assay.train.checkpoints.checkpoint import load_checkpoint, read_state
from assay.train.checkpoints.initial_weights import read_initial_weights
from assay.train.checkpoints.load_model import load_model
from assay.train.checkpoints.nanogpt_checkpoint import write_nanogpt
from assay.train.model.gpt import GPT
from assay.train.model.optimizer import make_optimizer
from assay.train.probe.branch_point import read_branch_point
from assay.train.run.evaluate import load_held_out, score_documents
from assay.train.runtime.compiled_model import compile_model
from assay.train.settings.retention import Retention
from tests.support.bins_fixture import draw_documents, make_bins
from tests.support.runs import train
from tests.twins.gpt import modern_loss

TINY: dict[str, Any] = {"n_layer": 3, "n_head": 2, "n_embd": 16, "block_size": 8, "device": "cpu"}
ALL: dict[str, Any] = {"softcap": 2.0, "value_embeds": True, "residual_scalars": True}
EACH = [{}, *({name: value} for name, value in ALL.items()), ALL]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def draw(config: TrainConfig, seed: int = 3) -> GPT:
    """A model in which nothing is 0."""
    model = GPT(config, 64, torch.float64).double()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(0.5 * torch.randn(weight.shape, generator=generator))
    return model


@pytest.mark.parametrize("extras", EACH, ids=lambda each: "+".join(each) or "none")
def test_modern_is_its_slow_twin_and_so_are_its_gradients(extras: dict[str, Any]) -> None:
    config = make_config({**TINY, **extras})
    model = draw(config)
    ids = torch.randint(0, 64, (3, 8), generator=torch.Generator().manual_seed(0))
    twin = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    for weight in twin.values():
        weight.requires_grad_()

    loss = model(ids, ids.flip(0))
    expected = modern_loss(twin, 2, ids, ids.flip(0), config.softcap)
    loss.backward()
    expected.backward()

    # The chunked loss adds up in float32; the cosines of RoPE are float32.
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    assert model.score(ids, ids.flip(0)).mean().item() == pytest.approx(loss.item(), rel=1e-5)
    for name, weight in model.named_parameters():
        assert weight.grad is not None
        assert torch.allclose(weight.grad, twin[name].grad, rtol=1e-4, atol=1e-6), name
        assert weight.grad.abs().max() > 1e-6, name


# torch warns of what its own tracer does.
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
@pytest.mark.parametrize("head", ["plain", "fused", "chunked"])
def test_each_head_compiles_once_with_all_of_them(head: str) -> None:
    config = make_config({**TINY, **ALL, "compile": True, "head": head})
    made: list[Any] = []

    def keep(graph: Any, inputs: Any) -> Any:
        made.append(graph)
        return make_boxed_func(graph.forward)

    compiled = compile_model(config, 100, backend=aot_autograd(fw_compiler=keep))
    plain = GPT(config, 100, torch.float32)
    ids = torch.arange(16).view(2, 8)
    for seed in (1, 2):
        compiled.model.init_weights(seed)
        plain.init_weights(seed)
        loss, expected = compiled.forward(ids, ids + 1), plain(ids, ids + 1)
        loss.backward()
        expected.backward()

        assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
        pairs = zip(compiled.model.parameters(), plain.parameters(), strict=True)
        assert all(torch.allclose(a.grad, b.grad, atol=1e-6) for a, b in pairs)
        compiled.model.zero_grad()
        plain.zero_grad()
    assert len(made) == 2


def test_a_seed_draws_the_other_weights_as_without_them() -> None:
    plain, rich = (GPT(make_config({**TINY, **more}), 64, torch.float32) for more in ({}, ALL))
    plain.init_weights(4)
    rich.init_weights(4)

    drawn = dict(rich.named_parameters())
    assert all(torch.equal(w, drawn.pop(name)) for name, w in plain.named_parameters())
    assert sorted(drawn) == [
        *("first_scalars", "h.0.attn.value_gate.weight", "h.2.attn.value_gate.weight"),
        *("stream_scalars", "value_embeds.0.weight", "value_embeds.2.weight"),
    ]
    assert drawn["stream_scalars"].tolist() == pytest.approx([1.15, 1.1, 1.05])
    assert drawn["first_scalars"].tolist() == pytest.approx([0.2, 0.125, 0.05])
    assert drawn["value_embeds.2.weight"].std().item() == pytest.approx(16**-0.5, rel=0.1)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_activations_keep_their_dtype(dtype: str) -> None:
    compiled = compile_model(make_config({**TINY, **ALL, "dtype": dtype}), 64)
    compiled.model.init_weights(0)
    ids = torch.zeros(1, 4, dtype=torch.int64)

    assert compiled.model.hidden(ids).dtype == getattr(torch, dtype)
    assert torch.isfinite(compiled.forward(ids, ids))
    assert {weight.dtype for weight in compiled.model.parameters()} == {torch.float32}


def test_each_of_them_moves_at_its_own_rate_and_does_not_decay() -> None:
    rates = {"learning_rate": 0.01, "matrix_lr": 0.02, "value_lr": 0.03, "scalar_lr": 0.2}
    config = make_config({**TINY, **ALL, **rates, "optimizer": "muon", "momentum": 0.9})
    model = GPT(config, 64, torch.float32)
    optimizer = make_optimizer(model, config)
    names = {id(weight): name for name, weight in model.named_parameters()}

    optimizer.set_learning_rate(0.005)  # half of the peak

    groups = [group for part in optimizer.parts for group in part.param_groups]
    found = {
        names[id(weight)]: (group["lr"], group["weight_decay"])
        for group in groups
        for weight in group["params"]
    }
    assert set(found) == set(names.values())
    for name, (rate, decay) in found.items():
        expected = {
            "wte": (0.005, 0.1),
            "value_embeds": (0.015, 0.0),
            "first_scalars": (0.1, 0.0),
            "stream_scalars": (0.001, 0.0),
            "h": (0.005 if "value_gate" in name else 0.01, 0.1),
        }[name.split(".")[0]]
        assert (rate, decay) == pytest.approx(expected), name
    assert groups[0]["momentum"] == 0.9


def test_unset_rates_are_the_learning_rate_and_one_half() -> None:
    config = make_config({**TINY, **ALL, "learning_rate": 0.004})
    optimizer = make_optimizer(GPT(config, 64, torch.float32), config)
    optimizer.set_learning_rate(0.004)

    own = [group["lr"] for group in optimizer.adamw.param_groups if "share" in group]
    assert own == pytest.approx([0.004, 0.5, 0.005])
    assert config.scale_rates(0.002) == pytest.approx({"learning_rate": 0.002, "scalar_lr": 0.25})
    assert make_config(TINY).scale_rates(0.1) == {"learning_rate": 0.1}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"arch": "nanogpt", "softcap": 15}, "arch nanogpt is GPT-2's and has no softcap"),
        ({"arch": "nanogpt", **ALL}, "has no softcap, value_embeds, residual_scalars; leave"),
        ({"softcap": -1}, "softcap must be .*, got -1"),
        ({"value_lr": 0.1}, "value_lr is the value embeddings'; set value_embeds to true"),
        ({"scalar_lr": 0.1}, "scalar_lr is the residual scalars'; set residual_scalars to true"),
        ({"momentum": 0.9}, "momentum is Muon's; set optimizer to muon, or leave momentum out"),
        ({"optimizer": "muon", "momentum": 1.0}, "momentum must be .*, got 1.0"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_config(given)


def test_nanogpt_cannot_hold_them_and_the_message_says_what_to_do(tmp_path: Path) -> None:
    model = GPT(make_config({**TINY, "softcap": 15, "value_embeds": True}), 64, torch.float32)

    with pytest.raises(UsageError, match="has no softcap, value_embeds; arch must be nanogpt"):
        write_nanogpt(tmp_path / "ckpt.pt", model)


@pytest.fixture
def bins(tmp_path: Path) -> Bins:
    return make_bins(tmp_path / "bins", draw_documents(0, 60), draw_documents(1, 10))


def weights_of(folder: Path) -> dict[str, Tensor]:
    return load_model(folder, torch.device("cpu")).state_dict()


def test_a_run_with_all_of_them_is_resumed_to_the_same_bits_and_is_read_again(
    bins: Bins, tmp_path: Path
) -> None:
    config = make_config({**TINY, **ALL, "optimizer": "muon", "max_iters": 6, "batch_size": 4})
    keep = Retention(steps=frozenset({3}))
    whole = train(bins, tmp_path / "a", config=config, intervals=Intervals(1, 0, 0), retention=keep)
    middle = tmp_path / "a" / "step-3"
    again = train(
        bins,
        tmp_path / "b",
        config=config,
        intervals=Intervals(1, 0, 0),
        retention=keep,
        resume_from=middle,
    )

    first, second = weights_of(whole.folder), weights_of(again.folder)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert np.array_equal(whole.read_losses()["nats"], again.read_losses()["nats"])
    assert whole.read_losses()["nats"].sum() > 0
    assert {name: read_initial_weights(middle).shape[name] for name in EXTRAS} == ALL
    branch_point = read_branch_point(middle)
    branch = branch_point.make_branch(cooldown=True, steps=5, seed=0)
    assert branch.scalar_lr == pytest.approx(0.5 * branch.learning_rate / config.learning_rate)


def test_what_a_run_without_them_records_is_what_it_was_before_there_were_any(
    bins: Bins, tmp_path: Path
) -> None:
    config = make_config({**TINY, "max_iters": 3, "batch_size": 4})
    run = train(bins, tmp_path / "run", config=config, intervals=Intervals(1, 0, 0))
    path = run.folder / "state.json"

    state = msgspec.json.decode(path.read_bytes())

    later = {*EXTRAS, "value_lr", "scalar_lr", "momentum"}
    before = set(TrainConfig.__struct_fields__) - later
    recorded = (run.manifest.settings["config"], state["config"], state["schedule"])
    assert all(set(each) == before for each in recorded)
    assert read_state(run.folder).config == open_run(run.folder).config == config
    assert not list_extras(config)
    model = load_model(run.folder, torch.device("cpu"))
    scores = score_documents(
        model, load_held_out(bins), torch.device("cpu"), config.eval_batch_size
    )
    assert np.array_equal(scores.nats_J, run.read_losses()["nats"])
    load_checkpoint(run.folder, model, make_optimizer(model, config))
    rich = make_config({**TINY, **ALL, "value_lr": 0.1})
    assert {name: record_config(rich)[name] for name in ALL} == ALL
    assert "scalar_lr" not in record_config(rich)


def test_a_compiled_model_serves_only_its_own_extras() -> None:
    plain = make_config(TINY)
    compiled = compile_model(plain, 64)

    assert compiled.fits(make_config({**TINY, "learning_rate": 0.1}))
    for name, value in ALL.items():
        other = make_config({**TINY, name: value})
        assert not compiled.fits(other)


def test_a_table_that_is_looked_up_costs_no_products() -> None:
    plain = compile_model(make_config(TINY), 64)
    rich = compile_model(make_config({**TINY, "value_embeds": True}), 64)

    gates = 2 * 2 * 12
    assert rich.flops_per_token == plain.flops_per_token + 6 * gates
    assert rich.model.num_parameters == plain.model.num_parameters + gates + 2 * 64 * 16
