"""Two probes of known answer on one GPU: a run at a constant rate, and one on 1/16 of the data.

    python -m bench.gpu_probe WORK --bins BINS [--out OUT] [--tiny]

BINS is a folder of bins (`u36` of bench/gpu_data.py). Every fourth training document is the new
data, the others the old; every sixteenth of the old ones is `little`. One model is trained on the
old data for less than an epoch, one on `little` for as many steps, both at a constant learning
rate; each is probed. Writes OUT/probe.json (what was found, and the effects) and OUT/probe.txt (as
`assay probe` prints it). The same command goes on where it stopped.

Steps are small, so that there are many: where a loss still falls fast, cooling down buys nothing.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import torch

from assay.formats.bins import BIN_DOCUMENT_COLUMNS, Bins, open_bins
from assay.formats.config_checks import make_config
from assay.formats.probe import CONFIRMED, ProbeResult
from assay.formats.train_config import Intervals
from assay.storage.manifest import MANIFEST, FileEntry, Manifest
from assay.storage.publish import publish
from assay.storage.sealed_folder import seal_folder
from assay.storage.tables import write_table
from assay.train.commands.probe_text import describe_probe
from assay.train.probe.branch_point import read_branch_point
from assay.train.probe.branches import run_probe
from assay.train.probe.decision_table import REPETITION, SCHEDULE
from assay.train.run.train import train_on
from bench.gpu_plan import SCALES

LITTLE = 16  # the old data is so many times as much
EXPECTED = {"old": SCHEDULE, "little": REPETITION}
MODEL: dict[str, Any] = {  # 16M parameters, 3M of them in blocks
    **{"n_layer": 4, "n_head": 4, "n_embd": 256, "block_size": 1024, "batch_size": 16},
    **{"learning_rate": 3e-3},
}
STEPS, BRANCH = 1600, 200  # of 16,384 tokens: 26.2M, 3.3M
TINY_STEPS, TINY_BRANCH = 30, 20


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--bins", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--orders", type=int, default=2)
    parser.add_argument("--tiny", action="store_true")
    asked = parser.parse_args()
    out = asked.out or asked.work
    out.mkdir(parents=True, exist_ok=True)
    parts = cut_parts(open_bins(asked.bins), asked.work / "parts")
    found: dict[str, Any] = {"torch": torch.__version__, "device": _name_device(), "probes": {}}
    texts = []
    for name, expected in EXPECTED.items():
        start = time.monotonic()
        result = probe_part(parts[name], parts["new"], asked.work / name, asked)
        named = [cause.name for cause in result.causes if cause.state == CONFIRMED]
        found["probes"][name] = {
            "expected": expected,
            "named": named,
            "right": named == [expected],
            "seconds": time.monotonic() - start,
            **msgspec.to_builtins(result),
        }
        texts.append(f"== trained on {name}: expected {expected}\n{describe_probe(result)}\n")
        print(texts[-1], flush=True)
        (out / "probe.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        (out / "probe.txt").write_text("\n".join(texts), encoding="utf-8")


def cut_parts(bins: Bins, folder: Path) -> dict[str, Bins]:
    """Cut training documents into `old`, `new` and `little`; all keep the same val documents."""
    places = np.arange(bins.read_documents("train").height)
    old = places[places % 4 != 0]
    chosen = {"old": old, "new": places[::4], "little": old[::LITTLE]}
    for name, chosen_D in chosen.items():
        if not (folder / name / MANIFEST).exists():
            write_part(bins, chosen_D, folder / name)
    return {name: open_bins(folder / name) for name in chosen}


def write_part(bins: Bins, chosen_D: np.ndarray, folder: Path) -> None:
    """Write the chosen training documents, and all val documents, as a folder of bins."""
    folder.mkdir(parents=True, exist_ok=True)
    outputs, tables = [], []
    for split in ("train", "val"):
        table = bins.read_documents(split)
        table = table[chosen_D] if split == "train" else table
        ids = np.asarray(bins.map_ids(split))
        spans = zip(table["start"].to_list(), table["end"].to_list(), strict=True)
        data = np.concatenate([ids[start:end] for start, end in spans])
        with publish(folder / f"{split}.bin") as file:
            file.write(data.tobytes())
        name = f"{split}.bin"
        outputs.append(FileEntry(name=name, size=file.size, sha256=file.sha256, rows=data.size))
        length = table["end"] - table["start"]
        tables.append(table.with_columns(end=length.cum_sum(), start=length.cum_sum() - length))
    outputs.append(
        write_table(folder / "documents.parquet", pl.concat(tables), BIN_DOCUMENT_COLUMNS)
    )
    made = Manifest(
        kind="bins",
        tool=bins.manifest.tool,
        settings={"documents": int(chosen_D.size)},
        inputs=[],
        outputs=outputs,
        tokenizer=bins.manifest.tokenizer,
    )
    seal_folder(folder, made)


def probe_part(old: Bins, new: Bins, work: Path, asked: argparse.Namespace) -> ProbeResult:
    """Train a checkpoint at a constant learning rate on `old`, and probe it."""
    steps, branch = (TINY_STEPS, TINY_BRANCH) if asked.tiny else (STEPS, BRANCH)
    base = SCALES["tiny"].model if asked.tiny else MODEL
    intervals = Intervals(max(1, steps // 10), 0, 0)
    if not (work / "trunk" / MANIFEST).exists():
        settings = {**base, "schedule": "constant", "max_iters": steps, "seed": asked.seed}
        config = make_config(settings)
        train_on(old, work / "trunk", config=config, intervals=intervals, quiet=False)
    branch_point = read_branch_point(work / "trunk", {"device": base.get("device", "auto")})
    return run_probe(
        branch_point,
        old,
        new,
        work / "probe",
        steps=branch,
        seeds=asked.orders,
        seed=asked.seed,
        held_out_documents=60 if asked.tiny else 2000,
        intervals=intervals,
        log=_say,
    ).result


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _name_device() -> str:
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


if __name__ == "__main__":
    main()
