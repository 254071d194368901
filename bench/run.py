"""Time assay against what a user would run today: the same bytes, machine and run, cold processes.

python -m bench.run [--mb 200] [--repeats 3] [--quick] [--only assay,text-dedup,nanogpt]

assay audits shards and writes bins; text-dedup finds near duplicates; nanoGPT's prepare writes bins
of all documents. Rounds alternate in order. Everything lies under `.bench/`.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from bench.corpus import Corpus, build_corpus
from bench.measure import Measurement, measure_command, pin_cores
from bench.peers import (
    PEERS,
    isolate,
    list_versions,
    make_venv,
    run_nanogpt,
    run_text_dedup,
    store_ranks,
)
from bench.recall import Recall, read_assay, read_text_dedup
from bench.table import compute_ratios, format_machine, format_ratios, format_recall, format_times

NUM_CORES = 2
QUICK_MB = 20
WARM_MB = 1
TOOLS = ("assay", *PEERS)
Runner = Callable[[Corpus, Path], list[Measurement]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, run, print the tables, and write `.bench/results/*.json`."""
    options = _parse(arguments)
    corpora, work = _find_corpora(), options.work.resolve()
    machine = describe_machine(pin_cores(NUM_CORES))
    corpus = build_corpus(corpora, work / f"corpus-{options.mb}", megabytes=options.mb)
    _say(f"corpus: {json.dumps(asdict(corpus))}")
    pythons = {peer: make_venv(peer, work) for peer in PEERS if peer in options.only}
    ranks = store_ranks(corpora, work)
    runners: dict[str, Runner] = {
        "assay": lambda corpus, folder: run_assay(corpus, folder, cache=work / "cache"),
        "text-dedup": lambda corpus, folder: [
            run_text_dedup(pythons["text-dedup"], corpus.shards, folder)
        ],
        "nanogpt": lambda corpus, folder: [
            run_nanogpt(pythons["nanogpt"], corpus.shards, folder, ranks=ranks)
        ],
    }
    chosen = {tool: runners[tool] for tool in TOOLS if tool in options.only}
    first = warm_up(chosen, corpora, work)
    rounds, found = run_rounds(chosen, corpus, work / "runs", repeats=options.repeats)
    record = {
        "corpus": asdict(corpus),
        "machine": machine,
        "assay": {"version": version("assay"), "commit": _read_commit()},
        "peers": {peer: list_versions(python) for peer, python in pythons.items()},
        "first_run": [asdict(run) for run in first],
        "rounds": [{name: asdict(run) for name, run in measured.items()} for measured in rounds],
        "ratios": compute_ratios(rounds),
        "recall": [asdict(recall) for recall in found],
    }
    print(_format(record, corpus, first, rounds, found))
    path = (
        work / "results" / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{options.mb}mb.json"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=1))
    _say(f"wrote {path}")
    return 0


def run_assay(corpus: Corpus, folder: Path, *, cache: Path) -> list[Measurement]:
    """Time `assay audit` and `assay prepare`, two processes; compiled kernels lie in `cache`."""
    assay = str(Path(sys.executable).with_name("assay"))
    audit, bins = str(folder / "audit"), str(folder / "bins")
    commands = {
        "assay audit": [assay, "audit", str(corpus.shards), "-o", audit],
        "assay prepare": [assay, "prepare", audit, "-o", bins, "--drop", "exact,near"],
    }
    environment = isolate(folder) | {"XDG_CACHE_HOME": str(cache)}
    return [
        measure_command(name, command, folder=folder, environment=environment)
        for name, command in commands.items()
    ]


def warm_up(runners: dict[str, Runner], corpora: Path, work: Path) -> list[Measurement]:
    """Run every tool once on 1 MB: assay compiles kernels, and all libraries get read.

    Without it the first round would charge peers alone for libraries that are not in memory yet.
    """
    shutil.rmtree(work / "cache", ignore_errors=True)
    tiny = build_corpus(corpora, work / f"corpus-{WARM_MB}", megabytes=WARM_MB)
    first: list[Measurement] = []
    for run in runners.values():
        shutil.rmtree(work / "warm", ignore_errors=True)
        first += run(tiny, work / "warm")
    return first


def run_rounds(
    runners: dict[str, Runner], corpus: Corpus, folder: Path, *, repeats: int
) -> tuple[list[dict[str, Measurement]], list[Recall]]:
    """Run every tool `repeats` times, every other round in reverse order, from empty folders."""
    readers = {"assay": read_assay, "text-dedup": read_text_dedup}
    rounds: list[dict[str, Measurement]] = []
    found: dict[str, Recall] = {}
    for nth in range(repeats):
        order = list(runners) if nth % 2 == 0 else list(reversed(runners))
        measured: dict[str, Measurement] = {}
        for tool in order:
            shutil.rmtree(folder, ignore_errors=True)
            os.sync()  # or the kernel would write out one tool's files in the next one's time
            for run in runners[tool](corpus, folder):
                measured[run.name] = run
                _say(f"round {nth + 1} of {repeats}: {run.name} {run.seconds:.2f} s")
            if tool in readers and tool not in found:
                found[tool] = readers[tool](folder, corpus.truth)
        names = [name for tool in runners for name in measured if name.startswith(tool)]
        rounds.append({name: measured[name] for name in names})
    return rounds, [found[tool] for tool in runners if tool in found]


def describe_machine(pinned: list[int]) -> dict[str, Any]:
    """Name the processor, the cores that are used, memory, system, and how busy it is."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].split(":", 1)[1].strip() if lines else model
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "pinned": pinned,
        "memory_gb": psutil.virtual_memory().total / 1e9,
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
    }


def _format(
    record: dict[str, Any],
    corpus: Corpus,
    first: Sequence[Measurement],
    rounds: Sequence[dict[str, Measurement]],
    found: Sequence[Recall],
) -> str:
    megabytes = corpus.text_bytes / 1e6
    repeated = f", {corpus.repeated:,} repeated with half their words edited"
    peers = [
        f"{peer}: " + ", ".join(f"{name} {number}" for name, number in versions.items())
        for peer, versions in record["peers"].items()
    ]
    parts = [
        format_machine(record["machine"]),
        f"{megabytes:.1f} MB of text, {corpus.documents:,} documents, {corpus.planted:,} planted"
        + (repeated if corpus.repeated else ""),
        *peers,
        "\n" + format_times(rounds, megabytes),
    ]
    if record["ratios"]:
        parts.append("\n" + format_ratios(record["ratios"]))
    if found:
        parts.append("\n" + format_recall(found))
    if first:
        times = ", ".join(f"{run.name} {run.seconds:.1f} s" for run in first)
        parts.append(f"\nwarm-up, {WARM_MB} MB (assay compiles its kernels), not counted: {times}")
    return "\n".join(parts)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.run", description=__doc__.splitlines()[0])
    parser.add_argument("--mb", type=int, default=200, help="MB of text (default 200)")
    parser.add_argument("--repeats", type=int, default=3, help="rounds (default 3)")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_MB} MB, one round")
    parser.add_argument("--only", default=",".join(TOOLS), help=f"some of {','.join(TOOLS)}")
    parser.add_argument("--work", type=Path, default=Path(".bench"), help="folder to work in")
    options = parser.parse_args(arguments)
    options.only = options.only.split(",")
    if unknown := sorted(set(options.only) - set(TOOLS)):
        parser.error(f"--only has {', '.join(unknown)}; known are {', '.join(TOOLS)}")
    if options.mb < 1 or options.repeats < 1:
        parser.error("--mb and --repeats are at least 1")
    if options.quick:
        options.mb, options.repeats = QUICK_MB, 1
    return options


def _find_corpora() -> Path:
    named = os.environ.get("ASSAY_CORPORA")
    if not named:
        raise SystemExit("ASSAY_CORPORA is not set; name the folder that holds shards/ and vocab/")
    return Path(named)


def _read_commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(command, capture_output=True, check=False, cwd=Path(__file__).parent)
    return done.stdout.decode().strip() or "unknown"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
