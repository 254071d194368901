"""Corpora many times as large as what there is: the same shards again, with words edited.

Works on bytes, so that 2 GB take a minute: of the chosen words the first letter is replaced, in
place. A share e of edited words leaves about (1 - e)**5 of the shingles: copies edited by 0.05 have
Jaccard 0.63 or so with the original and 0.43 with each other; by 0.01 about 0.91 and 0.83.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

ROW_GROUP = 1_000
_LETTERS = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz", np.uint8)


def enlarge_corpus(
    shards: Sequence[Path], folder: Path, *, copies: int, edited: float, seed: int = 1
) -> int:
    """Write `copies` times the documents of `shards`, two shards joined to one; return MB of text.

    The first copy is the original. Holds one shard at a time, about 400 MB for 100 MB of text.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    total = 0
    for copy in range(copies):
        for nth in range(0, len(shards), 2):
            table = pa.concat_tables([pq.read_table(path) for path in shards[nth : nth + 2]])
            texts = table["text"].combine_chunks().cast(pa.large_string())
            if copy:
                texts = edit_column(texts, edited, rng)
            names = pa.array([f"{name}:{copy}" for name in table["id"].to_pylist()])
            path = folder / f"shard-{copy:02d}-{nth // 2}.parquet"
            write_texts(path, texts, names)
            total += texts.buffers()[2].size
    return total // 1_000_000


def write_giant(shards: Sequence[Path], path: Path, *, megabytes: int, seed: int = 1) -> int:
    """Write a shard of ordinary documents with one of `megabytes` among them; return its row."""
    table = pq.read_table(shards[0])
    texts = table["text"].combine_chunks().cast(pa.large_string())
    data = np.frombuffer(texts.buffers()[2], np.uint8)
    rng = np.random.default_rng(seed)
    giant = np.full(megabytes * 1_000_000, ord(" "), np.uint8)
    at = 0
    while at < giant.size:
        part = data[: giant.size - at].copy()
        edit_bytes(part, 0.5, rng)
        giant[at : at + part.size] = part
        at += part.size
    _mend_end(giant)
    row = len(texts) // 2
    giant_text = pa.Array.from_buffers(
        pa.large_string(), 1, [None, pa.py_buffer(np.array([0, giant.size])), pa.py_buffer(giant)]
    )
    chunks = [texts[:row], giant_text, texts[row:]]
    names = pa.array([f"ordinary-{nth}" for nth in range(len(texts))] + ["giant"])
    write_texts(path, pa.chunked_array(chunks), names)
    return row


def edit_column(texts: pa.Array, share: float, rng: np.random.Generator) -> pa.Array:
    """Return a column of large strings with about `share` of its words edited."""
    data = np.frombuffer(texts.buffers()[2], np.uint8).copy()
    edit_bytes(data, share, rng)
    buffers = [None, texts.buffers()[1], pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.large_string(), len(texts), buffers, offset=texts.offset)


def edit_bytes(data: NDArray[np.uint8], share: float, rng: np.random.Generator) -> None:
    """Replace, in place, the first letter of about `share` of the words that begin with one."""
    lower = data | np.uint8(0x20)
    letter = (lower >= ord("a")) & (lower <= ord("z"))
    starts = np.flatnonzero(letter[1:] & (data[:-1] == ord(" "))) + 1
    chosen = starts[rng.random(starts.size) < share]
    data[chosen] = _LETTERS[(lower[chosen] - ord("a") + rng.integers(1, 26, chosen.size)) % 26]


def write_texts(path: Path, texts: pa.Array | pa.ChunkedArray, names: pa.Array) -> None:
    """Write a shard of texts and ids, in row groups of 1,000."""
    table = pa.table({"text": texts, "id": names})
    pq.write_table(table, path, compression="zstd", row_group_size=ROW_GROUP)


def _mend_end(data: NDArray[np.uint8]) -> None:
    """Overwrite a character that the end cuts in two with spaces."""
    at = data.size - 1
    while at and data[at] & 0xC0 == 0x80:
        at -= 1
    if data[at] >= 0x80:
        data[at:] = ord(" ")
