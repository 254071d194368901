"""TensorBoard's event files, through its own library."""

from collections import defaultdict
from pathlib import Path

from assay.diagnose.logs.gatherer import Gatherer
from assay.diagnose.logs.tables import TableFormat, gather_rows
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
            f"log {path} is TensorBoard's; reading it needs tensorboard: pip install "
            "'assay[tensorboard]'"
        ) from error
    events = EventAccumulator(str(path), size_guidance={"scalars": 0})
    try:
        events.Reload()
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"log {path} cannot be read: {error}") from error
    rows: dict[int, dict[str, float]] = defaultdict(dict)
    for tag in events.Tags()["scalars"]:
        for point in events.Scalars(tag):
            rows[point.step][tag] = point.value
    return gather_rows(
        path, "tensorboard", [{"step": step} | row for step, row in sorted(rows.items())]
    )


TENSORBOARD = TableFormat(
    "tensorboard", read_tensorboard, is_named=lambda path: "tfevents" in path.name or path.is_dir()
)
