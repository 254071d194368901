"""Write what an audit found: tables and findings."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from assay.audit.duplicates.duplicates import Duplicates
from assay.audit.duplicates.leakage import Leaks
from assay.audit.scan.corpus import Corpus
from assay.formats.audit import (
    CLUSTER_COLUMNS,
    DOCUMENT_COLUMNS,
    FINDINGS,
    LEAK_COLUMNS,
    PAIR_COLUMNS,
)
from assay.formats.findings import Finding
from assay.storage.manifest import FileEntry
from assay.storage.publish import publish_bytes
from assay.storage.tables import write_table


def write_findings(output: Path, findings: Sequence[Finding]) -> FileEntry:
    """Write `findings.json`, in the order given; return its manifest entry."""
    text = msgspec.json.format(msgspec.json.encode(findings), indent=2) + b"\n"
    publish_bytes(output / FINDINGS, text)
    return FileEntry(name=FINDINGS, size=len(text), sha256=hashlib.sha256(text).hexdigest())


def write_tables(
    output: Path, corpus: Corpus, duplicates: Duplicates, leaks: Leaks
) -> list[FileEntry]:
    """Write `documents`, `pairs`, `clusters` and `leaks`; return their manifest entries."""
    tables = (
        ("documents", _tabulate_documents(corpus, duplicates), DOCUMENT_COLUMNS),
        ("pairs", _tabulate_pairs(corpus, duplicates), PAIR_COLUMNS),
        ("clusters", _tabulate_clusters(corpus, duplicates), CLUSTER_COLUMNS),
        ("leaks", _tabulate_leaks(corpus, leaks), LEAK_COLUMNS),
    )
    return [
        write_table(output / f"{name}.parquet", table, schema) for name, table, schema in tables
    ]


def _tabulate_documents(corpus: Corpus, duplicates: Duplicates) -> pa.Table:
    hashes = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(16), corpus.num_documents, [None, pa.py_buffer(corpus.content_hash_N.tobytes())]
    )
    return pa.table(
        {
            "shard": pa.array(corpus.shard_N),
            "row": pa.array(corpus.row_N),
            "id": corpus.ids,
            "url": corpus.urls,
            "split": pa.array(np.where(corpus.val_N, "val", "train")),
            "bytes": pa.array(corpus.bytes_N),
            "chars": pa.array(corpus.chars_N),
            "words": pa.array(corpus.words_N),
            "tokens": pa.array(corpus.tokens_N),
            "stored_tokens": corpus.stored_tokens,
            "content_hash": hashes,
            "short": pa.array(corpus.short_N),
            "cluster": pa.array(duplicates.cluster_N),
            "keeper": pa.array(duplicates.keeper_N),
            "keeper_jaccard": pa.array(duplicates.keeper_jaccard_N),
        }
    )


def _place(corpus: Corpus, positions: np.ndarray, names: tuple[str, str, str]) -> dict[str, Any]:
    """Name documents by shard, row and id, in columns of these names."""
    shard, row, label = names
    return {
        shard: pa.array(corpus.shard_N[positions]),
        row: pa.array(corpus.row_N[positions]),
        label: corpus.ids.take(pa.array(positions, pa.int64())),
    }


def _tabulate_pairs(corpus: Corpus, duplicates: Duplicates) -> pa.Table:
    """List each exact copy beside the first of its text, and each verified pair of two texts."""
    copies = np.flatnonzero(duplicates.first_N != np.arange(duplicates.first_N.size))
    a = np.concatenate([duplicates.first_N[copies], duplicates.pair_P2[:, 0]])
    b = np.concatenate([copies, duplicates.pair_P2[:, 1]])
    exact = np.arange(a.size) < copies.size
    jaccard = np.concatenate([np.ones(copies.size), duplicates.jaccard_P])
    order = np.lexsort((b, a))
    return pa.table(
        _place(corpus, a[order], ("shard_a", "row_a", "id_a"))
        | _place(corpus, b[order], ("shard_b", "row_b", "id_b"))
        | {
            "jaccard": pa.array(jaccard[order]),
            "kind": pa.array(np.where(exact[order], "exact", "near")),
        }
    )


def _tabulate_clusters(corpus: Corpus, duplicates: Duplicates) -> pa.Table:
    """List clusters of two and more by their numbers."""
    of_N = duplicates.cluster_N
    sizes = np.bincount(of_N, minlength=of_N.size)
    tokens = np.zeros(of_N.size, np.int64)
    np.add.at(tokens, of_N, corpus.tokens_N)
    keeper = np.zeros(of_N.size, np.int64)
    keepers = np.flatnonzero(duplicates.keeper_N)
    keeper[of_N[keepers]] = keepers
    several = np.flatnonzero(sizes > 1)
    return pa.table(
        {
            "cluster": several,
            "size": sizes[several],
            "keeper_shard": corpus.shard_N[keeper[several]],
            "keeper_row": corpus.row_N[keeper[several]],
            "tokens": tokens[several],
            "weakest_jaccard": duplicates.weakest_N[several],
        }
    )


def _tabulate_leaks(corpus: Corpus, leaks: Leaks) -> pa.Table:
    missing = ["coverage", "val_start", "train_start", "words"]
    return pa.table(
        _place(corpus, leaks.val_L, ("val_shard", "val_row", "val_id"))
        | _place(corpus, leaks.train_L, ("train_shard", "train_row", "train_id"))
        | {
            "tier": pa.array(np.where(leaks.exact_L, "exact", "near")),
            "jaccard": pa.array(leaks.jaccard_L),
        }
        | {name: pa.nulls(leaks.val_L.size) for name in missing}
    )
