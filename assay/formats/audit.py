"""Audits: sealed folders of measurements, and the token ids that were made on the way."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pyarrow as pa

from assay.corpus.tokenizer import Tokenizer
from assay.errors import InputError, IntegrityError
from assay.formats.findings import Finding
from assay.storage.manifest import FileEntry, Manifest, check_file, read_manifest
from assay.storage.tables import HASH, read_table

if TYPE_CHECKING:
    import polars as pl

FINDINGS = "findings.json"
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


@dataclass(frozen=True, slots=True)
class Audit:
    """A sealed folder that `assay audit` wrote."""

    folder: Path
    manifest: Manifest

    def read(self, table: str) -> pl.DataFrame:
        """Read `documents`, `pairs`, `clusters` or `leaks`; columns as in `assay.storage.tables`.

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
        path = self.folder / FINDINGS
        try:
            return msgspec.json.decode(path.read_bytes(), type=list[Finding])
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InputError(f"{path} cannot be read: {error}") from error

    @property
    def token_files(self) -> list[FileEntry]:
        """The kept token ids, one file a shard, in the order of the shards; empty if not kept."""
        return [entry for entry in self.manifest.outputs if entry.name.startswith("tokens/")]

    def map_tokens(self, shard: int) -> np.ndarray:
        """Map the ids of a shard's documents, end-of-text after each; read-only.

        Raises:
            IntegrityError: The file is missing or its size differs from the manifest's.
        """
        entry = self.token_files[shard]
        check_file(self.folder, entry, hashes=False)
        assert self.manifest.tokenizer is not None
        dtype = np.dtype("<u2" if self.manifest.tokenizer["vocab_size"] <= 1 << 16 else "<u4")
        if entry.size == 0:
            return np.zeros(0, dtype)
        return np.memmap(self.folder / entry.name, dtype=dtype, mode="r")

    def read_text(self, documents: pl.DataFrame, position: int, tokenizer: Tokenizer) -> str | None:
        """Return the text of a document from its kept ids; None where no ids were kept.

        Args:
            documents: The audit's documents, all of them.
            position: The document's row in that table.
            tokenizer: The one that made the ids.
        """
        if not self.token_files:
            return None
        shard = int(documents["shard"][position])
        before = documents[:position]
        before = before.filter(before["shard"] == shard)
        start = int(before["tokens"].sum()) + before.height
        end = start + int(documents["tokens"][position])
        return tokenizer.decode(self.map_tokens(shard)[start:end]).decode("utf-8", "replace")


def open_audit(folder: Path) -> Audit:
    """Open a sealed audit. Errors as in `artifacts.read_manifest`."""
    manifest = read_manifest(folder, "audit")
    if manifest.tokenizer is None:
        raise IntegrityError(f"{folder}/manifest.json names no tokenizer")
    return Audit(folder, manifest)


def locate_documents(documents: pl.DataFrame) -> np.ndarray:
    """Return where each document begins in the kept ids of its shard; int64, (documents,).

    Documents lie there in the order of their rows, an end-of-text id after each.
    """
    import polars as pl

    length = pl.col("tokens").cast(pl.Int64) + 1
    return documents.select(start=length.cum_sum().over("shard") - length)["start"].to_numpy()


def name_tokens(shard: int) -> str:
    """Return where in an audit's folder the ids of a shard lie."""
    return f"tokens/{shard:05d}.bin"
