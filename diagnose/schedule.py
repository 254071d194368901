"""The learning rate at each step, from settings or from a logged column.

Whatever maps an array of steps to their rates will do (`LearningRate`); here are two such.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from assay.errors import UsageError

LearningRate = Callable[[np.ndarray], np.ndarray]
Kind = Literal["cosine", "linear", "constant", "wsd"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule from its settings, as nanoGPT and this project's trainer count them.

    The rate rises linearly and reaches `peak` at `warmup_steps`. *cosine* and *linear* then fall
    to `floor` at `end_step`; *wsd* stays at the peak and falls linearly over the last
    `cooldown_steps`; *constant* stays. After `end_step` the rate is the floor (constant: the peak).
    """

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
        if self.kind not in ("cosine", "linear", "constant", "wsd"):
            raise UsageError(f"schedule {self.kind!r} is none of cosine, linear, constant, wsd")
        if not self.peak > 0:
            raise UsageError(f"learning rate {self.peak:g} is not above 0")
        if not 0 <= self.floor <= self.peak:
            raise UsageError(f"lowest rate {self.floor:g} is not from 0 to the peak {self.peak:g}")
        if not 0 <= self.warmup_steps < self.end_step:
            raise UsageError(
                f"{self.warmup_steps:,} steps of warmup leave nothing of {self.end_step:,} steps"
            )
        if not 0 <= self.cooldown_steps <= self.end_step - self.warmup_steps:
            raise UsageError(
                f"{self.cooldown_steps:,} steps of cooldown do not fit between a warmup of "
                f"{self.warmup_steps:,} and the end at {self.end_step:,}"
            )

    def __call__(self, step: np.ndarray) -> np.ndarray:
        """Return the rate at each step; float64, of the same shape."""
        step = np.asarray(step, dtype=float)
        rising = self.peak * (step + 1) / (self.warmup_steps + 1)
        return np.where(step < self.warmup_steps, rising, self._after_warmup(step))

    def _after_warmup(self, step: np.ndarray) -> np.ndarray:
        if self.kind == "constant":
            return np.full(step.shape, self.peak)
        length = self.end_step - self.warmup_steps
        if self.kind == "wsd":
            length = self.cooldown_steps
        left = np.clip((self.end_step - step) / max(length, 1), 0.0, 1.0)
        if self.kind == "cosine":
            left = 0.5 * (1 - np.cos(np.pi * left))
        return self.floor + (self.peak - self.floor) * left


@dataclass(frozen=True, slots=True, eq=False)
class Logged:
    """A logged column: straight lines between its steps, its last rate ever after.

    Before its first step the first rate is assumed, less a linear rise over `warmup_steps` where
    the log begins after the warmup.
    """

    step: np.ndarray
    rate: np.ndarray
    warmup_steps: int = 0

    def __post_init__(self) -> None:
        """Refuse a column that gives no rate.

        Raises:
            UsageError: Empty, lengths that differ, steps that do not rise, or rates that are
                negative, not finite, or all 0.
        """
        if len(self.step) != len(self.rate) or not len(self.step):
            raise UsageError(
                f"{len(self.rate):,} logged learning rates for {len(self.step):,} steps; "
                "one for each is needed, and at least one"
            )
        if np.any(np.diff(self.step) <= 0):
            raise UsageError("the steps of the logged learning rates do not rise")
        if not np.isfinite(self.rate).all() or np.min(self.rate) < 0 or not np.max(self.rate) > 0:
            raise UsageError("logged learning rates are negative, not finite, or all 0")

    def __call__(self, step: np.ndarray) -> np.ndarray:
        """Return the rate at each step; float64, of the same shape."""
        step = np.asarray(step, dtype=float)
        rates = np.asarray(np.interp(step, self.step, self.rate))
        if self.warmup_steps <= self.step[0]:
            rates = rates * np.minimum((step + 1) / (self.warmup_steps + 1), 1.0)
        return rates
