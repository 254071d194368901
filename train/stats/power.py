"""The minimum detectable effect of a comparison, before it is made and after."""

# P = parts of a variance, R = draws

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from assay.laws.student_t import MAX_DEGREES, quantile

POWER = 0.8
# Standard deviation of one document's change from arm to arm, nats a token; 0.04 to 0.10 were seen.
PRIOR_DOCUMENT_SD = 0.06
_DRAWS = 10_000
_GRID = 96

Part = tuple[float, float]  # a variance and the degrees of freedom it is measured with


def prior_seed_sd(tokens: int, parameters: int) -> float:
    """Return the standard deviation of seeds to assume before any was measured, nats a token.

    The highest seen: 0.004 past 20 tokens a parameter, 0.04 on short runs (10 steps at the full
    vocabulary, where the loss still falls fast; 0.006 to 0.010 later).
    """
    return 0.004 if tokens >= 20 * parameters else 0.04


def satterthwaite(parts: Sequence[Part]) -> float:
    """Return the degrees of freedom of a sum of variances; at most 1e6."""
    below = sum(part**2 / degrees for part, degrees in parts if degrees > 0)
    total = sum(part for part, _ in parts)
    return min(total**2 / below, MAX_DEGREES) if below else MAX_DEGREES


def find_detectable(parts: Sequence[Part], alpha: float, power: float = POWER) -> float:
    """Return the true difference that the test at `alpha` finds with chance `power`.

    Each part is taken for the true variance. The test will measure it anew, and with two or
    three seeds it measures badly: its threshold is drawn 10,000 times (always the same draws),
    not taken to be what it is on average, which promises too much.

    Args:
        parts: Variances that add to the estimate's, with their degrees of freedom.
        alpha: Of the test, two-sided.
        power: Chance to find it.
    """
    parts = [part for part in parts if part[0] > 0]
    if not parts:
        return 0.0
    generator = np.random.default_rng(0)
    drawn_PR = np.stack([_draw_variance(part, generator) for part in parts])
    degrees_P = np.array([max(min(degrees, MAX_DEGREES), 1) for _, degrees in parts])
    total_R = drawn_PR.sum(0)
    degrees_R = total_R**2 / (drawn_PR**2 / degrees_P[:, None]).sum(0)
    threshold_R = np.sqrt(total_R) * _quantiles(1 - alpha / 2, degrees_R)
    error = math.sqrt(sum(variance for variance, _ in parts))
    # Found where effect + error z > threshold: the effect is a quantile of what is left.
    return float(np.quantile(threshold_R - error * generator.standard_normal(_DRAWS), power))


def foresee_detectable(
    seed_sd: float,
    document_se: float,
    *,
    seeds: int,
    documents: int,
    alpha: float,
    power: float = POWER,
    paired: bool = False,
) -> float:
    """Return the smallest difference that `seeds` an arm would find with chance `power`.

    Args:
        seed_sd: Standard deviation of an arm's seeds, alike in both; nats a token.
        document_se: What the draw of documents adds to the standard error.
        seeds: Runs an arm; with one the standard deviation counts as known.
        documents: How many are scored.
        alpha: Of the test, two-sided.
        power: Chance to find it.
        paired: Whether seeds are pairs; `seed_sd` is then that of pairs over the root of 2.

    >>> round(foresee_detectable(0.0025, 0.06 / 2000**0.5, seeds=5, documents=2000, alpha=0.05), 4)
    0.0061
    """
    of_seeds = seed_sd**2 / seeds, seeds - 1 if seeds > 1 else math.inf
    of_documents = document_se**2, max(documents - 1, 1)
    both = [(2 * of_seeds[0], of_seeds[1])] if paired else [of_seeds, of_seeds]
    return find_detectable([*both, of_documents], alpha, power)


def pool_seed_sd(spreads: tuple[float | None, float | None]) -> float | None:
    """Return the common standard deviation of two arms' seeds; None where neither has one."""
    known = [spread for spread in spreads if spread is not None]
    return math.sqrt(sum(s * s for s in known) / len(known)) if known else None


def _draw_variance(part: Part, generator: np.random.Generator) -> np.ndarray:
    variance, degrees = part
    if degrees >= MAX_DEGREES:
        return np.full(_DRAWS, variance)
    return variance * generator.chisquare(degrees, _DRAWS) / degrees


def _quantiles(chance: float, degrees_R: np.ndarray) -> np.ndarray:
    inverse_G, log_G = _tabulate(chance)
    found_R: np.ndarray = np.exp(np.interp(1 / np.maximum(degrees_R, 1), inverse_G, log_G))
    return found_R


@lru_cache(maxsize=64)
def _tabulate(chance: float) -> tuple[np.ndarray, np.ndarray]:
    """Tabulate the logarithm of Student's quantile over 1 / degrees: 0.01% off at most."""
    inverse_G = np.linspace(1 / MAX_DEGREES, 1, _GRID)
    return inverse_G, np.log([quantile(chance, 1 / each) for each in inverse_G.tolist()])
