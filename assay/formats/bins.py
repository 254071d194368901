"""Bins: memory-mapped token ids, and which document lies where.

nanoGPT's format: no header, little-endian uint16 ids, `<|endoftext|>` after each document.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pyarrow as pa
from msgspec import UNSET, UnsetType

from assay.corpus.bin_file import DTYPE, map_bin
from assay.errors import InputError, IntegrityError, UsageError
from assay.formats.audit_totals import Part
from assay.formats.leak_totals import SplitChecks
from assay.paths import AnyPath, Folder, to_path
from assay.storage.manifest import Manifest, check_file, read_manifest, read_totals
from assay.storage.tables import HASH, read_table
from assay.terminal.notebook import draw_result
from assay.terminal.numbers import count, number_of
from assay.terminal.text import show_line

if TYPE_CHECKING:
    import polars as pl

SPLITS = ("train", "val")
BIN_DOCUMENT_COLUMNS = pa.schema(
    [
        ("split", pa.large_string()),
        ("start", pa.uint64()),
        ("end", pa.uint64()),
        ("shard", pa.uint32()),
        ("row", pa.uint64()),
        ("id", pa.large_string()),
        ("url", pa.large_string()),
        ("bytes", pa.uint64()),
        ("content_hash", HASH),
        ("cluster", pa.uint64()),
    ]
)
DROPPED_COLUMNS = pa.schema(
    [
        ("shard", pa.uint32()),
        ("row", pa.uint64()),
        ("id", pa.large_string()),
        ("tokens", pa.uint64()),
        ("reason", pa.large_string()),
        ("because_shard", pa.uint32()),
        ("because_row", pa.uint64()),
        ("split", pa.large_string()),
        ("tier", pa.large_string()),
    ]
)


class SplitTotals(Part, frozen=True):
    """One bin: `ids` is its length, tokens and one end-of-text a document."""

    ids: int = 0
    unique_tokens: int = 0


class SplitCheck(msgspec.Struct, frozen=True):
    """The audit's pairs among kept documents, and those that cross train and val."""

    pairs_within_kept: int = 0
    exact_across: int = 0
    near_across: int = 0


class BinsTotals(msgspec.Struct, frozen=True):
    """What a bins manifest counts.

    `split_check` has the audit's pairs, `checks` what the finished bins were looked through for;
    unset in folders of versions that did not. `cleaned` are the documents, of those that `dropped`
    has as *leaked*, that went for what n-grams and shingles found: by the split that they were
    meant for.
    """

    documents_in: int
    tokens_in: int
    train: SplitTotals
    val: SplitTotals
    dropped: dict[str, Part] = {}
    split_check: SplitCheck = SplitCheck()
    checks: SplitChecks | UnsetType = UNSET
    cleaned: dict[str, Part] = {}

    def __repr__(self) -> str:
        return f"BinsTotals({self.describe()})"

    def _repr_html_(self) -> str:
        return draw_result(repr(self), self.list_parts())

    def describe(self) -> str:
        """Say in one line what is kept: `train 3.01M tokens, 3.00M of them unique; val 31,002`."""
        return (
            f"train {count(self.train.tokens)} tokens, {count(self.train.unique_tokens)} of them "
            f"unique; val {count(self.val.tokens)}"
        )

    def list_parts(self) -> list[tuple[str, str]]:
        """List what is kept and what is dropped, and why, with documents and tokens."""
        dropped = [(f"dropped: {reason}", part) for reason, part in self.dropped.items()]
        return [
            (what, f"{number_of(part.documents, 'document')}, {number_of(part.tokens, 'token')}")
            for what, part in [("train", self.train), ("val", self.val), *dropped]
        ]

    @property
    def documents_out(self) -> int:
        """Documents kept and dropped; equals `documents_in` where nothing was lost."""
        return sum(part.documents for part in (self.train, self.val, *self.dropped.values()))

    @property
    def tokens_out(self) -> int:
        """Tokens kept and dropped; equals `tokens_in` where nothing was lost."""
        return sum(part.tokens for part in (self.train, self.val, *self.dropped.values()))


@dataclass(frozen=True, repr=False)
class Bins(Folder):
    """A sealed folder of bins: `train.bin`, `val.bin`, and the table of their documents."""

    folder: Path
    manifest: Manifest

    def __repr__(self) -> str:
        return f"Bins({show_line(str(self.folder), 200)}: {self.totals.describe()})"

    def _repr_html_(self) -> str:
        return draw_result(repr(self), self.totals.list_parts())

    @cached_property
    def totals(self) -> BinsTotals:
        """What the manifest counts."""
        return read_totals(self.folder, self.manifest, BinsTotals)

    @property
    def vocab_size(self) -> int:
        """Number of ids of the tokenizer, end-of-text included."""
        assert self.manifest.tokenizer is not None
        return int(self.manifest.tokenizer["vocab_size"])

    @property
    def fingerprint(self) -> str:
        """The tokenizer's fingerprint: bins of two have losses that cannot be compared."""
        assert self.manifest.tokenizer is not None
        return str(self.manifest.tokenizer["fingerprint"])

    @property
    def end_of_text(self) -> int:
        """The id that stands after each document."""
        assert self.manifest.tokenizer is not None
        return int(self.manifest.tokenizer["end_of_text"])

    @property
    def counts_unique(self) -> bool:
        """Whether the manifest counts unique training tokens, as that of `assay prepare` does."""
        return "unique_tokens" in self.manifest.totals.get("train", {})

    @property
    def unique_tokens(self) -> int:
        """Unique training tokens as the manifest counts them; else all but the end-of-text ids."""
        if self.counts_unique:
            return self.totals.train.unique_tokens
        ids_T = self.map_ids("train")
        return ids_T.size - int(np.count_nonzero(ids_T == self.end_of_text))

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
        """Read the documents of a split in bin order; columns as `BIN_DOCUMENT_COLUMNS`.

        `start` and `end` are positions in the bin, the end-of-text id included.

        Raises:
            UsageError: The split is neither train nor val.
        """
        if split not in ("train", "val"):
            raise UsageError(f"split must be train or val, got {split!r}", "split")
        table = read_table(self.folder / "documents.parquet")
        return table.filter(table["split"] == split)

    def check(self) -> None:
        """Compare every file with its manifest entry, sha256 included."""
        for entry in self.manifest.outputs:
            check_file(self.folder, entry)


def open_bins(folder: AnyPath) -> Bins:
    """Open a folder that `assay prepare` wrote.

    Raises:
        UsageError: There is no such folder, or it holds something else.
        InputError: It is unfinished, or its manifest cannot be read.
        IntegrityError: A bin's size differs from its manifest.
    """
    folder = to_path(folder)
    manifest = read_manifest(folder, "bins")
    if manifest.tokenizer is None:
        raise IntegrityError(f"{folder}/manifest.json names no tokenizer")
    for entry in manifest.outputs:
        check_file(folder, entry, hashes=False)
    return Bins(folder, manifest)


def as_bins_list(bins: AnyPath | Bins | Iterable[AnyPath | Bins]) -> list[Bins]:
    """Return bins that were given one or many, open or by folder. Errors as in `open_bins`."""
    several = [bins] if isinstance(bins, Bins | str | os.PathLike) else bins
    return [as_bins(each) for each in several]


def as_bins(bins: AnyPath | Bins) -> Bins:
    """Return bins that were given open, or by their folder. Errors as in `open_bins`."""
    return bins if isinstance(bins, Bins) else open_bins(to_path(bins))
