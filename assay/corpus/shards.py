"""A shard: one input file, checked, and its units of reading."""

from dataclasses import dataclass
from pathlib import Path

from assay.corpus.bins.bin_file import BinFile
from assay.storage.fingerprint import hash_file
from assay.storage.manifest import FileEntry


@dataclass(frozen=True, slots=True)
class Shard:
    """One input file, checked.

    `groups` are its units of reading: row ranges [first, last), of documents in a bin, which `ids`
    tells. `parts` says where each lies in the file, in units of its format: row groups [first,
    last) of parquet. `name` is the path as the user gave it.
    """

    index: int
    path: Path
    split: str
    kind: str
    text_column: str
    groups: tuple[tuple[int, int], ...]
    columns: tuple[str, ...] = ()
    ids: BinFile | None = None
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

    @property
    def undivided(self) -> str:
        """Name the shard, and why its documents cannot be told; "" where they can."""
        untold = self.ids.spans.untold if self.ids else ""
        return f"{self.name}: {untold}" if untold else ""

    def hash_beside(self) -> dict[str, str]:
        """Return the sha256 of each file that was read with it, by its name."""
        beside = self.ids.beside if self.ids else ()
        return {path.as_posix(): hash_file(path) for path in beside}
