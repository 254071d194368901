"""How often a comparison errs on real runs that differ in nothing but their seeds.

Trains many tiny models on one folder of bins, draws two disjoint arms of them again and again, and
counts the verdicts that call them different. 80 runs of 20 steps take half a minute on one core.

    python -m bench.real_noise OUT --runs 80 --steps 20
"""

import argparse
from pathlib import Path

import torch

from assay.formats.bins import Bins, open_bins
from assay.formats.run import MAX_HELD_OUT
from assay.storage.manifest import MANIFEST
from bench.split_seeds import split_seeds, train_seeds
from tests.support.bins_fixture import draw_documents, make_bins

SETTINGS = {
    **{"n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": 32, "batch_size": 8},
    "device": "cpu",
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
    nats_SJ, tokens_J = train_seeds(
        bins, asked.out, asked.runs, asked.steps, model=SETTINGS, most=MAX_HELD_OUT
    )
    spread = (nats_SJ.sum(1) / tokens_J.sum()).std(ddof=1)
    print(f"{asked.runs} runs of {asked.steps} steps, spread of seeds {spread:.4f} nats/token")
    for seeds in (2, 3, 5, 8):
        share = split_seeds(nats_SJ, tokens_J, seeds, asked.comparisons)
        print(f"{seeds} seeds an arm: {100 * share:.1f}% of {asked.comparisons:,} called different")


def make_bins_once(folder: Path) -> Bins:
    """Make the bins of a made language, or open those that are there."""
    if (folder / MANIFEST).exists():
        return open_bins(folder)
    return make_bins(folder, draw_documents(100, 400), draw_documents(1000, 60))


if __name__ == "__main__":
    main()
