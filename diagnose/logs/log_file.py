"""Where a log is: a file, a folder of a run, standard input, a pipe, or a file that gzip packed."""

import gzip
import re
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from assay.errors import AssayError, InputError, UsageError
from assay.storage.fingerprint import hash_file
from assay.storage.manifest import FileEntry

STDIN = Path("-")
_GZIP = b"\x1f\x8b"
# What programs call their logs, in the order in which a folder is searched.
_NAMES = ("metrics.jsonl", "trainer_state.json", "*.wandb", "metrics.csv", "main.log", "log.txt")
# Folders that hold a log for them; of several the one with the highest number or the last name.
_FOLDERS = ("latest-run", "offline-run-*", "run-*", "checkpoint-*", "version_*", "lightning_logs")
_LOOSE = ("*.log", "*.txt", "*.csv", "*.jsonl")
_MAX_NAMED = 5


def find_log(folder: Path) -> Path:
    """Find the log in a run's folder; of TensorBoard the folder itself, which may have many files.

    Raises:
        UsageError: It has none that is known by its name, or several that might be it.
    """
    found = _look_into(folder)
    if found is not None:
        return found
    loose = sorted(path for pattern in _LOOSE for path in folder.glob(pattern) if path.is_file())
    if len(loose) == 1:
        return loose[0]
    if loose:
        names = ", ".join(path.name for path in loose[:_MAX_NAMED])
        if len(loose) > _MAX_NAMED:
            names += f" and {len(loose) - _MAX_NAMED:,} more"
        raise UsageError(
            f"folder {folder} has {len(loose):,} files that could be the log: {names}; name one, "
            f"e.g. {loose[0]}"
        )
    if (run := _find_run(folder)) is not None:
        raise UsageError(f"folder {folder} has no log of its own; name a run in it, e.g. {run}")
    raise UsageError(
        f"folder {folder} has no log; needed: a log file, or the folder of a run (metrics.jsonl, "
        "trainer_state.json, a wandb or TensorBoard run)"
    )


def _look_into(folder: Path) -> Path | None:
    for pattern in _NAMES:
        if files := sorted(folder.glob(pattern)):
            return files[-1]
    if any(folder.glob("*tfevents*")):
        return folder
    for pattern in _FOLDERS:
        inside = sorted((p for p in folder.glob(pattern) if p.is_dir()), key=_number)
        for each in inside[::-1]:
            if (found := _look_into(each)) is not None:
                return found
    return None


def _find_run(folder: Path) -> Path | None:
    """Find the first run of ours in a folder, or in a folder of it as comparisons keep theirs."""
    metrics = (path for inside in ("*", "*/*") for path in folder.glob(f"{inside}/metrics.jsonl"))
    return min((path.parent for path in metrics), default=None)


def _number(path: Path) -> tuple[int, str]:
    last = re.search(r"\d+$", path.name)
    return int(last[0]) if last else -1, path.name


@contextmanager
def open_log(path: Path) -> Iterator[tuple[Path, FileEntry | None]]:
    """Give a file that can be read more than once, and its entry where it is a copy.

    Standard input, pipes and what gzip packed are copied to a temporary file first.

    Raises:
        UsageError: No such file. InputError: It is packed, and broken.
    """
    if path != STDIN and not path.exists():
        raise UsageError(f"no log at {path}")
    if path.is_dir() or (path.is_file() and not _is_packed(path)):
        yield path, None
        return
    shown = "standard input" if path == STDIN else str(path)
    with tempfile.TemporaryDirectory(prefix="assay-") as folder:
        copy = Path(folder) / ("log" if path == STDIN else path.name.removesuffix(".gz") or "log")
        with sys.stdin.buffer if path == STDIN else path.open("rb") as source:
            _copy(source, copy)
        if _is_packed(copy):
            _unpack(copy, shown)
        entry = FileEntry(name=shown, size=copy.stat().st_size, sha256=hash_file(copy))
        try:
            yield copy, entry
        except AssayError as error:  # say the name that the user gave
            raise type(error)(str(error).replace(str(copy), shown)) from error


def _copy(source: BinaryIO | gzip.GzipFile, copy: Path) -> None:
    with copy.open("wb") as file:
        shutil.copyfileobj(source, file)


def _is_packed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == _GZIP


def _unpack(copy: Path, shown: str) -> None:
    """Unpack a copy in place: its name may tell what it is."""
    packed = copy.rename(copy.with_name(f"{copy.name}.gz"))
    try:
        with gzip.open(packed) as source:
            _copy(source, copy)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"log {shown} looks like gzip but is corrupt: {error}") from error
