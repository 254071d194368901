"""Paths as callers write them: text or `PathLike`, one or many."""

import os
from collections.abc import Iterable
from pathlib import Path

from assay.errors import UsageError

AnyPath = str | os.PathLike[str]
AnyPaths = AnyPath | Iterable[AnyPath]


# Endings of names of shards; `assay.corpus.readers.formats` says which format each is.
SHARD_SUFFIXES = (".parquet", ".parq", ".pq", ".bin", ".arrow", ".feather", ".jsonl", ".ndjson")


def find_shard(folder: Path) -> Path | None:
    """Find a file in a folder, or one level below, that is named as a shard is."""
    for pattern in ("*", "*/*"):
        for path in sorted(folder.glob(pattern)):
            if path.name.lower().endswith(SHARD_SUFFIXES) and path.is_file():
                return path
    return None


class Folder:
    """A result that lies in a folder, and stands for it wherever a path is asked for."""

    folder: Path | None

    def __fspath__(self) -> str:
        if self.folder is None:
            raise UsageError(f"{self!r} lies in no folder; give it an output first", "output")
        return os.fspath(self.folder)


def to_path(path: AnyPath) -> Path:
    """Return a path that was given as text or as anything with `__fspath__`."""
    return Path(path)


def to_paths(paths: AnyPaths) -> list[Path]:
    """Return paths that were given one or many; a bare text is one, not its letters.

    >>> to_paths("shards"), to_paths(["a", Path("b")])
    ([PosixPath('shards')], [PosixPath('a'), PosixPath('b')])
    """
    if isinstance(paths, str | os.PathLike):
        return [Path(paths)]
    return [Path(path) for path in paths]


def to_texts(paths: AnyPaths) -> list[str]:
    """Return paths, globs or URIs that were given one or many as they were written.

    >>> to_texts("shards/*.parquet"), to_texts(["", Path("b")])
    (['shards/*.parquet'], ['', 'b'])
    """
    if isinstance(paths, str | os.PathLike):
        return [os.fspath(paths)]
    return [os.fspath(path) for path in paths]
