"""A run whose loss or gradient is no longer finite: at which step, on which documents."""

# N = ids of the bin, B = windows of a step

from pathlib import Path

import numpy as np
import polars as pl

from assay.errors import AssayError
from assay.formats.bins import Bins
from assay.terminal.text import show_line

_NAMED = 4  # documents named in the message; the others are counted


class DivergedError(AssayError):
    """The loss or the gradient of a run became infinite or not a number."""


def locate_divergence(
    run: Path, step: int, bins: Bins, start_B: np.ndarray, block_size: int
) -> DivergedError:
    """Make the error that names the step of a run, which counts from 0, and its documents."""
    return DivergedError(
        f"{run}: loss or gradient is not a finite number at step {step + 1:,}; "
        f"{describe_windows(bins, start_B, block_size)}; lower learning_rate, or look at these "
        "documents"
    )


def describe_windows(bins: Bins, start_B: np.ndarray, block_size: int) -> str:
    """Describe where a step's windows lie in train.bin, and which documents they hold."""
    table = find_window_documents(bins, start_B, block_size)
    named = [
        f"{row['shard']}:{row['row']}" + (f" {show_line(row['id'], 60)}" if row["id"] else "")
        for row in table.head(_NAMED).iter_rows(named=True)
    ]
    more = f" and {table.height - _NAMED:,} more" if table.height > _NAMED else ""
    return (
        f"its {start_B.size:,} windows, the first at id {int(start_B[0]):,} of train.bin, hold "
        f"documents (shard:row) {', '.join(named)}{more}"
    )


def find_window_documents(bins: Bins, start_B: np.ndarray, block_size: int) -> pl.DataFrame:
    """Find the training documents that windows hold ids of, inputs and targets; in bin order.

    Args:
        bins: The folder whose train.bin the windows lie in.
        start_B: Where each window begins.
        block_size: Ids of a window, its last target aside.
    """
    table = bins.read_documents("train")
    start_D, end_D = (table[name].to_numpy().astype(np.int64) for name in ("start", "end"))
    size = int(end_D[-1])
    held_D = np.zeros(table.height, np.bool_)
    for start in start_B.tolist():
        end = start + block_size + 1
        held_D |= ((start_D < end) & (end_D > start)) | (start_D < end - size)  # the bin is a ring
    return table.filter(pl.Series(held_D))
