"""Rounds: every tool on the same bytes, from an empty folder; every other round in reverse."""

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.corpus import Corpus
from bench.measure import Measurement, measure_command
from bench.recall import READERS, Recall
from bench.table import compute_ratios, format_ratios, format_recall, format_times
from bench.venvs import isolate

Tool = Callable[[Corpus, Path], list[Measurement]]


@dataclass(frozen=True, slots=True)
class Part:
    """A size of corpus in MB, the tools to run on it in each round, and those to run once."""

    megabytes: int
    tools: tuple[str, ...]
    rounds: int
    once: tuple[str, ...] = ()

    @property
    def all_tools(self) -> tuple[str, ...]:
        """Those of every round, then those of the first alone."""
        return (*self.tools, *self.once)


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured on one corpus."""

    corpus: Corpus
    rounds: list[dict[str, Measurement]]
    recall: list[Recall]

    def describe(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "corpus": asdict(self.corpus),
            "rounds": [{name: asdict(run) for name, run in each.items()} for each in self.rounds],
            "ratios": compute_ratios(self.rounds),
            "recall": [asdict(recall) for recall in self.recall],
        }

    def format(self) -> str:
        """Return it as tables."""
        corpus, megabytes = self.corpus, self.corpus.text_bytes / 1e6
        title = f"{megabytes:.1f} MB of text, {corpus.documents:,} documents, "
        title += f"{corpus.planted:,} planted"
        if corpus.repeated:
            title += f", {corpus.repeated:,} repeated with half their words edited"
        parts = [title, "\n" + format_times(self.rounds, megabytes)]
        if ratios := compute_ratios(self.rounds):
            parts.append("\n" + format_ratios(ratios))
        if self.recall:
            parts.append("\n" + format_recall(self.recall))
        return "\n".join(parts)


def run_part(part: Part, tools: Mapping[str, Tool], corpus: Corpus, folder: Path) -> Result:
    """Run a part's rounds in `folder`, which is emptied before each tool."""
    rounds: list[dict[str, Measurement]] = []
    found: dict[str, Recall] = {}
    for nth in range(part.rounds):
        order = list(part.all_tools if nth == 0 else part.tools)
        measured: dict[str, Measurement] = {}
        for name in order if nth % 2 == 0 else order[::-1]:
            shutil.rmtree(folder, ignore_errors=True)
            os.sync()  # or the kernel would write out one tool's files in the next one's time
            for run in tools[name](corpus, folder):
                measured[run.name] = run
                say(f"round {nth + 1} of {part.rounds}: {run.name} {run.seconds:.2f} s")
            if name in READERS and name not in found:
                found[name] = READERS[name](folder, corpus.truth)
        rounds.append(measured)
    return Result(corpus, rounds, [found[name] for name in part.all_tools if name in found])


def warm_up(tools: Mapping[str, Tool], tiny: Corpus, folder: Path) -> list[Measurement]:
    """Run every tool once on a tiny corpus: assay compiles kernels, and all libraries get read.

    Without it the first round would charge peers alone for libraries that are not in memory yet.
    """
    first: list[Measurement] = []
    for run in tools.values():
        shutil.rmtree(folder, ignore_errors=True)
        first += run(tiny, folder)
    return first


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


def say(line: str) -> None:
    """Tell how far the work is."""
    print(line, file=sys.stderr, flush=True)
