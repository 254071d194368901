"""AdamW, and the learning rate of each step."""

import math

import torch
from torch import nn

from assay.train.config import TrainConfig


def make_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.AdamW:
    """Make AdamW; only matrices decay. Fused on CUDA and the CPU."""
    weights = list(model.parameters())
    groups = [
        {"params": [w for w in weights if w.dim() >= 2], "weight_decay": config.weight_decay},
        {"params": [w for w in weights if w.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        [group for group in groups if group["params"]],
        lr=config.learning_rate,
        betas=(config.beta1, config.beta2),
        fused=weights[0].device.type in ("cuda", "cpu"),
    )


def learning_rate_at(step: int, config: TrainConfig) -> float:
    """Return the learning rate of a step; the first is step 0.

    Warmup rises linearly and reaches the peak after `warmup_steps`. wsd stays there and falls
    linearly to `min_lr` over the last `cooldown_share` of the steps; cosine falls all the way.
    """
    peak, low = config.learning_rate, config.min_lr
    warmup, end = config.warmup_steps, config.decay_steps
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    if config.schedule == "constant":
        return peak
    if step >= end:
        return low
    if config.schedule == "cosine":
        done = (step - warmup) / (end - warmup)
        return low + (peak - low) * 0.5 * (1 + math.cos(math.pi * done))
    cooldown = max(1, round(config.cooldown_share * end))
    return low + (peak - low) * min(1.0, (end - step) / cooldown)
