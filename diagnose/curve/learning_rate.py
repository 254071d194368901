"""The learning rate at each step: from the run's settings, else from a logged column."""

from dataclasses import dataclass

import numpy as np

from assay.diagnose.logs.run_log import RunLog
from assay.errors import UsageError
from assay.laws.lr_schedule import LearningRate, Schedule
from assay.laws.plans import Plan


@dataclass(frozen=True, slots=True, eq=False)
class Logged:
    """A logged column: straight lines between its steps; before and after them its first and last.

    Where a log begins after the warmup, the warmup is not seen.
    """

    step: np.ndarray
    rate: np.ndarray

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
        return np.asarray(np.interp(np.asarray(step, dtype=float), self.step, self.rate))


def choose_rates(log: RunLog, plan: Plan | None) -> LearningRate | None:
    """Return the learning rate of every step: from the settings, else from the logged column."""
    settings = plan.settings if plan is not None else {}
    peak = settings.get("learning_rate")
    if plan is not None and peak:
        end = int(settings.get("lr_decay_iters") or plan.steps)
        warmup = settings.get("warmup_iters")
        kind = settings.get("schedule", "cosine" if settings.get("decay_lr", True) else "constant")
        share = float(settings.get("cooldown_share", 0.3))
        return Schedule(
            kind,
            float(peak),
            end,
            warmup_steps=min(plan.steps // 20 if warmup is None else int(warmup), end - 1),
            floor=min(float(settings.get("min_lr") or 0.0), float(peak)),
            cooldown_steps=max(1, round(share * end)) if kind == "wsd" else 0,
        )
    if log.lr.size and log.lr.value_N.max() > 0:
        return Logged(log.lr.step_N, np.maximum(log.lr.value_N, 0.0))
    return None
