"""A run whose loss or gradient is no longer finite: at which step, on which documents."""

# B = windows of a step, T = ids of a window and the one before it, D = documents

from pathlib import Path

import numpy as np
import polars as pl

from assay.errors import AssayError
from assay.formats.bins import Bins
from assay.terminal.text import show_line

_NAMED = 4  # documents named in the message; the others are counted


class DivergedError(AssayError):
    """The loss or the gradient of a run became infinite or not a number."""


def locate_divergence(run: Path, step: int, bins: Bins, position_BT: np.ndarray) -> DivergedError:
    """Make the error that names the step of a run, which counts from 0, and its documents.

    `position_BT` is where in train.bin the ids of its windows lie.
    """
    return DivergedError(
        f"{run}: loss or gradient is not a finite number at step {step + 1:,}; "
        f"{describe_windows(bins, position_BT)}; lower learning_rate, or look at these "
        "documents"
    )


def describe_windows(bins: Bins, position_BT: np.ndarray) -> str:
    """Describe where a step's windows lie in train.bin, and which documents they hold."""
    table = find_window_documents(bins, position_BT)
    named = [
        f"{row['shard']}:{row['row']}" + (f" {show_line(row['id'], 60)}" if row["id"] else "")
        for row in table.head(_NAMED).iter_rows(named=True)
    ]
    more = f" and {table.height - _NAMED:,} more" if table.height > _NAMED else ""
    return (
        f"its {len(position_BT):,} windows, the first at id {int(position_BT[0, 0]):,} of "
        "train.bin, hold "
        f"documents (shard:row) {', '.join(named)}{more}"
    )


def find_window_documents(bins: Bins, position_BT: np.ndarray) -> pl.DataFrame:
    """Find the training documents that windows hold ids of, inputs and targets; in bin order.

    Args:
        bins: The folder whose train.bin the windows lie in.
        position_BT: Where in it each id of each window lies.
    """
    table = bins.read_documents("train")
    end_D = table["end"].to_numpy().astype(np.int64)
    held_D = np.zeros(table.height, np.bool_)
    held_D[np.searchsorted(end_D, position_BT.ravel(), "right")] = True
    return table.filter(pl.Series(held_D))
