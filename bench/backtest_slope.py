"""Judge the last stretch of real curves, as they were and with their fall taken out.

A run that was healthy must not be called flatter than a healthy one; the same evaluations with
their trend taken out must not be called improving. What a healthy run shows is measured on the
other curves.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay.diagnose.curve.fit import Fit
from assay.diagnose.curve.slope import TypicalRun, healthy_drop, judge_slope
from assay.formats.diagnosis import FLATTER, STILL_IMPROVING, TOO_NOISY

WINDOWS = ((0.5, 0.725), (0.725, 1.0))
NOISES = (0.005, 0.01, 0.02)
OUTCOMES = (STILL_IMPROVING, FLATTER, TOO_NOISY)
_HEADS = ("improving", "flatter", "too noisy")  # OUTCOMES, shortened
_SPACING = 4  # of 128 steps: an evaluation every 512


@dataclass(frozen=True, slots=True)
class SlopeCase:
    """How often each outcome was given for one window of one curve."""

    curve: str
    window: tuple[float, float]
    planted: str
    noise: float
    shares: dict[str, float]


def measure_typical(fits: Sequence[Fit]) -> TypicalRun:
    """Return what complete curves show, the gain's spread tripled."""
    left, gain = np.array([fit.scale for fit in fits]), np.array([fit.gain for fit in fits])
    return TypicalRun(
        left=float(left.mean()),
        left_sd=float(left.std(ddof=1)),
        gain=float(gain.mean()),
        gain_sd=3 * float(gain.std(ddof=1)),
    )


def run_slopes(names: Sequence[str], fits: Sequence[Fit], draws: int) -> list[SlopeCase]:
    """Judge each window of each complete curve, healthy and flattened, with noise drawn anew."""
    generator = np.random.default_rng(1)
    cases = []
    for name, fit in zip(names, fits, strict=True):
        typical = measure_typical([other for other in fits if other is not fit])
        for window in WINDOWS:
            for noise in NOISES:
                for planted in ("healthy", "flat"):
                    shares = _judge(fit, typical, window, noise, planted, draws, generator)
                    cases.append(SlopeCase(name, window, planted, noise, shares))
    return cases


def format_slopes(cases: Sequence[SlopeCase]) -> str:
    """Return one line for each window, noise and kind of curve: outcomes over all curves."""
    lines = [
        "\nlast stretch of the cosine curves, an evaluation every 512 steps: share of outcomes",
        f"{'window':<16}{'noise':>7}{'curve':>9}" + "".join(f"{name:>12}" for name in _HEADS),
    ]
    for window in WINDOWS:
        for noise in NOISES:
            for planted in ("healthy", "flat"):
                some = [
                    case.shares
                    for case in cases
                    if (case.window, case.noise, case.planted) == (window, noise, planted)
                ]
                shares = [float(np.mean([share[name] for share in some])) for name in OUTCOMES]
                lines.append(
                    f"{window[0]:>6.1%} to {window[1]:>6.1%}{noise:>7}{planted:>9}"
                    + "".join(f"{share:>12.0%}" for share in shares)
                )
    return "\n".join(lines)


def _judge(
    fit: Fit,
    typical: TypicalRun,
    window: tuple[float, float],
    noise: float,
    planted: str,
    draws: int,
    generator: np.random.Generator,
) -> dict[str, float]:
    inside = (fit.step >= window[0] * fit.end_step) & (fit.step <= window[1] * fit.end_step)
    step, loss = fit.step[inside][::_SPACING], fit.loss[inside][::_SPACING]
    if planted == "flat":
        loss = np.full(loss.size, loss.mean())
    expected = healthy_drop(fit.learning_rate, int(step[0]), int(step[-1]), fit.end_step, typical)
    found = Counter(
        judge_slope(step, loss + noise * generator.normal(size=loss.size), expected).outcome
        for _ in range(draws)
    )
    return {name: found[name] / draws for name in OUTCOMES}
