"""wandb's offline runs (`run-*.wandb`), through its own library."""

import json
from pathlib import Path
from typing import Any

from assay.diagnose.logs.gather import Gatherer
from assay.diagnose.logs.rows import gather_rows
from assay.errors import InputError, UsageError


def read_wandb(path: Path) -> Gatherer:
    """Read the history of an offline run: its .wandb file, or the folder that holds it.

    Raises:
        UsageError: wandb is not installed.
        InputError: The folder has no .wandb file, or it cannot be read.
    """
    try:
        from wandb.proto import wandb_internal_pb2
        from wandb.sdk.internal.datastore import DataStore
    except ImportError as error:
        raise UsageError(
            f"log {path} is wandb's; its library reads it: pip install 'assay[wandb]'"
        ) from error
    file = path if path.is_file() else next(iter(sorted(path.glob("*.wandb"))), None)
    if file is None:
        raise InputError(f"log {path} has no .wandb file; needed: a folder offline-run-*")
    store, rows, broken = DataStore(), [], ""
    try:
        store.open_for_scan(str(file))
        while (data := store.scan_data()) is not None:
            record = wandb_internal_pb2.Record()
            record.ParseFromString(data)
            if record.WhichOneof("record_type") == "history":
                rows.append(_read_history(record.history))
    except (AssertionError, ValueError, OSError) as error:  # a run that was killed ends anywhere
        broken = f"the file breaks off after {len(rows):,} rows ({error or type(error).__name__})"
    if not rows:
        raise InputError(f"log {path} has no history{'; ' + broken if broken else ''}")
    gathered = gather_rows(path, "wandb", rows)
    gathered.notes.extend([broken] if broken else [])
    return gathered


def _read_history(history: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"_step": history.step.num}
    for item in history.item:
        name = item.key or "/".join(item.nested_key)
        row[name] = json.loads(item.value_json)
    return row
