"""The learning rate at each step, from a logged column.

Whatever maps an array of steps to their rates will do (`LearningRate`): a `Schedule`, or this.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from assay.errors import UsageError

LearningRate = Callable[[np.ndarray], np.ndarray]


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
