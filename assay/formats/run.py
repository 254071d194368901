"""A finished training run, as it lies on the disk."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pyarrow as pa

from assay.errors import InputError
from assay.formats.train_config import TrainConfig
from assay.storage.manifest import Manifest, check_file, read_manifest
from assay.storage.tables import read_table

METRICS = "metrics.jsonl"
LOSSES = "losses.parquet"
# A checkpoint's, and with the first and the last a run's own.
MODEL = "model.safetensors"
OPTIMIZER = "optimizer.safetensors"
STATE = "state.json"
NANOGPT = "ckpt.pt"
LOSS_COLUMNS = pa.schema(
    [
        ("document", pa.uint64()),
        ("nats", pa.float64()),
        ("tokens", pa.uint64()),
        ("bytes", pa.uint64()),
        ("leaked", pa.bool_()),
    ]
)
LAST = "checkpoint-"  # begins the names of checkpoints that the next one replaces
KEPT = "step-"  # begins the names of checkpoints that are kept for good


class MetricsLine(msgspec.Struct, frozen=True):
    """One line of `metrics.jsonl`: loss in nats a token, over the steps since the last line."""

    step: int
    tokens_seen: int
    loss: float | None = None
    held_out_loss: float | None = None
    epoch: float = 0.0
    unique_tokens_seen: int = 0


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
        """Say on what: `bfloat16 on NVIDIA H100 80GB HBM3`."""
        return f"{self.dtype} on {self.device}"


class RunTotals(msgspec.Struct, frozen=True):
    """What a run's manifest counts."""

    steps: int
    parameters: int
    tokens_seen: int
    unique_tokens_seen: int
    epoch: float
    held_out_documents: int = 0
    held_out_tokens: int = 0
    loss_nats: float | None = None
    computed: tuple[ComputeSegment, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """A sealed folder: weights, `metrics.jsonl`, `losses.parquet`."""

    folder: Path
    manifest: Manifest
    config: TrainConfig

    @property
    def loss_nats(self) -> float:
        """Nats a token on the held-out documents that did not leak; nan where there are none."""
        found = self.manifest.totals["loss_nats"]
        return float("nan") if found is None else float(found)

    def read_metrics(self) -> list[dict[str, Any]]:
        """Read the lines of `metrics.jsonl`."""
        lines = (self.folder / METRICS).read_bytes().splitlines()
        return [msgspec.json.decode(line) for line in lines]

    def read_losses(self) -> pl.DataFrame:
        """Read the loss of each held-out document; columns as `LOSS_COLUMNS`.

        Raises:
            IntegrityError: The file is not the one that the run wrote.
        """
        for entry in self.manifest.outputs:
            if entry.name == LOSSES:
                check_file(self.folder, entry)
        return read_table(self.folder / LOSSES)


def open_run(folder: Path) -> Run:
    """Open a folder that `assay train` wrote.

    Raises:
        UsageError: There is no such folder, or it holds something else.
        InputError: It is unfinished, or cannot be read.
    """
    manifest = read_manifest(folder, "run")
    try:
        config = msgspec.convert(manifest.settings["config"], TrainConfig)
    except (KeyError, msgspec.ValidationError) as error:
        raise InputError(f"{folder}/manifest.json has no config that can be read") from error
    return Run(folder, manifest, config)


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
