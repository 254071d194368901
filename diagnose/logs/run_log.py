"""A training log, read: what was measured at which step."""

# N = measurements of one kind

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from assay.storage.manifest import FileEntry, enter_file

KINDS = ("train", "val", "batch", "lr", "grad_norm", "milliseconds", "mfu")
# nats/token; documents scored alone lie above batches, which are cut from running text. In LOG.md's
# runs the two lay 0.13 to 0.15 apart without overfitting.
MIN_GAP_ALONE = 0.3


@dataclass(frozen=True, slots=True)
class Curve:
    """Measurements of one kind: steps, rising, int64 (N,), and finite values, float64 (N,)."""

    step_N: np.ndarray
    value_N: np.ndarray

    @property
    def size(self) -> int:
        """How many there are."""
        return int(self.step_N.size)

    def since(self, step: float) -> "Curve":
        """Return the part from a step on."""
        late_N = self.step_N >= step
        return Curve(self.step_N[late_N], self.value_N[late_N])


EMPTY = Curve(np.zeros(0, np.int64), np.zeros(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLog:
    """What a log says; losses are nats a token unless `val_unit` says otherwise.

    Attributes:
        path: The file that was read, - for standard input.
        entry: Its name, size and hash where it was copied to be read: a pipe's, or unpacked.
        format: Which reader read it.
        train: Loss on training data with dropout off, as nanoGPT's `step` lines have it.
        val: Loss on validation data.
        batch: Loss of the batches trained on, as printed: one micro-batch, dropout on.
        lr: Learning rate; of nanochat its multiple of the peak.
        grad_norm: Norm of the gradient.
        milliseconds: Time of a step.
        mfu: Model FLOP utilisation in percent, as printed.
        val_alone: Whether each validation document is scored from its own start.
        broken: By kind, the steps whose value was NaN or infinite.
        facts: What else the log states: parameters, tokens_per_step, total_steps.
        notes: What was dropped, reordered or not understood, one line each.
    """

    path: Path
    format: str
    entry: FileEntry | None = None
    train: Curve = EMPTY
    val: Curve = EMPTY
    batch: Curve = EMPTY
    lr: Curve = EMPTY
    grad_norm: Curve = EMPTY
    milliseconds: Curve = EMPTY
    mfu: Curve = EMPTY
    val_unit: str = "nats/token"
    val_alone: bool = False
    broken: Mapping[str, np.ndarray] = field(default_factory=dict)
    facts: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def val_in_nats(self) -> bool:
        """Whether val losses can stand beside the others."""
        return self.val_unit == "nats/token"

    @property
    def last_step(self) -> int:
        """The last step of which anything was measured."""
        return max(
            int(curve.step_N[-1]) for curve in (self.train, self.val, self.batch) if curve.size
        )

    def list_files(self) -> list[FileEntry]:
        """List the file that was read; none where that was a folder. Reads it for its sha256."""
        if self.entry is not None:
            return [self.entry]
        return [enter_file(self.path, self.path.parent)] if self.path.is_file() else []
