"""Cross-entropy over a large vocabulary, a tile of rows at a time, in place.

For CUDA. The logits of 512 rows take 52 MB, about what the cache of an H100 or H200 holds: they are
made, turned into their own gradient, and multiplied back while they are there. Only the product
that gives the head's gradient reads them from memory again, 16,384 rows at once.
"""

# M = rows (positions), C = rows of a tile, G = rows of a group, D = width, V = vocabulary

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor

from assay.train.model.softcap import slope_of, soften

Turn = Callable[[Tensor, Tensor, float], Tensor]
TILE_ROWS = 512
_GROUP_ROWS = 16_384


def tiled_cross_entropy(
    hidden_MD: Tensor,
    weight_VD: Tensor,
    target_M: Tensor,
    tile: int = TILE_ROWS,
    softcap: float = 0.0,
) -> Tensor:
    """Return the mean loss in nats a row; its gradients are made in the forward pass.

    Not to be compiled: its loop has hundreds of rounds, and a graph would hold each of them.
    """
    loss: Tensor = _TiledLoss.apply(hidden_MD, weight_VD, target_M, tile, softcap)  # type: ignore[no-untyped-call]
    return loss


class _TiledLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        hidden_MD: Tensor,
        weight_VD: Tensor,
        target_M: Tensor,
        tile: int,
        softcap: float,
    ) -> Tensor:
        weight_cast_VD = weight_VD.to(hidden_MD.dtype)
        rows = hidden_MD.shape[0]
        turn = _turn_compiled() if hidden_MD.device.type == "cuda" else turn_into_gradient
        place_GV = hidden_MD.new_empty(min(rows, _GROUP_ROWS), weight_VD.shape[0])
        grad_hidden_MD = torch.empty_like(hidden_MD)
        grad_weight_VD = torch.zeros_like(weight_VD)
        loss_M = torch.empty(rows, device=hidden_MD.device)
        for start in range(0, rows, _GROUP_ROWS):
            end = min(start + _GROUP_ROWS, rows)
            for first in range(start, end, tile):
                chunk = slice(first, min(first + tile, end))
                odds_CV = place_GV[first - start : chunk.stop - start]
                torch.mm(hidden_MD[chunk], weight_cast_VD.t(), out=odds_CV)
                loss_M[chunk] = turn(odds_CV, target_M[chunk], softcap)
                torch.mm(odds_CV, weight_cast_VD, out=grad_hidden_MD[chunk])
            grad_weight_VD += place_GV[: end - start].t() @ hidden_MD[start:end]
        ctx.save_for_backward(grad_hidden_MD, grad_weight_VD)
        return loss_M.mean()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        grad_hidden_MD, grad_weight_VD = ctx.saved_tensors
        scale = grads[0] / grad_hidden_MD.shape[0]
        scaled_MD = (grad_hidden_MD * scale).to(grad_hidden_MD.dtype)
        return scaled_MD, grad_weight_VD * scale, None, None, None


def turn_into_gradient(logits_CV: Tensor, target_C: Tensor, softcap: float = 0.0) -> Tensor:
    """Put each row's gradient in place of its logits; return its loss: float32, shape (C,)."""
    wide_CV = soften(logits_CV.float(), softcap)
    sum_C1 = torch.logsumexp(wide_CV, 1, keepdim=True)
    loss_C = (sum_C1 - wide_CV.gather(1, target_C[:, None]))[:, 0]
    hit_CV = torch.arange(logits_CV.shape[1], device=logits_CV.device) == target_C[:, None]
    odds_CV = torch.exp(wide_CV - sum_C1) - hit_CV.float()
    logits_CV.copy_(odds_CV * slope_of(wide_CV, softcap) if softcap else odds_CV)
    return loss_C


@cache
def _turn_compiled() -> Turn:
    compiled: Turn = torch.compile(turn_into_gradient, dynamic=False)
    return compiled
