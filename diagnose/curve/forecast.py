"""The loss a run will end with, from what it has shown so far."""

from dataclasses import dataclass
from math import hypot
from statistics import NormalDist

import numpy as np

from assay.diagnose.curve.fit import Fit, fit_curve
from assay.diagnose.curve.law import Law, follow_multi_power, follow_time


@dataclass(frozen=True, slots=True)
class Forecast:
    """Loss at `at_step` in nats, with two intervals.

    `low` to `high` is for what one evaluation there will print, its noise included; `loss_low` to
    `loss_high` for the loss itself, which many evaluations would average to. `level` is the fitted
    loss now, and `drop` = level - value what is still to come, with its standard deviation.
    `cross_checks` are forecasts of the same by other laws: the multi-power law's, and a power of
    the step's, which expects nothing of the decay. `caveats` are sentences that say why the
    forecast may not hold.
    """

    at_step: int
    value: float
    low: float
    high: float
    loss_low: float
    loss_high: float
    confidence: float
    level: float
    drop: float
    drop_sd: float
    cross_checks: dict[str, float]
    caveats: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The forecast in one sentence, with its interval."""
        return (
            f"the loss is forecast to be {self.value:.4f} at step {self.at_step:,} "
            f"({self.confidence:.0%} interval {self.low:.4f} to {self.high:.4f}), "
            f"{self.drop:+.4f} below its level of {self.level:.4f} now"
        )


def forecast_loss(
    fit: Fit,
    *,
    at_step: int | None = None,
    confidence: float = 0.9,
    multi_power: Law = follow_multi_power,
) -> Forecast:
    """Forecast the loss at a step, by default the schedule's end.

    The variance is the sum of the fit's and of the law's error: `priors.forecast_error`, and the
    spread of the two laws that know the schedule, which differ where a decay has just begun. The
    interval of one evaluation adds its noise.

    Args:
        fit: Of the run so far.
        at_step: Not before the last evaluation.
        confidence: Of the interval, in (0, 1).
        multi_power: The second law, with the shape wanted.

    Raises:
        ValueError: `at_step` is before the last evaluation.
    """
    at_step = fit.end_step if at_step is None else at_step
    if at_step < fit.last_step:
        raise ValueError(f"step {at_step:,} is before the last evaluation, {fit.last_step:,}")
    steps = np.array([fit.last_step, at_step])
    level, value = (float(loss) for loss in fit.loss_at(steps))
    slope_now, slope_then = fit.slopes_at(steps)
    others = {
        "multi-power": _refit(fit, multi_power, at_step),
        "time": _refit(fit, follow_time, at_step),
    }
    law_error = hypot(fit.priors.forecast_error, (others["multi-power"] - value) / 2**0.5)
    spread = hypot(_deviation(fit, slope_then), law_error)
    quantile = NormalDist().inv_cdf((1 + confidence) / 2)
    reach, printed = quantile * spread, quantile * hypot(spread, fit.noise)
    return Forecast(
        at_step=at_step,
        value=value,
        low=value - printed,
        high=value + printed,
        loss_low=value - reach,
        loss_high=value + reach,
        confidence=confidence,
        level=level,
        drop=level - value,
        drop_sd=hypot(_deviation(fit, slope_then - slope_now), law_error),
        cross_checks=others,
        caveats=_find_caveats(fit, value, others["multi-power"]),
    )


def _refit(fit: Fit, law: Law, at_step: int) -> float:
    other = fit_curve(
        fit.step,
        fit.loss,
        fit.learning_rate,
        end_step=fit.end_step,
        law=law,
        priors=fit.priors,
    )
    return float(other.loss_at(np.array([at_step]))[0])


def _deviation(fit: Fit, slope_4: np.ndarray) -> float:
    return float(np.sqrt(slope_4 @ fit.covariance @ slope_4))


def _find_caveats(fit: Fit, value: float, other: float) -> tuple[str, ...]:
    if fit.scale <= 0:
        return (
            f"from step {fit.step[0]:,} to {fit.last_step:,} the loss does not fall as "
            "the law says: the forecast does not hold",
        )
    caveats = []
    if abs(other - value) > 2 * fit.priors.forecast_error:
        # In the cooldowns of four WSD runs the multi-power law erred by 0.001 to 0.005, the
        # annealing law by 0.02 to 0.07 (`python -m bench.backtest`).
        caveats.append(
            f"the multi-power law says {other:.4f}: early in a cooldown the two laws differ, and "
            "there the multi-power law was the nearer one"
        )
    expected = hypot(fit.noise, fit.priors.misfit)
    if fit.residual > 3 * expected:
        caveats.append(
            f"the losses lie {fit.residual:.4f} from the fitted curve, {expected:.4f} was "
            "expected: the law does not describe this run"
        )
    return tuple(caveats)
