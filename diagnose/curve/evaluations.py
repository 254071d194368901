"""What the evaluations show by themselves: the gap of train and val, a turn upwards, spikes."""

# N = evaluations

from dataclasses import dataclass

import numpy as np

from assay.diagnose.logs.run_log import MIN_GAP_ALONE, Curve, RunLog

_LAST = 0.3  # of the steps: the window that `slope.choose_window` takes, too
_FEW = 3
_MIN_RISE = 0.02
_SPIKE = 8.0  # median deviations above the running median


@dataclass(frozen=True, slots=True)
class Gap:
    """Val loss minus train loss over the last evaluations, nats a token.

    `error` is the mean's standard error from evaluation to evaluation: the chance of drawing
    batches, not the choice of the validation set. `widened` is how much wider the gap is than in
    the first third of the run, with its own error. `paired` is False where train losses are
    batches, dropout on.
    """

    mean: float
    error: float
    widened: float
    widened_error: float
    num_evaluations: int
    paired: bool

    @property
    def is_wide(self) -> bool:
        """Whether anyone would call it a gap."""
        return self.mean > 0.05

    @property
    def is_none(self) -> bool:
        """Whether val loss is no worse than train loss, but for chance."""
        return self.mean <= max(0.0, 2 * self.error) + 0.01


@dataclass(frozen=True, slots=True)
class Turn:
    """Where val loss was lowest, and how far it has risen since (nats, with its error)."""

    step: int
    rise: float
    error: float

    @property
    def is_real(self) -> bool:
        """Whether it rose by more than chance, and by more than anyone would mind."""
        return self.rise > max(_MIN_RISE, 3 * self.error)


def pair_train(log: RunLog) -> tuple[Curve, np.ndarray, bool]:
    """Return train losses at the steps of val: the curve, the val losses there, whether paired.

    Where the log has no evaluations of training data, the batches between two evaluations are
    averaged about each.
    """
    if log.train.size:
        step_N, val, train = np.intersect1d(
            log.val.step_N, log.train.step_N, assume_unique=True, return_indices=True
        )
        return Curve(step_N, log.train.value_N[train]), log.val.value_N[val], True
    edges = np.concatenate([[-1], (log.val.step_N[1:] + log.val.step_N[:-1]) / 2, [np.inf]])
    place = np.searchsorted(edges, log.batch.step_N, side="right") - 1
    number = np.bincount(place, minlength=log.val.size)
    total = np.bincount(place, weights=log.batch.value_N, minlength=log.val.size)
    here = number[: log.val.size] > 0
    mean = total[: log.val.size][here] / number[: log.val.size][here]
    return Curve(log.val.step_N[here], mean), log.val.value_N[here], False


def late_mean(curve: Curve) -> float | None:
    """Return the mean over the last 30% of the steps; None of an empty curve."""
    if not curve.size:
        return None
    return float(curve.since((1 - _LAST) * curve.step_N[-1]).value_N.mean())


def measure_gap(log: RunLog) -> Gap | None:
    """Measure the gap over the last 30% of the steps; None with fewer than 3 evaluations there.

    None, too, where it may come of documents that were scored alone.
    """
    if not log.val.size or not log.val_in_nats:
        return None
    train, val_N, paired = pair_train(log)
    if train.size < _FEW:
        return None
    gap_N = val_N - train.value_N
    last = train.step_N[-1]
    late_N = gap_N[train.step_N >= (1 - _LAST) * last]
    if late_N.size < _FEW:
        late_N = gap_N[-_FEW:]
    if log.val_alone and late_N.mean() < MIN_GAP_ALONE:
        return None
    early_N = gap_N[(train.step_N > 0) & (train.step_N <= last / 3)]
    error = float(late_N.std(ddof=1) / late_N.size**0.5)
    early_error = float(early_N.std(ddof=1) / early_N.size**0.5) if early_N.size > 1 else error
    return Gap(
        mean=float(late_N.mean()),
        error=error,
        widened=float(late_N.mean() - early_N.mean()) if early_N.size else 0.0,
        widened_error=float(np.hypot(error, early_error)),
        num_evaluations=int(late_N.size),
        paired=paired,
    )


def find_turn(curve: Curve, noise: float) -> Turn | None:
    """Find the lowest of the running means of three, and the rise from there to the last three.

    Args:
        curve: Val losses; under 6 there is nothing to tell.
        noise: Spread of one of them.
    """
    if curve.size < 2 * _FEW:
        return None
    mean_N = np.convolve(curve.value_N, np.ones(_FEW) / _FEW, "valid")
    lowest = int(np.argmin(mean_N))
    if lowest > mean_N.size - 1 - _FEW:
        return Turn(int(curve.step_N[lowest + 1]), 0.0, noise)
    rise = float(mean_N[-1] - mean_N[lowest])
    return Turn(int(curve.step_N[lowest + 1]), rise, noise * (2 / _FEW) ** 0.5)


def count_spikes(curve: Curve, window: int = 51) -> int:
    """Count runs of losses that stand 8 median deviations or more above the running median.

    The first tenth, where every loss falls fast, is left out; so are curves under 100 points.
    """
    value_N = curve.value_N[curve.size // 10 :]
    if curve.size < 100 or value_N.size < 2 * window:
        return 0
    views_NW = np.lib.stride_tricks.sliding_window_view(value_N, window)[:: window // 2]
    median_N = np.median(views_NW, axis=1)
    centre_N = np.arange(median_N.size) * (window // 2) + window // 2
    rest_N = value_N - np.interp(np.arange(value_N.size), centre_N, median_N)
    spread = 1.4826 * float(np.median(np.abs(rest_N - np.median(rest_N))))
    high_N = rest_N > max(_SPIKE * spread, 1e-3)
    return int((np.diff(np.concatenate([[False], high_N]).astype(int)) == 1).sum())
