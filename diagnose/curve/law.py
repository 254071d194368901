"""The laws a loss curve is fitted to: what each says has been done by a step.

All are read as loss = floor + scale * spent^-exponent - gain * annealed, where `spent` counts
work and `annealed` how much of the decay's gain has arrived (1 at the schedule's end):

annealing    Tissue, Wang and Wang, arXiv 2408.11029: spent is S1, the sum of rates over the
             highest; annealed is S2, the falls of the rate remembered with decay 0.999.
multi-power  Luo et al., arXiv 2503.12811: spent as above; each fall of the rate saturates by a
             power of the rates summed since. Its shape needs several schedules to fit, so
             published shapes are taken: a second opinion.
time         A power of the step alone, which knows no schedule: a second opinion.
"""

# T = steps from 0 to the horizon, Q = steps asked about, F = falls of the rate, grouped

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from assay.errors import UsageError
from assay.laws.lr_schedule import LearningRate

DECAY = 0.999
_MAX_GROUPS = 256
_MAX_STEPS = 10_000_000
_NEGLIGIBLE = 1e-17


@dataclass(frozen=True, slots=True, eq=False)
class Progress:
    """For each step from 0: `spent` (positive, rising) and `annealed` (1 at the end, or all 0)."""

    spent: np.ndarray
    annealed: np.ndarray


Law = Callable[[np.ndarray, int], Progress]
"""From the rates of steps 0 to the horizon, and the step at which `annealed` shall be 1."""


@dataclass(frozen=True, slots=True)
class PowerShape:
    """Shape of the multi-power law's gain: 1 - (1 + speed * rate^-gamma * sum)^-beta."""

    speed: float
    beta: float
    gamma: float


# The mean of those published with the law, for models of 25M and 100M parameters.
SHAPE = PowerShape(speed=2.1, beta=0.59, gamma=0.648)


def follow(law: Law, learning_rate: LearningRate, end_step: int, last_step: int) -> Progress:
    """Follow a law from step 0 to the later of two steps, annealed by 1 at `end_step`.

    Raises:
        UsageError: More than 10 million steps, which laws follow one by one.
    """
    horizon = max(end_step, last_step)
    if horizon > _MAX_STEPS:
        raise UsageError(
            f"{horizon:,} steps; {_MAX_STEPS:,} can be followed: check the steps of the log and "
            "of the schedule"
        )
    return law(learning_rate(np.arange(horizon + 1)), end_step)


def follow_annealing(rates_T: np.ndarray, end_step: int) -> Progress:
    """Follow S1 and S2 of the annealing law through the steps.

    The rise to the highest rate is warmup and no negative fall; a later rise is one.
    Cost: about 20 passes over the steps (0.1 s for a million).
    """
    peak = float(rates_T.max())
    spent_T = np.cumsum(rates_T) / peak
    annealed_T = np.cumsum(remember(find_falls(rates_T), DECAY)) / peak
    return Progress(spent_T, _scale_to_one(annealed_T, end_step))


def follow_time(rates_T: np.ndarray, end_step: int) -> Progress:
    """Follow nothing but the number of steps taken."""
    return Progress(np.arange(1.0, rates_T.size + 1), np.zeros(rates_T.size))


def follow_multi_power(rates_T: np.ndarray, end_step: int, shape: PowerShape = SHAPE) -> Progress:
    """Follow the multi-power law, its falls and steps in at most 256 groups each.

    A group of falls stands at its middle, and steps between those asked about are interpolated:
    off by less than 0.01 of the gain on a cosine. Falls to a rate of 0 count by the last rate
    above it.
    """
    spent_T = np.cumsum(rates_T) / float(rates_T.max())
    falls_T = find_falls(rates_T)
    where = np.flatnonzero(falls_T)
    if not where.size:
        return Progress(spent_T, np.zeros(rates_T.size))
    groups = np.array_split(where, min(_MAX_GROUPS, where.size))
    fall_F = np.array([falls_T[group].sum() for group in groups])
    at_F = np.array([group[group.size // 2] for group in groups])
    asked_Q = np.unique(
        np.concatenate([at_F - 1, np.linspace(0, rates_T.size - 1, _MAX_GROUPS).astype(int)])
    )
    sums_T = np.cumsum(rates_T)
    since_QF = np.maximum(sums_T[asked_Q][:, None] - sums_T[at_F - 1], 0.0)
    rate_F = np.maximum(rates_T[at_F], rates_T[rates_T > 0].min())
    arrived_QF = 1 - (1 + shape.speed * rate_F**-shape.gamma * since_QF) ** -shape.beta
    annealed_T = np.interp(np.arange(rates_T.size), asked_Q, arrived_QF @ fall_F)
    return Progress(spent_T, _scale_to_one(annealed_T, end_step))


def find_falls(rates_T: np.ndarray) -> np.ndarray:
    """Return by how much the rate fell at each step, after it was first at its highest."""
    falls_T = np.zeros(rates_T.size)
    top = int(rates_T.argmax())
    falls_T[top + 1 :] = rates_T[top:-1] - rates_T[top + 1 :]
    return falls_T


def remember(values_T: np.ndarray, decay: float) -> np.ndarray:
    """Return y with y[i] = values[i] + decay * y[i - 1], by doubling the reach of each pass.

    Args:
        values_T: One value a step.
        decay: In [0, 1).
    """
    sums_T = np.array(values_T, dtype=float)
    reach = 1
    while reach < sums_T.size and decay > _NEGLIGIBLE:
        sums_T[reach:] += decay * sums_T[:-reach]
        reach, decay = 2 * reach, decay * decay
    return sums_T


def _scale_to_one(annealed_T: np.ndarray, end_step: int) -> np.ndarray:
    """Scale so that the end has 1; a schedule that never falls has 0 throughout."""
    end = float(annealed_T[min(end_step, annealed_T.size - 1)])
    return annealed_T / end if end > 0 else np.zeros(annealed_T.size)
