"""Hugging Face's `trainer_state.json`: `log_history`, one entry a log."""

import json
from pathlib import Path

from assay.diagnose.logs.gather import Gatherer
from assay.diagnose.logs.rows import gather_rows
from assay.errors import InputError


def read_trainer_state(path: Path) -> Gatherer:
    """Read `log_history`; `max_steps` is the plan's length.

    Raises:
        InputError: It is not JSON, or has no log_history.
    """
    try:
        state = json.loads(path.read_bytes())
        rows = state["log_history"]
    except (ValueError, RecursionError) as error:
        raise InputError(f"log {path} is not JSON: {error}") from error
    except (KeyError, TypeError) as error:
        raise InputError(
            f"log {path} is JSON without log_history; needed: trainer_state.json, or JSON lines"
        ) from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"log {path}: log_history is no list of objects")
    gathered = gather_rows(path, "trainer_state", rows)
    if isinstance(state.get("max_steps"), int) and state["max_steps"] > 0:
        gathered.facts["total_steps"] = float(state["max_steps"])
    return gathered
