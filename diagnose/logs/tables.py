"""Formats of tables, and rows that name what they measured, as JSON has them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assay.diagnose.logs.columns import add_columns, begin_table, choose_columns
from assay.diagnose.logs.gatherer import Gatherer
from assay.terminal.numbers import number_of
from assay.terminal.text import show_line


@dataclass(frozen=True, slots=True)
class TableFormat:
    """How one program writes its log, where that is not lines of text.

    Attributes:
        name: Of the format.
        read: Reads a file of it; errors are `UsageError` or `InputError`.
        is_named: Recognises it by the name of a file or folder.
        begins: Recognises it by its first 4 MB, leading white space left out.
    """

    name: str
    read: Callable[[Path], Gatherer]
    is_named: Callable[[Path], bool] = lambda path: False
    begins: Callable[[bytes], bool] = lambda start: False


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
    gathered.notes += [
        f"{show_line(name, 40)}: {number_of(len(values), 'value')} for "
        f"{number_of(len(steps), 'step')}; ignored"
        for name, values in columns.items()
        if isinstance(values, list) and name not in whole
    ]
    return gathered


def gather_rows(path: Path, form: str, rows: list[dict[str, Any]]) -> Gatherer:
    """Gather rows that name what they measured; each may have other names.

    Raises:
        InputError: No steps or no losses are among the names.
    """
    rows = [_flatten(row) for row in rows]
    names = list(dict.fromkeys(name for row in rows for name in row))
    gathered, chosen = begin_table(path, form, names)
    step_N, has_step_N = _read_field(rows, chosen["step"])
    numbers = {kind: _read_field(rows, name) for kind, name in chosen.items() if kind != "step"}
    add_columns(gathered, np.where(has_step_N, step_N, np.nan), numbers)
    return gathered


def _flatten(row: dict[str, Any]) -> dict[str, Any]:
    """Join the names of nested objects, one level: {"val": {"loss": 3}} has val/loss."""
    if not any(isinstance(value, dict) for value in row.values()):
        return row
    return {
        f"{name}/{key}" if key else name: inner
        for name, value in row.items()
        for key, inner in (value if isinstance(value, dict) else {"": value}).items()
    }


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
