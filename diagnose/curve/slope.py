"""Whether the last stretch of a curve is flatter than a healthy run's would be.

Never against a slope of 0 alone: late in a decay a healthy run falls by a few hundredths of a nat
over a quarter of its steps, and evaluations scatter by as much.
"""

# N = evaluations in the window

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, sqrt

import numpy as np

from assay.diagnose.curve.fit import check_curve
from assay.diagnose.curve.law import follow, follow_annealing, remember
from assay.errors import UsageError
from assay.formats.diagnosis import FLATTER, STILL_IMPROVING, TOO_NOISY
from assay.laws.lr_schedule import LearningRate

EVALUATIONS, AVERAGES = "evaluations", "averages of batches"  # what a curve is made of
MIN_IN_WINDOW = 4
_MIN_BENT = 6
_BENT = 0.01  # chance that a straight stretch is taken for a bent one
_MAX_MORE = 100_000
_EXPONENT = 0.5


@dataclass(frozen=True, slots=True)
class TypicalRun:
    """What healthy runs have in common, in nats.

    `left` is how far above its floor a run ends but for its decay, `gain` what the whole decay
    is worth. The annealing law's fits, under its usual priors, of four complete cosine runs
    (25M and 100M parameters, 24,000 and 72,000 steps) have 0.13 to 0.31 and 0.11 to 0.13; they are
    two models of one recipe, so the gain is given about three times the spread.
    """

    left: float = 0.21
    left_sd: float = 0.09
    gain: float = 0.12
    gain_sd: float = 0.03


TYPICAL = TypicalRun()


@dataclass(frozen=True, slots=True)
class HealthyDrop:
    """By how many nats a healthy loss falls over a window, and how well that is known."""

    value: float
    sd: float


@dataclass(frozen=True, slots=True)
class SlopeVerdict:
    """What the window shows; `drop` > 0 is a loss that falls, in nats over the window.

    `outcome` is STILL_IMPROVING, FLATTER or TOO_NOISY. `low` and `high` bound the drop at
    `confidence`. `more_evaluations` is how many more like these, in a window that falls as
    much, would decide: 0 where it is decided, None where no number up to 100,000 would.
    `autocorrelation` is that of successive evaluations about the line. `made_of` is the word for
    what the curve is made of, evaluations or averages of batches.
    """

    outcome: str
    drop: float
    low: float
    high: float
    confidence: float
    expected: HealthyDrop
    num_evaluations: int
    noise: float
    autocorrelation: float
    more_evaluations: int | None
    made_of: str = EVALUATIONS

    @property
    def sentence(self) -> str:
        """The verdict in one sentence, with its numbers."""
        needs = ""
        if self.outcome == TOO_NOISY:
            needs = f"; no number of {self.made_of} can tell"
            if self.more_evaluations is not None:
                needs = f"; needs {self.more_evaluations:,} more"
        return (
            f"{self.outcome.replace(EVALUATIONS, self.made_of)}{needs}: over "
            f"{self.num_evaluations:,} {self.made_of} the loss fell by {self.drop:+.4f} "
            f"({self.confidence:.0%} interval {self.low:+.4f} to {self.high:+.4f}), a healthy "
            f"run's by {self.expected.value:.4f} +/- {self.expected.sd:.4f}"
        )


def healthy_drop(
    learning_rate: LearningRate,
    from_step: int,
    to_step: int,
    end_step: int,
    typical: TypicalRun = TYPICAL,
) -> HealthyDrop:
    """Return the drop between two steps that healthy cosine runs of other people showed.

    The annealing law at typical constants. Of a run far shorter than 24,000 steps it is too
    low: such a run is further from its floor.

    Raises:
        ValueError: Nothing was learned by `from_step`.
        UsageError: More steps than can be followed.
    """
    progress = follow(follow_annealing, learning_rate, end_step, to_step)
    ends = np.array([from_step, to_step])
    if progress.spent[from_step] == 0:
        raise ValueError(f"no learning rate above 0 up to step {from_step:,}: nothing to fall from")
    power = (progress.spent[ends] / progress.spent[end_step]) ** -_EXPONENT
    spent, annealed = float(power[0] - power[1]), float(np.diff(progress.annealed[ends])[0])
    return HealthyDrop(
        value=typical.left * spent + typical.gain * annealed,
        sd=hypot(typical.left_sd * spent, typical.gain_sd * annealed),
    )


def choose_window(step: Sequence[int] | np.ndarray, *, share: float = 0.3, fewest: int = 8) -> int:
    """Return the step where the last window begins: the last 30% of the steps, 8 evaluations."""
    step_N = np.asarray(step)
    first = int(np.searchsorted(step_N, (1 - share) * step_N[-1]))
    return int(step_N[max(0, min(first, step_N.size - fewest))])


def judge_slope(
    step: Sequence[float] | np.ndarray,
    loss: Sequence[float] | np.ndarray,
    expected: HealthyDrop,
    *,
    confidence: float = 0.95,
    made_of: str = EVALUATIONS,
) -> SlopeVerdict:
    """Judge the evaluations of a window against the drop a healthy run would show over it.

    *Flatter* where the interval of expected - drop lies above 0, both errors counted; else
    *still improving* where the interval of the drop does; else *too noisy*. The drop is that of
    the line of least squares; its error is from what scatters about the line, or about the bend
    where the window clearly has one, and is made robust to first-order autocorrelation.

    Args:
        step: Of the window, rising.
        loss: Nats of each, finite.
        expected: Over the same window.
        confidence: Of the intervals, in (0, 1).
        made_of: The word for what is judged, EVALUATIONS or AVERAGES.

    Raises:
        UsageError: Fewer than 4 evaluations.
        ValueError: Steps do not rise, or a loss is not finite.
    """
    from scipy.special import stdtrit

    step_N, loss_N = np.asarray(step, dtype=float), np.asarray(loss, dtype=float)
    check_curve(step_N, loss_N)
    if step_N.size < MIN_IN_WINDOW:
        raise UsageError(
            f"{step_N.size} {made_of} in the window; a slope needs {MIN_IN_WINDOW} or more"
        )
    drop, error, noise, correlation, degrees = _fit_line(step_N, loss_N)
    tail = (1 + confidence) / 2
    reach = float(stdtrit(degrees, tail)) * error
    doubt = float(stdtrit(1e6, tail)) * expected.sd
    if drop + hypot(reach, doubt) < expected.value:
        outcome = FLATTER
    elif drop - reach > 0:
        outcome = STILL_IMPROVING
    else:
        outcome = TOO_NOISY
    more: int | None = 0
    if outcome == TOO_NOISY:
        more = _count_more(error, degrees, step_N.size, expected.value, doubt, tail)
    return SlopeVerdict(
        outcome=outcome,
        drop=drop,
        low=drop - reach,
        high=drop + reach,
        confidence=confidence,
        expected=expected,
        num_evaluations=step_N.size,
        noise=noise,
        autocorrelation=correlation,
        more_evaluations=more,
        made_of=made_of,
    )


def _fit_line(step_N: np.ndarray, loss_N: np.ndarray) -> tuple[float, float, float, float, float]:
    """Return the drop over the window, its error, the noise, its autocorrelation, and degrees."""
    number = step_N.size
    centred_N = step_N - step_N.mean()
    square = float(centred_N @ centred_N)
    slope = float(centred_N @ loss_N) / square
    rest_N = loss_N - loss_N.mean() - slope * centred_N
    shapes = [np.ones(number), centred_N]
    bend_N = _bend(centred_N)
    if _is_bent(rest_N, bend_N):
        rest_N = rest_N - bend_N * float(bend_N @ rest_N) / float(bend_N @ bend_N)
        shapes.append(bend_N)
    correlation = _correlate(rest_N, len(shapes))
    # What the residuals' squares sum to, and the slope's variance, under that correlation.
    sums = [_sum_products(each, correlation) / float(each @ each) for each in shapes]
    noise = sqrt(float(rest_N @ rest_N) / max(number - sum(sums), 1.0))
    degrees = max(1.0, number * min(1.0, 1 / sums[1]) - len(shapes))
    length = float(step_N[-1] - step_N[0])
    return -slope * length, noise * sqrt(sums[1] / square) * length, noise, correlation, degrees


def _bend(centred_N: np.ndarray) -> np.ndarray:
    """Return a parabola over the window, without its mean and its line."""
    parabola_N = centred_N**2 - (centred_N**2).mean()
    line = float(parabola_N @ centred_N) / float(centred_N @ centred_N)
    return np.asarray(parabola_N - line * centred_N)


def _is_bent(rest_N: np.ndarray, bend_N: np.ndarray) -> bool:
    """Tell by an F test whether residuals bend: about a straight line a bend would be noise.

    The line's slope stays what it was, since the bend lies across it.
    """
    from scipy.special import fdtrc

    if rest_N.size < _MIN_BENT:
        return False
    taken = float(bend_N @ rest_N) ** 2 / float(bend_N @ bend_N)
    left = float(rest_N @ rest_N) - taken
    degrees = rest_N.size - 3
    return taken > 0 and (left <= 0 or fdtrc(1, degrees, taken / left * degrees) < _BENT)


def _correlate(rest_N: np.ndarray, shapes: int) -> float:
    """Return the first autocorrelation about fitted shapes, its bias mended; from 0 to 0.95.

    About a line, two shapes, it comes out low by (2 + 4 rho) / N (Kendall, Marriott and Pope);
    each further shape adds (1 + rho) / N.
    """
    square = float(rest_N @ rest_N)
    if square == 0:
        return 0.0
    found = float(rest_N[1:] @ rest_N[:-1]) / square
    number = rest_N.size
    return float(np.clip((found * number + shapes) / max(number - shapes - 2, 1), 0.0, 0.95))


def _sum_products(values_N: np.ndarray, correlation: float) -> float:
    """Return the sum over i and j of values[i] values[j] correlation^|i - j|."""
    before_N = remember(values_N, correlation) - values_N
    return float(values_N @ values_N + 2 * values_N @ before_N)


def _count_more(
    error: float, degrees: float, number: int, expected: float, doubt: float, tail: float
) -> int | None:
    """Count the further evaluations after which the interval cannot hold both 0 and the drop."""
    from scipy.special import stdtrit

    if expected <= doubt:
        return None
    # The worst case is a drop whose interval just touches 0.
    needed = (expected**2 - doubt**2) / (2 * expected)

    def is_enough(more: int) -> bool:
        growth = (number + more) / number
        return float(stdtrit(degrees * growth, tail)) * error / sqrt(growth) < needed

    more = bisect_left(range(_MAX_MORE + 1), True, key=is_enough)
    return more if more <= _MAX_MORE else None
