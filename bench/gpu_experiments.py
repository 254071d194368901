"""Experiments on one GPU, in calls of a few minutes that go on where the last one stopped.

    python -m bench.gpu_experiments WORK --pack data.tar.xz [--only E0,E1] [--minutes 8]
        [--pool runs.tar.xz ...] [--out OUT] [--scale bytes|tiny]

Unpacks the bins into WORK, trains the runs that the experiments need and that are not there yet
(from an earlier call, or from pools that such calls left; a run of a later pool takes the place of
an earlier one's), and stops before the next one would not end in time. An experiment whose runs are
all there is judged. Writes into OUT: `runs.tar.xz`, all runs without their weights (the pool of the
next call); `verdicts.json`; `speed.json`. With --minutes 0 nothing is trained: verdicts from a
pool, on any machine that has the bins.
"""

import argparse
import json
import shutil
import sys
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import torch

from assay.formats.bins import Bins
from assay.formats.run import MODEL as WEIGHTS
from assay.formats.run import open_run
from assay.formats.train_config import Intervals
from assay.storage.manifest import MANIFEST
from assay.train.commands.verdict_text import describe_verdict
from assay.train.compare.compare import compare_arms
from assay.train.compare.design import ComparisonDesign
from assay.train.run.divergence import DivergedError
from assay.train.run.evaluate import HeldOut, load_held_out
from assay.train.run.executor import RunExecutor, RunTask, derive_seed
from assay.train.runtime.compiled_model import CompiledModel
from bench.gpu_pack import unpack_bins
from bench.gpu_plan import EXPERIMENTS, SCALES, Experiment, Scale

POOL = "runs.tar.xz"
ROOT_SEED = 0
FIRST_RUN_SECONDS = 120.0  # of 100M tokens, compiling included, before one was timed


@dataclass(slots=True)
class Bench:
    """Where the runs are, what they need, and how long they take."""

    work: Path
    out: Path
    bins: dict[str, Bins]
    scale: Scale
    ends: float
    models: list[CompiledModel]
    seconds_per_token: float = FIRST_RUN_SECONDS / 1e8

    @property
    def pool(self) -> Path:
        """The folder of runs."""
        return self.work / "pool"


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--only", default=",".join(each.name for each in EXPERIMENTS))
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--pool", type=Path, nargs="+", default=[])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--scale", choices=SCALES, default="gpu")
    asked = parser.parse_args()
    start = time.monotonic()
    asked.work.mkdir(parents=True, exist_ok=True)
    bins = unpack_bins(asked.pack, asked.work / "bins")
    out = asked.out or asked.work
    bench = Bench(asked.work, out, bins, SCALES[asked.scale], start + 60 * asked.minutes, [])
    for pool in asked.pool:
        with tarfile.open(pool) as tar:
            tar.extractall(bench.pool, filter="data")
    run_all(bench, [each.at(bench.scale) for each in choose_experiments(asked.only, parser)])


def choose_experiments(only: str, parser: argparse.ArgumentParser) -> list[Experiment]:
    """Return the experiments named, in the order they are named in: the first has the time."""
    known = {each.name: each for each in EXPERIMENTS}
    wanted = only.split(",")
    if not set(wanted) <= set(known):
        parser.error(f"--only {only}: there are {list(known)}")
    return [known[name] for name in wanted]


def run_all(bench: Bench, chosen: list[Experiment]) -> dict[str, Any]:
    """Train what there is time for, judge what is complete, and write it down."""
    out = bench.out
    out.mkdir(parents=True, exist_ok=True)
    verdicts: dict[str, Any] = {}
    for experiment in chosen:
        try:
            complete = train(bench, experiment)
        except DivergedError as error:
            verdicts[experiment.name] = {"sentence": f"invalid: {error}"}
            continue
        if not complete:
            verdicts[experiment.name] = {"sentence": "runs are missing; the same command goes on"}
            continue
        verdict = judge(bench, experiment)
        verdicts[experiment.name] = msgspec.to_builtins(verdict)
        print(f"== {experiment.name}\n{describe_verdict(verdict)}\n", flush=True)
        (out / "verdicts.json").write_text(json.dumps(verdicts, indent=1) + "\n")
    (out / "verdicts.json").write_text(json.dumps(verdicts, indent=1) + "\n")
    speeds = describe_speed(bench)
    (out / "speed.json").write_text(json.dumps(speeds, indent=1) + "\n")
    write_pool(bench.pool, out / POOL)
    for name, found in verdicts.items():
        if "verdict" not in found:
            print(f"== {name}: {found['sentence']}", flush=True)
    return verdicts


def train(bench: Bench, experiment: Experiment) -> bool:
    """Train an experiment's missing runs; False where the time did not suffice for all."""
    arms = experiment.arms(bench.bins, bench.scale)
    also = None
    if experiment.also:
        also = load_held_out(bench.bins[experiment.also], max_documents=bench.scale.max_documents)
    held_out = load_held_out(arms[0].bins, max_documents=bench.scale.max_documents)
    executor = _open_executor(bench, held_out, also)
    for seed in range(experiment.seeds):
        for part, arm in zip(experiment.parts, arms, strict=True):
            key = experiment.key(part, seed)
            task = RunTask(
                f"{experiment.name} {key}",
                arm.bins,
                bench.pool / key,
                msgspec.structs.replace(arm.config, seed=derive_seed(ROOT_SEED, arm.stream, seed)),
                bench.pool / "also" / f"{key}.parquet",
            )
            if is_ready(task, also):
                continue
            if time.monotonic() + 1.1 * arm.config.tokens * bench.seconds_per_token > bench.ends:
                return False
            start = time.monotonic()
            executor.intervals = _choose_intervals(arm.config.max_iters, part.curve)
            executor.execute(task)
            bench.seconds_per_token = (time.monotonic() - start) / arm.config.tokens
            write_pool(bench.pool, bench.out / POOL)  # a call may be cut off at any time
    return True


def is_ready(task: RunTask, also: HeldOut | None) -> bool:
    """Say whether a run and its scores are there; one that cannot be scored any more is removed."""
    if not (task.folder / MANIFEST).exists():
        return False
    if also is None or task.also.exists():
        return True
    if not (task.folder / WEIGHTS).exists():
        shutil.rmtree(task.folder)
    return False


def judge(bench: Bench, experiment: Experiment) -> Any:
    """Judge an experiment whose runs are all there; nothing is trained."""
    folder = bench.work / "comparisons" / experiment.name
    shutil.rmtree(folder, ignore_errors=True)
    for place, part in enumerate(experiment.parts):
        for seed in range(experiment.seeds):
            key = experiment.key(part, seed)
            shutil.copytree(
                bench.pool / key,
                folder / "runs" / f"{place}-{seed}",
                ignore=shutil.ignore_patterns("*.safetensors"),
            )
            if experiment.also:
                (folder / "also").mkdir(exist_ok=True)
                shutil.copy(
                    bench.pool / "also" / f"{key}.parquet",
                    folder / "also" / f"{place}-{seed}.parquet",
                )
    (folder / ".unfinished").write_text("comparison\n")
    return compare_arms(
        experiment.arms(bench.bins, bench.scale),
        folder,
        design=ComparisonDesign(
            (experiment.seeds,),
            held_out_documents=bench.scale.max_documents,
            allow_leaked=experiment.allow_leaked,
        ),
        also=bench.bins[experiment.also] if experiment.also else None,
    ).verdict


def describe_speed(bench: Bench) -> dict[str, Any]:
    """Tell the device, and of each run its speed in the steady state."""
    facts: dict[str, Any] = {"torch": torch.__version__, "device": "cpu", "runs": {}}
    if torch.cuda.is_available():
        facts["device"] = torch.cuda.get_device_name()
        facts["peak_memory_gib"] = torch.cuda.max_memory_allocated() / 2**30
    for path in sorted(bench.pool.glob(f"*/{MANIFEST}")):
        run = open_run(path.parent)
        lines = run.read_metrics()
        speeds = sorted(line.tokens_per_second or 0.0 for line in lines[2:] or lines)
        facts["runs"][path.parent.name] = {
            "tokens_per_second": speeds[len(speeds) // 2],
            "mfu": lines[-1].mfu,
            "train_loss": lines[-1].loss,
            **run.manifest.totals,
        }
    return facts


def write_pool(pool: Path, path: Path) -> None:
    """Pack all finished runs without their weights."""
    partial = path.with_name(f"part-{path.name}")
    with tarfile.open(partial, "w:xz") as tar:
        for manifest in sorted(pool.glob(f"*/{MANIFEST}")):
            for file in sorted(manifest.parent.iterdir()):
                if file.is_file() and file.suffix != ".safetensors":
                    tar.add(file, file.relative_to(pool).as_posix())
        for file in sorted((pool / "also").glob("*.parquet")):
            tar.add(file, file.relative_to(pool).as_posix())
    partial.replace(path)


def _open_executor(bench: Bench, held_out: HeldOut, also: HeldOut | None) -> RunExecutor:
    log = (
        None
        if bench.scale is SCALES["tiny"]
        else lambda line: print(line, file=sys.stderr, flush=True)
    )
    return RunExecutor(held_out, also, Intervals(), log, models=bench.models)


def _choose_intervals(steps: int, curve: bool) -> Intervals:
    """Log 20 times a run; score the held-out documents 5 times where a curve is asked for."""
    return Intervals(max(1, steps // 20), max(1, steps // 5) if curve else 0, 0)


if __name__ == "__main__":
    main()
