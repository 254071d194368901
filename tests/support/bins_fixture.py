"""Sealed folders of bins made of integer documents, for tests that need no tokenizer."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from assay.formats.bins import BIN_DOCUMENT_COLUMNS, Bins, open_bins
from assay.storage.manifest import FileEntry, Manifest
from assay.storage.publish import publish
from assay.storage.sealed_folder import seal_folder
from assay.storage.tables import write_table

VOCAB_SIZE = 65
END_OF_TEXT = 64
Documents = Sequence[Sequence[int]]


def make_bins(
    folder: Path,
    train: Documents,
    val: Documents = (),
    *,
    fingerprint: str = "f" * 64,
    end_of_text: int = END_OF_TEXT,
    bytes_per_id: int = 2,
) -> Bins:
    """Write bins as `assay prepare` does: each document, then the end of the text."""
    folder.mkdir(parents=True)
    outputs, rows = [], []
    for split, documents in (("train", train), ("val", val)):
        ids, start = [], 0
        for row, document in enumerate(documents):
            data = np.array(document, "<u2").tobytes()
            end = start + len(document) + 1
            content = hashlib.blake2b(data, digest_size=16).digest()
            rows.append(
                (
                    split,
                    start,
                    end,
                    0,
                    row,
                    None,
                    None,
                    bytes_per_id * len(document),
                    content,
                    len(rows),
                )
            )
            ids.append(np.array([*document, end_of_text], "<u2"))
            start = end
        flat = np.concatenate(ids) if ids else np.zeros(0, "<u2")
        with publish(folder / f"{split}.bin") as file:
            file.write(flat.tobytes())
        outputs.append(
            FileEntry(name=f"{split}.bin", size=file.size, sha256=file.sha256, rows=flat.size)
        )
    names = BIN_DOCUMENT_COLUMNS.names
    columns = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    table = pl.DataFrame(columns, schema_overrides={"content_hash": pl.Binary})
    outputs.append(write_table(folder / "documents.parquet", table, BIN_DOCUMENT_COLUMNS))
    tokenizer = {
        "name": "integers",
        "vocab_size": end_of_text + 1,
        "end_of_text": end_of_text,
        "fingerprint": fingerprint,
    }
    manifest = Manifest(
        kind="bins", tool="test", settings={}, inputs=[], outputs=outputs, tokenizer=tokenizer
    )
    seal_folder(folder, manifest)
    return open_bins(folder)


def draw_documents(seed: int, count: int, length: int = 60) -> list[list[int]]:
    """Draw documents of a language in which each id mostly follows the one before it."""
    generator = np.random.default_rng(seed)
    documents = []
    for _ in range(count):
        jumps = np.where(generator.random(length) < 0.2, generator.integers(0, 64, length), 1)
        documents.append(((generator.integers(0, 64) + np.cumsum(jumps)) % 64).tolist())
    return documents
