"""Tables with a header: commas, tabs, semicolons with decimal commas, or columns of spaces."""

from pathlib import Path

import numpy as np
import polars as pl

from assay.diagnose.logs.columns import add_columns, begin_table, has_steps_and_losses
from assay.diagnose.logs.gatherer import Gatherer
from assay.diagnose.logs.tables import TableFormat
from assay.diagnose.logs.text_blocks import read_blocks
from assay.errors import InputError
from assay.terminal.numbers import number_of

_COMMA = r"^[-+]?\d+,\d+"
_APART = r"^[-+]?\d{1,3}(,\d{3})+(\.\d*)?$"  # commas between thousands
_NOT_NUMBERS = {"", "null", "none", "na", "n/a", "-"}


def read_csv(path: Path) -> Gatherer:
    """Read a table with a header; the separator is the one that the header has most of.

    Raises:
        InputError: No steps or no losses are among its columns.
    """
    head = next(read_blocks(path, 1 << 16)).decode("utf-8", "replace").lstrip()
    header = head.partition("\n")[0]
    separator = max(",;\t", key=header.count)
    source: Path | bytes = path
    if separator not in header:  # columns that spaces part and align
        lines = path.read_bytes().splitlines()
        source, separator = b"\n".join(b"\t".join(line.split()) for line in lines), "\t"
    try:
        table = pl.read_csv(
            source,
            separator=separator,
            infer_schema=False,
            truncate_ragged_lines=True,
            encoding="utf8-lossy",
        )
    except (pl.exceptions.PolarsError, ValueError) as error:
        raise InputError(
            f"log {path} cannot be read as a table: {str(error).splitlines()[0]}"
        ) from error
    gathered, chosen = begin_table(path, "csv", table.columns)
    numbers = {kind: _read_column(table[name], kind, gathered) for kind, name in chosen.items()}
    step_N, has_step_N = numbers.pop("step")
    if not has_step_N.all():
        gathered.notes.append(
            f"{number_of(int((~has_step_N).sum()), 'row')} without a step; ignored"
        )
    add_columns(gathered, np.where(has_step_N, step_N, np.nan), numbers)
    return gathered


def _read_column(column: pl.Series, kind: str, gathered: Gatherer) -> tuple[np.ndarray, np.ndarray]:
    """Return a column's numbers, and which rows have one; what is no number is noted."""
    text = column.str.strip_chars().str.to_lowercase()
    with_comma = text.filter(text.str.contains(_COMMA))
    # Steps have thousands; of anything else 3,412 is a little over 3, unless a point follows.
    apart = kind == "step" or with_comma.str.contains(".", literal=True).any()
    if with_comma.len() and apart and with_comma.str.contains(_APART).all():
        text = text.str.replace_all(",", "", literal=True)
    elif with_comma.len():
        gathered.notes.append(f"column {column.name}: decimal commas read as points")
        text = text.str.replace(",", ".", literal=True)
    number = text.cast(pl.Float64, strict=False)
    absent = text.is_null() | text.is_in(sorted(_NOT_NUMBERS))
    strange = (number.is_null() & ~absent).to_numpy()
    if strange.any():
        gathered.notes.append(
            f"column {column.name}: {number_of(int(strange.sum()), 'value')} without a number, "
            f"e.g. {column[int(np.flatnonzero(strange)[0])]!r}; ignored"
        )
    present_N = (~absent).to_numpy() & ~strange
    return number.fill_null(float("nan")).to_numpy(), present_N


def begins_table(start: bytes) -> bool:
    """Tell by its first line a table with a header from a text."""
    line = next(iter(start.splitlines()), b"").decode("utf-8", "replace")
    return any(mark in line for mark in ",;\t") or has_steps_and_losses(line.split())


CSV = TableFormat("csv", read_csv, begins=begins_table)
