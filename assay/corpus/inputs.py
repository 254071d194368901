"""Inputs: the files that paths, folders and glob patterns name, each with its split."""

import glob
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from assay.corpus.bins.bin_file import list_bins
from assay.errors import InputError, UsageError
from assay.storage.manifest import MANIFEST, name_kind, read_manifest
from assay.storage.publish import TEMPORARY


def list_inputs(
    inputs: Iterable[str | Path],
    split: str = "train",
    *,
    repeats: list[tuple[Path, Path]] | None = None,
) -> list[tuple[Path, str]]:
    """Expand files, folders and globs to (file, split), in the order given, names sorted.

    A folder gives its parquet files, at any depth, or, where it holds bins itself, those: bins
    whose name begins with `val` are of split `val`. A link is followed once; a file named twice
    counts once, and goes with the name that counts to `repeats`, where that is given.

    Raises:
        UsageError: A path does not exist, or a pattern or folder holds no shard.
    """
    found: dict[tuple[int, int], tuple[Path, str]] = {}
    for given in inputs:
        for file, its_split in _expand(str(given), split):
            if not file.exists():
                raise UsageError(f"{file} is a link to nothing; mend or remove it")
            stat = file.stat()
            key = stat.st_dev, stat.st_ino
            if key not in found:
                found[key] = file, its_split
            elif repeats is not None:
                repeats.append((file, found[key][0]))
    return list(found.values())


def _expand(text: str, split: str) -> list[tuple[Path, str]]:
    """List the files, with their splits, that one input names."""
    if not text:
        raise UsageError("an input is an empty name; is a variable of the shell not set?")
    path = Path(text)
    if path.is_dir():
        files = _list_folder(path, split)
    elif path.exists():
        files = [(path, split)]
    elif any(mark in text for mark in "*?["):
        matches = map(Path, sorted(glob.glob(text, recursive=True)))
        files = [(match, split) for match in matches if match.is_file()]
    else:
        raise UsageError(f"{text} does not exist; name a parquet file, a .bin, or a folder")
    if not files:
        raise UsageError(f"{text} holds no .parquet and no .bin file")
    return files


def _list_folder(folder: Path, split: str) -> list[tuple[Path, str]]:
    if bins := list_bins(folder):
        return [(path, "val" if path.name.startswith("val") else split) for path in bins]
    files = []
    for root, folders, names in os.walk(folder, followlinks=False):
        folders.sort()
        _refuse_result(Path(root))
        files += [
            (Path(root) / name, split)
            for name in sorted(names)
            if name.endswith(".parquet") and not name.startswith(TEMPORARY)
        ]
    return files


def _refuse_result(folder: Path) -> None:
    """Refuse a folder that assay wrote: its tables are no shards."""
    if not (folder / MANIFEST).is_file():
        return
    with suppress(InputError):  # another program's: many data sets have a file of that name
        kind = name_kind(read_manifest(folder).kind)
        raise UsageError(f"{folder} holds {kind} by assay, not shards; name the shards themselves")
