"""Write what an audit found as tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from assay.audit.duplicates.duplicates import Duplicates
from assay.audit.pairs.planted_pairs import PlantedPairs, join_planted
from assay.audit.scan.documents import Documents
from assay.formats.audit import (
    CLUSTER_COLUMNS,
    DOCUMENT_COLUMNS,
    JUDGED_COLUMNS,
    LEAK_COLUMNS,
    PAIR_COLUMNS,
    PLANTED_COLUMNS,
)
from assay.storage.manifest import FileEntry
from assay.storage.tables import pack_hashes, read_hashes, write_table

if TYPE_CHECKING:
    import polars as pl


def write_tables(
    output: Path, measured: pa.Table, planted: PlantedPairs, duplicates: Duplicates
) -> list[FileEntry]:
    """Write the tables of an audit; return their manifest entries.

    Args:
        output: The folder.
        measured: What the documents are apart from their pairs (`tabulate_measured`).
        planted: Pairs planted in some of them.
        duplicates: What they repeat.
    """
    others = [name for name in measured.column_names if name not in DOCUMENT_COLUMNS.names]
    columns = pa.schema([*DOCUMENT_COLUMNS, *(measured.schema.field(name) for name in others)])
    tables = {
        "documents": (_add_judged(measured, duplicates), columns),
        "pairs": (_tabulate_pairs(measured, duplicates), PAIR_COLUMNS),
        "clusters": (_tabulate_clusters(measured, duplicates), CLUSTER_COLUMNS),
        "leaks": (_tabulate_leaks(measured, duplicates), LEAK_COLUMNS),
        "planted": (_tabulate_planted(planted), PLANTED_COLUMNS),
    }
    return [
        write_table(output / f"{name}.parquet", table, schema)
        for name, (table, schema) in tables.items()
    ]


def tabulate_measured(documents: Documents) -> pa.Table:
    """Tabulate what was measured of each document: all columns but those that pairs decide."""
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
        }
        | dict(zip(measured.column_names, measured.columns, strict=True))
    )


def _add_judged(measured: pa.Table, duplicates: Duplicates) -> pa.Table:
    keeper_N, keeper_of_N = duplicates.keeper_N, duplicates.keeper_of_N
    places = (measured[name].to_numpy()[keeper_of_N] for name in ("shard", "row"))
    judged = (
        pa.array(duplicates.cluster_N),
        pa.array(keeper_N),
        pa.array(duplicates.keeper_jaccard_N),
        *(pa.array(place_N, mask=keeper_N) for place_N in places),
    )
    for name, column in zip(JUDGED_COLUMNS, judged, strict=True):
        measured = measured.append_column(name, column)
    return measured


def _place(
    measured: pa.Table, positions: np.ndarray, names: tuple[str, str, str]
) -> dict[str, Any]:
    """Name documents by shard, row and id, in columns of these names."""
    shard, row, label = names
    return {
        shard: pa.array(measured["shard"].to_numpy()[positions]),
        row: pa.array(measured["row"].to_numpy()[positions]),
        label: measured["id"].take(pa.array(positions, pa.int64())),
    }


def _tabulate_pairs(measured: pa.Table, duplicates: Duplicates) -> pa.Table:
    """List each exact copy beside the first of its text, and each verified pair of two texts."""
    found = duplicates.found.known
    copies = np.flatnonzero(found.first_N != np.arange(found.first_N.size))
    a = np.concatenate([found.first_N[copies], found.pair_P2[:, 0]])
    b = np.concatenate([copies, found.pair_P2[:, 1]])
    kinds = [np.full(copies.size, "exact"), np.where(found.proposed_P, "near", "cluster")]
    jaccard = np.concatenate([np.ones(copies.size), found.jaccard_P])
    order = np.lexsort((b, a))
    return pa.table(
        _place(measured, a[order], ("shard_a", "row_a", "id_a"))
        | _place(measured, b[order], ("shard_b", "row_b", "id_b"))
        | {
            "jaccard": pa.array(jaccard[order]),
            "kind": pa.array(np.concatenate(kinds)[order]),
        }
    )


def _tabulate_clusters(measured: pa.Table, duplicates: Duplicates) -> pa.Table:
    """List clusters of two and more by their numbers."""
    of_N = duplicates.cluster_N
    sizes = np.bincount(of_N, minlength=of_N.size)
    tokens = np.zeros(of_N.size, np.int64)
    np.add.at(tokens, of_N, measured["tokens"].to_numpy().astype(np.int64))
    keepers = np.bincount(of_N[duplicates.keeper_N], minlength=of_N.size)
    several = np.flatnonzero(sizes > 1)
    head = duplicates.head_N[several]
    return pa.table(
        {
            "cluster": several,
            "size": sizes[several],
            "keeper_shard": measured["shard"].to_numpy()[head],
            "keeper_row": measured["row"].to_numpy()[head],
            "tokens": tokens[several],
            "weakest_jaccard": duplicates.weakest_N[several],
            "keepers": keepers[several],
        }
    )


def _tabulate_leaks(measured: pa.Table, duplicates: Duplicates) -> pa.Table:
    leaked = duplicates.leaked
    return pa.table(
        _place(measured, leaked.val_L, ("val_shard", "val_row", "val_id"))
        | _place(measured, leaked.train_L, ("train_shard", "train_row", "train_id"))
        | {
            "tier": pa.array(np.where(leaked.exact_L, "exact", "near")),
            "jaccard": pa.array(leaked.jaccard_L),
        }
        | dict.fromkeys(
            ("coverage", "val_start", "train_start", "words"), pa.nulls(leaked.val_L.size)
        )
    )


def _tabulate_planted(planted: PlantedPairs) -> pa.Table:
    """List planted pairs, document by document and level by level."""
    num_documents, num_levels = planted.jaccard_DL.shape
    return pa.table(
        {
            "content_hash": pack_hashes(np.repeat(planted.content_hash_D, num_levels)),
            "level": np.tile(np.arange(num_levels), num_documents),
            "jaccard": planted.jaccard_DL.ravel(),
            "found": planted.found_DL.ravel(),
        }
    )


def read_planted(table: pl.DataFrame) -> PlantedPairs:
    """Read planted pairs back from their table."""
    if table.is_empty():
        return join_planted([])
    shape = (-1, 1 + int(table["level"].to_numpy().max()))
    return PlantedPairs(
        table["jaccard"].to_numpy().reshape(shape),
        table["found"].to_numpy().reshape(shape),
        read_hashes(table["content_hash"]).reshape(shape)[:, 0].copy(),
    )
