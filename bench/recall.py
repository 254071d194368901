"""What each tool found of the planted pairs, read from its output and from nothing else."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl
import pyarrow as pa

from assay.storage.tables import read_table

THRESHOLD = 0.8
_UNLIKE = 0.5  # a copy this far from its source is a duplicate of nothing


@dataclass(frozen=True, slots=True)
class Recall:
    """Planted pairs at or above the threshold, how many of them do not both survive, and errors.

    `near` leaves out copies whose shingles are the source's (Jaccard 1). `unlike_removed` counts
    copies below Jaccard 0.5 that were taken out all the same; `removed` counts copies taken out at
    any Jaccard, `alike_removed` those of them at or above the threshold. `paired` are pairs that
    are named in the output, where it names any.
    """

    tool: str
    documents_kept: int
    pairs: int
    resolved: int
    near: int
    near_resolved: int
    unlike: int
    unlike_removed: int
    removed: int
    alike_removed: int
    paired: int | None

    @property
    def recall(self) -> float:
        """Share of planted pairs with 0.8 <= J < 1 that are resolved; 1 if there are none."""
        return self.near_resolved / self.near if self.near else 1.0

    @property
    def precision(self) -> float:
        """Share of the copies taken out that are at or above the threshold; 1 if none is."""
        return self.alike_removed / self.removed if self.removed else 1.0


def read_text_dedup(folder: Path, truth: Path) -> Recall:
    """Judge the dataset that text-dedup saved in `folder`/deduplicated; it names no pairs."""
    kept: set[str] = set()
    for path in sorted((folder / "deduplicated").glob("*.arrow")):
        with pa.memory_map(str(path)) as source:
            kept.update(pa.ipc.open_stream(source).read_all()["id"].to_pylist())
    return _judge("text-dedup", kept, pl.read_parquet(truth), paired=None)


def read_datatrove(folder: Path, truth: Path) -> Recall:
    """Judge the documents that datatrove wrote to `folder`/kept."""
    kept = pl.concat(
        pl.read_parquet(path, columns=["id"]) for path in (folder / "kept").glob("*.parquet")
    )
    return _judge("datatrove", set(kept["id"]), pl.read_parquet(truth), paired=None)


def read_kept(tool: str, folder: Path, truth: Path) -> Recall:
    """Judge the ids that a script of ours wrote to `folder`/kept.txt."""
    kept = set((folder / "kept.txt").read_text(encoding="utf-8").splitlines())
    return _judge(tool, kept, pl.read_parquet(truth), paired=None)


def read_assay(folder: Path, truth: Path) -> Recall:
    """Judge the bins in `folder`/bins and the pairs in `folder`/audit."""
    kept = set(read_table(folder / "bins" / "documents.parquet")["id"])
    planted = pl.read_parquet(truth)
    return _judge("assay", kept, planted, paired=_count_paired(folder / "audit", planted))


def _judge(tool: str, kept: set[str], planted: pl.DataFrame, *, paired: int | None) -> Recall:
    pairs = planted.with_columns(
        resolved=pl.Series(
            [not (a in kept and b in kept) for a, b in _ids(planted)], dtype=pl.Boolean
        ),
        removed=pl.Series([b not in kept for _, b in _ids(planted)], dtype=pl.Boolean),
    )
    alike = pairs.filter(pl.col("jaccard") >= THRESHOLD)
    near = alike.filter(pl.col("jaccard") < 1)
    unlike = pairs.filter(pl.col("jaccard") < _UNLIKE)
    return Recall(
        tool=tool,
        documents_kept=len(kept),
        pairs=alike.height,
        resolved=int(alike["resolved"].sum()),
        near=near.height,
        near_resolved=int(near["resolved"].sum()),
        unlike=unlike.height,
        unlike_removed=int(unlike["removed"].sum()),
        removed=int(pairs["removed"].sum()),
        alike_removed=int(alike["removed"].sum()),
        paired=paired,
    )


def _ids(planted: pl.DataFrame) -> list[tuple[str, str]]:
    return list(zip(planted["id_a"], planted["id_b"], strict=True))


def _count_paired(audit: Path, planted: pl.DataFrame) -> int:
    """Count pairs named by id or by exact copies of the two (one pair stands for all copies)."""
    documents = read_table(audit / "documents.parquet")
    hashes = dict(zip(documents["id"], documents["content_hash"], strict=True))
    rows = zip(documents["shard"], documents["row"], documents["content_hash"], strict=True)
    by_row = {(shard, row): content for shard, row, content in rows}
    found = read_table(audit / "pairs.parquet")
    named = {
        frozenset((by_row[shard_a, row_a], by_row[shard_b, row_b]))
        for shard_a, row_a, shard_b, row_b in found.select(
            "shard_a", "row_a", "shard_b", "row_b"
        ).iter_rows()
    }
    alike = planted.filter(pl.col("jaccard") >= THRESHOLD)
    return sum(frozenset((hashes[a], hashes[b])) in named for a, b in _ids(alike))


READERS: dict[str, Callable[[Path, Path], Recall]] = {
    "assay": read_assay,
    "text-dedup": read_text_dedup,
    "datatrove": read_datatrove,
    "datasketch": partial(read_kept, "datasketch"),
    "rensa": partial(read_kept, "rensa"),
}
