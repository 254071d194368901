"""Whole commands on GPUs: stopped by a signal, killed, gone on, shared by processes, on several.

    python -m bench.gpu_commands WORK --bins BINS [BINS] [--out OUT] [--gpus N] [--also NAME=VALUE]

With one GPU, a run of `assay train` is made whole, twice (does the device give the same bits
twice?), then ended once by SIGTERM and once by SIGKILL and gone on with. With two, it is made whole
and by two processes under torchrun, those ended by SIGTERM and told again; and a comparison of two
BINS is made on one GPU and on both, the latter ended by SIGTERM and gone on with. Prints what each
did, its exit codes and how far its losses lie from the whole run's (of the stopped pair: from the
whole pair's); writes OUT/gpu_commands.json.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay.formats.run import open_run

SIZES = {
    "gpu": ("--size=30M", "--batch_size=32", "--max_iters=200", "--learning_rate=3e-3"),
    "tiny": (
        *("--n_layer=1", "--n_head=2", "--n_embd=16", "--block_size=32", "--batch_size=8"),
        *("--max_iters=400", "--device=cpu"),
    ),
}
LONGEST = 240.0  # seconds of one command


@dataclass(slots=True)
class Trial:
    """What one command did, all its starts together."""

    name: str
    folder: Path
    codes: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    stopped_after: int | None = None
    told: str = ""


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--bins", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--gpus", type=int, default=1)
    parser.add_argument("--also", nargs="*", default=[], metavar="NAME=VALUE", help="settings")
    parser.add_argument("--tiny", action="store_true")
    asked = parser.parse_args()
    out = asked.out or asked.work
    out.mkdir(parents=True, exist_ok=True)
    asked.work.mkdir(parents=True, exist_ok=True)
    facts = {"runs": try_runs(asked), "comparisons": {}}
    if asked.gpus > 1:
        facts["comparisons"] = try_comparisons(asked)
    (out / "gpu_commands.json").write_text(json.dumps(facts, indent=1) + "\n")
    print(json.dumps(facts, indent=1))


def try_runs(asked: argparse.Namespace) -> dict[str, Any]:
    """Train whole, again, stopped and killed, alone and together; tell each beside the whole."""
    sizes = [*SIZES["tiny" if asked.tiny else "gpu"], *(f"--{each}" for each in asked.also)]
    steps = int(next(size for size in sizes if "max_iters" in size).split("=")[1])
    intervals = ("--log-interval=1", "--checkpoint-interval=50")
    alone = [sys.executable, "-m", "assay"]
    group = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    plan: list[tuple[str, list[str], signal.Signals | None]] = [("whole", alone, None)]
    if asked.gpus > 1:
        together = [*group, "-m", "assay"]
        plan += [
            ("two processes", together, None),
            ("two processes, SIGTERM", together, signal.SIGTERM),
        ]
    else:
        plan += [
            ("again", alone, None),
            ("SIGTERM", alone, signal.SIGTERM),
            ("SIGKILL", alone, signal.SIGKILL),
        ]
    trials = []
    for name, program, number in plan:
        folder = asked.work / name.replace(", ", "-").replace(" ", "-")
        words = [*program, "train", str(asked.bins[0]), "-o", str(folder), *sizes, *intervals]
        trial = Trial(name, folder)
        if number is not None:
            trial.stopped_after = stop(trial, words, number, steps // 2 + 7)
        execute(trial, words)
        if name.startswith("two"):  # the leader tells a finished run again, the others hear of it
            execute(trial, words)
        trials.append(trial)
        print(f"{name}: exit {trial.codes}, {trial.seconds} s", file=sys.stderr, flush=True)
    beside = {"two processes, SIGTERM": "two processes"}
    folders = {trial.name: trial.folder for trial in trials}
    return {
        trial.name: describe(trial, folders[beside.get(trial.name, "whole")]) for trial in trials
    }


def try_comparisons(asked: argparse.Namespace) -> dict[str, Any]:
    """Compare two folders of bins on one device and on two; tell both verdicts."""
    sizes = [word for word in SIZES["tiny" if asked.tiny else "gpu"] if "--device" not in word]
    sizes += [f"--{each}" for each in asked.also]
    devices = ("cpu", "cpu") if asked.tiny else ("cuda:0", "cuda:1")
    facts: dict[str, Any] = {}
    for name, names in (("one", devices[:1]), ("two", devices), ("two, SIGTERM", devices)):
        folder = asked.work / f"compare-{name.replace(', ', '-')}"
        words = [sys.executable, "-m", "assay", "compare", *map(str, asked.bins[:2])]
        words += ["-o", str(folder), *sizes, "--seeds=2", f"--devices={','.join(names)}"]
        trial = Trial(name, folder)
        if name.endswith("SIGTERM"):
            stop(trial, words, signal.SIGTERM, 0)
        execute(trial, words)
        verdict = (folder / "verdict.json").read_bytes()
        first = (asked.work / "compare-one" / "verdict.json").read_bytes()
        facts[name] = {
            **{"exit codes": trial.codes, "seconds": trial.seconds, "told": trial.told[-200:]},
            "sentence": json.loads(verdict)["sentence"],
            "verdict.json is that of one device": verdict == first,
        }
    return facts


def execute(trial: Trial, words: list[str]) -> None:
    """Run a command to its end; keep its exit code, its time and the end of what it told."""
    start = time.monotonic()
    ended = subprocess.run(
        words, env=_quiet(), capture_output=True, text=True, timeout=LONGEST, check=False
    )
    trial.codes.append(ended.returncode)
    trial.seconds.append(round(time.monotonic() - start, 1))
    trial.told = ended.stderr[-400:]
    if ended.returncode not in (0, 1):
        print(ended.stderr[-3000:], file=sys.stderr, flush=True)


def stop(trial: Trial, words: list[str], number: signal.Signals, step: int) -> int:
    """Start a command and signal it once it logged that step; return the last step logged.

    With step 0 the first run of a comparison that is sealed is waited for.
    """
    start = time.monotonic()
    log = trial.folder.with_name(f"{trial.folder.name}.log")
    with log.open("wb") as told:
        process = subprocess.Popen(words, env=_quiet(), stdout=told, stderr=told)
        while process.poll() is None and time.monotonic() < start + LONGEST:
            if is_time(trial.folder, step):
                process.send_signal(number)
                break
            time.sleep(0.02)
        with suppress(subprocess.TimeoutExpired):
            process.wait(60)
        if process.poll() is None:
            process.kill()
    trial.codes.append(process.wait())
    trial.seconds.append(round(time.monotonic() - start, 1))
    print(log.read_text(errors="replace")[-600:], file=sys.stderr, flush=True)
    return count_steps(trial.folder)


def is_time(folder: Path, step: int) -> bool:
    """Say whether a run logged that step, or a comparison sealed its first run."""
    if step == 0:
        return any(folder.glob("runs/*/manifest.json"))
    return count_steps(folder) >= step


def count_steps(folder: Path) -> int:
    """Count the lines of a run's metrics."""
    metrics = folder / "metrics.jsonl"
    return metrics.read_bytes().count(b"\n") if metrics.exists() else 0


def describe(trial: Trial, whole: Path) -> dict[str, Any]:
    """Tell a trial beside a whole run: how far apart their losses are, whether bytes are one."""
    facts: dict[str, Any] = {"exit codes": trial.codes, "seconds": trial.seconds}
    if trial.stopped_after is not None:
        facts["steps logged when it ended"] = trial.stopped_after
    if trial.codes[-1]:
        return facts | {"told": trial.told}
    mine, other = open_run(trial.folder), open_run(whole)
    steps = [{line.step: line.loss or 0.0 for line in run.read_metrics()} for run in (mine, other)]
    facts["steps"] = len(steps[0])
    facts["tokens/s"] = statistics.median(
        line.tokens_per_second or 0.0 for line in mine.read_metrics()[-50:]
    )
    apart = {step: abs(steps[0][step] - steps[1][step]) for step in steps[1]}
    facts["first step that differs"] = next((step for step in sorted(apart) if apart[step]), None)
    facts["most apart, nats/token"] = max(apart.values())
    facts["most apart in the first 10 steps"] = max(apart[step] for step in sorted(apart)[:10])
    losses = [run.manifest.totals["loss_nats"] for run in (mine, other)]
    facts["held-out loss, from the whole run's"] = losses[0] - losses[1]
    facts["losses.parquet is the whole run's"] = (
        (trial.folder / "losses.parquet").read_bytes() == (whole / "losses.parquet").read_bytes()
    )  # fmt: skip
    return facts


def _quiet() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1"}


if __name__ == "__main__":
    main()
