"""What an audit, as it comes, names of pairs that are known: the gold sets, and edited pairs."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

import assay
from assay.formats.audit import Audit
from bench.edited_pairs import EditedPairs

THRESHOLD = 0.8
GOLD = ("c4-sample", "dclm-labelled", "powershell-docs", "wikinews")


@dataclass(frozen=True, slots=True)
class Found:
    """Known pairs with 0.8 <= J < 1, and the Jaccard of those that the audit does not name."""

    name: str
    num_pairs: int
    missed: tuple[float, ...]

    @property
    def num_found(self) -> int:
        """How many it names."""
        return self.num_pairs - len(self.missed)

    @property
    def recall(self) -> float:
        """The share that it names; 1 where there is none to name."""
        return self.num_found / self.num_pairs if self.num_pairs else 1.0


def audit_gold(corpora: Path, folder: Path) -> list[Found]:
    """Audit each shard that has a gold set; Jaccard there is by Python's word rule.

    Raises:
        ValueError: A gold set names a document that its shard does not have.
    """
    found = []
    for name in GOLD:
        shard = corpora / "shards" / f"{name}.parquet"
        gold = pl.read_parquet(corpora / "labelled" / f"{name}_gold_j50.parquet")
        audit = assay.audit_shards([shard], folder / name)
        rows = gold.select("id_a", "id_b", "jaccard_word5").iter_rows()
        found.append(count_named(name, audit, rows))
    return found


def audit_pairs(pairs: EditedPairs, folder: Path) -> Found:
    """Audit edited pairs in one shard of their own."""
    names = [str(place) for place in range(len(pairs.texts))]
    path = folder / "pairs.parquet"
    pq.write_table(pa.table({"text": pairs.texts, "id": names}), path, row_group_size=1000)
    audit = assay.audit_shards([path], folder / "pairs")
    known = [
        (names[place], names[place + pairs.num_pairs], jaccard)
        for place, jaccard in enumerate(pairs.jaccard_P.tolist())
    ]
    return count_named("edited pairs", audit, known)


def count_named(name: str, audit: Audit, known: Iterable[tuple[str, str, float]]) -> Found:
    """Count known pairs that the audit names, by the texts of the two documents."""
    documents = audit.read("documents")
    columns = ("shard", "row", "id", "content_hash")
    text_of_row, text_of_id = {}, {}
    for shard, row, label, text in documents.select(columns).iter_rows():
        text_of_row[shard, row] = text
        text_of_id[label] = text
    named = {
        frozenset((text_of_row[shard_a, row_a], text_of_row[shard_b, row_b]))
        for shard_a, row_a, shard_b, row_b in audit.read("pairs")
        .select("shard_a", "row_a", "shard_b", "row_b")
        .iter_rows()
    }
    wanted = [(a, b, jaccard) for a, b, jaccard in known if THRESHOLD <= jaccard < 1]
    if unknown := {label for a, b, _ in wanted for label in (a, b)} - text_of_id.keys():
        raise ValueError(f"{name}: no document has the id {sorted(unknown)[0]!r}")
    missed = [
        jaccard
        for a, b, jaccard in wanted
        if frozenset((text_of_id[a], text_of_id[b])) not in named
    ]
    return Found(name, len(wanted), tuple(missed))
