"""Folders that stages hand to each other: claimed, filled, and sealed with a manifest.

A folder is absent, unfinished (`.unfinished` lies in it; the same command goes on), or sealed:
`manifest.json`, written last and create-only, names every file in it with size and sha256.
"""

import errno
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import filelock
import msgspec

from assay.errors import InputError, IntegrityError, UsageError
from assay.fingerprint import hash_file
from assay.publish import TEMPORARY, publish_bytes, sweep_temporaries

T = TypeVar("T")
SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
_UNFINISHED = ".unfinished"
_LOCK = ".lock"
MARKS = (_UNFINISHED, _LOCK)  # a process killed just after it sealed a folder leaves them there


class FileEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One file that a stage read or wrote: bytes, sha256 in hex, rows (or ids of a bin)."""

    name: str
    size: int
    sha256: str
    rows: int | None = None


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a folder holds, from what it was made, and by which settings.

    `parents` maps a name ("audit", "bins", an arm) to the sha256 of the manifest it was made
    from: the chain from a verdict back to the shards. `totals` holds the stage's own counts.
    """

    kind: str
    tool: str
    settings: dict[str, Any]
    inputs: list[FileEntry]
    outputs: list[FileEntry]
    word_rule: str | None = None
    tokenizer: dict[str, Any] | None = None
    totals: dict[str, Any] = {}
    parents: dict[str, str] = {}
    schema_version: int = SCHEMA_VERSION


def find_made(path: Path) -> Path | None:
    """Return the nearest folder above `path` that assay sealed or left unfinished; None if none is.

    Another program's `manifest.json` makes no folder ours.
    """
    parent = path.absolute().parent.resolve()
    for folder in (parent, *parent.parents):
        if (folder / _UNFINISHED).exists() or _is_ours(folder / MANIFEST):
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
        publish_bytes(folder / _UNFINISHED, f"{kind}\n".encode())
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
        raise UsageError(f"{folder} holds a finished run already; name another -o, or remove it")
    mark = folder / _UNFINISHED
    if mark.exists():
        found = mark.read_text(encoding="utf-8", errors="replace").strip()
        if found and found != kind:
            raise UsageError(f"{folder} holds an unfinished {found}, not {kind}; name another -o")
    elif folder.exists():
        # A process killed while it claimed the folder leaves its lock, or the mark half-written.
        foreign = [path for path in folder.iterdir() if not _is_own(path.name)]
        if foreign:
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
        raise UsageError(f"{folder} cannot be made ({error.strerror}); name another -o") from error
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
        (folder / _UNFINISHED).unlink(missing_ok=True)
    (folder / _LOCK).unlink(missing_ok=True)
    if bare:
        with suppress(OSError):  # another process may have entered it just now: let it stay
            for path in made:
                path.rmdir()


def seal_folder(folder: Path, manifest: Manifest) -> Manifest:
    """Write the manifest, last of all, and mark the folder finished."""
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    publish_bytes(folder / MANIFEST, text + b"\n", replace=False)
    (folder / _UNFINISHED).unlink(missing_ok=True)
    return manifest


def read_manifest(folder: Path, kind: str | None = None) -> Manifest:
    """Read the manifest of a sealed folder.

    Raises:
        UsageError: The folder is missing or of another kind.
        InputError: It has no manifest, or one that cannot be read.
    """
    if not folder.is_dir():
        raise UsageError(f"no folder at {folder}; name one that an assay command wrote")
    path = folder / MANIFEST
    if not path.exists():
        raise InputError(f"{folder} has no {MANIFEST} ({_explain_missing(folder)})")
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    if manifest.schema_version != SCHEMA_VERSION:
        raise InputError(
            f"{path} has schema {manifest.schema_version}; this assay reads {SCHEMA_VERSION}"
        )
    if kind is not None and manifest.kind != kind:
        raise UsageError(f"{folder} holds {name_kind(manifest.kind)}, needed {name_kind(kind)}")
    return manifest


def _explain_missing(folder: Path) -> str:
    """Say why a folder is none of ours, and which folders in it are."""
    if (folder / _UNFINISHED).exists():
        return "unfinished: run its command again"
    inside = sorted(path.parent.name for path in folder.glob(f"*/{MANIFEST}"))
    if not inside:
        return "no assay command wrote it, or one that did not end"
    more = ", ..." if len(inside) > 3 else ""
    return "name a folder in it: " + ", ".join(inside[:3]) + more


def name_kind(kind: str) -> str:
    """Name a kind of folder in a sentence.

    >>> name_kind("audit"), name_kind("bins"), name_kind("run")
    ('an audit', 'bins', 'a run')
    """
    return kind if kind == "bins" else f"{'an' if kind[:1] in 'aeiou' else 'a'} {kind}"


def hash_manifest(folder: Path) -> str:
    """Return the sha256 of a folder's manifest: the fingerprint of all that it vouches for."""
    return hash_file(folder / MANIFEST)


def enter_file(path: Path, root: Path, rows: int | None = None) -> FileEntry:
    """Describe a file that was written under `root`; reads it once for its sha256."""
    return FileEntry(
        name=path.relative_to(root).as_posix(),
        size=path.stat().st_size,
        sha256=hash_file(path),
        rows=rows,
    )


def check_file(folder: Path, entry: FileEntry, *, hashes: bool = True) -> None:
    """Compare a file with its manifest entry: size, and sha256 unless `hashes` is false.

    Raises:
        IntegrityError: It is missing or differs; the message has both values.
    """
    path = folder / entry.name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise IntegrityError(f"{folder}: the manifest names a file outside of it")
    if not path.is_file():
        raise IntegrityError(f"{path} is missing; the manifest lists it")
    size = path.stat().st_size
    if size != entry.size:
        raise IntegrityError(f"{path} has {size:,} bytes, its manifest says {entry.size:,}")
    if hashes and (found := hash_file(path)) != entry.sha256:
        raise IntegrityError(f"{path} has sha256 {found}, its manifest says {entry.sha256}")


def read_result(path: Path, kind: type[T], hint: str = "") -> T:
    """Read a JSON file of a sealed folder as a type.

    Args:
        path: The file.
        kind: A msgspec struct; keys that it does not have are ignored.
        hint: The next step, where it cannot be read.

    Raises:
        InputError: It is missing, no JSON, or a key is missing or of another type.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}{hint and '; ' + hint}") from error
