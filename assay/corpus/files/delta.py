"""The live files of a Delta table: what its log has added and not removed.

By the protocol's text (delta-io/delta, PROTOCOL.md): commits are JSON lines named by their version,
a checkpoint is parquet, in one file or several, and stands for all commits up to its version.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from assay.errors import InputError

LOG = "_delta_log"
_COMMIT = re.compile(r"^(\d{20})\.json$")
_CHECKPOINT = re.compile(r"^(\d{20})\.checkpoint(?:\.(\d{10})\.(\d{10}))?\.parquet$")
# Features of a table that change neither which files are live nor what stands in them.
_HARMLESS = {
    "appendOnly", "changeDataFeed", "checkConstraints", "columnMapping", "deletionVectors",
    "domainMetadata", "generatedColumns", "identityColumns", "inCommitTimestamp", "invariants",
    "rowTracking", "timestampNtz", "typeWidening", "v2Checkpoint", "vacuumProtocolCheck",
    "variantType",
}  # fmt: skip


@dataclass(slots=True)
class DeltaTable:
    """What a log says: `live` and `removed` are paths within the table's folder.

    `first` is the version at which the log begins; where it is over 0 and no checkpoint stands for
    what came before, `is_whole` is false, and files that the log does not name may be live.
    """

    first: int = 0
    is_whole: bool = True
    live: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)


def read_delta(folder: Path) -> DeltaTable:
    """Replay the log of a Delta table.

    Raises:
        InputError: It has what this cannot do (deletion vectors, mapped columns, files elsewhere,
            features not known), or a commit is missing or cannot be read; says what.
    """
    names = sorted(path.name for path in (folder / LOG).iterdir())
    commits = {int(match[1]): match[0] for name in names if (match := _COMMIT.match(name))}
    version, parts = _find_checkpoint(names)
    later = sorted(each for each in commits if each > version)
    table = DeltaTable(first=version if parts else min(later, default=0))
    table.is_whole = bool(parts) or table.first == 0
    expected = range(version + 1 if parts else table.first, later[-1] + 1 if later else 0)
    if missing := sorted(set(expected) - set(later)):
        raise InputError(f"version {missing[0]} is missing from its log")
    if not parts and not later:
        raise InputError("its log has no commit and no checkpoint that can be read")
    try:
        for name in parts:
            _apply(table, _read_checkpoint(folder / LOG / name))
        for number in later:
            lines = (folder / LOG / commits[number]).read_text(encoding="utf-8").splitlines()
            _apply(table, (json.loads(line) for line in lines if line.strip()))
    except (OSError, ValueError, TypeError, AttributeError, KeyError, pa.ArrowException) as error:
        raise InputError(f"its log cannot be read ({type(error).__name__}: {error})") from error
    return table


def _find_checkpoint(names: Iterable[str]) -> tuple[int, list[str]]:
    """Return the newest complete checkpoint: its version and files; (-1, []) without one."""
    found: dict[tuple[int, int], list[str]] = {}
    for name in names:
        if match := _CHECKPOINT.match(name):
            found.setdefault((int(match[1]), int(match[3] or 1)), []).append(name)
    whole = [(key, parts) for key, parts in found.items() if len(parts) == key[1]]
    if not whole:
        return -1, []
    (version, _), parts = max(whole)
    return version, parts


def _read_checkpoint(path: Path) -> Iterator[dict[str, Any]]:
    with pq.ParquetFile(path) as file:
        there = set(file.schema_arrow.names)
        columns = [name for name in ("add", "sidecar", "metaData", "protocol") if name in there]
        for batch in file.iter_batches(columns=columns):
            yield from batch.to_pylist()


def _apply(table: DeltaTable, actions: Iterable[dict[str, Any]]) -> None:
    """Apply the actions of one commit, or of a checkpoint."""
    for action in actions:
        if remove := action.get("remove"):
            path = _read_path(remove["path"])
            table.live.discard(path)
            table.removed.add(path)
        if add := action.get("add"):
            if add.get("deletionVector"):
                raise InputError("rows are deleted from its files by deletion vectors")
            path = _read_path(add["path"])
            table.removed.discard(path)
            table.live.add(path)
        if action.get("sidecar"):
            raise InputError("its checkpoint has sidecars")
        _check_features(action)


def _check_features(action: dict[str, Any]) -> None:
    protocol, settings = action.get("protocol") or {}, action.get("metaData") or {}
    if unknown := sorted(set(protocol.get("readerFeatures") or ()) - _HARMLESS):
        raise InputError(f"it needs features that assay does not know ({', '.join(unknown)})")
    if dict(settings.get("configuration") or {}).get("delta.columnMapping.mode", "none") != "none":
        raise InputError("the names of its columns are mapped to others in its files")


def _read_path(path: str) -> str:
    """Decode a path of the log; refuse one that leads out of the table."""
    plain = unquote(path)
    if "://" in plain or plain.startswith(("/", "file:")) or ".." in Path(plain).parts:
        raise InputError("its files lie outside of its folder")
    return plain
