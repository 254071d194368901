"""A shard: one input file, checked, and its units of reading."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assay.storage.fingerprint import hash_file
from assay.storage.manifest import FileEntry


@dataclass(frozen=True, slots=True)
class Shard:
    """One input file, checked.

    `groups` are its units of reading: row ranges [first, last), of documents in a bin. `parts` says
    where each lies in the file, in units of its format: row groups [first, last) of parquet.
    `spans` (bins only) is where each document lies: int64, shape (documents, 2). `name` is the
    path as the user gave it.
    """

    index: int
    path: Path
    split: str
    kind: str
    text_column: str
    groups: tuple[tuple[int, int], ...]
    columns: tuple[str, ...] = ()
    spans: np.ndarray | None = None
    parts: tuple[tuple[int, int], ...] = ()

    @property
    def name(self) -> str:
        """The file's name, for people; never a path to write to."""
        return self.path.as_posix()

    @property
    def num_rows(self) -> int:
        """Rows, null texts included; documents of a bin."""
        return self.groups[-1][1] if self.groups else 0

    def enter(self) -> FileEntry:
        """Describe the file for a manifest; reads it once for its sha256."""
        size = self.path.stat().st_size
        return FileEntry(name=self.name, size=size, sha256=hash_file(self.path), rows=self.num_rows)
