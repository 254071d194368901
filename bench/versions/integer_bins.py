"""Sealed bins of integer documents: models on them are so small that a run takes a second.

They are written here, and not by assay: a version is given what an older one may have sealed.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

END_OF_TEXT = 64
Documents = Sequence[Sequence[int]]
_COLUMNS = pa.schema(
    [
        ("split", pa.large_string()),
        ("start", pa.uint64()),
        ("end", pa.uint64()),
        ("shard", pa.uint32()),
        ("row", pa.uint64()),
        ("id", pa.large_string()),
        ("url", pa.large_string()),
        ("bytes", pa.uint64()),
        ("content_hash", pa.binary(16)),
    ]
)


def draw_documents(seed: int, number: int, length: int = 60) -> list[list[int]]:
    """Draw documents of a language in which each id mostly follows the one before it."""
    chance = np.random.default_rng(seed)
    documents = []
    for _ in range(number):
        jumps = np.where(chance.random(length) < 0.2, chance.integers(0, 64, length), 1)
        documents.append(((chance.integers(0, 64) + np.cumsum(jumps)) % 64).tolist())
    return documents


def write_integer_bins(root: Path) -> None:
    """Write the folders that are trained on, compared and probed, each with its val documents."""
    train, val = draw_documents(0, 200), draw_documents(1, 30)
    seal_bins(root / "whole", train, val)
    seal_bins(root / "clean", train[:150], val)
    seal_bins(root / "little", train[:6], val)
    seal_bins(root / "same", train, val)
    seal_bins(root / "leaky", [*train[:100], *val[:8]], val)
    seal_bins(root / "few-held", train, val[:12])
    seal_bins(root / "other-val", train, draw_documents(9, 25))
    seal_bins(root / "other-tokenizer", train, val, fingerprint="e" * 64)
    seal_bins(root / "no-val", train, [])
    seal_bins(root / "old", draw_documents(100, 300), draw_documents(1000, 40))
    seal_bins(root / "new", draw_documents(101, 300), draw_documents(1000, 40))


def seal_bins(
    folder: Path, train: Documents, val: Documents, *, fingerprint: str = "f" * 64
) -> None:
    """Write bins and their manifest: each document, then the end of the text."""
    folder.mkdir(parents=True)
    outputs: list[dict[str, Any]] = []
    rows: list[tuple[Any, ...]] = []
    for split, documents in (("train", train), ("val", val)):
        ids: list[int] = []
        for row, document in enumerate(documents):
            start, end = len(ids), len(ids) + len(document) + 1
            content = hashlib.blake2b(bytes(document), digest_size=16).digest()
            rows.append((split, start, end, 0, row, None, None, 2 * len(document), content))
            ids += [*document, END_OF_TEXT]
        path = folder / f"{split}.bin"
        np.array(ids, "<u2").tofile(path)
        outputs.append(_enter(path, len(ids)))
    columns = {name: [row[i] for row in rows] for i, name in enumerate(_COLUMNS.names)}
    table = folder / "documents.parquet"
    pq.write_table(pa.table(columns, schema=_COLUMNS), table, write_page_checksum=True)
    outputs.append(_enter(table, len(rows)))
    manifest = {
        "kind": "bins",
        "tool": "bench.versions",
        "settings": {},
        "inputs": [],
        "outputs": outputs,
        "word_rule": None,
        "tokenizer": {
            "name": "integers",
            "vocab_size": END_OF_TEXT + 1,
            "end_of_text": END_OF_TEXT,
            "fingerprint": fingerprint,
        },
        "totals": {},
        "parents": {},
        "schema_version": 1,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def _enter(path: Path, rows: int) -> dict[str, Any]:
    data = path.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    return {"name": path.name, "size": len(data), "sha256": sha256, "rows": rows}
