"""Bins: memory-mapped token ids, and which document lies where.

nanoGPT's format: no header, little-endian uint16 ids, `<|endoftext|>` after each document.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from assay.artifacts import Manifest, check_file, read_manifest
from assay.errors import InputError, IntegrityError, UsageError
from assay.tables import read_table

if TYPE_CHECKING:
    import polars as pl

DTYPE = np.dtype("<u2")
SPLITS = ("train", "val")


@dataclass(frozen=True, slots=True)
class Bins:
    """A sealed folder of bins: `train.bin`, `val.bin`, and the table of their documents."""

    folder: Path
    manifest: Manifest

    @property
    def vocab_size(self) -> int:
        """Number of ids of the tokenizer, end-of-text included."""
        assert self.manifest.tokenizer is not None
        return int(self.manifest.tokenizer["vocab_size"])

    @property
    def end_of_text(self) -> int:
        """The id that stands after each document."""
        assert self.manifest.tokenizer is not None
        return int(self.manifest.tokenizer["end_of_text"])

    def map_ids(self, split: str) -> np.ndarray:
        """Map the ids of a split: uint16, shape (ids,), read-only; pages load on use.

        Raises:
            IntegrityError: The file's size is not the manifest's.
        """
        name = f"{split}.bin"
        entry = next((e for e in self.manifest.outputs if e.name == name), None)
        if entry is None:
            raise InputError(f"{self.folder} lists no {name} in its manifest")
        check_file(self.folder, entry, hashes=False)
        if entry.size == 0:
            return np.zeros(0, DTYPE)
        return map_bin(self.folder / name)

    def read_documents(self, split: str) -> pl.DataFrame:
        """Read the documents of a split in bin order; columns as `tables.BIN_DOCUMENTS`.

        `start` and `end` are positions in the bin, the end-of-text id included.
        """
        table = read_table(self.folder / "documents.parquet")
        return table.filter(table["split"] == split)

    def check(self) -> None:
        """Compare every file with its manifest entry, sha256 included."""
        for entry in self.manifest.outputs:
            check_file(self.folder, entry)


def open_bins(folder: Path) -> Bins:
    """Open a folder that `assay prepare` wrote.

    Raises:
        UsageError: There is no such folder, or it holds something else.
        InputError: It is unfinished, or its manifest cannot be read.
        IntegrityError: A bin's size differs from its manifest.
    """
    manifest = read_manifest(folder, "bins")
    if manifest.tokenizer is None:
        raise IntegrityError(f"{folder}/manifest.json names no tokenizer")
    for entry in manifest.outputs:
        check_file(folder, entry, hashes=False)
    return Bins(folder, manifest)


def map_bin(path: Path) -> np.ndarray:
    """Map a headerless uint16 bin, read-only; shape (ids,).

    Raises:
        UsageError: There is no such file.
        InputError: It is empty, or its size is odd.
    """
    if not path.is_file():
        raise UsageError(f"no bin at {path}")
    size = path.stat().st_size
    if size == 0 or size % DTYPE.itemsize:
        raise InputError(
            f"{path} has {size:,} bytes; a uint16 bin has an even number, two for each id"
        )
    return np.memmap(path, dtype=DTYPE, mode="r")


def find_documents(ids_T: np.ndarray, end_of_text: int) -> np.ndarray:
    """Find the documents of a bin: int64, shape (documents, 2), start and end without its mark.

    A mark after each document (nanoGPT) or before each (llm.c) is told by the first and the last
    id; where both or neither are marks, marks are taken to end documents. An unfinished last
    document counts. Reads the whole bin once.
    """
    marks_D = np.flatnonzero(ids_T == end_of_text)
    length = ids_T.size
    if length and ids_T[0] == end_of_text and ids_T[-1] != end_of_text:
        starts_D, ends_D = marks_D + 1, np.append(marks_D[1:], length)
    else:
        starts_D, ends_D = np.append(0, marks_D + 1)[: marks_D.size], marks_D
        tail = int(marks_D[-1]) + 1 if marks_D.size else 0
        if tail < length:
            starts_D, ends_D = np.append(starts_D, tail), np.append(ends_D, length)
    return np.stack([starts_D, ends_D], axis=1).astype(np.int64)
