"""Forward passes of both architectures, AdamW, nanoGPT's step, Muon's move, by their formulae.

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


def modern_loss(
    weights: Mapping[str, Tensor], heads: int, ids: Tensor, targets: Tensor, softcap: float = 0.0
) -> Tensor:
    """Return the mean loss in nats of arch modern; what the weights hold beyond it is used.

    Position by position and head by head: each query looks at the keys up to its own.
    """
    layers = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("h."))
    stream = first = _unit(weights["wte.weight"][ids])
    for n in range(layers):
        block = {name: weights[f"h.{n}.{name}.weight"] for name in MODERN_BLOCK}
        if "stream_scalars" in weights:
            stream = weights["stream_scalars"][n] * stream + weights["first_scalars"][n] * first
        read = _unit(stream)
        query, key, value = (read @ block["attn.c_attn"].T).chunk(3, -1)
        if f"value_embeds.{n}.weight" in weights:
            gate = read[..., :12] @ weights[f"h.{n}.attn.value_gate.weight"].T
            gate = (3 / (1 + torch.exp(-gate))).repeat_interleave(value.shape[-1] // heads, -1)
            value = value + gate * weights[f"value_embeds.{n}.weight"][ids]
        parts = zip(*(each.chunk(heads, -1) for each in (query, key, value)), strict=True)
        mixed = torch.cat([_look_back(*part) for part in parts], -1)
        stream = stream + mixed @ block["attn.c_proj"].T
        wide = torch.clamp(_unit(stream) @ block["c_fc"].T, min=0) ** 2
        stream = stream + wide @ block["c_proj"].T
    logits = _unit(stream) @ weights["wte.weight"].T
    if softcap:
        logits = softcap * (1 - 2 / (torch.exp(2 * logits / softcap) + 1))
    chosen = logits.gather(2, targets[..., None])[..., 0]
    return (torch.logsumexp(logits, 2) - chosen).mean()


MODERN_BLOCK = ("attn.c_attn", "attn.c_proj", "c_fc", "c_proj")


def _look_back(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Mix the values of one head: (B, T, W) each."""
    query, key = _turn(_unit(query)), _turn(_unit(key))
    rows = []
    for place in range(query.shape[1]):
        seen = key[:, : place + 1]
        likeness = (query[:, place, None] * seen).sum(-1) / math.sqrt(query.shape[-1])
        share = torch.softmax(likeness, 1)
        rows.append((share[..., None] * value[:, : place + 1]).sum(1))
    return torch.stack(rows, 1)


def _turn(x: Tensor) -> Tensor:
    """Turn pair (i, i + W / 2) of position t by t / 10,000^(2 i / W)."""
    turned, half = x.clone(), x.shape[-1] // 2
    for place in range(x.shape[1]):
        for i in range(half):
            angle = place / 10_000 ** (2 * i / x.shape[-1])
            left, right = x[:, place, i], x[:, place, half + i]
            turned[:, place, i] = left * math.cos(angle) + right * math.sin(angle)
            turned[:, place, half + i] = right * math.cos(angle) - left * math.sin(angle)
    return turned


def _unit(x: Tensor) -> Tensor:
    return x / torch.sqrt((x**2).mean(-1, keepdim=True) + torch.finfo(x.dtype).eps)


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
