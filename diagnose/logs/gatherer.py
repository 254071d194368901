"""Collect what a reader finds, by kind, and make a log of it; NaN and infinite values apart."""

# N = measurements of one kind, in the order of the log

from pathlib import Path

import numpy as np

from assay.diagnose.logs.restarts import order_steps
from assay.diagnose.logs.run_log import KINDS, MIN_GAP_ALONE, Curve, RunLog
from assay.errors import InputError
from assay.terminal.numbers import number_of

_LAST_STEP = 1e15
_MAX_VALUE = 1e6  # of any measurement; what is beyond counts as infinite
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
        dropped: dict[str, list[str]] = {}
        for kind, parts in self._parts.items():
            if not parts:
                continue
            step_N = np.concatenate([steps for steps, _ in parts])
            value_N = np.concatenate([values for _, values in parts])
            step_N, value_N, what, number = order_steps(step_N, value_N, len(self.ranks))
            if what and kind not in _QUIET:
                dropped.setdefault(what, []).append(number.format(kind=kind))
            finite_N = np.abs(value_N) < _MAX_VALUE  # false for NaN
            curves[kind] = Curve(step_N[finite_N], value_N[finite_N])
            if not finite_N.all():
                broken[kind] = step_N[~finite_N]
        if not any(curves[kind].size for kind in _LOSSES if kind in curves):
            raise InputError(f"{self.path}: every loss is NaN or infinite; nothing can be weighed")
        self.notes += [f"{what}: {', '.join(of)}" for what, of in dropped.items()]
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
