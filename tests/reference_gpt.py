"""GPT-2's forward pass, AdamW and the step of nanoGPT, and Muon's move, each by its formula.

Slow, readable twins as in reference.py, for the trainer.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor


def gpt2_loss(weights: Mapping[str, Tensor], heads: int, ids: Tensor, targets: Tensor) -> Tensor:
    """Return the mean loss in nats; weights go by nanoGPT's names, without biases or dropout."""
    prefix, width = "transformer.", weights["transformer.wte.weight"].shape[1]
    layers = 1 + max(int(name.split(".")[2]) for name in weights if name.startswith(prefix + "h."))
    length = ids.shape[1]
    causal = torch.tril(torch.ones(length, length, dtype=torch.bool))
    x = weights[prefix + "wte.weight"][ids] + weights[prefix + "wpe.weight"][:length]
    for layer in range(layers):
        block = {name: weights[f"{prefix}h.{layer}.{name}.weight"] for name in GPT2_BLOCK}
        qkv = _layer_norm(x, block["ln_1"]) @ block["attn.c_attn"].T
        mixed = torch.zeros_like(x)
        for head in range(heads):
            each = width // heads
            query, key, value = (
                qkv[..., part * width + head * each : part * width + (head + 1) * each]
                for part in range(3)
            )
            likeness = query @ key.transpose(1, 2) / math.sqrt(each)
            share = torch.exp(likeness - likeness.amax(2, keepdim=True)) * causal
            share = share / share.sum(2, keepdim=True)
            mixed[..., head * each : (head + 1) * each] = share @ value
        x = x + mixed @ block["attn.c_proj"].T
        wide = _layer_norm(x, block["ln_2"]) @ block["mlp.c_fc"].T
        wide = 0.5 * wide * (1 + torch.erf(wide / math.sqrt(2)))
        x = x + wide @ block["mlp.c_proj"].T
    logits = _layer_norm(x, weights[prefix + "ln_f.weight"]) @ weights["lm_head.weight"].T
    chosen = logits.gather(2, targets[..., None])[..., 0]
    return (torch.logsumexp(logits, 2) - chosen).mean()


GPT2_BLOCK = ("ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj")


def _layer_norm(x: Tensor, gain: Tensor) -> Tensor:
    centred = x - x.mean(-1, keepdim=True)
    return gain * centred / torch.sqrt((centred**2).mean(-1, keepdim=True) + 1e-5)


def adamw_step(
    weights: Mapping[str, Tensor],
    grads: Mapping[str, Tensor],
    moments: dict[str, tuple[Tensor, Tensor]],
    *,
    step: int,
    rate: float,
    betas: tuple[float, float],
    decay: float,
    clip: float,
) -> None:
    """Clip all gradients by their common norm, then change the weights; `step` counts from 1."""
    norm = math.sqrt(sum(float((grad.double() ** 2).sum()) for grad in grads.values()))
    factor = min(1.0, clip / (norm + 1e-6))
    for name, weight in weights.items():
        grad = grads[name] * factor
        first, second = moments.get(name, (torch.zeros_like(grad), torch.zeros_like(grad)))
        first = betas[0] * first + (1 - betas[0]) * grad
        second = betas[1] * second + (1 - betas[1]) * grad**2
        moments[name] = first, second
        change = first / (1 - betas[0] ** step)
        change = change / (torch.sqrt(second / (1 - betas[1] ** step)) + 1e-8)
        weight.mul_(1 - rate * decay * (weight.dim() >= 2)).sub_(rate * change)


def bend_singular_values(matrix: Tensor) -> Tensor:
    """Return what Muon moves by: Keller Jordan's quintic, five times, on each singular value."""
    left, values, right = torch.linalg.svd(matrix / (matrix.norm() + 1e-7), full_matrices=False)
    for _ in range(5):
        values = 3.4445 * values - 4.7750 * values**3 + 2.0315 * values**5
    return left @ torch.diag(values) @ right
