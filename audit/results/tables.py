"""Write what an audit found as tables."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from assay.audit.duplicates.duplicates import Duplicates
from assay.audit.results.places import place_documents
from assay.audit.scan.documents import Documents
from assay.formats.audit import (
    CLUSTER_COLUMNS,
    DOCUMENT_COLUMNS,
    PAIR_COLUMNS,
)
from assay.storage.manifest import FileEntry
from assay.storage.tables import pack_hashes, write_table


def write_tables(output: Path, documents: Documents, duplicates: Duplicates) -> list[FileEntry]:
    """Write `documents`, `pairs` and `clusters`; return their manifest entries."""
    columns = pa.schema([*DOCUMENT_COLUMNS, *documents.measured.schema])
    return [
        write_table(output / f"{name}.parquet", tabulate(documents, duplicates), schema)
        for name, tabulate, schema in (
            ("documents", _tabulate_documents, columns),
            ("pairs", _tabulate_pairs, PAIR_COLUMNS),
            ("clusters", _tabulate_clusters, CLUSTER_COLUMNS),
        )
    ]


def _tabulate_documents(documents: Documents, duplicates: Duplicates) -> pa.Table:
    measured = documents.measured
    return pa.table(
        {
            "shard": pa.array(documents.shard_N),
            "row": pa.array(documents.row_N),
            "id": documents.ids,
            "url": documents.urls,
            "split": pa.array(np.where(documents.val_N, "val", "train")),
            "bytes": pa.array(documents.bytes_N),
            "chars": pa.array(documents.chars_N),
            "words": pa.array(documents.words_N),
            "tokens": pa.array(documents.tokens_N),
            "stored_tokens": documents.stored_tokens,
            "content_hash": pack_hashes(documents.content_hash_N),
            "short": pa.array(documents.short_N),
            "cluster": pa.array(duplicates.cluster_N),
            "keeper": pa.array(duplicates.keeper_N),
            "keeper_jaccard": pa.array(duplicates.keeper_jaccard_N),
        }
        | dict(zip(measured.column_names, measured.columns, strict=True))
    )


def _tabulate_pairs(documents: Documents, duplicates: Duplicates) -> pa.Table:
    """List each exact copy beside the first of its text, and each verified pair of two texts."""
    copies = np.flatnonzero(duplicates.first_N != np.arange(duplicates.first_N.size))
    a = np.concatenate([duplicates.first_N[copies], duplicates.pair_P2[:, 0]])
    b = np.concatenate([copies, duplicates.pair_P2[:, 1]])
    exact = np.arange(a.size) < copies.size
    jaccard = np.concatenate([np.ones(copies.size), duplicates.jaccard_P])
    order = np.lexsort((b, a))
    return pa.table(
        place_documents(documents, a[order], ("shard_a", "row_a", "id_a"))
        | place_documents(documents, b[order], ("shard_b", "row_b", "id_b"))
        | {
            "jaccard": pa.array(jaccard[order]),
            "kind": pa.array(np.where(exact[order], "exact", "near")),
        }
    )


def _tabulate_clusters(documents: Documents, duplicates: Duplicates) -> pa.Table:
    """List clusters of two and more by their numbers."""
    of_N = duplicates.cluster_N
    sizes = np.bincount(of_N, minlength=of_N.size)
    tokens = np.zeros(of_N.size, np.int64)
    np.add.at(tokens, of_N, documents.tokens_N)
    keeper = np.zeros(of_N.size, np.int64)
    keepers = np.flatnonzero(duplicates.keeper_N)
    keeper[of_N[keepers]] = keepers
    several = np.flatnonzero(sizes > 1)
    return pa.table(
        {
            "cluster": several,
            "size": sizes[several],
            "keeper_shard": documents.shard_N[keeper[several]],
            "keeper_row": documents.row_N[keeper[several]],
            "tokens": tokens[several],
            "weakest_jaccard": duplicates.weakest_N[several],
        }
    )
