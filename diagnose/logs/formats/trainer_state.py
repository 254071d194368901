"""JSON in one piece: Hugging Face's `trainer_state.json`, or a list of objects, one a log."""

import json
from pathlib import Path

from assay.diagnose.logs.gatherer import Gatherer
from assay.diagnose.logs.tables import TableFormat, gather_lists, gather_rows, holds_lists
from assay.errors import InputError


def read_trainer_state(path: Path) -> Gatherer:
    """Read `log_history`, whose `max_steps` is the plan's length; or a list of the same kind.

    An object of lists, one a column, is read as a table.

    Raises:
        InputError: It is not JSON, or has no log_history.
    """
    try:
        state = json.loads(path.read_bytes())
        if isinstance(state, dict) and "log_history" not in state and holds_lists(state):
            return gather_lists(path, state)
        rows = state if isinstance(state, list) else state["log_history"]
    except (ValueError, RecursionError) as error:
        raise InputError(f"log {path} is not JSON: {error}") from error
    except (KeyError, TypeError) as error:
        raise InputError(
            f"log {path} is JSON without log_history; needed: trainer_state.json, a list of "
            "objects, an object of lists with steps among them, or JSON lines"
        ) from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"log {path}: log_history must be a list of objects")
    if isinstance(state, list):
        return gather_rows(path, "json", rows)
    gathered = gather_rows(path, "trainer_state", rows)
    if isinstance(state.get("max_steps"), int) and state["max_steps"] > 0:
        gathered.facts["total_steps"] = float(state["max_steps"])
    return gathered


def begins_whole(start: bytes) -> bool:
    """Tell JSON in one piece from JSON lines: a list, a history, or an object of several lines."""
    if start.startswith(b"{"):
        first = start.splitlines()[0].rstrip()
        return b'"log_history"' in start or not first.endswith(b"}")
    return start.startswith(b"[")


TRAINER_STATE = TableFormat("trainer_state", read_trainer_state, begins=begins_whole)
