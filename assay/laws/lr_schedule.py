"""Learning-rate schedules: one formula for the trainer that follows it and for a log's diagnosis.

Source: warmup and cosine as in nanoGPT's train.py; "wsd" as in Hu et al. 2024 (MiniCPM).
"""

# N = steps asked for

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from assay.errors import UsageError

Kind = Literal["cosine", "linear", "constant", "wsd"]
LearningRate = Callable[[np.ndarray], np.ndarray]
"""Whatever maps an array of steps to their rates: a `Schedule`, or a logged column."""


def learning_rates(
    step_N: np.ndarray,
    *,
    kind: Kind,
    peak: float,
    floor: float,
    warmup_steps: int,
    end_step: int,
    cooldown_steps: int,
) -> np.ndarray:
    """Return the learning rate at each step; float64, of the same shape.

    The first step is 0, parts of steps are allowed. The rate rises linearly and reaches the peak
    after `warmup_steps`. *cosine* and *linear* then fall to `floor` at `end_step`; *wsd* stays at
    the peak and falls linearly over the last `cooldown_steps`; *constant* stays for ever.
    """
    step_N = np.asarray(step_N, dtype=np.float64)
    rising_N = peak * (step_N + 1) / (warmup_steps + 1)
    if kind == "constant":
        return np.where(step_N < warmup_steps, rising_N, peak)
    if kind == "wsd":
        share_N = np.minimum(1.0, (end_step - step_N) / max(cooldown_steps, 1))
        falling_N = floor + (peak - floor) * share_N
    else:
        done_N = (step_N - warmup_steps) / max(end_step - warmup_steps, 1)
        if kind == "cosine":
            falling_N = floor + (peak - floor) * 0.5 * (1 + _cosine(math.pi * done_N))
        else:
            falling_N = floor + (peak - floor) * (1 - done_N)
    falling_N = np.where(step_N >= end_step, floor, falling_N)
    return np.where(step_N < warmup_steps, rising_N, falling_N)


def _cosine(angle_N: np.ndarray) -> np.ndarray:
    """Return the cosine; of a single one the C library's, which a run's bits must not change with.

    numpy's own differs in the last digit from one kind of processor to the next.
    """
    if angle_N.size == 1:
        return np.full(angle_N.shape, math.cos(angle_N.item()))
    return np.asarray(np.cos(angle_N))


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule from its settings, checked; called with steps it returns their learning rates."""

    kind: Kind
    peak: float
    end_step: int
    warmup_steps: int = 0
    floor: float = 0.0
    cooldown_steps: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that describe no schedule.

        Raises:
            UsageError: With the setting's name, its value and what was needed.
        """
        needed = (
            (
                self.kind in get_args(Kind),
                f"schedule must be one of {', '.join(get_args(Kind))}, got {self.kind!r}",
            ),
            (self.peak > 0, f"learning rate must be above 0, got {self.peak:g}"),
            (
                0 <= self.floor <= self.peak,
                f"lowest learning rate must be from 0 to the peak {self.peak:g}, got "
                f"{self.floor:g}",
            ),
            (
                0 <= self.warmup_steps < self.end_step,
                f"{self.warmup_steps:,} steps of warmup leave nothing of {self.end_step:,} steps",
            ),
            (
                0 <= self.cooldown_steps <= self.end_step - self.warmup_steps,
                f"{self.cooldown_steps:,} steps of cooldown do not fit between a warmup of "
                f"{self.warmup_steps:,} and the end at {self.end_step:,}",
            ),
        )
        for holds, message in needed:
            if not holds:
                raise UsageError(message)

    def __call__(self, step_N: np.ndarray) -> np.ndarray:
        """Return the rate at each step; float64, of the same shape."""
        return learning_rates(
            step_N,
            kind=self.kind,
            peak=self.peak,
            floor=self.floor,
            warmup_steps=self.warmup_steps,
            end_step=self.end_step,
            cooldown_steps=self.cooldown_steps,
        )
