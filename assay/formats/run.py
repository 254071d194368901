"""Runs: what a folder holds that `assay train` wrote, finished or not; and its checkpoints."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pyarrow as pa
from msgspec import UNSET, UnsetType

from assay.errors import InputError
from assay.formats.train_config import TrainConfig
from assay.paths import AnyPath, Folder, to_path
from assay.storage.manifest import Manifest, check_file, read_manifest, read_totals
from assay.storage.tables import read_table
from assay.terminal.notebook import draw_result
from assay.terminal.numbers import count, number_of

METRICS = "metrics.jsonl"
LOSSES = "losses.parquet"
# A checkpoint's, and with the first and the last a run's own.
MODEL = "model.safetensors"
OPTIMIZER = "optimizer.safetensors"
STATE = "state.json"
CKPT_PT = "ckpt.pt"  # nanoGPT's
LOSS_COLUMNS = pa.schema(
    [
        ("document", pa.uint64()),
        ("nats", pa.float64()),
        ("tokens", pa.uint64()),
        ("bytes", pa.uint64()),
        ("leaked", pa.bool_()),
    ]
)
MAX_HELD_OUT = 2000  # documents that are scored at most, unless a caller says otherwise
LAST_PREFIX = "checkpoint-"  # begins the names of checkpoints that the next one replaces
KEPT_PREFIX = "step-"  # begins the names of checkpoints that are kept for good


class MetricsLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of `metrics.jsonl`: loss in nats a token, over the steps since the last line.

    `mfu` is the share of the device's peak in half precision, None where that is not known;
    `left_out_steps` are those that float16's loss scale left out so far, None in other dtypes;
    `held_out_loss` stands where held-out documents were scored.
    """

    step: int
    tokens_seen: int
    epoch: float = 0.0
    unique_tokens_seen: int = 0
    loss: float | None = None
    lr: float | None = None
    grad_norm: float | None = None
    tokens_per_second: float | None = None
    mfu: float | UnsetType | None = UNSET
    left_out_steps: int | None = None
    held_out_loss: float | None = None


class ComputeSegment(msgspec.Struct, frozen=True, kw_only=True):
    """Steps of a run computed alike: from `step` on, until the next segment begins.

    `device` is a card's name, or cpu; `processes` shared each step.
    """

    step: int
    device: str
    dtype: str
    torch: str
    processes: int

    @property
    def where(self) -> str:
        """Name precision and device: `bfloat16 on NVIDIA H100 80GB HBM3`."""
        return f"{self.dtype} on {self.device}"


class SettingsChange(msgspec.Struct, frozen=True, kw_only=True):
    """Where a run was resumed with other settings: each name with its old and its new value.

    `origin` is the sha256 of the `state.json` of another run's checkpoint, where it was resumed
    from that.
    """

    step: int
    tokens_seen: int
    origin: str | UnsetType = msgspec.field(default=UNSET, name="from")
    changed: dict[str, tuple[Any, Any]]


class RunTotals(msgspec.Struct, frozen=True, kw_only=True):
    """What a run's manifest counts; losses are means over the held-out documents, None without any.

    `left_out_steps` is unset where the run was not in float16, `schedule` where it was not coupled:
    the sha256 of its windows and their order.
    """

    steps: int
    parameters: int
    tokens_seen: int
    epoch: float
    unique_tokens_seen: int
    schedule: str | UnsetType = UNSET
    left_out_steps: int | UnsetType = UNSET
    held_out_documents: int = 0
    held_out_tokens: int = 0
    loss_nats: float | None = None
    bits_per_byte: float | None = None
    computed: tuple[ComputeSegment, ...] = ()


@dataclass(frozen=True, slots=True)
class Run(Folder):
    """A finished run: weights, `metrics.jsonl`, `losses.parquet`."""

    folder: Path
    manifest: Manifest
    config: TrainConfig
    totals: RunTotals

    @property
    def loss_nats(self) -> float:
        """Nats a token on the held-out documents that did not leak; nan where there are none."""
        found = self.totals.loss_nats
        return float("nan") if found is None else found

    def read_metrics(self) -> list[MetricsLine]:
        """Read the lines of `metrics.jsonl`. Raises InputError where a line is not a run's."""
        return read_metrics(self.folder)

    def read_curve(self) -> list[tuple[int, float]]:
        """Read tokens seen and held-out loss at each scoring, the final one last."""
        scored = [
            (each.tokens_seen, each.held_out_loss)
            for each in self.read_metrics()
            if each.held_out_loss
        ]
        return [*scored, (self.totals.tokens_seen, self.loss_nats)]

    def read_losses(self) -> pl.DataFrame:
        """Read the loss of each held-out document; columns as `LOSS_COLUMNS`.

        Raises:
            IntegrityError: The file is not the one that the run wrote.
        """
        for entry in self.manifest.outputs:
            if entry.name == LOSSES:
                check_file(self.folder, entry)
        return read_table(self.folder / LOSSES)

    def __str__(self) -> str:
        scored = ""
        if self.totals.loss_nats is not None:
            documents = number_of(self.totals.held_out_documents, "held-out document")
            scored = f", {self.loss_nats:.4f} nats/token on {documents}"
        return (
            f"run {self.folder}: {count(self.totals.parameters)} parameters, "
            f"{count(self.totals.tokens_seen)} tokens ({self.totals.epoch:.2f} epochs){scored}"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        names = ("steps", "parameters", "tokens_seen", "unique_tokens_seen", "held_out_documents")
        rows = [(name.replace("_", " "), count(getattr(self.totals, name))) for name in names]
        losses = (("nats/token", self.totals.loss_nats), ("bits/byte", self.totals.bits_per_byte))
        rows += [(unit, f"{loss:.4f}") for unit, loss in losses if loss is not None]
        return draw_result(str(self), rows)


def open_run(folder: AnyPath) -> Run:
    """Open a folder that `assay train` wrote.

    Raises:
        UsageError: There is no such folder, or it holds something else.
        InputError: It is unfinished, or cannot be read.
    """
    folder = to_path(folder)
    manifest = read_manifest(folder, "run")
    try:
        config = msgspec.convert(manifest.settings["config"], TrainConfig)
    except (KeyError, msgspec.ValidationError) as error:
        raise InputError(f"{folder}/manifest.json has no config that can be read") from error
    return Run(folder, manifest, config, read_totals(folder, manifest, RunTotals))


def read_metrics(folder: Path) -> list[MetricsLine]:
    """Read the lines of a run's `metrics.jsonl`; none where the folder has no such file.

    Raises:
        InputError: A line is not what a run writes.
    """
    path = folder / METRICS
    if not path.is_file():
        return []
    lines = path.read_bytes().splitlines()
    try:
        return [msgspec.json.decode(line, type=MetricsLine) for line in lines if line.strip()]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error


def extend_segments(
    earlier: Sequence[ComputeSegment], here: ComputeSegment
) -> tuple[ComputeSegment, ...]:
    """Add the segment with which a run is resumed; one computed as the last one is none."""
    if earlier and msgspec.structs.replace(here, step=earlier[-1].step) == earlier[-1]:
        return tuple(earlier)
    return (*earlier, here)


def name_places(runs: Sequence[Run]) -> str:
    """Name on what runs were computed, each once: `bfloat16 on NVIDIA H200`; "" if unknown."""
    return " and ".join(sorted({each.where for run in runs for each in run.totals.computed}))
