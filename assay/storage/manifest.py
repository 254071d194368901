"""`manifest.json`: what a folder holds, from what it was made, and by which settings."""

import shlex
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from assay.errors import InputError, IntegrityError, UsageError
from assay.paths import find_shard
from assay.storage.fingerprint import hash_file

T = TypeVar("T")
UNFINISHED = ".unfinished"  # lies in a folder that is not sealed yet
SCHEMA_VERSION = 1
MANIFEST = "manifest.json"


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


def read_manifest(folder: Path, kind: str | None = None) -> Manifest:
    """Read the manifest of a sealed folder.

    Raises:
        UsageError: The folder is missing or of another kind.
        InputError: It has no manifest, or one that cannot be read.
    """
    if folder.is_file():
        raise UsageError(f"{folder} is a file, needed a folder; {advise_audit(folder)}")
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
    if (folder / UNFINISHED).exists():
        return "unfinished: run its command again"
    inside = sorted(path.parent.name for path in folder.glob(f"*/{MANIFEST}"))
    if not inside and (shard := find_shard(folder)):
        return f"it holds {shard.name}; {advise_audit(folder)}"
    if not inside:
        return "no assay command wrote it, or one that did not end"
    return "name a folder in it: " + ", ".join(inside[:3]) + (", ..." if len(inside) > 3 else "")


def advise_audit(shards: Path) -> str:
    """Return the commands that make bins of shards."""
    return f"make bins of it: assay audit {shlex.quote(str(shards))} -o A; assay prepare A -o B"


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


def convert_json(value: Any, kind: type[T], where: str) -> T:
    """Check a JSON value against a type of ours.

    Raises:
        InputError: A key is missing or of another type; the message names it and `where`.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise InputError(f"{where}: {error}; write it again with this assay") from error


def read_totals(folder: Path, manifest: Manifest, kind: type[T]) -> T:
    """Read a manifest's totals as `kind`. Errors as in `convert_json`."""
    return convert_json(manifest.totals, kind, f"{folder}/manifest.json: totals")
