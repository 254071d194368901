"""The documents of all shards as columns."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from assay.audit.auditors.registry import COLUMNS
from assay.audit.pairs.planted_pairs import PlantedPairs, join_planted, keep_drawn
from assay.audit.scan.scanner import SCAN_COLUMNS, ScannedGroup
from assay.corpus.shards import Shard
from assay.storage.manifest import FileEntry
from assay.storage.tables import unpack_hashes


@dataclass(frozen=True, slots=True)
class Documents:
    """N documents in the order of shards and rows.

    Columns as in `formats.audit.DOCUMENT_COLUMNS`; `val_N` tells validation documents,
    `content_hash_N` is 16 bytes, `key_BN` the band keys (`minhash.band_keys`). `measured` has those
    columns of auditors that stand in documents.parquet, `sums` has the sums of all of theirs.
    `counts` sums those of all row groups, and has their `rows`; `invalid_utf8` is the policy under
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
    planted: PlantedPairs
    counts: Counter[str]
    invalid_utf8: str

    def __len__(self) -> int:
        return int(self.row_N.size)


@dataclass(frozen=True, slots=True)
class ScannedShards:
    """The shards that could be read, their documents, their files, and those of their ids.

    `set_aside` has a line for each shard that could not be read.
    """

    shards: list[Shard]
    set_aside: list[str]
    documents: Documents
    inputs: list[FileEntry]
    token_files: list[FileEntry]


def gather_documents(
    groups: Sequence[ScannedGroup], key_BN: np.ndarray, shards: Sequence[Shard], invalid_utf8: str
) -> Documents:
    """Join row groups, in order, to columns. Peak memory: twice the columns, the keys once.

    Of pairs planted in more documents than a corpus of these rows takes, the others are left out.
    """
    table = pa.Table.from_batches([group.documents for group in groups], SCAN_COLUMNS)
    sizes = [group.documents.num_rows for group in groups]
    shard_N = np.repeat(np.array([group.shard for group in groups], np.uint32), sizes)
    is_val = np.array([shard.split == "val" for shard in shards])
    num_rows = sum(shard.num_rows for shard in shards)
    planted = join_planted([group.planted for group in groups])
    columns = {
        f"{name}_N": table[name].to_numpy()
        for name in ("row", "bytes", "chars", "words", "tokens", "short", "shingles")
    }
    return Documents(
        **columns,
        shard_N=shard_N,
        val_N=is_val[shard_N],
        content_hash_N=unpack_hashes(table["content_hash"]),
        key_BN=key_BN,
        stored_tokens=table["stored_tokens"],
        ids=table["id"],
        urls=table["url"],
        measured=table.select([column.name for column in COLUMNS if column.in_table]),
        sums={column.name: pc.sum(table[column.name]).as_py() or 0 for column in COLUMNS},
        planted=keep_drawn(planted, num_rows),
        counts=sum((group.counts for group in groups), Counter(rows=num_rows)),
        invalid_utf8=invalid_utf8,
    )
