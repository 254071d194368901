import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from functorch.compile import make_boxed_func
from torch._dynamo.backends.common import aot_autograd

from assay.formats.config_checks import make_config
from assay.formats.train_config import TrainConfig
from assay.train.model.gpt import GPT
from assay.train.model.loss import IGNORE_INDEX, fused_cross_entropy, mean_cross_entropy, score_rows
from assay.train.runtime.compiled_model import compile_model

ARCHS = ("modern", "nanogpt")
TINY = {"n_layer": 2, "n_head": 2, "n_embd": 16, "block_size": 8}


def tiny(arch: str) -> TrainConfig:
    return make_config({"arch": arch, **TINY})


@pytest.mark.parametrize("arch", ARCHS)
def test_a_random_model_knows_nothing(arch: str) -> None:
    model = GPT(tiny(arch), 1000, torch.float32)
    model.init_weights(1)
    ids = torch.randint(0, 1000, (4, 8), generator=torch.Generator().manual_seed(0))

    loss = model(ids, ids.flip(0)).item()

    assert loss == pytest.approx(math.log(1024), abs=0.05)


@pytest.mark.parametrize("arch", ARCHS)
def test_what_comes_later_changes_nothing_before(arch: str) -> None:
    model = GPT(tiny(arch), 64, torch.float32)
    model.init_weights(1)
    with torch.no_grad():
        for weight in model.parameters():  # projections start at 0: wake them
            weight += 0.1 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(2))
    ids = torch.arange(8)[None]
    changed = ids.clone()
    changed[0, 5] = 60

    before, after = model.score(ids, ids), model.score(changed, ids)

    assert torch.allclose(before[0, :5], after[0, :5], atol=1e-6)
    assert not torch.allclose(before[0, 5:], after[0, 5:], atol=1e-3)


def test_parameters_are_counted_as_nanogpt_does() -> None:
    # Per block 12 d^2 and two norms; the padded embedding; the last norm; positions left out.
    norms = 2 * 2 * 16 + 16
    assert GPT(tiny("nanogpt"), 1000, torch.float32).num_parameters == 2 * 12 * 256 + (
        1024 * 16 + norms
    )
    assert GPT(tiny("modern"), 1000, torch.float32).num_parameters == 2 * 12 * 256 + 1024 * 16


def test_reset_draws_the_same_weights_for_a_seed_in_place() -> None:
    model = GPT(tiny("modern"), 100, torch.float32)
    model.init_weights(5)
    first = {name: weight.clone() for name, weight in model.named_parameters()}
    places = [weight.data_ptr() for weight in model.parameters()]
    model.init_weights(6)
    assert not torch.equal(model.wte.weight, first["wte.weight"])

    model.init_weights(5)

    assert all(torch.equal(weight, first[name]) for name, weight in model.named_parameters())
    assert places == [weight.data_ptr() for weight in model.parameters()]


@pytest.mark.parametrize("rows", [1, 255, 256, 700])
def test_the_chunked_loss_and_its_gradients_are_those_of_torch(rows: int) -> None:
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(rows, 12, generator=generator, dtype=torch.float64).requires_grad_()
    weight = torch.randn(90, 12, generator=generator, dtype=torch.float64).requires_grad_()
    target = torch.randint(0, 90, (rows,), generator=generator)
    expected = F.cross_entropy(hidden @ weight.t(), target)
    grads = torch.autograd.grad(expected, (hidden, weight))

    loss = mean_cross_entropy(hidden, weight, target)
    found = torch.autograd.grad(3 * loss, (hidden, weight))

    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    for grad, same in zip(found, grads, strict=True):
        assert torch.allclose(grad, 3 * same, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("rows", [1, 8192, 8193, 16_500])
@pytest.mark.parametrize("head", ["fused", "chunked"])
def test_the_gradient_made_early_is_that_of_torch(rows: int, head: str) -> None:
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(rows, 6, generator=generator, dtype=torch.float64).requires_grad_()
    weight = torch.randn(40, 6, generator=generator, dtype=torch.float64).requires_grad_()
    target = torch.randint(0, 40, (rows,), generator=generator)
    expected = F.cross_entropy(hidden @ weight.t(), target)
    grads = torch.autograd.grad(expected, (hidden, weight))

    loss = fused_cross_entropy(hidden, weight, target, rows if head == "fused" else 8192)
    found = torch.autograd.grad(3 * loss, (hidden, weight))

    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    for grad, same in zip(found, grads, strict=True):
        assert torch.allclose(grad, 3 * same, rtol=1e-4, atol=1e-8)


# torch warns of what its own tracer does.
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
@pytest.mark.parametrize("head", ["plain", "fused", "chunked"])
def test_each_head_compiles_once_to_the_same_loss_and_gradients(head: str) -> None:
    config = make_config({**TINY, "compile": True, "device": "cpu", "head": head})
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
    assert len(made) == 2  # one graph forward and one backward, for both seeds


def test_large_logits_overflow_nothing() -> None:
    hidden = torch.tensor([[1000.0], [-1000.0]])
    weight = torch.tensor([[1.0], [-1.0]])

    assert mean_cross_entropy(hidden, weight, torch.tensor([0, 1])).item() == 0
    assert score_rows(hidden, weight, torch.tensor([1, IGNORE_INDEX])).tolist() == [2000.0, 0.0]


def test_activations_have_the_dtype_asked_for_and_weights_stay_float32() -> None:
    compiled = compile_model(make_config({"dtype": "bfloat16", "device": "cpu", "n_embd": 32}), 64)

    hidden = compiled.model.hidden(torch.zeros(1, 4, dtype=torch.int64))

    assert hidden.dtype == torch.bfloat16
    assert {weight.dtype for weight in compiled.model.parameters()} == {torch.float32}
    assert compiled.peak_flops is None
