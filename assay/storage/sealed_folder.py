"""Folders that stages hand to each other: claimed, filled, and sealed with a manifest.

A folder is absent, unfinished (`.unfinished` lies in it; the same command goes on), or sealed:
`manifest.json`, written last and create-only, names every file in it with size and sha256.
"""

import errno
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock
import msgspec

from assay.errors import UsageError
from assay.storage.manifest import MANIFEST, UNFINISHED, Manifest
from assay.storage.publish import TEMPORARY, publish_bytes, sweep_temporaries

_LOCK = ".lock"
MARKS = (UNFINISHED, _LOCK)  # a process killed just after it sealed a folder leaves them there


def find_made(path: Path) -> Path | None:
    """Return the nearest folder above `path` that assay sealed or left unfinished; None if none is.

    Another program's `manifest.json` makes no folder ours.
    """
    parent = path.absolute().parent.resolve()
    for folder in (parent, *parent.parents):
        if (folder / UNFINISHED).exists() or _is_ours(folder / MANIFEST):
            return folder
    return None


def _is_ours(manifest: Path) -> bool:
    try:
        found = msgspec.json.decode(manifest.read_bytes())
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return False
    return isinstance(found, dict) and {"kind", "tool", "schema_version"} <= found.keys()


@contextmanager
def claim_folder(
    folder: Path, kind: str, *, resumes: bool | Callable[[], bool] = True
) -> Iterator[Path]:
    """Hold `folder` for a stage of `kind`: new, empty, or left unfinished by the same kind.

    Only one process holds a folder at a time. The block must end with `seal_folder`. Where it
    ends with an error, a stage that `resumes` keeps what it has, for the same command to go on
    with; of another stage nothing is left, nor the folder if it was not there before. Where that
    depends on what there is, `resumes` is a function that is asked then.

    Raises:
        UsageError: The folder is sealed, is in use, cannot be made, or holds what is not ours.
    """
    _check_free(folder, kind)
    made = _make_folder(folder)
    lock = filelock.FileLock(folder / _LOCK)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        raise UsageError(f"another process is writing to {folder}; wait for it to end") from error
    try:
        _check_free(folder, kind)  # again: who held it until now may have sealed it
        sweep_temporaries(folder)
        publish_bytes(folder / UNFINISHED, f"{kind}\n".encode())
        try:
            yield folder
        except BaseException:
            keeps = resumes() if callable(resumes) else resumes
            if not keeps and not (folder / MANIFEST).exists():
                _empty_folder(folder)
            raise
    finally:
        _leave(folder, made)
        lock.release()


def _check_free(folder: Path, kind: str) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; name a folder for the {kind}")
    if (folder / MANIFEST).exists():
        raise UsageError(
            f"{folder} holds a finished run already; name another output, or remove it", "output"
        )
    mark = folder / UNFINISHED
    if mark.exists():
        found = mark.read_text(encoding="utf-8", errors="replace").strip()
        if found and found != kind:
            raise UsageError(
                f"{folder} holds an unfinished {found}, not {kind}; name another output", "output"
            )
    # A process killed while it claimed the folder leaves its lock, or the mark half-written.
    elif folder.exists() and not all(_is_own(path.name) for path in folder.iterdir()):
        raise UsageError(f"{folder} is not empty and not ours; name a new or empty folder")


def _is_own(name: str) -> bool:
    return name in MARKS or name.startswith(TEMPORARY)


def _make_folder(folder: Path) -> list[Path]:
    """Make a folder and its parents; return those that were missing, innermost first."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise UsageError(
            f"{folder} cannot be made ({error.strerror}); name another output", "output"
        ) from error
    return missing


def _empty_folder(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != _LOCK:
            path.unlink()


def _leave(folder: Path, made: list[Path]) -> None:
    """Take off the lock, and remove folders of ours in which nothing was kept."""
    bare = all(_is_own(path.name) for path in folder.iterdir())
    if bare:
        sweep_temporaries(folder)
        (folder / UNFINISHED).unlink(missing_ok=True)
    (folder / _LOCK).unlink(missing_ok=True)
    if bare:
        with suppress(OSError):  # another process may have entered it just now: let it stay
            for path in made:
                path.rmdir()


def seal_folder(folder: Path, manifest: Manifest) -> Manifest:
    """Write the manifest, last of all, and mark the folder finished."""
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    publish_bytes(folder / MANIFEST, text + b"\n", replace=False)
    (folder / UNFINISHED).unlink(missing_ok=True)
    return manifest
