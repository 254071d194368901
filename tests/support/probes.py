"""Bins, checkpoints to branch from, and probes of tiny models."""

from pathlib import Path
from typing import Any

import torch

from assay.formats.bins import Bins, open_bins
from assay.formats.config_checks import make_config
from assay.formats.probe import CONFIRMED, ProbeResult
from assay.train.probe.branch_point import read_branch_point
from assay.train.probe.branches import run_probe
from assay.train.settings.retention import Retention
from tests.support.bins_fixture import draw_documents, make_bins
from tests.support.docs_case import make_three_bins
from tests.support.runs import train

BASE: dict[str, Any] = {
    **{"n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": 32, "batch_size": 8},
    **{"device": "cpu", "schedule": "constant", "learning_rate": 0.03},
}
CPU = {"device": "cpu"}


def make_data(seed: int, data: str) -> tuple[Bins, Bins]:
    """Old bins, whole or a sixteenth of them, and new bins as large as the whole."""
    make_three_bins(seed)
    return open_bins(Path("bins") / data), open_bins(Path("bins/new"))


def train_constant(bins: Bins, folder: Path, steps: int = 200, **changes: Any) -> Path:
    config = make_config({**BASE, "max_iters": steps, **changes})
    return train(
        bins, folder, config=config, retention=Retention(ckpt_pt=config.arch == "nanogpt")
    ).folder


def make_small(folder: Path) -> Path:
    """Make old and new bins, and short runs on the old: ours, and one of nanoGPT's kind."""
    torch.set_num_threads(1)
    val = draw_documents(1, 25)
    make_bins(folder / "new", draw_documents(2, 60), val)
    old = make_bins(folder / "old", draw_documents(0, 60), val)
    train_constant(old, folder / "run", 40)
    train_constant(old, folder / "gpt", 40, arch="nanogpt")
    return folder


def probe(folder: Path, output: Path, checkpoint: str = "run", **changes: Any) -> ProbeResult:
    old, new = open_bins(folder / "old"), open_bins(folder / "new")
    branch_point = read_branch_point(folder / checkpoint, CPU)
    return run_probe(branch_point, old, new, output, **{"steps": 20, **changes}).result


def named(result: ProbeResult) -> list[str]:
    return [cause.name for cause in result.causes if cause.state == CONFIRMED]
