"""The fixed set, carried out with one checkout."""

import json
import os
import platform
import shlex
import time
import tomllib
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.versions.carry import INPUTS, Place, carry_out
from bench.versions.case import Case
from bench.versions.inputs import build_inputs
from bench.versions.options import ask_checkout, list_unused
from bench.versions.table import list_cases

RUN = "run.json"
_RENAMED = Path(__file__).with_name("renamed.toml")
_KEPT = ("PATH", "LD_LIBRARY_PATH", "SSL_CERT_FILE")


def run_set(
    out: Path,
    checkout: Path,
    python: str,
    *,
    cache: Path,
    jobs: int = 2,
    renamed: bool = False,
    corpora: bool = False,
    only: str = "",
) -> int:
    """Carry the set out under `out`, which is new; return 1 where an exit code is another one.

    Args:
        out: Takes the record.
        checkout: Whose assay is run.
        python: The interpreter.
        cache: Where compiled kernels are kept, from one time to the next.
        jobs: Commands at a time.
        renamed: Write options as `renamed.toml` says.
        corpora: Carry out the commands on real data, too.
        only: Carry out only cases whose name begins so, and those that they need.
    """
    if out.exists() and any(out.iterdir()):
        raise SystemExit(f"{out} is not empty; name a new folder")
    out, cache = out.resolve(), cache.resolve()
    cache.mkdir(parents=True, exist_ok=True)
    (out / "home").mkdir(parents=True)
    environment = make_environment(checkout.resolve(), out / "home", cache)
    asked = ask_checkout(checkout, python, environment)
    cases = choose(list_cases(corpora=corpora), only)
    began = time.monotonic()
    inputs = build_inputs(out / INPUTS, corpora=corpora)
    done = _carry_out_all(cases, Place(out, python, environment, cache), jobs, renamed)
    seconds = {"all": time.monotonic() - began} | {name: took for name, (_, took) in done.items()}
    facts = {
        "assay": asked.facts,
        "out": str(out),
        "only": only,
        "system": platform.platform(),
        "cases": [case.name for case in cases],
        "inputs": inputs,
        "unused_options": [] if only else list_unused(asked.verbs, cases),
        "unexpected_codes": _list_unexpected(cases, done),
        "seconds": seconds,
    }
    (out / RUN).write_text(json.dumps(facts, indent=1) + "\n")
    faults = _list_faults(facts)
    for line in faults:
        print(line)
    print(f"{len(cases)} commands of {checkout} in {seconds['all']:.0f} s: {out}")
    return 1 if faults else 0


def _list_unexpected(
    cases: Sequence[Case], done: Mapping[str, tuple[int, float]]
) -> dict[str, list[int]]:
    """Return the code that the table has, and the one that was found, where they differ."""
    codes = {case.name: [case.code, done[case.name][0]] for case in cases}
    return {name: pair for name, pair in codes.items() if pair[0] != pair[1]}


def _list_faults(facts: Mapping[str, Any]) -> list[str]:
    unexpected = facts["unexpected_codes"].items()
    return [
        *(f"{name}: exit code {found}, the table has {code}" for name, (code, found) in unexpected),
        *facts["unused_options"],
    ]


def make_environment(checkout: Path, home: Path, cache: Path) -> dict[str, str]:
    """Return all that commands see of the environment: one thread, and no files of the user's."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    return kept | threads | {
        "PYTHONPATH": str(checkout),
        "PYTHONSAFEPATH": "1",
        "HOME": str(home),
        "XDG_CACHE_HOME": str(cache),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }  # fmt: skip


def choose(cases: Sequence[Case], only: str) -> list[Case]:
    """Return the cases whose name begins so, and all that they need, in order."""
    wanted = {case.name for case in cases if case.name.startswith(only)}
    for case in reversed(cases):
        if case.name in wanted:
            wanted |= case.parents
    return [case for case in cases if case.name in wanted]


def _carry_out_all(
    cases: Sequence[Case], place: Place, jobs: int, renamed: bool
) -> dict[str, tuple[int, float]]:
    names = read_renamed() if renamed else []
    futures: dict[str, Future[tuple[int, float]]] = {}

    def work(case: Case) -> tuple[int, float]:
        for parent in case.parents:
            futures[parent].result()
        return carry_out(case, rename(case.argv, names), place)

    # Parents come first in the list, so that no worker waits for what nobody has begun.
    with ThreadPoolExecutor(jobs) as pool:
        for case in cases:
            futures[case.name] = pool.submit(work, case)
        return {name: future.result() for name, future in futures.items()}


def read_renamed(path: Path = _RENAMED) -> list[tuple[str, list[str], list[str]]]:
    """Read how a newer version writes options: (verb, old words, new words)."""
    table = tomllib.loads(path.read_text())
    return [
        (entry["verb"], shlex.split(entry["old"]), shlex.split(entry["new"]))
        for entry in table.get("option", [])
    ]


def rename(
    argv: Sequence[str], names: Sequence[tuple[str, list[str], list[str]]]
) -> tuple[str, ...]:
    """Write a command's options as a newer version does.

    >>> rename(["audit", "x", "--rows", "8"], [("audit", ["--rows"], ["--rows-per-band"])])
    ('audit', 'x', '--rows-per-band', '8')
    """
    words = list(argv)
    for verb, old, new in names:
        if not words or words[0] != verb:
            continue
        at = 1
        while at < len(words):
            if words[at : at + len(old)] == old:
                words[at : at + len(old)] = new
                at += len(new)
            else:
                at += 1
    return tuple(words)
