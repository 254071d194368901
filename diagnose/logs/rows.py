"""Tables of steps: CSV (and TSV, semicolons with decimal commas, spaces), and JSON lines."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from assay.diagnose.logs.columns import (
    add_columns,
    choose_columns,
    note_others,
    note_val,
    require_columns,
)
from assay.diagnose.logs.gather import Gatherer
from assay.diagnose.logs.text import read_blocks
from assay.errors import InputError
from assay.terminal.numbers import number_of
from assay.terminal.text import show_line

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
        raise InputError(f"log {path} is no table: {str(error).splitlines()[0]}") from error
    chosen = choose_columns(table.columns, path.name)
    require_columns(chosen, table.columns, path)
    gathered = Gatherer(path, "csv")
    note_others(gathered, chosen, table.columns)
    note_val(gathered, chosen)
    numbers = {kind: _read_column(table[name], kind, gathered) for kind, name in chosen.items()}
    step_N, has_step_N = numbers.pop("step")
    if not has_step_N.all():
        missing = number_of(int((~has_step_N).sum()), "row")
        gathered.notes.append(f"{missing} without a step; ignored")
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


def read_json_lines(path: Path) -> Gatherer:
    """Read one JSON object a line; NaN and Infinity as Python writes them are understood."""
    rows: list[dict[str, Any]] = []
    unread = 0
    for block in read_blocks(path):
        for line in block.splitlines():
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
            if isinstance(row, dict):
                rows.append(row)
            else:
                unread += 1
    if len(rows) == 1 and holds_lists(rows[0]):
        return gather_lists(path, rows[0])
    gathered = gather_rows(path, "jsonl", rows)
    if unread:
        gathered.notes.append(f"{number_of(unread, 'line')} without a JSON object; ignored")
    return gathered


def holds_lists(value: dict[str, Any]) -> bool:
    """Tell an object of columns from one of a row: its steps are a list."""
    name = choose_columns(value).get("step")
    return name is not None and isinstance(value[name], list)


def gather_lists(path: Path, columns: dict[str, Any]) -> Gatherer:
    """Gather one object of lists, as long as that of the steps; the others are ignored and noted.

    Raises:
        InputError: No losses are among them.
    """
    steps = columns[choose_columns(columns)["step"]]
    whole = {
        name: values
        for name, values in columns.items()
        if isinstance(values, list) and len(values) == len(steps)
    }
    rows = [dict(zip(whole, row, strict=True)) for row in zip(*whole.values(), strict=True)]
    gathered = gather_rows(path, "json", rows)
    for name, values in columns.items():
        if isinstance(values, list) and name not in whole:
            gathered.notes.append(
                f"{show_line(name, 40)}: {number_of(len(values), 'value')} for "
                f"{number_of(len(steps), 'step')}; ignored"
            )
    return gathered


def gather_rows(path: Path, form: str, rows: list[dict[str, Any]]) -> Gatherer:
    """Gather rows that name what they measured; each may have other names.

    Raises:
        InputError: No steps or no losses are among the names.
    """
    rows = [_flatten(row) for row in rows]
    names = dict.fromkeys(name for row in rows for name in row)
    chosen = choose_columns(names)
    require_columns(chosen, names, path)
    step_N, has_step_N = _read_field(rows, chosen["step"])
    numbers = {kind: _read_field(rows, name) for kind, name in chosen.items() if kind != "step"}
    gathered = Gatherer(path, form)
    note_others(gathered, chosen, names)
    note_val(gathered, chosen)
    add_columns(gathered, np.where(has_step_N, step_N, np.nan), numbers)
    return gathered


def _flatten(row: dict[str, Any]) -> dict[str, Any]:
    """Join the names of nested objects, one level: {"val": {"loss": 3}} has val/loss."""
    if not any(isinstance(value, dict) for value in row.values()):
        return row
    flat: dict[str, Any] = {}
    for name, value in row.items():
        inner = value if isinstance(value, dict) else {"": value}
        flat |= {f"{name}/{key}" if key else name: x for key, x in inner.items()}
    return flat


def _read_number(value: Any) -> Any:
    """Read a number that was written as a string; anything else stays what it is."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _read_field(rows: list[dict[str, Any]], name: str) -> tuple[np.ndarray, np.ndarray]:
    values = [_read_number(row.get(name)) for row in rows]
    good = [isinstance(v, int | float) and not isinstance(v, bool) for v in values]
    number_N = [v if ok else np.nan for v, ok in zip(values, good, strict=True)]
    return np.array(number_N, np.float64), np.array(good, bool)
