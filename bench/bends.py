"""Does a bend in a loss curve pass for noise? Drawn curves whose noise and drop are known.

    python -m bench.bends [--draws 800]

Prints two tables. The noise that differences of evaluations show, about no trend and about a power
law, by first differences and by the second ones that `diagnose.fit` takes; the true value is 1.
And 95% intervals of the drop over a window: the share that holds the truth and the median
half-width, about a straight line, and about a bend where an F test finds one (`diagnose.slope`).
"""

import argparse
from unittest.mock import patch

import numpy as np

from assay.diagnose.curve.fit import estimate_noise
from assay.diagnose.curve.slope import HealthyDrop, judge_slope
from assay.terminal.text import align

WINDOWS, CORRELATIONS, BENDS = (6, 8, 12, 25, 50), (0.0, 0.5, 0.8), (0.0, 0.02, 0.1)
DROP, NOISE = 0.1, 0.01
HEALTHY = HealthyDrop(0.065, 0.014)


def main() -> None:
    """Draw, estimate, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=800)
    draws = parser.parse_args().draws
    print(tell_noise(draws))
    print()
    print(tell_windows(draws))


def tell_noise(draws: int) -> str:
    """Tabulate estimates of a noise of 1: median and spread over the draws."""
    generator = np.random.default_rng(0)
    rows: list[tuple[str, ...]] = [
        ("evaluations", "trend", "first differences", "second differences")
    ]
    for number in (8, 22, 100):
        for trend, scale in (("none", 0.0), ("power law", 100.0)):
            curve = scale * np.linspace(0.15, 1, number) ** -0.5
            drawn = [curve + generator.normal(size=number) for _ in range(draws)]
            found = [[take(loss) for loss in drawn] for take in (_by_first, estimate_noise)]
            cells = [f"{np.median(each):.2f} +- {np.std(each):.2f}" for each in found]
            rows.append((str(number), trend, *cells))
    return align(rows)


def tell_windows(draws: int) -> str:
    """Tabulate how often intervals hold the drop, and how wide they are."""
    generator = np.random.default_rng(0)
    rows: list[tuple[str, ...]] = [
        ("evaluations", "correlation", "bend", "straight", "half-width", "bent", "half-width")
    ]
    for number in WINDOWS:
        for correlation in CORRELATIONS:
            for bend in BENDS:
                made = [draw_window(generator, number, correlation, bend) for _ in range(draws)]
                with patch("assay.diagnose.curve.slope._BENT", 0.0):
                    straight = _measure(made)
                cells = (str(number), f"{correlation:g}", f"{bend:g}", *straight, *_measure(made))
                rows.append(cells)
    return align(rows)


def draw_window(
    generator: np.random.Generator, number: int, correlation: float, bend: float
) -> np.ndarray:
    """Draw a window that falls by DROP; the bend lies across its line."""
    rest = generator.normal(size=number)
    for place in range(1, number):
        fresh = (1 - correlation**2) ** 0.5 * rest[place]
        rest[place] = correlation * rest[place - 1] + fresh
    at = np.linspace(-0.5, 0.5, number)
    return np.asarray(3.6 - DROP * at + 4 * bend * at**2 + NOISE * rest)


def _by_first(loss_N: np.ndarray) -> float:
    change_N = np.diff(loss_N)
    return float(1.4826 * np.median(np.abs(change_N - np.median(change_N))) / 2**0.5)


def _measure(windows: list[np.ndarray]) -> tuple[str, str]:
    verdicts = [judge_slope(np.arange(each.size), each, HEALTHY) for each in windows]
    held = np.mean([each.low <= DROP <= each.high for each in verdicts])
    width = np.median([(each.high - each.low) / 2 for each in verdicts])
    return f"{held:.0%}", f"{width:.4f}"


if __name__ == "__main__":
    main()
