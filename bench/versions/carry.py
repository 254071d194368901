"""One command carried out in a folder of its own, and all that it printed and wrote kept."""

import hashlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.versions.case import INPUT, Case
from bench.versions.terminal import Terminal

CASES, FILES, INPUTS = "cases", "files", "inputs"
STDOUT, STDERR, RECORD = "stdout", "stderr", "record.json"
_LONGEST = 300.0  # seconds of one command
_MOST_TRIES = 20  # commands beside it compile theirs into the same folder


@dataclass(frozen=True, slots=True)
class Place:
    """Where a version's commands are carried out: its record, interpreter and environment.

    `cache` is the folder that compiled kernels are kept in.
    """

    out: Path
    python: str
    environment: Mapping[str, str]
    cache: Path

    def files(self, name: str) -> Path:
        """Return the working folder of a case, which later holds what it wrote."""
        return self.out / CASES / name / FILES


def carry_out(case: Case, argv: Sequence[str], place: Place) -> tuple[int, float]:
    """Carry a case out and record it; return its exit code and the seconds it took.

    Where it compiled kernels, which is told on stderr, it is carried out once more: the record
    holds what a command says that found its kernels compiled.

    Raises:
        FileNotFoundError: What it needs was not written.
        RuntimeError: It compiles kernels each time.
    """
    for _ in range(_MOST_TRIES):
        compiled = _list_cache(place.cache)
        code, seconds = _try(case, argv, place)
        if _list_cache(place.cache) == compiled:
            return code, seconds
    raise RuntimeError(f"{case.name} compiles kernels each time it runs")


def _try(case: Case, argv: Sequence[str], place: Place) -> tuple[int, float]:
    home, here = place.out / CASES / case.name, place.files(case.name)
    shutil.rmtree(home, ignore_errors=True)
    here.mkdir(parents=True)
    _lay_out(case, place)
    if case.setup is not None:
        case.setup(here)
    given, folders = read_files(here), _list_folders(here)
    began = time.monotonic()
    code, out, err = _run(case, [place.python, *case.program, *argv], place)
    seconds = time.monotonic() - began
    (home / STDOUT).write_bytes(out)
    (home / STDERR).write_bytes(err)
    found = read_files(here)
    record = {
        "argv": list(argv),
        "code": code,
        "given": given,
        "written": sorted(name for name in found if name not in given),
        "changed": sorted(name for name in found if found[name] != given.get(name, found[name])),
        "removed": sorted(name for name in given if name not in found),
        "folders": sorted(_list_folders(here) - folders),
    }
    (home / RECORD).write_text(json.dumps(record, indent=1) + "\n")
    _remove_given(here, given, found)
    return code, seconds


def _run(case: Case, words: list[str], place: Place) -> tuple[int, bytes, bytes]:
    """Run a command in its folder; return its exit code, stdout and stderr."""
    here, environment = place.files(case.name), _add_path(case, place)
    told = (here / case.stdin).read_bytes() if case.stdin else b""
    if case.columns is None:
        done = subprocess.run(
            words, cwd=here, env=environment, input=told, capture_output=True, timeout=_LONGEST
        )
        return done.returncode, done.stdout, done.stderr
    with Terminal() as terminal:
        done = subprocess.run(
            words,
            cwd=here,
            env=environment | {"COLUMNS": str(case.columns), "LINES": "40", "TERM": "dumb"},
            input=told,
            stdout=terminal.end,
            stderr=subprocess.PIPE,
            timeout=_LONGEST,
        )
    return done.returncode, terminal.read(), done.stderr


def _lay_out(case: Case, place: Place) -> None:
    for where, what in case.needs:
        if what.startswith(INPUT):
            source = place.out / INPUTS / what.removeprefix(INPUT)
        else:
            name, _, rest = what.partition("/")
            source = place.files(name) / rest
        target = place.files(case.name) / where
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True)
        else:
            shutil.copy2(source, target)


def _add_path(case: Case, place: Place) -> dict[str, str]:
    more = [str(place.out / INPUTS / name) for name in case.path]
    environment = dict(place.environment)
    return environment | {"PYTHONPATH": os.pathsep.join([environment["PYTHONPATH"], *more])}


def read_files(folder: Path) -> dict[str, str]:
    """Return the sha256 of each file below a folder by its name; of a link, where it leads."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = f"link to {path.readlink()}"
        elif path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def _list_folders(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_dir()}


def _remove_given(here: Path, given: Mapping[str, str], found: Mapping[str, str]) -> None:
    """Leave only what the command wrote or changed."""
    for name, sha256 in found.items():
        if given.get(name) == sha256:
            (here / name).unlink()
    for folder in sorted((path for path in here.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()


def _list_cache(cache: Path) -> set[tuple[str, int]]:
    return {(str(path), path.stat().st_size) for path in cache.rglob("*.nb[ic]")}
