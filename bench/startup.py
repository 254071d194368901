"""How long assay takes to begin: an audit of 1 MB, the first one of all, and `--help`.

python -m bench.startup [--rounds 9]

Commands that are compared take turns; figures are medians. "imports" is a Python that imports
pyarrow, numba and gigatoken and ends: what an audit cannot do without.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.checks import Check, report_checks
from bench.corpus import build_corpus
from bench.machine import WORK, describe_machine, find_corpora, format_machine
from bench.measure import pin_cores

MOST_TIMES_IMPORTS = 2.5
MOST_HELP_MS = 120
_IMPORTS = "import pyarrow, numba, gigatoken"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return 1 if a limit is not kept."""
    parser = argparse.ArgumentParser(prog="bench.startup", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--work", type=Path, default=WORK)
    options = parser.parse_args(arguments)
    work = options.work.resolve()
    print(format_machine(describe_machine(pin_cores(2))))
    shards = build_corpus(find_corpora(), work / "corpus-1", megabytes=1).shards
    folder = work / "startup"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    environment = os.environ | {"XDG_CACHE_HOME": str(folder / "cache")}
    assay = str(Path(sys.executable).with_name("assay"))
    audit = [assay, "audit", str(shards), "-o", str(folder / "audit")]
    seconds, said = time_command(audit, environment, folder)
    print(f"first audit, empty cache: {seconds:.2f} s; it says:")
    told = [line for line in said.splitlines() if "compil" in line.lower()]
    print("\n".join(f"    {line}" for line in told) or "    nothing of compiling")
    commands = {
        "imports": [sys.executable, "-c", _IMPORTS],
        "audit of 1 MB": audit,
        "import click": [sys.executable, "-c", "import click"],
        "assay --help": [assay, "--help"],
    }
    found = time_in_turn(commands, options.rounds, environment, folder)
    shutil.rmtree(folder)
    median = {name: statistics.median(runs) for name, runs in found.items()}
    for name, runs in found.items():
        print(f"{name:<16}{median[name]:>8.3f} s  ({min(runs):.3f}-{max(runs):.3f})")
    over_click = 1e3 * (median["assay --help"] - median["import click"])
    return report_checks(
        [
            Check(
                "audit of 1 MB / imports",
                median["audit of 1 MB"] / median["imports"],
                MOST_TIMES_IMPORTS,
                "x",
                at_least=False,
            ),
            Check("lines of the first run that tell of compiling", len(told), 1),
            Check("--help over import click", over_click, MOST_HELP_MS, " ms", at_least=False),
        ]
    )


def time_in_turn(
    commands: Mapping[str, Sequence[str]], rounds: int, environment: Mapping[str, str], folder: Path
) -> dict[str, list[float]]:
    """Return the seconds of each command in each round, after a round that does not count."""
    found: dict[str, list[float]] = {name: [] for name in commands}
    for nth in range(rounds + 1):
        for name, command in commands.items():
            seconds, _ = time_command(command, environment, folder)
            if nth:
                found[name].append(seconds)
    return found


def time_command(
    command: Sequence[str], environment: Mapping[str, str], folder: Path
) -> tuple[float, str]:
    """Run a command, its last output removed before; return its seconds and its stderr.

    Raises:
        RuntimeError: It failed.
    """
    shutil.rmtree(folder / "audit", ignore_errors=True)
    began = time.perf_counter()
    done = subprocess.run(list(command), env=dict(environment), capture_output=True, text=True)
    seconds = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    return seconds, done.stderr


if __name__ == "__main__":
    raise SystemExit(main())
