"""How often a comparison errs, and how often it finds what it says it could: by drawing them.

    python -m bench.simulate [--from COMPARISON] [--seed-sd 0.004] [--both-sd 0.06] ...

Draws comparisons under the model of `bench.drawn_comparisons`, with the spreads that are named
or those of a finished comparison of the same data (A/A), and prints as JSON: false verdicts of an
A/A with 3 and 5 seeds, of looks at 3, 5 and 8, and of three arms; the smallest detectable effect;
and how often an effect of that size, and one twice as large, is found.
"""

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from assay.storage.tables import read_table
from bench.drawn_comparisons import Noise, count_verdicts, fit_noise


def main() -> None:
    """Draw what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--from", dest="folder", type=Path, help="A finished A/A of two arms.")
    for name, value in asdict(Noise()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value))
    parser.add_argument("--comparisons", type=int, default=1000)
    parser.add_argument("--bootstrap-rounds", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    noise = read_noise(asked.folder) if asked.folder else Noise()
    given = {name: getattr(asked, name) for name in asdict(noise)}
    noise = replace(noise, **{name: value for name, value in given.items() if value is not None})
    facts = simulate(noise, asked.comparisons, asked.bootstrap_rounds, asked.seed)
    print(json.dumps(facts, indent=1))


def read_noise(folder: Path) -> Noise:
    """Fit the model to the clean documents of a comparison's runs."""
    tables = [
        [read_table(path / "losses.parquet") for path in sorted(folder.glob(f"runs/{place}-*"))]
        for place in (0, 1)
    ]
    clean_J = ~tables[0][0]["leaked"].to_numpy()
    nats = [np.stack([run["nats"].to_numpy()[clean_J] for run in arm]) for arm in tables]
    return fit_noise(nats, tables[0][0]["tokens"].to_numpy()[clean_J].astype(np.int64))


def simulate(noise: Noise, comparisons: int, rounds: int, seed: int) -> dict[str, Any]:
    """Count false verdicts and found effects; shares of the comparisons drawn."""
    facts: dict[str, Any] = {"noise": asdict(noise), "comparisons": comparisons}
    draw: dict[str, Any] = {
        "comparisons": comparisons,
        "bootstrap_rounds": rounds,
        "seed": seed,
    }
    for label, looks, effects in (
        ("3 seeds", (3,), (0.0,)),
        ("5 seeds", (5,), (0.0,)),
        ("looks at 3,5,8", (3, 5, 8), (0.0,)),
        ("3 seeds, 3 arms", (3,), (0.0, 0.0, 0.0)),
    ):
        found = count_verdicts(noise, looks=looks, effects=effects, **draw)
        facts[f"false verdicts, {label}"] = (found["better"] + found["worse"]) / comparisons
    for seeds in (3, 5):
        effect = noise.detectable(seeds)
        facts[f"smallest detectable, {seeds} seeds"] = effect
        for times in (1, 2):
            found = count_verdicts(noise, looks=(seeds,), effects=(times * effect,), **draw)
            facts[f"found at {times}x, {seeds} seeds"] = found["worse"] / comparisons
    return facts


if __name__ == "__main__":
    main()
