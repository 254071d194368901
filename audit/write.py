"""Write what an audit found: tables and findings."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pyarrow as pa

from assay.artifacts import FileEntry
from assay.audit.corpus import Corpus
from assay.audit.duplicates import Duplicates
from assay.audits import FINDINGS
from assay.findings import Finding
from assay.publish import publish_bytes
from assay.tables import CLUSTERS, DOCUMENTS, LEAKS, PAIRS, write_table


def write_findings(output: Path, findings: Sequence[Finding]) -> FileEntry:
    """Write `findings.json`, in the order given; return its manifest entry."""
    text = msgspec.json.format(msgspec.json.encode(findings), indent=2) + b"\n"
    publish_bytes(output / FINDINGS, text)
    return FileEntry(name=FINDINGS, size=len(text), sha256=hashlib.sha256(text).hexdigest())


def write_tables(
    output: Path, corpus: Corpus, duplicates: Duplicates, leaks: pl.DataFrame
) -> list[FileEntry]:
    """Write `documents`, `pairs`, `clusters` and `leaks`; return their manifest entries."""
    documents = _tabulate_documents(corpus, duplicates)
    places = pl.DataFrame(
        {"shard": corpus.shard_N, "row": corpus.row_N, "id": pl.from_arrow(corpus.ids)}
    )
    return [
        write_table(output / "documents.parquet", documents, DOCUMENTS),
        write_table(output / "pairs.parquet", _tabulate_pairs(places, duplicates), PAIRS),
        write_table(output / "clusters.parquet", _tabulate_clusters(corpus, duplicates), CLUSTERS),
        write_table(output / "leaks.parquet", _tabulate_leaks(places, leaks), LEAKS),
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


def _place(
    places: pl.DataFrame, positions: np.ndarray, names: tuple[str, str, str]
) -> pl.DataFrame:
    found = places[positions.tolist()] if positions.size else places.clear()
    return found.rename(dict(zip(("shard", "row", "id"), names, strict=True)))


def _tabulate_pairs(places: pl.DataFrame, duplicates: Duplicates) -> pl.DataFrame:
    """List each exact copy beside the first of its text, and each verified pair of two texts."""
    copies = np.flatnonzero(duplicates.first_N != np.arange(duplicates.first_N.size))
    a = np.concatenate([duplicates.first_N[copies], duplicates.pair_P2[:, 0]])
    b = np.concatenate([copies, duplicates.pair_P2[:, 1]])
    kinds = ["exact"] * copies.size + ["near"] * len(duplicates.pair_P2)
    jaccard = np.concatenate([np.ones(copies.size), duplicates.jaccard_P])
    order = np.lexsort((b, a))
    return pl.concat(
        [
            _place(places, a[order], ("shard_a", "row_a", "id_a")),
            _place(places, b[order], ("shard_b", "row_b", "id_b")),
            pl.DataFrame(
                {"jaccard": jaccard[order], "kind": np.array(kinds, dtype=object)[order].tolist()},
                {"jaccard": pl.Float64, "kind": pl.String},
            ),
        ],
        how="horizontal",
    )


def _tabulate_clusters(corpus: Corpus, duplicates: Duplicates) -> pl.DataFrame:
    frame = pl.DataFrame(
        {
            "cluster": duplicates.cluster_N,
            "shard": corpus.shard_N,
            "row": corpus.row_N,
            "tokens": corpus.tokens_N,
            "keeper": duplicates.keeper_N,
            "weakest": duplicates.weakest_N,
        }
    )
    keeper = pl.col("keeper")
    return (
        frame.group_by("cluster")
        .agg(
            pl.len().alias("size"),
            pl.col("shard").filter(keeper).first().alias("keeper_shard"),
            pl.col("row").filter(keeper).first().alias("keeper_row"),
            pl.col("tokens").sum(),
            pl.col("weakest").first().alias("weakest_jaccard"),
        )
        .filter(pl.col("size") > 1)
        .sort("cluster")
    )


def _tabulate_leaks(places: pl.DataFrame, leaks: pl.DataFrame) -> pl.DataFrame:
    missing = ["coverage", "val_start", "train_start", "words"]
    return pl.concat(
        [
            _place(places, leaks["val"].to_numpy(), ("val_shard", "val_row", "val_id")),
            _place(places, leaks["train"].to_numpy(), ("train_shard", "train_row", "train_id")),
            leaks.select("tier", "jaccard", *(pl.lit(None).alias(name) for name in missing)),
        ],
        how="horizontal",
    )
