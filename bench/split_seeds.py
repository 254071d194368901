"""Does the verdict err as often as it says, with seeds of real runs?

    python -m bench.split_seeds BINS FOLDER [--runs 40] [--steps 40] [--seeds 3] [--splits 1000]

Trains one small model on BINS with many seeds (2 layers of width 64, block 128, 2,048 tokens a
step, the CPU), then draws two groups of seeds from them again and again and judges one against the
other: the same data twice, so every verdict is false. Splits share runs, so the share is less
certain than its number of splits suggests. Runs that are there already are used.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from assay.formats.bins import Bins, open_bins
from assay.formats.config_checks import make_config
from assay.formats.run import open_run
from assay.formats.train_config import Intervals
from assay.storage.manifest import MANIFEST
from assay.train.run.evaluate import load_held_out
from assay.train.run.launch import run_training
from assay.train.run.recipe import RunRequest
from assay.train.runtime.compiled_model import compile_model
from assay.train.settings.retention import Retention
from assay.train.stats.decision_rule import Margins, judge_all
from assay.train.stats.paired_difference import Losses

MODEL: dict[str, Any] = {
    **{"n_layer": 2, "n_head": 2, "n_embd": 64, "block_size": 128, "batch_size": 16},
    **{"learning_rate": 3e-3, "device": "cpu"},
}
FIRST_SEED = 1000
MOST_DOCUMENTS = 40


def main() -> None:
    """Train, split, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bins", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--splits", type=int, default=1000)
    asked = parser.parse_args()
    nats_SJ, tokens_J = train_seeds(open_bins(asked.bins), asked.folder, asked.runs, asked.steps)
    losses_S = nats_SJ.sum(1) / tokens_J.sum()
    facts = {
        "runs": asked.runs,
        "steps": asked.steps,
        "loss": float(losses_S.mean()),
        "spread of seeds": float(losses_S.std(ddof=1)),
        "false verdicts": split_seeds(nats_SJ, tokens_J, asked.seeds, asked.splits),
    }
    print(json.dumps(facts, indent=1))


def train_seeds(
    bins: Bins,
    folder: Path,
    runs: int,
    steps: int,
    *,
    model: Mapping[str, Any] = MODEL,
    most: int = MOST_DOCUMENTS,
) -> tuple[np.ndarray, np.ndarray]:
    """Train a model with each seed, or take the runs that are there.

    Returns nats of each run's held-out documents, at most `most`, and those documents' tokens.
    """
    config = make_config({**model, "max_iters": steps})
    held_out = load_held_out(bins, max_documents=most)
    compiled = compile_model(config, bins.vocab_size)
    rows = []
    for seed in range(FIRST_SEED, FIRST_SEED + runs):
        path = folder / f"{steps}-{seed}"
        if (path / MANIFEST).exists():
            run = open_run(path)
        else:
            request = RunRequest(
                bins,
                path,
                config=msgspec.structs.replace(config, seed=seed),
                intervals=Intervals(0, 0, 0),
                retention=Retention(optimizer=False),
            )
            run = run_training(request, held_out=held_out, compiled=compiled)
            (path / "model.safetensors").unlink()
        rows.append(run.read_losses()["nats"].to_numpy())
    return np.stack(rows), held_out.tokens_J.astype(np.float64)


def split_seeds(nats_SJ: np.ndarray, tokens_J: np.ndarray, seeds: int, splits: int) -> float:
    """Return the share of random splits into two groups of `seeds` that get a verdict."""
    generator = np.random.default_rng(0)
    false = 0
    for _ in range(splits):
        drawn = generator.permutation(len(nats_SJ))[: 2 * seeds]
        losses = Losses(
            nats_SJ[drawn[:seeds]], nats_SJ[drawn[seeds:]], tokens_J, np.zeros(tokens_J.size)
        )
        verdict = judge_all([losses], margins=Margins(delta=1e-9), rounds=0)[0].verdict
        false += verdict in ("better", "worse")
    return false / splits


if __name__ == "__main__":
    main()
