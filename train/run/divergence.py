"""Where in the data a loss stopped being a number."""

# N = ids of the bin, B = windows of a step

from pathlib import Path

import numpy as np
import polars as pl

from assay.errors import AssayError
from assay.formats.bins import Bins
from assay.terminal.text import show_line

_NAMED = 4  # documents named in the message; the others are counted


class DivergedError(AssayError):
    """The loss or the gradient became infinite or not a number."""

    @classmethod
    def at(
        cls, run: Path, step: int, bins: Bins, start_B: np.ndarray, block_size: int
    ) -> "DivergedError":
        """Say at which step of a run, and on which documents; steps count from 0."""
        where = describe_windows(bins, start_B, block_size)
        return cls(
            f"{run}: loss or gradient is not a finite number at step {step + 1:,}; {where}; "
            "lower learning_rate, or look at these documents"
        )


def describe_windows(bins: Bins, start_B: np.ndarray, block_size: int) -> str:
    """Say where a step's windows lie in train.bin and which documents they hold."""
    table = find_documents_in(bins, start_B, block_size)
    named = [
        f"{row['shard']}:{row['row']}" + (f" {show_line(row['id'], 60)}" if row["id"] else "")
        for row in table.head(_NAMED).iter_rows(named=True)
    ]
    more = f" and {table.height - _NAMED:,} more" if table.height > _NAMED else ""
    return (
        f"its {start_B.size:,} windows, the first at id {int(start_B[0]):,} of train.bin, hold "
        f"documents (shard:row) {', '.join(named)}{more}"
    )


def find_documents_in(bins: Bins, start_B: np.ndarray, block_size: int) -> pl.DataFrame:
    """Find the training documents that windows hold ids of, inputs and targets; in bin order."""
    table = bins.read_documents("train")
    start_D = table["start"].to_numpy().astype(np.int64)
    end_D = table["end"].to_numpy().astype(np.int64)
    size = int(end_D[-1])
    held_D = np.zeros(table.height, np.bool_)
    for start in start_B.tolist():
        end = start + block_size + 1
        held_D |= (start_D < end) & (end_D > start)
        if end > size:  # the bin is a ring
            held_D |= start_D < end - size
    return table.filter(pl.Series(held_D))
