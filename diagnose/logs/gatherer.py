"""Put measurements in the order of steps: resumed, repeated and shuffled lines, NaN."""

# N = measurements of one kind, in the order of the log

from pathlib import Path

import numpy as np

from assay.diagnose.logs.run_log import KINDS, MIN_GAP_ALONE, Curve, RunLog
from assay.errors import InputError
from assay.terminal.numbers import number_of

_LAST_STEP = 1e15
_MAX_VALUE = 1e6  # of any measurement; what is beyond counts as infinite
# A resumed run goes back a few times; rows that go back more often are merely not in order: over
# 20 times in a long log, over a fifth of the rows in a short one.
_MIN_RETURNS, _MAX_RETURNS = 3, 20
_SHARE_OF_RETURNS, _SHARE_OF_FEW = 0.05, 0.2
_LOSSES = ("train", "val", "batch")
_QUIET = ("milliseconds", "mfu")  # of these nobody needs to hear what was dropped


class Gatherer:
    """Collects measurements by kind as a reader finds them."""

    def __init__(self, path: Path, form: str) -> None:
        self.path, self.form = path, form
        self.facts: dict[str, float] = {}
        self.notes: list[str] = []
        self.val_unit = "nats/token"
        self.val_alone = False
        self.ranks: set[bytes] = set()  # processes that say which they are
        self._parts: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {kind: [] for kind in KINDS}
        self._dropped: dict[str, list[str]] = {}

    def add(self, kind: str, step_N: np.ndarray, value_N: np.ndarray) -> None:
        """Add measurements in the order of the log; values may be NaN."""
        good_N = (step_N >= 0) & (step_N < _LAST_STEP)
        if not good_N.all():
            self.notes.append(f"{kind}: {int((~good_N).sum()):,} steps cannot be; ignored")
        if good_N.any():
            self._parts[kind].append(
                (step_N[good_N].astype(np.int64), value_N[good_N].astype(np.float64))
            )

    def score_alone(self) -> None:
        """Note that each validation document was scored from its own start."""
        self.val_alone = True
        self.notes.append(
            "val is held_out_loss: each document from its own start, without the text before it, "
            "so it lies above the loss of batches by itself; gaps under "
            f"{MIN_GAP_ALONE:g} are not weighed"
        )

    def finish(self) -> RunLog:
        """Make a log of what was added.

        Raises:
            InputError: There is no loss in it, or none that is finite.
        """
        if not any(self._parts[kind] for kind in _LOSSES):
            raise InputError(f"{self.path} has no loss in the format {self.form}")
        curves: dict[str, Curve] = {}
        broken: dict[str, np.ndarray] = {}
        for kind, parts in self._parts.items():
            if not parts:
                continue
            step_N = np.concatenate([steps for steps, _ in parts])
            value_N = np.concatenate([values for _, values in parts])
            step_N, value_N = self._order(kind, step_N, value_N)
            finite_N = np.abs(value_N) < _MAX_VALUE  # false for NaN
            curves[kind] = Curve(step_N[finite_N], value_N[finite_N])
            if not finite_N.all():
                broken[kind] = step_N[~finite_N]
        if not any(curves[kind].size for kind in _LOSSES if kind in curves):
            raise InputError(f"{self.path}: every loss is NaN or infinite; nothing can be weighed")
        self.notes += [f"{what}: {', '.join(of)}" for what, of in self._dropped.items()]
        self.notes += [
            f"{kind}: {number_of(steps.size, 'value')} NaN or infinite, first at step {steps[0]:,}"
            for kind, steps in broken.items()
        ]
        return RunLog(
            path=self.path,
            format=self.form,
            entry=None,
            val_unit=self.val_unit,
            val_alone=self.val_alone,
            broken=broken,
            facts=self.facts,
            notes=tuple(self.notes),
            **curves,
        )

    def _order(
        self, kind: str, step_N: np.ndarray, value_N: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Make steps strictly rising; the last value of a step stands, what is dropped is noted."""
        if len(self.ranks) > 1 and _is_by_rank(step_N, len(self.ranks)):
            return self._average(kind, step_N, value_N)
        back_N, size = np.flatnonzero(np.diff(step_N) < 0), step_N.size
        few = min(_MAX_RETURNS, _SHARE_OF_FEW * size)
        if back_N.size > max(_MIN_RETURNS, few, _SHARE_OF_RETURNS * size):
            order_N = np.argsort(step_N, kind="stable")
            kept_N = order_N[keep_last(step_N[order_N])]
            what = "steps are not in order; sorted, and the last value of a step kept"
            counted = f"{kind} ({back_N.size:,} of {step_N.size:,} go back)"
        else:
            kept_N = np.flatnonzero(keep_last(step_N))
            what = "steps are repeated (several processes?); the last value stands, older dropped"
            if back_N.size:
                first = int(back_N[0])
                what = (
                    f"the log goes back {number_of(back_N.size, 'time')}, first from step "
                    f"{step_N[first]:,} to {step_N[first + 1]:,} (a run resumed, or runs joined); "
                    "what was written over is dropped"
                )
            counted = f"{step_N.size - kept_N.size:,} {kind}"
        if (back_N.size or kept_N.size < step_N.size) and kind not in _QUIET:
            self._dropped.setdefault(what, []).append(counted)
        return step_N[kept_N], value_N[kept_N]

    def _average(
        self, kind: str, step_N: np.ndarray, value_N: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Average what the processes measured at a step: each saw another part of the batch."""
        steps, place_N, number = np.unique(step_N, return_inverse=True, return_counts=True)
        if kind not in _QUIET:
            what = f"lines of {len(self.ranks)} processes; equal steps averaged"
            self._dropped.setdefault(what, []).append(kind)
        return steps, np.bincount(place_N, weights=value_N) / number


def _is_by_rank(step_N: np.ndarray, ranks: int) -> bool:
    """Tell whether steps repeat as processes side by side make them, not as a resumed run does."""
    number = np.unique(step_N, return_counts=True)[1]
    return bool(np.median(number) == ranks == number.max())


def keep_last(step_N: np.ndarray) -> np.ndarray:
    """Mark the measurements that no later one goes back behind, or repeats: bool, (N,).

    A run resumed from step 900 wrote over all that an earlier part of the log says of 900 and
    after; so the steps marked rise strictly.
    """
    later_N = np.minimum.accumulate(step_N[::-1])[::-1]
    keep_N = np.ones(step_N.size, bool)
    keep_N[:-1] = step_N[:-1] < later_N[1:]
    return keep_N
