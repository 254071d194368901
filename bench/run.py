"""Time assay against what a user would run today: the same bytes, machine and run, cold processes.

python -m bench.run [--mb 200,50] [--rounds 3] [--only assay,text-dedup,...] [--quick]

assay audits shards and writes bins. text-dedup, datatrove, datasketch and rensa find near
duplicates; nanoGPT's prepare and datatrove-tokens write bins of all documents. Without options:
assay, text-dedup and nanoGPT in three rounds on 200 MB and on 50 MB, every other peer once on the
50 MB. Everything lies under `.bench/`.
"""

import argparse
import json
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from assay.corpus.gpt2_ranks import load_gpt2_ranks
from bench.corpus import build_corpus
from bench.machine import WORK, describe_machine, find_corpora, format_machine
from bench.measure import Measurement, pin_cores
from bench.peers import list_peers
from bench.rounds import Part, Result, Tool, run_assay, run_part, say, warm_up
from bench.venvs import list_versions, make_venv, store_ranks, write_tokenizer_json

NUM_CORES = 2
QUICK_MB = 20
WARM_MB = 1
USUAL = ("assay", "text-dedup", "nanogpt")
TOOLS = ("assay", *list_peers(WORK))


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, run, print the tables, and write `.bench/results/*.json`."""
    options = _parse(arguments)
    corpora, work = find_corpora(), options.work.resolve()
    machine = describe_machine(pin_cores(NUM_CORES))
    corpora_of = {
        part.megabytes: build_corpus(
            corpora, work / f"corpus-{part.megabytes}", megabytes=part.megabytes
        )
        for part in options.parts
    }
    chosen = {name for part in options.parts for name in part.all_tools}
    peers = {name: peer for name, peer in list_peers(work).items() if name in chosen}
    pythons = {name: make_venv(peer.venv, work) for name, peer in peers.items()}
    store_ranks(corpora, work)
    write_tokenizer_json(load_gpt2_ranks(), work / "tokenizer.json")
    tools: dict[str, Tool] = {
        name: partial(peer.run, pythons[name]) for name, peer in peers.items()
    }
    if "assay" in chosen:
        tools = {"assay": partial(run_assay, cache=work / "cache"), **tools}
    shutil.rmtree(work / "cache", ignore_errors=True)
    tiny = build_corpus(corpora, work / f"corpus-{WARM_MB}", megabytes=WARM_MB)
    first = warm_up(tools, tiny, work / "warm")
    results = [
        run_part(part, tools, corpora_of[part.megabytes], work / "runs") for part in options.parts
    ]
    versions = {name: list_versions(pythons[name], peer.packages) for name, peer in peers.items()}
    print(_format(machine, versions, results, first))
    record = {
        "machine": machine,
        "assay": {"version": version("assay"), "commit": _read_commit()},
        "peers": versions,
        "first_run": [asdict(run) for run in first],
        "parts": [result.describe() for result in results],
    }
    say(f"wrote {_write_record(record, work / 'results')}")
    return 0


def _format(
    machine: dict[str, Any],
    versions: dict[str, dict[str, str]],
    results: Sequence[Result],
    first: Sequence[Measurement],
) -> str:
    peers = [
        f"{name}: " + ", ".join(f"{package} {number}" for package, number in found.items())
        for name, found in versions.items()
    ]
    times = ", ".join(f"{run.name} {run.seconds:.1f} s" for run in first)
    runs = [run for result in results for measured in result.rounds for run in measured.values()]
    watched = sum(run.watch_seconds for run in runs) / sum(run.seconds for run in runs)
    return "\n".join(
        [
            format_machine(machine),
            *peers,
            *(f"\n{result.format()}" for result in results),
            f"\nwarm-up, {WARM_MB} MB (assay compiles its kernels), not counted: {times}",
            f"watching memory took {watched:.2%} of one core",
        ]
    )


def _write_record(record: dict[str, Any], folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.json"
    path.write_text(json.dumps(record, indent=1))
    return path


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.run", description=__doc__.splitlines()[0])
    parser.add_argument("--mb", help="MB of text, or several sizes with commas (200,50)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds (default 3)")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_MB} MB, one round")
    parser.add_argument("--only", help=f"some of {','.join(TOOLS)}")
    parser.add_argument("--work", type=Path, default=WORK, help="folder to work in")
    options = parser.parse_args(arguments)
    only = tuple(options.only.split(",")) if options.only else USUAL
    if unknown := sorted(set(only) - set(TOOLS)):
        parser.error(f"--only has {', '.join(unknown)}; known are {', '.join(TOOLS)}")
    try:
        sizes = [int(size) for size in (options.mb or "200,50").split(",")]
    except ValueError:
        parser.error(f"--mb is {options.mb}, needed whole numbers")
    if min(sizes) < 1 or options.rounds < 1:
        parser.error("--mb and --rounds are at least 1")
    options.parts = plan_parts(
        [QUICK_MB] if options.quick else sizes, only, 1 if options.quick else options.rounds
    )
    if not (options.mb or options.only or options.quick):
        others = tuple(name for name in TOOLS if name not in USUAL)
        options.parts[-1] = Part(options.parts[-1].megabytes, USUAL, options.rounds, others)
    return options


def plan_parts(sizes: Sequence[int], only: tuple[str, ...], rounds: int) -> list[Part]:
    """Return one part a size, the tools in the order in which they are known."""
    chosen = tuple(name for name in TOOLS if name in only)
    return [Part(size, chosen, rounds) for size in sizes]


def _read_commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(command, capture_output=True, check=False, cwd=Path(__file__).parent)
    return done.stdout.decode().strip() or "unknown"


if __name__ == "__main__":
    raise SystemExit(main())
