import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.formats.config_checks import make_config
from assay.formats.train_config import TrainConfig
from assay.train.model.gpt import GPT
from assay.train.model.muon import Muon, orthogonalize
from assay.train.model.optimizer import make_optimizer
from tests.twins.gpt import bend_singular_values


def tiny(**changes: object) -> TrainConfig:
    base = {"n_layer": 2, "n_head": 2, "n_embd": 16, "block_size": 8, "learning_rate": 0.01}
    return make_config({**base, "optimizer": "muon", **changes})


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 1000))
def test_products_alone_bend_the_singular_values(rows: int, columns: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    stack = torch.randn(3, rows, columns, generator=generator, dtype=torch.float64)

    found = orthogonalize(stack)

    for matrix, one in zip(stack, found, strict=True):
        assert torch.allclose(one, bend_singular_values(matrix), atol=1e-5)


def test_a_move_is_nearly_orthogonal() -> None:
    matrix = torch.randn(1, 20, 32, generator=torch.Generator().manual_seed(0))

    values = torch.linalg.svdvals(orthogonalize(matrix)[0])

    assert 0.6 < values.min() < values.max() < 1.3


def test_the_first_move_is_the_gradient_made_orthogonal_and_its_size_that_of_adamw() -> None:
    generator = torch.Generator().manual_seed(0)
    weight = torch.nn.Parameter(torch.randn(6, 4, generator=generator))
    before = weight.detach().clone()
    weight.grad = torch.randn(6, 4, generator=generator)

    Muon([weight], lr=0.1, weight_decay=0.5).step()

    # Momentum scales the first gradient, and scale is lost on the way to singular values near 1.
    move = 0.1 * 0.2 * 6**0.5 * bend_singular_values(weight.grad.double())
    assert torch.allclose(weight.detach(), (before * (1 - 0.05) - move).float(), atol=1e-5)


def test_queries_keys_and_values_turn_each_by_themselves() -> None:
    generator = torch.Generator().manual_seed(0)
    weight = torch.nn.Parameter(torch.zeros(12, 4))
    weight.grad = torch.randn(12, 4, generator=generator)

    Muon([weight], lr=1.0, splits={weight: 3}).step()

    parts = [bend_singular_values(part) for part in weight.grad.double().chunk(3)]
    assert torch.allclose(weight.detach(), -0.4 * torch.cat(parts).float(), atol=1e-4)


def test_muon_has_the_blocks_matrices_and_adamw_the_rest() -> None:
    model = GPT(tiny(arch="nanogpt"), 64, torch.float32)

    muon, adamw = make_optimizer(model, tiny(arch="nanogpt")).parts

    names = {id(weight): name for name, weight in model.named_parameters()}
    owned = [
        {names[id(w)] for g in part.param_groups for w in g["params"]} for part in (muon, adamw)
    ]
    assert owned[0] | owned[1] == set(names.values())
    assert not owned[0] & owned[1]
    assert all(name.startswith("h.") for name in owned[0])
    assert {"wte.weight", "wpe.weight", "ln_f.weight", "h.0.ln_1.weight"} <= owned[1]


def test_each_group_follows_the_schedule_at_its_own_rate() -> None:
    model = GPT(tiny(), 64, torch.float32)
    optimizer = make_optimizer(model, tiny(matrix_lr=0.05))

    optimizer.set_learning_rate(0.004)

    rates = [group["lr"] for part in optimizer.parts for group in part.param_groups]
    assert rates == pytest.approx([0.02, 0.004])


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_both_learn(optimizer: str) -> None:
    torch.set_num_threads(1)
    config = tiny(optimizer=optimizer)
    model = GPT(config, 64, torch.float32)
    model.init_weights(0)
    chosen = make_optimizer(model, config)
    ids = torch.arange(32).view(4, 8)
    losses = []
    for _ in range(30):
        loss = model(ids, ids + 1)
        loss.backward()
        chosen.step()
        chosen.zero_grad()
        losses.append(loss.item())

    assert losses[-1] < losses[0] - 1.5
