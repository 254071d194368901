"""Slow twins of the diagnosis: schedules, laws, the robust fit, logs."""

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path


def cosine_rate(step: int, peak: float, floor: float, warmup: int, end: int) -> float:
    """Return nanoGPT's learning rate at a step."""
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    if step > end:
        return floor
    done = (step - warmup) / (end - warmup)
    return floor + 0.5 * (1 + math.cos(math.pi * done)) * (peak - floor)


def annealing_sums(rates: Sequence[float], decay: float) -> tuple[list[float], list[float]]:
    """Return S1 and S2 at each step, S2 by its double sum; rises before the peak are no falls."""
    peak = max(rates)
    top = list(rates).index(peak)
    first, second = [], []
    for t in range(len(rates)):
        first.append(sum(rates[: t + 1]) / peak)
        total = 0.0
        for i in range(top + 1, t + 1):
            for k in range(top + 1, i + 1):
                total += (rates[k - 1] - rates[k]) * decay ** (i - k)
        second.append(total / peak)
    return first, second


def multi_power_gain(
    rates: Sequence[float], speed: float, beta: float, gamma: float
) -> list[float]:
    """Return the multi-power law's gain at each step, one fall of the rate at a time."""
    top = list(rates).index(max(rates))
    gains = []
    for t in range(len(rates)):
        gain = 0.0
        for k in range(top + 1, t + 1):
            since = sum(rates[k : t + 1])
            arrived = 1 - (1 + speed * rates[k] ** -gamma * since) ** -beta
            gain += (rates[k - 1] - rates[k]) * arrived
        gains.append(gain)
    return gains


def sum_correlated(values: Sequence[float], correlation: float) -> float:
    """Return the sum over all i and j of values[i] * values[j] * correlation^|i - j|."""
    return sum(
        a * b * (correlation ** abs(i - j) if i != j else 1.0)
        for i, a in enumerate(values)
        for j, b in enumerate(values)
    )


def soft_l1_cost(
    constants: Sequence[float],
    spent: Sequence[float],
    annealed: Sequence[float],
    loss: Sequence[float],
    *,
    noise: float,
    misfit: float,
    exponent: tuple[float, float],
    gain: tuple[float, float],
) -> float:
    """Return what the fit minimises, for (floor, scale, exponent, gain); priors as (centre, sd)."""
    floor, scale, power, worth = constants
    cost = 0.0
    for s, a, found in zip(spent, annealed, loss, strict=True):
        rest = found - (floor + scale * s**-power - worth * a)
        cost += 2 * (math.sqrt(1 + rest**2 / (noise**2 + misfit**2)) - 1)
    dense = max(1.0, len(loss) / 10)
    cost *= (noise**2 + misfit**2) / (noise**2 + misfit**2 * dense)
    return cost + ((power - exponent[0]) / exponent[1]) ** 2 + ((worth - gain[0]) / gain[1]) ** 2


def keep_last_slowly(steps: list[int]) -> list[int]:
    """Return the places of the steps that no later one goes back behind, or repeats."""
    return [i for i, step in enumerate(steps) if all(step < later for later in steps[i + 1 :])]


def read_nanogpt_slowly(path: Path) -> dict[str, list[tuple[int, float]]]:
    """Read nanoGPT's losses line by line; the curves of `assay.diagnose.logs`."""
    found: dict[str, list[tuple[int, float]]] = {"train": [], "val": [], "batch": []}
    for line in path.read_text().split("\n"):
        step = re.search(r"\bstep (\d+): train loss (\d+\.\d+|nan), val loss (\d+\.\d+|nan)", line)
        if step:
            found["train"].append((int(step[1]), float(step[2])))
            found["val"].append((int(step[1]), float(step[3])))
        batch = re.search(r"\biter (\d+): loss (\d+\.\d+|nan)", line)
        if batch:
            found["batch"].append((int(batch[1]), float(batch[2])))
    return {kind: _order_slowly(rows) for kind, rows in found.items()}


def _order_slowly(rows: list[tuple[int, float]]) -> list[tuple[int, float]]:
    steps = [step for step, _ in rows]
    returns = sum(b < a for a, b in pairwise(steps))
    if returns > max(3, min(20, 0.2 * len(rows)), 0.05 * len(rows)):
        kept = sorted(dict(rows).items())
    else:
        kept = [rows[i] for i in keep_last_slowly(steps)]
    return [(step, value) for step, value in kept if math.isfinite(value)]
