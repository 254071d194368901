"""TensorBoard's event files, through its own library."""

from pathlib import Path

import numpy as np

from assay.diagnose.logs.columns import add_columns, choose_columns, require_columns
from assay.diagnose.logs.gather import Gatherer
from assay.errors import InputError, UsageError


def read_tensorboard(path: Path) -> Gatherer:
    """Read the scalars of an event file, or of a folder of them.

    Raises:
        UsageError: tensorboard is not installed.
        InputError: No scalar is a loss.
    """
    try:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    except ImportError as error:
        raise UsageError(
            f"log {path} is TensorBoard's; its library reads it: pip install 'assay[tensorboard]'"
        ) from error
    events = EventAccumulator(str(path), size_guidance={"scalars": 0})
    try:
        events.Reload()
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"log {path} cannot be read: {error}") from error
    tags = events.Tags()["scalars"]
    chosen = {"step": "step"} | choose_columns(tags)
    require_columns(chosen, tags, path)
    gathered = Gatherer(path, "tensorboard")
    points = {kind: events.Scalars(tag) for kind, tag in chosen.items() if kind != "step"}
    steps = sorted({point.step for found in points.values() for point in found})
    place = {step: index for index, step in enumerate(steps)}
    columns = {}
    for kind, found in points.items():
        value_N, present_N = np.full(len(steps), np.nan), np.zeros(len(steps), bool)
        for point in found:
            value_N[place[point.step]], present_N[place[point.step]] = point.value, True
        columns[kind] = value_N, present_N
    add_columns(gathered, np.array(steps, np.float64), columns)
    return gathered
