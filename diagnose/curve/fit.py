"""Fit a law to a loss curve: which evaluations, how noisy, and the constants with their errors."""

# N = evaluations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay.diagnose.curve.law import Law, Progress, follow, follow_annealing
from assay.diagnose.curve.regression import PRIORS, Priors, Regression, differentiate
from assay.errors import UsageError
from assay.laws.lr_schedule import LearningRate
from assay.terminal.numbers import number_of

MIN_EVALUATIONS = 6
_MIN_SPENT = 0.02
_FINEST_NOISE = 1e-4  # losses are printed to four digits


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A law with its constants.

    loss(t) = floor + scale * (spent(t) / spent(last_step))^-exponent - gain * annealed(t)

    So `scale` is how far the curve was above its floor at the last step but for the decay, and
    `gain` what the whole decay is worth at `end_step`, both in nats. `covariance` is (4, 4), in
    the order floor, scale, exponent, gain. `noise` is the spread of one evaluation, `residual`
    the typical distance of an evaluation from the curve (nats). `step` and `loss` are the
    evaluations that were fitted. `progress` is the law's, up to `end_step`.
    """

    floor: float
    scale: float
    exponent: float
    gain: float
    covariance: np.ndarray
    noise: float
    residual: float
    step: np.ndarray
    loss: np.ndarray
    end_step: int
    learning_rate: LearningRate
    law: Law
    progress: Progress
    priors: Priors

    @property
    def last_step(self) -> int:
        """Step of the last evaluation."""
        return int(self.step[-1])

    def loss_at(self, step: np.ndarray) -> np.ndarray:
        """Return the law's loss at whole steps, nats."""
        spent, annealed = self._look_up(step)
        return np.asarray(self.floor + self.scale * spent**-self.exponent - self.gain * annealed)

    def slopes_at(self, step: np.ndarray) -> np.ndarray:
        """Return how the loss at each step moves with floor, scale, exponent, gain: (N, 4)."""
        spent, annealed = self._look_up(step)
        return differentiate(spent, annealed, self.scale, self.exponent)

    def _look_up(self, step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        at, progress = np.asarray(step, dtype=int), self.progress
        if at.max() > self.end_step:
            progress = follow(self.law, self.learning_rate, self.end_step, int(at.max()))
        spent = progress.spent[at] / progress.spent[self.last_step]
        return spent, progress.annealed[at]


def fit_curve(
    step: Sequence[float] | np.ndarray,
    loss: Sequence[float] | np.ndarray,
    learning_rate: LearningRate,
    *,
    end_step: int | None = None,
    law: Law = follow_annealing,
    priors: Priors = PRIORS,
) -> Fit:
    """Fit a law to evaluations of one run.

    Minimises 2 (sqrt(1 + z^2) - 1) (soft L1) with z the residual over noise and misfit together,
    plus the squared deviations from the priors. Steps before `choose_first_step` are left out.

    Args:
        step: Rising, whole numbers.
        loss: Nats of each, finite.
        learning_rate: Of any step up to `end_step`.
        end_step: Where the schedule ends; unset, the last step.
        law: Of `assay.diagnose.curve.law`.
        priors: Weak beliefs, and how far a law errs.

    Raises:
        UsageError: Fewer than 6 evaluations, a span of nearly nothing, or too many steps.
        ValueError: Steps do not rise, or a loss is not finite.

    Cost: 0.1 s for 10,000 evaluations, 5 ms for 100.
    """
    step_N, loss_N = np.asarray(step, float), np.asarray(loss, float)
    check_curve(step_N, loss_N)
    last = int(step_N[-1]) if step_N.size else 0
    end_step = max(last, end_step or last)
    progress = follow(law, learning_rate, end_step, last)
    first = choose_first_step(last, find_top(learning_rate, last))
    kept_N = step_N >= first
    at_N = step_N[kept_N].astype(int)
    _check_span(at_N, first, last, progress)
    spent_N = progress.spent[at_N] / progress.spent[last]
    annealed_N, fitted_N = progress.annealed[at_N], loss_N[kept_N]
    noise = estimate_noise(fitted_N)
    regression = Regression(spent_N, annealed_N, fitted_N, noise, priors)
    exponent, (floor, scale, gain), residual_N, weight_N = regression.solve()
    slopes_N4 = differentiate(spent_N, annealed_N, scale, exponent)
    return Fit(
        floor=floor,
        scale=scale,
        exponent=exponent,
        gain=gain,
        covariance=regression.find_covariance(slopes_N4, weight_N),
        noise=noise,
        residual=float(1.4826 * np.median(np.abs(residual_N))),
        step=at_N,
        loss=fitted_N,
        end_step=end_step,
        learning_rate=learning_rate,
        law=law,
        progress=progress,
        priors=priors,
    )


def choose_first_step(last_step: int, top_step: int) -> int:
    """Return the first step to fit: after 2,500 steps and 12% of those seen, and the warmup.

    Of a short run the 2,500 would leave too little: they count for a quarter of it at most.
    """
    return int(max(0.12 * last_step, min(2500, last_step / 4), top_step))


def find_top(learning_rate: LearningRate, last_step: int) -> int:
    """Return the first step at which the rate was at its highest so far seen."""
    return int(np.argmax(learning_rate(np.arange(last_step + 1))))


def estimate_noise(loss_N: np.ndarray) -> float:
    """Return the spread of one evaluation, from the median size of second differences.

    First differences lose the trend, second ones its bend, too (Gasser, Sroka and Jennen-Steinmetz
    1986), the median loses the outliers. First differences showed three times what windows drawn
    at random explain, of 20 evaluations of a loss that falls fast at first. Nats; at least 0.0001.
    """
    size = float(np.median(np.abs(np.diff(loss_N, 2))))
    return max(1.4826 * size / 6**0.5, _FINEST_NOISE)


def check_curve(step_N: np.ndarray, loss_N: np.ndarray) -> None:
    """Refuse what is no curve.

    Raises:
        ValueError: Lengths that differ, steps that do not rise, or a loss that is not finite.
    """
    if step_N.shape != loss_N.shape or step_N.ndim != 1:
        raise ValueError(f"{step_N.shape} steps and {loss_N.shape} losses; one of each is needed")
    if np.any(np.diff(step_N) <= 0):
        raise ValueError("the steps of a curve must rise")
    if not np.isfinite(loss_N).all():
        raise ValueError(f"{(~np.isfinite(loss_N)).sum()} losses are not finite; leave them out")


def _check_span(at_N: np.ndarray, first: int, last: int, progress: Progress) -> None:
    if at_N.size < MIN_EVALUATIONS:
        raise UsageError(
            f"{number_of(at_N.size, 'evaluation')} from step {first:,}, where the laws begin to "
            f"hold, to {last:,}; {MIN_EVALUATIONS} are needed: evaluate more often or train longer"
        )
    spent = 1 - progress.spent[at_N[0]] / progress.spent[last]
    if spent < _MIN_SPENT:
        raise UsageError(
            f"only {spent:.2%} of the summed learning rate so far lies between the first "
            f"evaluation (step {at_N[0]:,}) and the last ({last:,}); {_MIN_SPENT:.0%} is needed "
            "to fit a curve: give the earlier part of the log, or check the schedule"
        )
