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
        on_old_SJ, on_new_SJ = self._cool()
        change_SJ = on_new_SJ if on_new else on_old_SJ
        return self._measure(change_SJ.mean(0), self._pool(on_old_SJ, on_new_SJ))

    def measure_data(self) -> Effect:
        """New data against old, the rate staying where it is."""
        return self._contrast(self.old_constant_SJ, self.new_constant_SJ)

    def measure_interaction(self) -> Effect:
        """By how much more cooling down does on new data than on old."""
        return self._contrast(*self._cool())

    def _cool(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the change that cooling down makes, on the old data and on the new."""
        old_SJ = self.old_cooldown_SJ - self.old_constant_SJ
        return old_SJ, self.new_cooldown_SJ - self.new_constant_SJ

    def _contrast(self, old_SJ: np.ndarray, new_SJ: np.ndarray) -> Effect:
        return self._measure(new_SJ.mean(0) - old_SJ.mean(0), 2 * self._pool(old_SJ, new_SJ))

    def _pool(self, *both: np.ndarray) -> float:
        """Return the variance of a mean over orders, pooled over old and new data."""
        means = [nats_SJ.sum(1) / float(self.tokens_J.sum()) for nats_SJ in both]
        return float(sum(mean_S.var(ddof=1) for mean_S in means)) / 2 / len(both[0])

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
    of_val = val.nats_J[clean_J], val.tokens_J[clean_J]
    of_train = train.nats_J, train.tokens_J
    parts = [(ratio_variance(*each), each[0].size - 1) for each in (of_val, of_train)]
    return make_effect(ratio(*of_val) - ratio(*of_train), *parts)


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
