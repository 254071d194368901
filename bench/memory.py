"""Peak memory of `assay audit`: 200 MB of text, ten times as much, and one enormous document.

python -m bench.memory [--mb 200] [--copies 10] [--edits 0.5,0.05,0.01] [--document-mb 1000]

The large corpora repeat the small one with a share of the words edited in each copy: 0.5 leaves no
near duplicates, 0.05 many candidates, 0.01 makes every document one of a cluster of ten. Peak is
the process's high-water mark of resident memory (`VmHWM`); PSS is sampled beside it. Limits are
checked at the sizes that they are stated for.
"""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.checks import Check, report_checks
from bench.corpus import build_corpus
from bench.enlarge import enlarge_corpus, write_giant
from bench.machine import WORK, describe_machine, find_corpora, format_machine
from bench.measure import Measurement, measure_command, pin_cores
from bench.rounds import say
from bench.venvs import isolate

MOST_MB = 1_200
MOST_GROWTH = 1.5
MOST_GIANT_MB = 4_000
STATED_SIZES = (200, 10, 1_000)


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, audit, print the table and what was asked for; 1 if a limit is not kept."""
    options = _parse(arguments)
    print(format_machine(describe_machine(pin_cores(2))))
    work, corpora = options.work.resolve(), find_corpora()
    folder = work / "memory"
    shutil.rmtree(folder, ignore_errors=True)
    tiny = build_corpus(corpora, work / "corpus-1", megabytes=1)
    run_audit("warm-up", tiny.shards, folder, work / "cache")
    small = build_corpus(corpora, work / f"corpus-{options.mb}", megabytes=options.mb)
    shards = sorted(small.shards.glob("*.parquet"))
    print(f"{'':<26}{'peak MB':>9}{'PSS MB':>9}{'seconds':>9}{'documents':>11}{'near dupl.':>11}")
    base = run_audit(f"{options.mb} MB", small.shards, folder, work / "cache")
    checks = [_limit(f"{options.mb} MB", base, MOST_MB)]
    for edited in options.edits:
        began = time.perf_counter()
        made = enlarge_corpus(shards, folder / "large", copies=options.copies, edited=edited)
        say(f"built {made:,} MB, {edited:.0%} edited, in {time.perf_counter() - began:.0f} s")
        name = f"{made:,} MB, {edited:.0%} edited"
        run = run_audit(name, folder / "large", folder, work / "cache")
        checks.append(_limit(name, run, MOST_GROWTH * MOST_MB))
        growth = run.peak_mb / base.peak_mb
        checks.append(Check(f"{name}, over {options.mb} MB's", growth, MOST_GROWTH, "x", False))
        shutil.rmtree(folder / "large")
    if options.document_mb:
        began = time.perf_counter()
        giant = folder / "giant" / "giant.parquet"
        giant.parent.mkdir(parents=True)
        write_giant(shards, giant, megabytes=options.document_mb)
        say(f"built the giant document in {time.perf_counter() - began:.0f} s")
        name = f"document of {options.document_mb:,} MB"
        run = run_audit(name, giant, folder, work / "cache")
        checks.append(_limit(name, run, MOST_GIANT_MB))
    shutil.rmtree(folder)
    if (options.mb, options.copies, options.document_mb) != STATED_SIZES:
        print("other sizes than the limits are stated for; nothing is checked")
        return 0
    return report_checks(checks)


def run_audit(name: str, shards: Path, folder: Path, cache: Path) -> Measurement:
    """Audit shards in a new process, print its line of the table, and remove what it wrote."""
    assay = str(Path(sys.executable).with_name("assay"))
    output = folder / "audit"
    run = measure_command(
        "audit",
        [assay, "audit", str(shards), "-o", str(output)],
        folder=folder / "run",
        environment=isolate(folder / "run") | {"XDG_CACHE_HOME": str(cache)},
        always_pss=True,
        good_exits=(0, 4),
    )
    totals = json.loads((output / "manifest.json").read_text())["totals"]
    print(
        f"{name:<26}{run.peak_mb:>9,.0f}{run.peak_pss_mb:>9,.0f}{run.seconds:>9.1f}"
        f"{totals['documents']:>11,}{totals['near']['documents']:>11,}",
        flush=True,
    )
    shutil.rmtree(output)
    return run


def _limit(name: str, run: Measurement, most: float) -> Check:
    return Check(f"{name}, peak", run.peak_mb, most, " MB", at_least=False)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.memory", description=__doc__.splitlines()[0])
    parser.add_argument("--mb", type=int, default=STATED_SIZES[0])
    parser.add_argument("--copies", type=int, default=STATED_SIZES[1])
    parser.add_argument("--document-mb", type=int, default=STATED_SIZES[2], help="0: none")
    parser.add_argument("--edits", default="0.5,0.05,0.01", help="shares of words, '' for none")
    parser.add_argument("--work", type=Path, default=WORK)
    options = parser.parse_args(arguments)
    options.edits = [float(share) for share in options.edits.split(",") if share]
    return options


if __name__ == "__main__":
    raise SystemExit(main())
