"""What losses do in the logs that are made: fall, turn, stop, jump."""

import math
from collections.abc import Callable


def loss_at(step: int) -> float:
    """Return a healthy run's loss."""
    return 3.0 + 7.8 / (1 + step / 20) ** 0.55


def rate_at(step: int) -> float:
    """Return the learning rate of CONFIG's schedule."""
    if step < 100:
        return 1e-3 * (step + 1) / 101
    return 1e-4 + 0.5 * 9e-4 * (1 + math.cos(math.pi * min(1.0, (step - 100) / 1900)))


def _healthy(step: int) -> tuple[float, float]:
    return loss_at(step), loss_at(step) + 0.02


def _overfits(step: int) -> tuple[float, float]:
    turn = max(0, step - 800)
    return loss_at(step) - turn / 2000, loss_at(step) + turn / 1500


def _flat(step: int) -> tuple[float, float]:
    return loss_at(min(step, 700)), loss_at(min(step, 700)) + 0.01


def _easy_val(step: int) -> tuple[float, float]:
    return loss_at(step), loss_at(step) - 0.4


def _spikes(step: int) -> tuple[float, float]:
    jump = 3.0 if 900 <= step < 1_000 else 0.0
    return loss_at(step) + jump, loss_at(step) + jump + 0.02


SHAPES: dict[str, Callable[[int], tuple[float, float]]] = {
    "healthy": _healthy,
    "overfits": _overfits,
    "flat": _flat,
    "easy-val": _easy_val,
    "spikes": _spikes,
}
