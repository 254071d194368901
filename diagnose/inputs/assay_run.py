"""What a run of our own says beside its metrics: its settings and its data, finished or not."""

import json
import math
import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np

from assay.diagnose.inputs.data_facts import DataFacts
from assay.errors import InputError
from assay.formats.run import (
    KEPT_PREFIX,
    LAST_PREFIX,
    LOSSES,
    METRICS,
    MODEL,
    STATE,
    MetricsLine,
    RunTotals,
)
from assay.laws.plans import Plan, make_plan, read_plan
from assay.laws.ratio_estimator import ratio_variance
from assay.storage.manifest import MANIFEST, read_manifest, read_totals
from assay.storage.tables import read_table

# J = documents

_TAIL = 1 << 16  # bytes; a line of metrics has some 250
_MAX_HEADER = 1 << 24


def is_own_run(folder: Path) -> bool:
    """Whether a folder is a run of ours: it has metrics, and a manifest or a checkpoint."""
    return (folder / METRICS).is_file() and (
        (folder / MANIFEST).is_file() or _find_checkpoint(folder) is not None
    )


def read_own_plan(folder: Path) -> Plan:
    """Read the settings of a finished run from its manifest, of another from its checkpoint.

    Raises:
        InputError: The checkpoint's state or weights cannot be read.
    """
    if (folder / MANIFEST).is_file():
        return read_plan(folder / MANIFEST)
    checkpoint = _find_checkpoint(folder)
    assert checkpoint is not None
    try:
        state = json.loads((checkpoint / STATE).read_bytes())
        settings = state["config"] | {"parameters": _count_weights(checkpoint / MODEL)}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"checkpoint {checkpoint} cannot be read: {error}") from error
    return make_plan(settings, name=str(folder), defaults=None)


def read_own_data(folder: Path) -> DataFacts:
    """Read the ids of the bin that a run was trained on, and what it was scored on at its end."""
    totals, last = None, _read_last(folder / METRICS)
    if (folder / MANIFEST).is_file():
        totals = read_totals(folder, read_manifest(folder, "run"), RunTotals)
    seen = totals or last
    if seen is None or not seen.tokens_seen or not seen.epoch:
        return DataFacts()
    return add_own_losses(
        DataFacts(
            unique=round(seen.tokens_seen / seen.epoch),
            source=f"the bin that {folder} was trained on, duplicates counted",
            val_tokens=(totals and totals.held_out_tokens) or None,
        ),
        folder,
    )


def add_own_losses(data: DataFacts, folder: Path) -> DataFacts:
    """Add what a finished run lost on each document that it was scored on, leaked ones apart.

    Raises:
        InputError: The table of its losses cannot be read.
    """
    path = folder / LOSSES
    if not path.is_file():
        return data
    table = read_table(path)
    missing = {"nats", "tokens", "leaked"} - set(table.columns)
    if missing:
        raise InputError(f"{path} has no column {min(missing)}")
    clean = table.filter(~table["leaked"])
    nats_J, tokens_J = (clean[name].to_numpy().astype(np.float64) for name in ("nats", "tokens"))
    return replace(
        data,
        val_tokens=int(tokens_J.sum()),
        val_documents=int(tokens_J.size),
        # A comparison's run may score but some of the documents held out.
        val_most=data.val_most if folder.resolve().parent.name == "runs" else table.height,
        val_error=estimate_error(nats_J, tokens_J),
    )


def estimate_error(nats_J: np.ndarray, tokens_J: np.ndarray) -> float | None:
    """Return the standard error over documents of a loss, total nats over total tokens.

    None of fewer than two documents, or no tokens.

    Args:
        nats_J: Loss of each document.
        tokens_J: Tokens of each.
    """
    if tokens_J.size < 2 or not tokens_J.sum():
        return None
    return math.sqrt(ratio_variance(nats_J, tokens_J))


def _find_checkpoint(folder: Path) -> Path | None:
    whole = [
        path
        for begin in (LAST_PREFIX, KEPT_PREFIX)
        for path in folder.glob(f"{begin}*")
        if (path / STATE).is_file()
    ]
    return max(whole, key=_number, default=None)


def _number(path: Path) -> int:
    digits = re.search(r"\d+$", path.name)
    return int(digits[0]) if digits else -1


def _count_weights(path: Path) -> int:
    """Count the weights of a safetensors file by its header, positions aside as nanoGPT does."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 0 < length < _MAX_HEADER:
            raise ValueError(f"{path.name} has no header of safetensors")
        header = json.loads(file.read(length))
    return sum(
        math.prod(entry["shape"])
        for name, entry in header.items()
        if name != "__metadata__" and "wpe" not in name
    )


def _read_last(path: Path) -> MetricsLine | None:
    """Read the last line of the metrics that is whole; None where none is."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL))
        lines = file.read().splitlines()
    for line in reversed(lines):
        with suppress(msgspec.DecodeError, UnicodeDecodeError):
            return msgspec.json.decode(line, type=MetricsLine)
    return None
