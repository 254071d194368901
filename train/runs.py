"""A finished training run, as it lies on the disk."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

import assay
from assay.artifacts import FileEntry, Manifest, check_file, read_manifest, seal_folder
from assay.errors import InputError
from assay.tables import read_table
from assay.train.config import TrainConfig

METRICS = "metrics.jsonl"
LOSSES = "losses.parquet"
# A checkpoint's, and with the first and the last a run's own.
MODEL = "model.safetensors"
OPTIMIZER = "optimizer.safetensors"
STATE = "state.json"
NANOGPT = "ckpt.pt"
LAST = "checkpoint-"  # begins the names of checkpoints that the next one replaces
KEPT = "step-"  # begins the names of checkpoints that are kept for good


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
        """Read the loss of each held-out document; columns as `tables.LOSSES`.

        Raises:
            IntegrityError: The file is not the one that the run wrote.
        """
        for entry in self.manifest.outputs:
            if entry.name == LOSSES:
                check_file(self.folder, entry)
        return read_table(self.folder / LOSSES)


def seal_run(
    folder: Path,
    *,
    settings: dict[str, Any],
    outputs: list[FileEntry],
    tokenizer: dict[str, Any] | None,
    totals: dict[str, Any],
    parents: dict[str, str],
) -> None:
    """Write the manifest of a run that is finished."""
    manifest = Manifest(
        kind="run",
        tool=f"assay {assay.__version__}",
        settings=settings,
        inputs=[],
        outputs=outputs,
        tokenizer=tokenizer,
        totals=totals,
        parents=parents,
    )
    seal_folder(folder, manifest)


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
