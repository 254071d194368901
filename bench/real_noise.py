"""How often a comparison errs on real runs that differ in nothing but their seeds.

Trains many tiny models on one folder of bins, draws two disjoint arms of them again and again, and
counts the verdicts that call them different. 80 runs of 20 steps take half a minute on one core.

    python -m bench.real_noise OUT --runs 80 --steps 20
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from assay.artifacts import MANIFEST
from assay.bins import Bins
from assay.train.config import make_config
from assay.train.evaluate import HeldOut, load_held_out
from assay.train.loop import Keep, Pace, train_on
from assay.train.machine import build_machine
from assay.train.runs import open_run
from bench.split_seeds import split_seeds
from tests.bins_fixture import draw_documents, make_bins

SETTINGS = {
    **{"n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": 32, "batch_size": 8},
    **{"device": "cpu", "seed": 0},
}


def main() -> None:
    """Train, draw, count, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--runs", type=int, default=80)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--comparisons", type=int, default=2000)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    bins = make_bins_once(asked.out / "bins")
    held_out = load_held_out(bins)
    nats_SJ = train_runs(bins, held_out, asked.out, asked.runs, asked.steps)
    tokens_J = held_out.tokens_J.astype(np.float64)
    spread = (nats_SJ.sum(1) / tokens_J.sum()).std(ddof=1)
    print(f"{asked.runs} runs of {asked.steps} steps, spread of seeds {spread:.4f} nats/token")
    for seeds in (2, 3, 5, 8):
        share = split_seeds(nats_SJ, tokens_J, seeds, asked.comparisons)
        print(f"{seeds} seeds an arm: {100 * share:.1f}% of {asked.comparisons:,} called different")


def make_bins_once(folder: Path) -> Bins:
    """Make the bins of a made language, or open those that are there."""
    from assay.bins import open_bins

    if (folder / MANIFEST).exists():
        return open_bins(folder)
    return make_bins(folder, draw_documents(100, 400), draw_documents(1000, 60))


def train_runs(bins: Bins, held_out: HeldOut, out: Path, runs: int, steps: int) -> np.ndarray:
    """Train runs that differ in their seeds, or take those that are there; nats, (runs, J)."""
    machine = build_machine(make_config(SETTINGS), bins.vocab_size)
    rows = []
    for number in range(runs):
        folder = out / f"{steps}-{number}"
        config = make_config({**SETTINGS, "max_iters": steps, "seed": 1000 + number})
        if not (folder / MANIFEST).exists():
            train_on(
                bins, folder, config=config, machine=machine, held_out=held_out,
                keep=Keep(optimizer=False), pace=Pace(0, 0, 0),
            )  # fmt: skip
        rows.append(open_run(folder).read_losses()["nats"].to_numpy())
    return np.stack(rows)


if __name__ == "__main__":
    main()
