"""The documents of all shards as columns."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from assay.audit.auditors.registry import COLUMNS
from assay.audit.pairs.planted_pairs import PlantedDocuments, join_planted
from assay.audit.scan.scanner import SCAN_COLUMNS, ScannedGroup
from assay.corpus.shards import Shard
from assay.formats.audit_totals import Part, ShardTotals
from assay.storage.tables import unpack_hashes


@dataclass(frozen=True, slots=True)
class Documents:
    """N documents in the order of shards and rows.

    Columns as in `formats.audit.DOCUMENT_COLUMNS`; `val_N` tells validation documents,
    `content_hash_N` is 16 bytes, `key_BN` the band keys (`minhash.band_keys`). `measured` has those
    columns of auditors that stand in documents.parquet, `sums` has the sums of all of theirs.
    `counts` sums those of all row groups, and has their `rows`; `unreadable` those of each shard
    that say which values beside the texts cannot be read; `invalid_utf8` is the policy under
    which the texts were read.
    """

    shard_N: np.ndarray
    row_N: np.ndarray
    val_N: np.ndarray
    bytes_N: np.ndarray
    chars_N: np.ndarray
    words_N: np.ndarray
    tokens_N: np.ndarray
    short_N: np.ndarray
    shingles_N: np.ndarray
    content_hash_N: np.ndarray
    key_BN: np.ndarray
    stored_tokens: pa.ChunkedArray
    ids: pa.ChunkedArray
    urls: pa.ChunkedArray
    measured: pa.Table
    sums: dict[str, int]
    planted: PlantedDocuments
    counts: Counter[str]
    unreadable: dict[int, Counter[str]]
    invalid_utf8: str

    def __len__(self) -> int:
        return int(self.row_N.size)

    def count(self, chosen_N: np.ndarray) -> Part:
        """Count the chosen documents and their tokens."""
        return Part(int(chosen_N.sum()), int(self.tokens_N[chosen_N].sum()))

    def count_shard(self, shard: Shard) -> ShardTotals:
        """Count the documents of a shard, and compare its own `token_count` with their tokens."""
        here = slice(*np.searchsorted(self.shard_N, [shard.index, shard.index + 1]).tolist())
        tokens_N = self.tokens_N[here]
        stored = self.stored_tokens.slice(here.start, here.stop - here.start)
        known_N = np.asarray(stored.is_valid())
        stored_N = np.asarray(stored.fill_null(0)).astype(np.int64)
        off_N = (stored_N - tokens_N)[known_N]
        return ShardTotals(
            name=shard.name,
            split=shard.split,
            documents=int(tokens_N.size),
            bytes=int(self.bytes_N[here].sum()),
            tokens=int(tokens_N.sum()),
            stored_counts=int(known_N.sum()),
            stored_tokens=int(stored_N.sum()) if known_N.any() else None,
            mismatches=int((off_N != 0).sum()),
            one_more=int((off_N == 1).sum()),
            undivided=bool(shard.undivided),
            stored_unreadable=self.unreadable[shard.index]["stored_unreadable"],
            labels_unreadable=self.unreadable[shard.index]["labels_unreadable"],
        )


def gather_documents(
    groups: Sequence[ScannedGroup], key_BN: np.ndarray, shards: Sequence[Shard], invalid_utf8: str
) -> Documents:
    """Join row groups, in order, to columns. Peak memory: twice the columns, the keys once."""
    table = pa.Table.from_batches([group.documents for group in groups], SCAN_COLUMNS)
    sizes = [group.documents.num_rows for group in groups]
    shard_N = np.repeat(np.array([group.shard for group in groups], np.uint32), sizes)
    num_rows = sum(shard.num_rows for shard in shards)
    columns = {
        f"{name}_N": table[name].to_numpy()
        for name in ("row", "bytes", "chars", "words", "tokens", "short", "shingles")
    }
    return Documents(
        **columns,
        shard_N=shard_N,
        val_N=np.array([shard.split == "val" for shard in shards])[shard_N],
        content_hash_N=unpack_hashes(table["content_hash"]),
        key_BN=key_BN,
        stored_tokens=table["stored_tokens"],
        ids=table["id"],
        urls=table["url"],
        measured=table.select([column.name for column in COLUMNS if column.in_table]),
        sums={column.name: pc.sum(table[column.name]).as_py() or 0 for column in COLUMNS},
        planted=join_planted([group.planted for group in groups]),
        counts=sum((group.counts for group in groups), Counter(rows=num_rows)),
        unreadable=_count_unreadable(groups),
        invalid_utf8=invalid_utf8,
    )


def _count_unreadable(groups: Sequence[ScannedGroup]) -> dict[int, Counter[str]]:
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for group in groups:
        found[group.shard].update(
            {name: number for name, number in group.counts.items() if name.endswith("_unreadable")}
        )
    return found
