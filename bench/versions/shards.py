"""The parquet shards and bins that the commands read: whole ones, and such as must be refused."""

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.versions.texts import draw_text, draw_texts, edit_text, make_corpus, make_crowd, mix

END_OF_TEXT = 50_256
_LLMC_MAGIC = 20_240_520  # begins the header of llm.c's bins


def write_shard(path: Path, texts: Sequence[str | bytes | None], **columns: Any) -> Path:
    """Write a shard with `text`, `id` and the columns that are named.

    `row_group_size`, `compression` and `write_page_checksum` are passed on to pyarrow.
    """
    options = {
        name: columns.pop(name)
        for name in ("row_group_size", "compression", "write_page_checksum")
        if name in columns
    }
    kind = pa.binary() if any(isinstance(text, bytes) for text in texts) else pa.string()
    ids = columns.pop("id", [f"{path.stem}-{row}" for row in range(len(texts))])
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"text": pa.array(texts, kind), "id": ids, **columns}), path, **options)
    return path


def write_shards(folder: Path) -> None:
    """Write the corpus, its validation shard, and shards for single options."""
    texts: list[str | None] = [*make_corpus(260, 1)]
    first, second = texts[:200], [*texts[200:], None, None]
    write_shard(folder / "corpus/a.parquet", first, row_group_size=64)
    urls = [f"https://site-{row % 7}.example/{row}?q=<b>&é" for row in range(len(second))]
    write_shard(folder / "corpus/b.parquet", second, url=urls, compression="zstd")
    write_shard(folder / "held.parquet", _make_held_out(first))
    write_shard(folder / "fresh.parquet", draw_texts(60, 77))
    write_shard(folder / "crowd.parquet", mix([*make_crowd(400, 5), *draw_texts(40, 6)], 7))
    write_shard(folder / "few.parquet", draw_texts(30, 8))
    _write_renamed(folder / "body.parquet", ["body", "key"], draw_texts(20, 9))
    _write_counted(folder / "counted.parquet", wrong=None)
    _write_counted(folder / "some-wrong.parquet", wrong=5)
    _write_counted(folder / "all-wrong.parquet", wrong=1)
    raw = [text.encode() for text in draw_texts(12, 10)]
    broken = [b"\xff\xfe broken \xc3", b"half \xe6\x9d"]
    write_shard(folder / "not-utf8.parquet", [*raw, *broken, *raw])
    hostile = "\x1b[2J\u202ename"
    path = folder / f"odd-name/{hostile}.parquet"
    write_shard(path, draw_texts(9, 11), id=[hostile] * 9, url=[None] * 9)
    _write_kinds_of_text(folder / "kinds")
    write_token_bins(folder / "plain")
    write_llmc_bin(folder / "llmc.bin", 0)
    write_llmc_bin(folder / "llmc-short.bin", 3)
    write_bad_shards(folder / "bad")


def _write_kinds_of_text(folder: Path) -> None:
    """Write one text column as each type of arrow's that holds text."""
    folder.mkdir()
    texts = draw_texts(12, 14)
    raw = [text.encode() for text in texts]
    ids = list(range(12))
    columns = {
        "large": pa.array(texts, pa.large_string()),
        "views": pa.array(texts, pa.string_view()),
        "binary": pa.array([*raw[:6], b"\xc3\x28 broken", *raw[7:]], pa.large_binary()),
        "dictionary": pa.array([*texts[:3]] * 4).dictionary_encode(),
    }
    for name, column in columns.items():
        table = pa.table({"text": column, "id": pa.array(ids, pa.int64())})
        pq.write_table(table, folder / f"{name}.parquet")


def _make_held_out(train: Sequence[str | None]) -> list[str]:
    """Make validation texts: new ones, copies of training texts, and near copies of some."""
    long = [text for text in train if text and text.count(" ") >= 50]
    near = [edit_text(text, 1, 100 + place) for place, text in enumerate(long[10:14])]
    return [*draw_texts(30, 50), *long[:3], *near]


def _write_renamed(path: Path, names: Sequence[str], texts: Sequence[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({name: list(texts) for name in names}), path)


def _write_counted(path: Path, *, wrong: int | None) -> None:
    """Write a shard whose `token_count` is right, but for each `wrong`th of them."""
    texts = [draw_text(8 + row % 50, 600 + row) for row in range(120)]
    counts = [len(text.split(" ")) for text in texts]
    if wrong is not None:
        counts = [size + (row % wrong == 0) for row, size in enumerate(counts)]
    write_shard(path, texts, token_count=counts)


def write_token_bins(folder: Path) -> None:
    """Write a `train.bin` and a `val.bin` of nanoGPT's kind, without any manifest."""
    folder.mkdir(parents=True)
    chance = np.random.default_rng(3)
    for name, documents in (("train", 50), ("val", 12)):
        parts = []
        for _ in range(documents):
            ids = chance.integers(256, 50_000, chance.integers(20, 60))
            parts.append(np.append(ids, END_OF_TEXT))
        parts.append(parts[0])
        np.concatenate(parts).astype("<u2").tofile(folder / f"{name}.bin")


def write_llmc_bin(path: Path, missing: int) -> None:
    """Write a bin with llm.c's header, which may tell of more ids than there are."""
    ids = np.random.default_rng(4).integers(256, 50_000, 400)
    ids[::40] = END_OF_TEXT
    header = struct.pack("<256i", _LLMC_MAGIC, 1, ids.size + missing, *[0] * 253)
    path.write_bytes(header + ids.astype("<u2").tobytes())


def write_bad_shards(folder: Path) -> None:
    """Write one shard of each kind that an audit refuses."""
    folder.mkdir()
    texts = draw_texts(20, 30)
    whole = write_shard(folder / "truncated.parquet", texts).read_bytes()
    (folder / "truncated.parquet").write_bytes(whole[: len(whole) // 2])
    data = bytearray(
        write_shard(folder / "page.parquet", texts, write_page_checksum=True).read_bytes()
    )
    data[200:260] = bytes(60)
    (folder / "page.parquet").write_bytes(data)
    (folder / "empty.parquet").write_bytes(b"")
    (folder / "html.parquet").write_bytes(b"<!DOCTYPE html><p>Not found")
    (folder / "lfs.parquet").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    _write_renamed(folder / "columns.parquet", ["Text", "id", "url"], texts)
    _write_renamed(folder / "hostile.parquet", ["\x1b]0;owned\x07te\u202ext", "a\nb"], texts)
    twice = pa.Table.from_arrays([pa.array(texts), pa.array(texts)], names=["text", "text"])
    pq.write_table(twice, folder / "twice.parquet")
    pq.write_table(pa.table({"text": list(range(20))}), folder / "numbers.parquet")
    write_shard(folder / "rows.parquet", [])
    write_shard(folder / "null.parquet", [None, None])
    (folder / "odd.bin").write_bytes(b"\0\0\0")
    (folder / "large.bin").write_bytes(b"\xff\xff\0\0")
    (folder / "none.bin").write_bytes(b"")
