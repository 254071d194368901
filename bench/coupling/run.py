"""Pairs of runs, coupled and independent, on the same two datasets, until the time is up.

    python -m bench.coupling.run WORK --packs FOLDER --out OUT [--seconds 575] [--workers 2]
        [--earlier FOLDER] [--scale tiny]

WORK keeps what is done from one call to the next; --earlier is where the OUT of another call lies,
on a machine that does not have it. OUT gets `runs-N.jsonl` of each process, a line a run as it
ends, and `nats-N.f32`, the nats of each held-out document, a row a line.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

from bench.coupling.data import ARTICLES, NEWS
from bench.coupling.plan import SCALES
from bench.recipe.data import unpack

_LATE = 10.0  # seconds after the end at which a process is killed


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--packs", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--earlier", type=Path)
    parser.add_argument("--seconds", type=float, default=575.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--scale", choices=SCALES, default="gpu")
    asked = parser.parse_args()
    ends = time.time() + asked.seconds
    for folder in (asked.out, asked.work / "done", asked.work / "claims"):
        folder.mkdir(parents=True, exist_ok=True)
    for name in (ARTICLES, NEWS):
        unpack(asked.packs / name, asked.work / name.split(".")[0])
    if asked.earlier and asked.earlier.exists():
        for path in asked.earlier.glob("runs-*.jsonl"):
            shutil.copy(path, asked.work / "done" / f"earlier-{path.name}")
    finished = free_claims(asked.work)
    print(f"{finished} runs are done; {ends - time.time():.0f} s to go", flush=True)
    processes = [
        subprocess.Popen([sys.executable, "-m", "bench.coupling.worker", str(asked.work),
                          str(asked.out), str(n), str(ends), asked.scale])
        for n in range(asked.workers)
    ]  # fmt: skip
    for process in processes:
        try:
            process.wait(max(1.0, ends + _LATE - time.time()))
        except subprocess.TimeoutExpired:
            process.kill()
    print(f"{free_claims(asked.work)} runs are done", flush=True)


def free_claims(work: Path) -> int:
    """Leave the claims of the runs that are done alone; return how many those are."""
    done = {
        json.loads(line)["key"]
        for path in (work / "done").glob("*.jsonl")
        for line in path.read_text().splitlines(keepends=True)
        if line.endswith("\n")
    }
    for path in (work / "claims").iterdir():
        if path.name not in done:
            path.unlink()
    for key in done:
        (work / "claims" / key).touch()
    return len(done)


if __name__ == "__main__":
    main()
