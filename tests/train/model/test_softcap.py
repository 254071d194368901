"""A soft bound on logits, in every way that the loss of a head is computed."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.train.model.loss import (
    IGNORE_INDEX,
    apply_softcap,
    fused_cross_entropy,
    mean_cross_entropy,
    score_rows,
    softcap_in_place,
    softcap_slope,
)


@pytest.mark.parametrize("head", ["cpu", "fused", "chunked"])
@pytest.mark.parametrize("rows", [1, 513, 8193])
def test_every_head_softens_as_autograd_does(head: str, rows: int) -> None:
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(rows, 6, generator=generator, dtype=torch.float64).requires_grad_()
    weight = 3 * torch.randn(40, 6, generator=generator, dtype=torch.float64)
    weight.requires_grad_()
    target = torch.randint(0, 40, (rows,), generator=generator)
    logits = hidden @ weight.t()
    expected = F.cross_entropy(5.0 * torch.tanh(logits / 5.0), target, reduction="none")
    grads = torch.autograd.grad(expected.mean(), (hidden, weight))

    if head == "cpu":
        loss = mean_cross_entropy(hidden, weight, target, softcap=5.0)
    else:
        loss = fused_cross_entropy(hidden, weight, target, rows if head == "fused" else 8192, 5.0)
    found = torch.autograd.grad(3 * loss, (hidden, weight))
    scored = score_rows(hidden.detach(), weight.detach(), target, 5.0)

    assert loss.item() == pytest.approx(expected.mean().item(), rel=1e-5)
    assert torch.allclose(scored.double(), expected.detach(), rtol=1e-5)
    for grad, same in zip(found, grads, strict=True):
        assert torch.allclose(grad, 3 * same, rtol=1e-3, atol=1e-7)
    assert score_rows(hidden.detach(), weight.detach(), target * 0 + IGNORE_INDEX, 5.0).sum() == 0


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=8), st.sampled_from([0.0, 1, 15])
)
def test_softened_logits_keep_their_order_and_stay_within(
    values: list[float], softcap: float
) -> None:
    logits = torch.tensor(values, dtype=torch.float64, requires_grad=True)

    soft = apply_softcap(logits, softcap)

    assert torch.equal(soft, softcap_in_place(logits.detach().clone(), softcap))
    if not softcap:
        assert soft is logits
        return
    assert soft.abs().max() <= softcap
    assert (soft[logits.argsort()].diff() >= 0).all()
    (slope,) = torch.autograd.grad(soft.sum(), logits)
    assert torch.allclose(slope, softcap_slope(soft.detach(), softcap), atol=1e-9)
