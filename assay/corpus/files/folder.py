"""The shards of a folder, at any depth, and what was left out."""

import os
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from assay.corpus.conversions import describe_other
from assay.corpus.files.delta import LOG
from assay.corpus.files.hidden import is_hidden
from assay.corpus.files.tables import find_stale, is_delta, list_live, refuse_table
from assay.corpus.readers.formats import name_format
from assay.errors import InputError, UsageError
from assay.storage.manifest import MANIFEST, name_kind, read_manifest

HIDDEN = "begins with _ or ."
DEAD = "not live in its Delta table"
STALE = "cache of Hugging Face's datasets"
OTHER = "another format"
BESIDE = "lies beside bins"


@dataclass(slots=True)
class Found:
    """Shards found, what was left out by reason, and what else is to be said, a line each.

    `tops` has, for a file of a folder, the folder that was named; `repeats` names of files that
    have another, or stand twice, each with the name that counts.
    """

    files: list[Path] = field(default_factory=list)
    left_out: dict[str, list[Path]] = field(default_factory=lambda: defaultdict(list))
    notes: list[str] = field(default_factory=list)
    tops: dict[Path, Path] = field(default_factory=dict)
    repeats: list[tuple[Path, Path]] = field(default_factory=list)


def walk_folder(top: Path, found: Found) -> None:
    """Add the shards of a folder to those found: folder by folder, names sorted.

    Where a folder holds bins, other files beside them are no shards: they are tables about them.
    Links to folders are not followed.

    Raises:
        UsageError: Assay wrote one of the folders, or it is a table whose live files are not known.
    """
    for root, folders, names in os.walk(top, followlinks=False):
        here = Path(root)
        _refuse_result(here, is_top=here == top)
        refuse_table(here, folders)
        if is_delta(here):
            _add_delta(here, found)
            folders.clear()
            continue
        shown = _leave_hidden(here, folders, found)
        folders[:] = [name for name in shown if name in set(folders)]
        _add_files(here, _leave_hidden(here, names, found), found)


def _leave_hidden(here: Path, names: Sequence[str], found: Found) -> list[str]:
    """Return the names that are not hidden, sorted; count the others."""
    found.left_out[HIDDEN] += [here / name for name in sorted(names) if is_hidden(name)]
    return sorted(name for name in names if not is_hidden(name))


def _add_files(here: Path, names: Sequence[str], found: Found) -> None:
    stale = find_stale(here, names)
    formats = {name: name_format(here / name) for name in names if name not in stale}
    found.left_out[STALE] += [here / name for name in names if name in stale]
    has_bins = "bin" in formats.values()
    for name, its_format in formats.items():
        path = here / name
        if its_format and (not has_bins or its_format == "bin"):
            found.files.append(path)
        elif its_format and not (here / MANIFEST).is_file():
            found.left_out[BESIDE].append(path)
        elif not its_format and describe_other(path):
            found.left_out[OTHER].append(path)


def _add_delta(here: Path, found: Found) -> None:
    """Add the live files of a Delta table; count the others."""
    inside = Found()
    for root, folders, names in os.walk(here, followlinks=False):
        shown = [name for name in folders if name != LOG]
        folders[:] = _leave_hidden(Path(root), shown, inside)
        inside.files += [
            Path(root) / name
            for name in _leave_hidden(Path(root), names, inside)
            if name_format(Path(name)) == "parquet"
        ]
    live, note = list_live(here, inside.files)
    found.files += live
    found.notes += [note] if note else []
    for reason, paths in inside.left_out.items():
        found.left_out[reason] += paths
    found.left_out[DEAD] += sorted(set(inside.files) - set(live))


def _refuse_result(folder: Path, *, is_top: bool) -> None:
    """Refuse a folder that assay wrote: its tables are no shards. Bins are, if named themselves."""
    if not (folder / MANIFEST).is_file():
        return
    with suppress(InputError):  # another program's: many data sets have a file of that name
        kind = read_manifest(folder).kind
        if kind != "bins" or not is_top:
            raise UsageError(
                f"{folder} holds {name_kind(kind)} by assay, not shards; name the shards themselves"
            )
