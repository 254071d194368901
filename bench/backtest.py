"""Hide the last part of real loss curves, forecast their ends, compare: `python -m bench.backtest`.

ASSAY_CORPORA names the folder whose logs/mpl_*.csv hold the curves (step, lr, loss). No constant
comes from the curve under test: the priors' centres, the misfit and the forecast error are
measured on the other cosine curves (`calibrate`), the widths are the stated ones, and the
multi-power law has the shape published for the other model size. Takes a minute.
"""

import argparse
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from assay.diagnose.curve.fit import Fit, fit_curve
from assay.diagnose.curve.forecast import Forecast, forecast_loss
from assay.diagnose.curve.law import PowerShape, follow_multi_power
from assay.diagnose.curve.regression import PRIORS, Priors
from bench.backtest_slope import format_slopes, run_slopes
from bench.backtest_table import format_cases, format_noise, format_summary
from bench.curves import Curve, load_curves

FRACTIONS = (0.5, 0.725, 0.85)
COOLDOWN_FRACTIONS = (0.5, 0.725, 0.85, 0.9, 0.95)  # the WSD runs cool down from 83%
NOISES = (0.01, 0.02)
SPACINGS = (256, 512)  # the logs have one loss in 128 steps
# Published with the multi-power law.
_SHAPE_25M = PowerShape(speed=2.066, beta=0.583, gamma=0.641)
_SHAPE_100M = PowerShape(speed=2.13, beta=0.598, gamma=0.655)
_FLAT = replace(PRIORS, exponent_sd=1.0, gain_sd=1.0)


@dataclass(frozen=True, slots=True)
class Case:
    """One forecast beside the truth and the baselines, all as errors of the end in nats."""

    curve: str
    kind: str
    fraction: float
    error: float
    half_width: float
    last: float
    last_less_mean_drop: float
    multi_power: float
    time: float

    @property
    def covered(self) -> bool:
        """Whether the interval holds the end."""
        return abs(self.error) <= self.half_width


@dataclass(frozen=True, slots=True)
class NoiseCase:
    """Forecasts of one curve from one fraction, with noise drawn anew each time.

    The loss's interval is held to the undisturbed end, that of one evaluation (`printed_`) to
    the end with noise of its own.
    """

    curve: str
    fraction: float
    noise: float
    spacing: int
    mean_error: float
    sd: float
    covered_share: float
    half_width: float
    printed_covered_share: float
    printed_half_width: float


def forecast_end(curve: Curve, fraction: float, priors: Priors) -> Forecast:
    """Forecast the end of a curve of which only the first part is seen."""
    seen = curve.find_seen(fraction)
    return _forecast(curve, curve.step[seen], curve.loss[seen], priors)


def fit_complete(curves: Sequence[Curve]) -> list[Fit]:
    """Fit complete curves with flat priors."""
    return [
        fit_curve(curve.step, curve.loss, curve.learning_rate, priors=_FLAT) for curve in curves
    ]


def calibrate(others: Sequence[Curve]) -> Priors:
    """Measure on complete curves what the priors say: centres, misfit, forecast error.

    The widths of the priors stay as stated.
    """
    fits = fit_complete(others)
    rests = np.concatenate([fit.loss - fit.loss_at(fit.step) for fit in fits])
    priors = replace(
        PRIORS,
        exponent=float(np.mean([fit.exponent for fit in fits])),
        gain=float(np.mean([fit.gain for fit in fits])),
        misfit=float(np.sqrt(np.mean(rests**2))),
    )
    errors = []
    for curve in others:
        for fraction in FRACTIONS:
            seen = curve.find_seen(fraction)
            fit = _fit(curve, curve.step[seen], curve.loss[seen], priors)
            errors.append(float(fit.loss_at(curve.step[-1:])[0]) - curve.end_loss)
    return replace(priors, forecast_error=float(np.sqrt(np.mean(np.square(errors)))))


def run_cases(curves: Sequence[Curve], kind: str, priors: Priors | None = None) -> list[Case]:
    """Back-test the curves of a kind; `priors` are calibrated on the others where not given."""
    alike = [curve for curve in curves if curve.kind == kind]
    fractions = COOLDOWN_FRACTIONS if kind.startswith("wsd") else FRACTIONS
    if priors is None and kind != "cosine":
        priors = calibrate([curve for curve in curves if curve.kind == "cosine"])
    cases = []
    for curve in alike:
        others = [other for other in alike if other is not curve]
        chosen = priors or calibrate(others)
        for fraction in fractions:
            cases.append(_run_case(curve, fraction, chosen, others))
    return cases


def run_noise(curves: Sequence[Curve], draws: int, seed: int = 0) -> list[NoiseCase]:
    """Add noise to evaluations 256 and 512 steps apart of each cosine curve and forecast."""
    generator = np.random.default_rng(seed)
    cosines = [curve for curve in curves if curve.kind == "cosine"]
    cases = []
    for curve in cosines:
        priors = calibrate([other for other in cosines if other is not curve])
        for fraction in FRACTIONS:
            for spacing in SPACINGS:
                for noise in NOISES:
                    made = _draw(curve, fraction, noise, spacing, priors, draws, generator)
                    cases.append(made)
    return cases


def _run_case(curve: Curve, fraction: float, priors: Priors, others: Iterable[Curve]) -> Case:
    made = forecast_end(curve, fraction, priors)
    end = curve.end_loss
    last = float(curve.loss[curve.find_seen(fraction)][-1])
    drop = np.mean([other.loss[other.find_seen(fraction)][-1] - other.end_loss for other in others])
    return Case(
        curve=curve.name,
        kind=curve.kind,
        fraction=fraction,
        error=made.value - end,
        half_width=made.high - made.value,
        last=last - end,
        last_less_mean_drop=last - float(drop) - end,
        multi_power=made.cross_checks["multi-power"] - end,
        time=made.cross_checks["time"] - end,
    )


def _draw(
    curve: Curve,
    fraction: float,
    noise: float,
    spacing: int,
    priors: Priors,
    draws: int,
    generator: np.random.Generator,
) -> NoiseCase:
    seen = np.flatnonzero(curve.find_seen(fraction))[:: spacing // 128]
    step, loss = curve.step[seen], curve.loss[seen]
    made = [
        _forecast(curve, step, loss + noise * generator.normal(size=loss.size), priors)
        for _ in range(draws)
    ]
    error = np.array([forecast.value for forecast in made]) - curve.end_loss
    printed_error = error - noise * generator.normal(size=draws)
    half_width = np.array([forecast.loss_high - forecast.value for forecast in made])
    printed = np.array([forecast.high - forecast.value for forecast in made])
    return NoiseCase(
        curve=curve.name,
        fraction=fraction,
        noise=noise,
        spacing=spacing,
        mean_error=float(error.mean()),
        sd=float(error.std(ddof=1)),
        covered_share=float((np.abs(error) <= half_width).mean()),
        half_width=float(np.median(half_width)),
        printed_covered_share=float((np.abs(printed_error) <= printed).mean()),
        printed_half_width=float(np.median(printed)),
    )


def _forecast(curve: Curve, step: np.ndarray, loss: np.ndarray, priors: Priors) -> Forecast:
    shape = _SHAPE_100M if curve.size == 25 else _SHAPE_25M
    fit = _fit(curve, step, loss, priors)
    return forecast_loss(fit, multi_power=partial(follow_multi_power, shape=shape))


def _fit(curve: Curve, step: np.ndarray, loss: np.ndarray, priors: Priors) -> Fit:
    return fit_curve(step, loss, curve.learning_rate, end_step=curve.end_step, priors=priors)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="bench.backtest", description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=40, help="draws of noise each (default 40)")
    draws = parser.parse_args().draws
    named = os.environ.get("ASSAY_CORPORA")
    if not named:
        raise SystemExit("ASSAY_CORPORA is not set; name the folder that holds logs/")
    curves = load_curves(Path(named))
    cosine = run_cases(curves, "cosine")
    print(format_cases("cosine, no constant from the curve under test", cosine))
    print(format_summary(cosine))
    shipped = run_cases(curves, "cosine", PRIORS)
    print(format_cases("cosine, with the priors that are shipped", shipped))
    print(format_summary(shipped))
    for kind in ("constant", "wsd", "wsdld"):
        cases = run_cases(curves, kind)
        print(format_cases(f"{kind}, constants from the four cosine curves", cases))
        print(format_summary(cases))
    print(format_noise(run_noise(curves, draws)))
    cosines = [curve for curve in curves if curve.kind == "cosine"]
    names = [curve.name for curve in cosines]
    print(format_slopes(run_slopes(names, fit_complete(cosines), 5 * draws)))


if __name__ == "__main__":
    main()
