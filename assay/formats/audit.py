"""Audits: sealed folders of measurements, and the token ids that were made on the way."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from assay.errors import IntegrityError, UsageError
from assay.formats.audit_totals import AuditTotals
from assay.formats.findings import Finding
from assay.paths import AnyPath, Folder, to_path
from assay.storage.manifest import (
    FileEntry,
    Manifest,
    check_file,
    read_manifest,
    read_result,
    read_totals,
)
from assay.storage.tables import HASH, read_table
from assay.terminal.notebook import draw_result
from assay.terminal.numbers import count, number_of
from assay.terminal.text import show_line

if TYPE_CHECKING:
    import polars as pl

FINDINGS = "findings.json"
TOKENS_FOLDER = "tokens"
# The version of the rule that says what a word is (`assay.text.words`), Unicode's tables included.
WORD_RULE = f"words-2/unicode-{unicodedata.unidata_version}"
DOCUMENT_COLUMNS = pa.schema(
    [
        ("shard", pa.uint32()),
        ("row", pa.uint64()),
        ("id", pa.large_string()),
        ("url", pa.large_string()),
        ("split", pa.large_string()),
        ("bytes", pa.uint64()),
        ("chars", pa.uint64()),
        ("words", pa.uint64()),
        ("tokens", pa.uint64()),
        ("stored_tokens", pa.int64()),
        ("content_hash", HASH),
        ("short", pa.bool_()),
        ("cluster", pa.uint64()),
        ("keeper", pa.bool_()),
        ("keeper_jaccard", pa.float64()),
        ("because_shard", pa.uint32()),
        ("because_row", pa.uint64()),
    ]
)
PAIR_COLUMNS = pa.schema(
    [
        ("shard_a", pa.uint32()),
        ("row_a", pa.uint64()),
        ("shard_b", pa.uint32()),
        ("row_b", pa.uint64()),
        ("id_a", pa.large_string()),
        ("id_b", pa.large_string()),
        ("jaccard", pa.float64()),
        ("kind", pa.large_string()),
    ]
)
CLUSTER_COLUMNS = pa.schema(
    [
        ("cluster", pa.uint64()),
        ("size", pa.uint64()),
        ("keeper_shard", pa.uint32()),
        ("keeper_row", pa.uint64()),
        ("tokens", pa.uint64()),
        ("weakest_jaccard", pa.float64()),
        ("keepers", pa.uint64()),
    ]
)
LEAK_COLUMNS = pa.schema(
    [
        ("val_shard", pa.uint32()),
        ("val_row", pa.uint64()),
        ("val_id", pa.large_string()),
        ("train_shard", pa.uint32()),
        ("train_row", pa.uint64()),
        ("train_id", pa.large_string()),
        ("tier", pa.large_string()),
        ("jaccard", pa.float64()),
        ("coverage", pa.float64()),
        ("val_start", pa.uint64()),
        ("train_start", pa.uint64()),
        ("words", pa.uint64()),
    ]
)
# A row a span: words in a row that a validation document and a training document have.
SPAN_COLUMNS = pa.schema(
    [
        ("val_shard", pa.uint32()),
        ("val_row", pa.uint64()),
        ("val_id", pa.large_string()),
        ("train_shard", pa.uint32()),
        ("train_row", pa.uint64()),
        ("train_id", pa.large_string()),
        ("coverage", pa.float64()),
        ("val_start", pa.uint64()),
        ("train_start", pa.uint64()),
        ("words", pa.uint64()),
    ]
)
# A row an item of a benchmark, and its longest span in train.
BENCHMARK_COLUMNS = pa.schema(
    [
        ("suite", pa.large_string()),
        ("split", pa.large_string()),
        ("id", pa.large_string()),
        ("num_words", pa.uint64()),
        ("contaminated", pa.bool_()),
        ("coverage", pa.float64()),
        ("item_start", pa.uint64()),
        ("train_shard", pa.uint32()),
        ("train_row", pa.uint64()),
        ("train_id", pa.large_string()),
        ("train_start", pa.uint64()),
        ("words", pa.uint64()),
    ]
)
# How a validation document stands in train, the worst first; all but a mere span are leaks.
TIERS = ("exact", "near", "contained", "copied", "span")
CONTAINED_COVERAGE = 0.5  # of the document's n-grams
COPIED_WORDS = 50  # in a row


@dataclass(frozen=True, slots=True)
class MeasuredColumn:
    """A column that an auditor measures of each document: numbers, or true and false.

    `in_table`: whether it stands in documents.parquet, behind `DOCUMENT_COLUMNS`, and its sum in
    the totals.
    """

    name: str
    type: pa.DataType
    measures: str
    in_table: bool = True


@dataclass(frozen=True, repr=False)
class Audit(Folder):
    """A sealed folder that `assay audit` wrote."""

    folder: Path
    manifest: Manifest

    def __repr__(self) -> str:
        totals = self.totals
        if totals.undivided:
            return (
                f"Audit({show_line(str(self.folder), 200)}: {count(totals.tokens)} tokens, "
                "documents not told apart)"
            )
        return (
            f"Audit({show_line(str(self.folder), 200)}: {number_of(totals.documents, 'document')}, "
            f"{count(totals.tokens)} tokens, {count(totals.unique_tokens)} of them unique)"
        )

    def _repr_html_(self) -> str:
        findings = [f for f in self.read_findings() if f.level not in ("info", "ok")]
        return draw_result(repr(self), [(f"{f.level}: {f.name}", f.sentence) for f in findings])

    @cached_property
    def totals(self) -> AuditTotals:
        """What the manifest counts."""
        return read_totals(self.folder, self.manifest, AuditTotals)

    def read(self, table: str) -> pl.DataFrame:
        """Read a table, by its name without .parquet; columns as declared above.

        Raises:
            IntegrityError: The file is not the one that the manifest vouches for.
        """
        name = f"{table}.parquet"
        entry = next((entry for entry in self.manifest.outputs if entry.name == name), None)
        if entry is None:
            raise IntegrityError(f"{self.folder} lists no {name} in its manifest")
        check_file(self.folder, entry)
        return read_table(self.folder / name)

    def read_findings(self) -> list[Finding]:
        """Read the findings, worst first."""
        return read_result(self.folder / FINDINGS, list[Finding])

    @property
    def token_files(self) -> list[FileEntry]:
        """The kept token ids, one file a shard, in the order of the shards; empty if not kept."""
        return [entry for entry in self.manifest.outputs if entry.name.startswith("tokens/")]

    def map_tokens(self, shard: int) -> np.ndarray:
        """Map the ids of a shard's documents, end-of-text after each; read-only.

        Raises:
            UsageError: No ids are kept of a shard of that number.
            IntegrityError: The file is missing or its size differs from the manifest's.
        """
        kept = self.token_files
        if not 0 <= shard < len(kept):
            raise UsageError(f"shard must be from 0 to {len(kept) - 1}, got {shard}", "shard")
        entry = kept[shard]
        check_file(self.folder, entry, hashes=False)
        assert self.manifest.tokenizer is not None
        dtype = np.dtype("<u2" if self.manifest.tokenizer["vocab_size"] <= 1 << 16 else "<u4")
        if entry.size == 0:
            return np.zeros(0, dtype)
        return np.memmap(self.folder / entry.name, dtype=dtype, mode="r")


def open_audit(folder: AnyPath) -> Audit:
    """Open a sealed audit. Errors as in `assay.storage.manifest.read_manifest`."""
    folder = to_path(folder)
    manifest = read_manifest(folder, "audit")
    if manifest.tokenizer is None:
        raise IntegrityError(f"{folder}/manifest.json names no tokenizer")
    return Audit(folder, manifest)


def check_threshold(audit: Audit, threshold: float) -> None:
    """Refuse a threshold at which an audit's pairs cannot be judged again.

    Raises:
        UsageError: It is out of range, or the audit does not keep all pairs from there on.
    """
    if not 0 < threshold <= 1:
        raise UsageError(f"threshold must be above 0 and at most 1, got {threshold:g}", "threshold")
    floor, anew = audit.totals.lsh.floor, f"assay audit SHARDS -o DIR --threshold {threshold:g}"
    if floor is None:
        raise UsageError(
            f"{audit.folder} does not keep what another threshold asks for (it was made by an "
            f"earlier version, or by component); make another: {anew}",
            "threshold",
        )
    if threshold < floor:
        raise UsageError(
            f"{audit.folder} keeps pairs from Jaccard {floor:g} on, got threshold {threshold:g}; "
            f"make another: {anew}",
            "threshold",
        )


def note_lower_bound(audit: Audit) -> str:
    """Say what an audit left uncompared, which at another threshold may matter; or ""."""
    pairs = audit.totals.pairs
    if not (left := pairs.joined + pairs.uncompared):
        return ""
    return (
        f"near duplicates are a lower bound: {show_line(str(audit.folder), 200)} left "
        f"{number_of(left, 'pair')} of large clusters uncompared, and another threshold may "
        "need them: audit the shards with it"
    )


def locate_documents(documents: pl.DataFrame) -> np.ndarray:
    """Return where each document begins in the kept ids of its shard; int64, (documents,).

    Documents lie there in the order of their rows, an end-of-text id after each.
    """
    import polars as pl

    length = pl.col("tokens").cast(pl.Int64) + 1
    return documents.select(start=length.cum_sum().over("shard") - length)["start"].to_numpy()


def count_unique(tokens_N: np.ndarray, keeper_N: np.ndarray, keeper_jaccard_N: np.ndarray) -> int:
    """Count the unique tokens of documents.

    One that stays adds its tokens, another tokens x (1 - Jaccard to the one that it goes for). The
    sum is exact: it does not depend on the order of the documents.
    """
    return round(math.fsum(weigh_unique(tokens_N, keeper_N, keeper_jaccard_N).tolist()))


def weigh_unique(
    tokens_N: np.ndarray, keeper_N: np.ndarray, keeper_jaccard_N: np.ndarray
) -> np.ndarray:
    """Return what each document adds to the unique tokens: float64, (documents,)."""
    return np.asarray(np.where(keeper_N, 1.0, 1.0 - keeper_jaccard_N) * tokens_N)


def name_tokens(shard: int) -> str:
    """Return where in an audit's folder the ids of a shard lie."""
    return f"{TOKENS_FOLDER}/{shard:05d}.bin"
