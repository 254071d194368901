"""What cooling down and new data do to a loss: contrasts of branches of one checkpoint.

BranchLosses of one order and one folder of bins see the same windows, so that orders are paired
where only the learning rate differs; documents are paired everywhere. The variance of orders is
pooled over old and new data: with S orders each contrast has 2 (S - 1) degrees of freedom.
"""

# S = orders of the data, J = documents

import math
from dataclasses import dataclass

import numpy as np

from assay.formats.probe import Effect
from assay.laws.ratio_estimator import ratio, ratio_variance
from assay.train.run.evaluate import Scores
from assay.train.stats.paired_difference import ALPHA, Estimate
from assay.train.stats.power import Part


@dataclass(frozen=True, slots=True)
class BranchLosses:
    """Nats of each document after each branch, (S, J); tokens of each document, (J,)."""

    old_constant_SJ: np.ndarray
    old_cooldown_SJ: np.ndarray
    new_constant_SJ: np.ndarray
    new_cooldown_SJ: np.ndarray
    tokens_J: np.ndarray

    def measure_cooldown(self, *, on_new: bool = False) -> Effect:
        """Cooling down against staying at the rate, on the old data or on the new."""
        change_SJ = self.old_cooldown_SJ - self.old_constant_SJ
        if on_new:
            change_SJ = self.new_cooldown_SJ - self.new_constant_SJ
        return self._measure(change_SJ.mean(0), _pool(*self._cooled()) / len(change_SJ))

    def measure_data(self) -> Effect:
        """New data against old, the rate staying where it is."""
        old_SJ, new_SJ = self.old_constant_SJ, self.new_constant_SJ
        pooled = _pool(self._mean(old_SJ), self._mean(new_SJ))
        return self._measure(new_SJ.mean(0) - old_SJ.mean(0), 2 * pooled / len(old_SJ))

    def measure_interaction(self) -> Effect:
        """By how much more cooling down does on new data than on old."""
        on_new_SJ = self.new_cooldown_SJ - self.new_constant_SJ
        on_old_SJ = self.old_cooldown_SJ - self.old_constant_SJ
        pooled = _pool(*self._cooled())
        return self._measure(on_new_SJ.mean(0) - on_old_SJ.mean(0), 2 * pooled / len(on_old_SJ))

    def _cooled(self) -> tuple[np.ndarray, np.ndarray]:
        old_S = self._mean(self.old_cooldown_SJ - self.old_constant_SJ)
        return old_S, self._mean(self.new_cooldown_SJ - self.new_constant_SJ)

    def _mean(self, nats_SJ: np.ndarray) -> np.ndarray:
        mean_S: np.ndarray = nats_SJ.sum(1) / float(self.tokens_J.sum())
        return mean_S

    def _measure(self, change_J: np.ndarray, variance: float) -> Effect:
        orders = len(self.old_constant_SJ)
        return make_effect(
            ratio(change_J, self.tokens_J),
            (variance, 2 * (orders - 1)),
            (ratio_variance(change_J, self.tokens_J), self.tokens_J.size - 1),
        )


def measure_gap(val: Scores, train: Scores) -> Effect:
    """Val minus train loss of one model, over documents that did not leak; neither are paired."""
    clean_J = ~val.leaked_J
    means, parts = [], []
    for nats_J, tokens_J in (
        (val.nats_J[clean_J], val.tokens_J[clean_J]),
        (train.nats_J, train.tokens_J),
    ):
        means.append(ratio(nats_J, tokens_J))
        parts.append((ratio_variance(nats_J, tokens_J), nats_J.size - 1))
    return make_effect(means[0] - means[1], *parts)


def make_effect(value: float, first: Part, second: Part) -> Effect:
    """Give a difference its interval and the minimum detectable effect, from two variances."""
    found = Estimate(value, (first, second, (0.0, math.inf)), (None, None), np.zeros(0))
    interval = found.interval(ALPHA)
    return Effect(
        value=value,
        interval=(interval.low, interval.high),
        detectable=found.minimum_detectable(ALPHA),
        error=found.error,
        degrees=found.degrees,
    )


def _pool(one_S: np.ndarray, other_S: np.ndarray) -> float:
    return float(one_S.var(ddof=1) + other_S.var(ddof=1)) / 2
