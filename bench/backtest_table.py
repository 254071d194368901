"""The back-test as text: every case, then what the acceptance asks of them together."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bench.backtest import Case, NoiseCase

METHODS = ("error", "last", "last_less_mean_drop", "multi_power", "time")
_HEADS = ("forecast", "last value", "less mean drop", "multi-power", "power of t")


def measure(cases: Sequence[Case], method: str, fraction: float) -> float:
    """Return the mean absolute error of a method from a fraction of the run, nats."""
    return float(np.mean([abs(getattr(c, method)) for c in cases if c.fraction == fraction]))


def measure_coverage(cases: Sequence[Case]) -> tuple[float, float]:
    """Return the share of ends that the 90% intervals hold, and the median half-width in nats."""
    covered = float(np.mean([case.covered for case in cases]))
    return covered, median(case.half_width for case in cases)


def format_cases(title: str, cases: Sequence[Case]) -> str:
    """Return one line a case: errors of the end, and the interval."""
    lines = [f"\n{title}: error of the end, nats", f"{'curve':<22}{'seen':>6}" + _head() + _ends()]
    for case in cases:
        errors = "".join(f"{getattr(case, method):>+16.4f}" for method in METHODS)
        held = "holds" if case.covered else "MISSES"
        lines.append(
            f"{case.curve:<22}{case.fraction:>6.1%}{errors}{case.half_width:>14.4f}{held:>8}"
        )
    return "\n".join(lines)


def format_summary(cases: Sequence[Case]) -> str:
    """Return mean absolute errors by fraction, and the coverage."""
    lines = []
    for fraction in sorted({case.fraction for case in cases}):
        some = [case for case in cases if case.fraction == fraction]
        errors = "".join(f"{measure(cases, method, fraction):>16.4f}" for method in METHODS)
        covered, width = measure_coverage(some)
        lines.append(
            f"{'mean absolute error':<22}{fraction:>6.1%}{errors}{width:>14.4f}{covered:>8.0%}"
        )
    covered, width = measure_coverage(cases)
    held = sum(case.covered for case in cases)
    lines.append(
        f"90% intervals hold {held} of {len(cases)} ends ({covered:.0%}), "
        f"median half-width {width:.4f}"
    )
    return "\n".join(lines)


def format_noise(cases: Sequence[NoiseCase]) -> str:
    """Return one line for each noise, spacing and fraction, over all curves."""
    lines = [
        "\ncosine with noise added to evaluations: error of the end, nats",
        f"{'noise':>6}{'steps apart':>13}{'seen':>7}{'mean error':>20}{'sd':>16}"
        f"{'loss held':>11}{'half-width':>12}{'eval held':>11}{'half-width':>12}",
    ]
    for key in sorted({(case.noise, case.spacing, case.fraction) for case in cases}):
        some = [case for case in cases if (case.noise, case.spacing, case.fraction) == key]
        means, sds = [c.mean_error for c in some], [c.sd for c in some]
        held = float(np.mean([case.covered_share for case in some]))
        printed = float(np.mean([case.printed_covered_share for case in some]))
        width = median(case.half_width for case in some)
        printed_width = median(case.printed_half_width for case in some)
        lines.append(
            f"{key[0]:>6.2f}{key[1]:>13}{key[2]:>7.1%}{min(means):>+11.4f} {max(means):>+8.4f}"
            f"{min(sds):>9.4f}-{max(sds):.4f}{held:>11.0%}{width:>12.4f}"
            f"{printed:>11.0%}{printed_width:>12.4f}"
        )
    for noise in sorted({case.noise for case in cases}):
        some = [case for case in cases if case.noise == noise]
        held = float(np.mean([case.covered_share for case in some]))
        width = median(case.half_width for case in some)
        lines.append(
            f"noise {noise}: 90% intervals of the loss hold {held:.0%} of the ends, "
            f"median half-width {width:.4f}"
        )
    return "\n".join(lines)


def _head() -> str:
    return "".join(f"{head:>16}" for head in _HEADS)


def _ends() -> str:
    return f"{'half-width':>14}{'end':>8}"
