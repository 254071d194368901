"""Runs with one known cause each, and healthy ones: does the diagnosis name the cause?

    python -m bench.planted_causes OUT [--seeds 0 1 2] [--causes NAME ...] [--device cuda]

Trains small byte-level GPTs on documentation that every Python carries (`--text DIR`: on the text
of parquet shards), writes nanoGPT's log and config for each run, hands both to the diagnosis, and
prints a confusion table: which cause was planted, which was ranked first, and how sure it was. A
run whose log is there already is not trained again. What an audit would tell (unique bytes, leaked
documents) is counted from the documents directly. Two minutes a run on a core shared with others.
"""

import argparse
import json
import math
import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

from assay.demo_text import write_demo_shards
from assay.diagnose.analysis.run_analysis import analyse_run
from assay.diagnose.hypotheses.weigh import weigh
from assay.diagnose.inputs.data_facts import DataFacts
from assay.diagnose.logs.read_log import read_log
from assay.formats.hypothesis import LEVELS, HypothesisName
from assay.formats.train_config import TrainConfig
from assay.laws.plans import read_plan
from assay.terminal.text import align
from assay.train.model.gpt import GPT

VOCABULARY = 256
SETTINGS: dict[str, Any] = {
    "n_layer": 2,
    "n_head": 2,
    "n_embd": 64,
    "block_size": 64,
    "batch_size": 32,
    "gradient_accumulation_steps": 1,
    "max_iters": 1500,
    "lr_decay_iters": 1500,
    "warmup_iters": 75,
    "learning_rate": 3e-3,
    "min_lr": 0.0,
    "dropout": 0.0,
    "eval_iters": 160,
    "eval_interval": 75,
    "vocab_size": VOCABULARY,
}


@dataclass(frozen=True)
class Cause:
    """What is planted, and which hypotheses name it."""

    names: tuple[HypothesisName, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    train_bytes: int = 6_000_000
    val_bytes: int = 1_500_000
    stop_share: float = 1.0  # of the schedule
    leak_share: float = 0.0  # of val documents that are put into train


CAUSES = {
    "healthy": Cause(()),
    "repeated": Cause(
        (HypothesisName.OVERFITTING, HypothesisName.TOO_LITTLE_UNIQUE_DATA), train_bytes=30_000
    ),
    "rate": Cause((HypothesisName.LEARNING_RATE_TOO_HIGH,), settings={"learning_rate": 0.1}),
    "unfinished": Cause((HypothesisName.SCHEDULE_NOT_FINISHED,), stop_share=0.6),
    "tiny_val": Cause((HypothesisName.VALIDATION_TOO_SMALL,), val_bytes=4_000),
    "leaked": Cause((HypothesisName.VALIDATION_LEAKED,), train_bytes=400_000, leak_share=0.5),
    "capacity": Cause((HypothesisName.CAPACITY,), settings={"n_layer": 1, "n_embd": 16}),
}


# ---- data


def read_texts(folder: Path | None) -> list[bytes]:
    """Return documents without exact copies, in a fixed order."""
    with tempfile.TemporaryDirectory() as made:
        if folder is None:
            write_demo_shards(Path(made), 1, 9_000_000)
        files = sorted((folder or Path(made)).glob("*.parquet"))
        texts = [text for file in files for text in pl.read_parquet(file)["text"].drop_nulls()]
    return [text.encode() for text in dict.fromkeys(texts)]


def take(documents: Iterator[bytes], size: int) -> list[bytes]:
    """Take documents until they hold `size` bytes."""
    taken: list[bytes] = []
    while sum(map(len, taken)) < size:
        taken.append(next(documents))
    return taken


def split(texts: list[bytes], cause: Cause, seed: int) -> tuple[np.ndarray, np.ndarray, DataFacts]:
    """Draw train and val documents, leak some, and count what an audit would."""
    order = texts.copy()
    random.Random(seed).shuffle(order)
    documents = iter(order)
    val = take(documents, cause.val_bytes)
    train = take(documents, cause.train_bytes)
    leaked = val[: round(cause.leak_share * len(val))]
    train = [*train, *leaked]
    random.Random(seed + 1).shuffle(train)
    train_T, val_T = (np.frombuffer(b"\n\n".join(part), np.uint8) for part in (train, val))
    data = DataFacts(
        unique=train_T.size,
        source="counted",
        measured=True,
        val_tokens=val_T.size,
        leak_share=len(leaked) / len(val),
        repeat_share=0.0,
    )
    return train_T, val_T, data


# ---- training, as nanoGPT does it


def train(
    settings: dict[str, Any], splits: dict[str, np.ndarray], last: int, seed: int, device: str
) -> Iterator[str]:
    """Train a model and yield the lines that nanoGPT would print."""
    names = {*TrainConfig.__struct_fields__} & settings.keys()
    shape = {name: settings[name] for name in names}
    config = TrainConfig(arch="nanogpt", schedule="cosine", device=device, seed=seed, **shape)
    model = GPT(config, VOCABULARY, torch.float32).to(device)
    model.init_weights(seed)
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.95), weight_decay=0.1)
    draw = np.random.default_rng(seed)
    data = {name: torch.from_numpy(ids.astype(np.int64)) for name, ids in splits.items()}

    def batch(name: str) -> tuple[torch.Tensor, torch.Tensor]:
        ids, length = data[name], settings["block_size"]
        at = draw.integers(0, ids.numel() - length - 1, settings["batch_size"])
        rows = torch.stack([ids[i : i + length + 1] for i in at]).to(device)
        return rows[:, :-1], rows[:, 1:]

    @torch.no_grad()
    def estimate(name: str) -> float:
        model.eval()
        losses = [model(*batch(name)).item() for _ in range(settings["eval_iters"])]
        model.train()
        return sum(losses) / len(losses)

    counted = model.num_parameters
    yield f"tokens per iteration will be: {settings['batch_size'] * settings['block_size']:,}"
    yield f"found vocab_size = {VOCABULARY} (bytes)"
    yield f"number of parameters: {counted / 1e6:.2f}M"
    for step in range(last + 1):
        if step % settings["eval_interval"] == 0:
            losses = f"train loss {estimate('train'):.4f}, val loss {estimate('val'):.4f}"
            yield f"step {step}: {losses}"
        begin = time.perf_counter()
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, settings)
        loss = model(*batch("train"))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 5 == 0:
            milliseconds = 1000 * (time.perf_counter() - begin)
            yield f"iter {step}: loss {loss.item():.4f}, time {milliseconds:.2f}ms, mfu -100.00%"


def rate_at(step: int, settings: dict[str, Any]) -> float:
    """Return the learning rate of a step: a warmup, then a cosine."""
    warmup, end, peak = (
        settings["warmup_iters"],
        settings["lr_decay_iters"],
        settings["learning_rate"],
    )
    if step < warmup:
        return float(peak * (step + 1) / (warmup + 1))
    done = min(1.0, (step - warmup) / (end - warmup))
    return float(
        settings["min_lr"] + (peak - settings["min_lr"]) * 0.5 * (1 + math.cos(math.pi * done))
    )


# ---- the table


def run_one(name: str, seed: int, texts: list[bytes], out: Path, device: str) -> dict[str, Any]:
    """Train one run if its log is not there, diagnose it, and say what was ranked first."""
    cause = CAUSES[name]
    settings = SETTINGS | cause.settings
    train_T, val_T, data = split(texts, cause, seed)
    log, config = out / f"{name}-{seed}.log", out / f"{name}-{seed}.toml"
    config.write_text("".join(f"{k} = {v}\n" for k, v in settings.items()))
    begin = time.monotonic()
    if not log.exists():
        last = round(cause.stop_share * settings["max_iters"])
        lines = train(settings, {"train": train_T, "val": val_T}, last, seed, device)
        part = log.with_suffix(".part")
        part.write_text("\n".join(lines) + "\n")
        part.rename(log)
    weighed = weigh(analyse_run(read_log(log), read_plan(str(config)), data))
    ranked = list(weighed.values())
    wrong = [each for name, each in weighed.items() if name not in cause.names]
    return {
        "planted": name,
        "seed": seed,
        "first": ranked[0].name,
        "level": ranked[0].level,
        "points": ranked[0].points,
        "right": next(iter(weighed)) in cause.names,
        "worst_wrong": min((each.level for each in wrong), key=LEVELS.index),
        "second": ranked[1].name,
        "seconds": time.monotonic() - begin,
        "hypotheses": [[each.name, each.level, each.points] for each in ranked],
    }


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--causes", nargs="+", choices=list(CAUSES), default=list(CAUSES))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--text", type=Path, help="A folder of parquet shards with a column text.")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    texts = read_texts(options.text)
    results = []
    for name in options.causes:
        for seed in options.seeds:
            results.append(run_one(name, seed, texts, options.out, options.device))
            row = results[-1]
            print(
                f"{name:<11} seed {seed}  {row['first']} ({row['level']}, {row['points']:+.1f}), "
                f"then {row['second']}; {row['seconds']:.0f} s",
                flush=True,
            )
    (options.out / "planted_causes.json").write_text(json.dumps(results, indent=2) + "\n")
    print("\n" + describe(results))


def describe(results: list[dict[str, Any]]) -> str:
    """Print the confusion table, and the three numbers it is held to."""
    rows = [("planted", "runs", "ranked first", "")]
    for name in dict.fromkeys(row["planted"] for row in results):
        runs = [row for row in results if row["planted"] == name]
        firsts = [f"{row['first']} ({row['level']})" for row in runs]
        counts = ", ".join(f"{firsts.count(first)}x {first}" for first in dict.fromkeys(firsts))
        rows.append((name, str(len(runs)), counts, ""))
    planted = [row for row in results if row["planted"] != "healthy"]
    healthy = [row for row in results if row["planted"] == "healthy"]
    calm = [row for row in healthy if row["level"] not in ("certain", "likely")]
    sure = [row for row in results if row["worst_wrong"] == "certain"]
    return "\n".join(
        [
            align(rows),
            f"planted cause ranked first: {sum(row['right'] for row in planted)} of {len(planted)}",
            f"healthy runs with nothing above possible: {len(calm)} of {len(healthy)}",
            f"runs in which a wrong cause was called certain: {len(sure)} of {len(results)}",
        ]
    )


if __name__ == "__main__":
    main()
