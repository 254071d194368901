"""The documents of all shards as columns, and their ids on disk."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from assay.audit.minhash.band_keys import KeyTable
from assay.audit.pairs.planted_pairs import PlantedPairs, join_planted, keep_drawn
from assay.audit.scan.scanner import Scanned
from assay.corpus.shards import Shard
from assay.formats.audit import name_tokens
from assay.storage.manifest import FileEntry
from assay.storage.publish import publish


@dataclass(frozen=True, slots=True)
class Corpus:
    """N documents in the order of shards and rows.

    Columns as in `formats.audit.DOCUMENT_COLUMNS`; `val_N` tells validation documents,
    `content_hash_N` is 16 bytes, `key_BN` the band keys (`minhash.band_keys`). `counts` sums the
    scan's counters over all row groups; `invalid_utf8` is the policy under which the texts were
    read.
    """

    shard_N: np.ndarray
    row_N: np.ndarray
    val_N: np.ndarray
    bytes_N: np.ndarray
    chars_N: np.ndarray
    words_N: np.ndarray
    tokens_N: np.ndarray
    blank_N: np.ndarray
    short_N: np.ndarray
    shingles_N: np.ndarray
    content_hash_N: np.ndarray
    key_BN: np.ndarray
    stored_tokens: pa.ChunkedArray
    ids: pa.ChunkedArray
    urls: pa.ChunkedArray
    planted: PlantedPairs
    counts: dict[str, int]
    invalid_utf8: str

    @property
    def num_documents(self) -> int:
        """How many documents."""
        return int(self.row_N.size)

    def read_label(self, position: int) -> str | None:
        """Return the id of a document, as its shard gives it; untrusted text."""
        label: str | None = self.ids[position].as_py()
        return label


def write_tokens(
    folder: Path, shard: int, groups: Iterable[Scanned]
) -> tuple[list[Scanned], FileEntry]:
    """Write the ids of a shard's row groups to its file; return the groups without their ids.

    The file is there with or without documents; it appears whole or not at all.
    """
    name = name_tokens(shard)
    (folder / name).parent.mkdir(exist_ok=True)
    kept: list[Scanned] = []
    num_ids = 0
    with publish(folder / name) as file:
        for group in groups:
            file.write(group.tokens.tobytes())
            num_ids += group.tokens.size
            kept.append(forget_tokens(group))
    return kept, FileEntry(name=name, size=file.size, sha256=file.sha256, rows=num_ids)


def forget_tokens(part: Scanned) -> Scanned:
    """Return a row group without its ids."""
    return replace(part, tokens=part.tokens[:0].copy())


def move_keys(part: Scanned, table: KeyTable) -> Scanned:
    """Put a row group's band keys into the table of all; return it without them."""
    table.append(part.key_BN)
    return replace(part, key_BN=part.key_BN[:, :0].copy())


def gather_corpus(
    parts: Sequence[Scanned],
    key_BN: np.ndarray,
    shards: Sequence[Shard],
    invalid_utf8: str = "replace",
) -> Corpus:
    """Join row groups, in order, to columns. Peak memory: twice the columns, the keys once.

    Of pairs planted in more documents than a corpus of these rows takes, the others are left out.
    """
    is_val = np.array([shard.split == "val" for shard in shards])
    shard_N = np.repeat(
        np.array([part.shard for part in parts], np.uint32),
        [part.rows_N.size for part in parts],
    )
    counters = ("num_null", "num_invalid", "num_dropped", "num_oversized", "num_checked")
    counts = {name: sum(getattr(part, name) for part in parts) for name in counters}
    counts["num_rows"] = sum(shard.num_rows for shard in shards)

    def join(name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in parts])

    def chain(name: str) -> pa.ChunkedArray:
        return pa.chunked_array([getattr(part, name) for part in parts])

    return Corpus(
        shard_N=shard_N,
        row_N=join("rows_N"),
        val_N=is_val[shard_N],
        bytes_N=join("bytes_N"),
        chars_N=join("chars_N"),
        words_N=join("words_N"),
        tokens_N=join("tokens_N"),
        blank_N=join("blank_N"),
        short_N=join("short_N"),
        shingles_N=join("shingles_N"),
        content_hash_N=join("content_hash_N"),
        key_BN=key_BN,
        stored_tokens=chain("stored_tokens"),
        ids=chain("ids"),
        urls=chain("urls"),
        planted=keep_drawn(join_planted([part.planted for part in parts]), counts["num_rows"]),
        counts=counts,
        invalid_utf8=invalid_utf8,
    )
