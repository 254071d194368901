"""Slow, readable twins of the laws' fast code."""

import math


def learning_rate(
    step: float,
    kind: str,
    peak: float,
    floor: float,
    warmup_steps: int,
    end_step: int,
    cooldown_steps: int,
) -> float:
    """Return the learning rate of one step, as nanoGPT's train.py writes it out; and wsd."""
    if step < warmup_steps:
        return peak * (step + 1) / (warmup_steps + 1)
    if kind == "constant":
        return peak
    if step >= end_step:
        return floor
    done = (step - warmup_steps) / (end_step - warmup_steps)
    if kind == "cosine":
        return floor + (peak - floor) * 0.5 * (1 + math.cos(math.pi * done))
    if kind == "linear":
        return floor + (peak - floor) * (1 - done)
    return floor + (peak - floor) * min(1.0, (end_step - step) / max(1, cooldown_steps))
