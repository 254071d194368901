"""Search the recipe of small models on all GPUs there are, in calls that go on where one stopped.

    python -m bench.recipe.search WORK --pack PACK --out OUT [--seconds 570] [--scale tiny]
        [--workers N]

`rule` says what is run and how it is judged, `knobs` what a recipe is. WORK keeps
the unpacked ids, the ledger and the losses of the documents; OUT gets a copy of the last two after
each run, and --earlier is where such a copy of another call lies. One process a GPU; a process that
ends is started again, a run that failed is tried a second time. No run is started that would not
end in time.

What was expected, before the first run (nats, differences to the base, in brackets the range that
would not surprise): base 4.15 (4.10 to 4.20), its seeds' spread 0.008; AdamW 3e-3 +0.55 (0.45 to
0.65), AdamW 1e-3 +0.85; softcap 15 -0.01 (-0.03 to 0.01); value embeddings -0.03 (-0.08 to 0.03);
residual scalars -0.02 (-0.05 to 0.02); half the batch -0.06 (-0.10 to -0.02); rate x 1.41 within
0.02; half of AdamW's rate -0.01 (-0.04 to 0.04); cooldown 50 % +0.03 (0 to 0.06); decay 0.3 within
0.02; momentum 0.9 -0.01 (-0.03 to 0.03); no warmup within 0.02. The best altogether -0.12 (-0.25 to
-0.05), confirmed with at least two thirds of what the three seeds promised. Pairs of the best
with 5 % exchanged: a standard deviation of 0.0025 (0.0015 to 0.004); 20 %: 0.0035; all: 0.011.

And before round 4 and the sixteen pairs, differences to the best of rounds 1 to 3 (3.905): a
quarter of the batch -0.02 (-0.05 to 0.02) and not worth its time; AdamW's rate twice Muon's -0.02
(-0.05 to 0.02); rate x 1.41 within 0.01; value embeddings at 0.03 +0.01 (-0.02 to 0.04). At 124M
the best 3.66 (3.50 to 3.80), its seeds' spread 0.004 (0.002 to 0.008), the base 0.2 above it. A
standard deviation of pairs with 5 % exchanged of 0.0020 (0.0014 to 0.0030), 20 %: 0.0030 (0.002 to
0.004), all: 0.0048 (0.0035 to 0.0065).
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from assay.formats.train_config import TrainConfig
from bench.recipe.data import unpack
from bench.recipe.ledger import Ledger
from bench.recipe.plan import SCALES, Run
from bench.recipe.queue import Queue
from bench.recipe.rule import Search

Process = subprocess.Popen[str]
PATIENCE = 420.0  # seconds until the first run of a call must have ended; one of 124M takes 270
LATE = 12.0  # seconds after the end of a call's time


def work_off(queue: Queue, number: int, start: Callable[[], Process]) -> None:
    """Carry out runs in one process until there is none left; a dead process is started anew."""
    process = start()
    try:
        while taken := queue.take(number):
            run, config = taken
            try:
                line, alive = carry_out(queue, number, process, run, config)
            except BaseException:
                queue.drop(run)
                raise
            if not alive:
                process = start()
                queue.forget(number)
            queue.give_back(run, line)
            tell(line)
    finally:
        stop(process)


def work_off_all(queue: Queue, starts: Sequence[Callable[[], Process]], seconds: float) -> None:
    """Work off the queue in all processes; what hangs is not waited for."""
    before, began = len(queue.ledger.lines), time.monotonic()
    threads = [
        threading.Thread(target=work_off, args=(queue, n, start), daemon=True)
        for n, start in enumerate(starts)
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        time.sleep(0.2)
        now = time.monotonic()
        if len(queue.ledger.lines) == before and now > began + min(PATIENCE, 2 * seconds):
            print(f"no run ended within {now - began:.0f} s", flush=True)
            break
        if now > queue.ends + LATE:
            print("runs that should have ended go on; they are left", flush=True)
            break


def carry_out(
    queue: Queue, number: int, process: Process, run: Run, config: TrainConfig
) -> tuple[dict[str, Any], bool]:
    """Have a process carry out a run: its line of the ledger, and whether the process lives."""
    began = time.monotonic()
    tries = sum(line["key"] == run.key for line in queue.ledger.lines)
    name = hashlib.blake2b(run.key.encode(), digest_size=8).hexdigest()
    line: dict[str, Any] = {
        **{"id": f"{name}-{tries}", "key": run.key, "size": run.size, "seed": run.seed},
        **{"share": run.share, "knobs": msgspec.to_builtins(run.knobs), "worker": number},
        "config": msgspec.to_builtins(config),
    }
    found = ask(process, {key: line[key] for key in ("id", "config", "share")})
    alive = found is not None
    if found is None:
        found = {"loss": None, "error": f"the process ended with {process.wait()}"}
    return line | found | {"wall": time.monotonic() - began, "ended": time.time()}, alive


def ask(process: Process, asked: dict[str, Any]) -> dict[str, Any] | None:
    """Send a run to a worker and wait for what came of it; None if the process ended."""
    assert process.stdin
    assert process.stdout
    try:
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
    except OSError:
        return None
    found: dict[str, Any] | None = json.loads(answer) if answer.endswith("\n") else None
    return found


def stop(process: Process) -> None:
    """End a worker that has nothing to do; kill it if it does not end."""
    assert process.stdin
    process.stdin.close()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()


def start_worker(work: Path, number: int, visible: bool, started: list[Process]) -> Process:
    """Start a process on one GPU, or on the CPU, and note it."""
    place = {"CUDA_VISIBLE_DEVICES": str(number)} if visible else {"CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-m", "bench.recipe.worker", str(work / "ids"), str(work / "nats")]
    with (work / f"worker-{number}.log").open("a") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
            env={**os.environ, **place},
        )  # fmt: skip
    started.append(process)
    return process


def tell(line: dict[str, Any]) -> None:
    """Say what came of a run in one line."""
    loss = line["loss"]
    what = f"{loss:.4f}" if loss is not None else line.get("error", "diverged")
    speed = line.get("tokens_per_second", 0.0)
    print(
        f"{line['key']}: {what}, {line['wall']:.0f} s, {speed:,.0f} tokens/s, "
        f"worker {line['worker']}",
        flush=True,
    )


def count_gpus() -> int:
    """Count the GPUs without touching them."""
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    except OSError:
        return 0
    return sum(line.startswith("GPU ") for line in listed.stdout.splitlines())


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--earlier", type=Path)
    parser.add_argument("--seconds", type=float, default=570.0)
    parser.add_argument("--scale", choices=SCALES, default="gpu")
    parser.add_argument("--workers", type=int)
    asked = parser.parse_args()
    ends = time.monotonic() + asked.seconds
    asked.work.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(asked.work, asked.out)
    ledger.read(asked.earlier)
    unpack(asked.pack, asked.work / "ids")
    gpus = count_gpus()
    queue = Queue(ledger, SCALES[asked.scale], ends)
    started: list[Process] = []
    starts = [
        partial(start_worker, asked.work, n, bool(gpus), started)
        for n in range(asked.workers or gpus or 1)
    ]
    work_off_all(queue, starts, asked.seconds)
    for process in started:
        if process.poll() is None:
            process.kill()
    plan = Search(ledger.results(), SCALES[asked.scale]).make()
    for path in asked.work.glob("worker-*.log"):
        shutil.copy(path, asked.out / path.name)
    state = "found" if plan.found else "open"
    print(f"{plan.used} runs of the search, best ({state}): {plan.best.name}", flush=True)
    print(f"{len(plan.wanted)} runs are still wanted", flush=True)


if __name__ == "__main__":
    main()
