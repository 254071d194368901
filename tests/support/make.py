"""Build shards and synthetic audits for tests."""

import hashlib
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from assay.corpus.tokenizer import Tokenizer

WORDS = re.split(  # at single spaces: some words hold other white space
    " ",
    "the of and to in is that it was for on are as with his they at be this from have or by one "
    "had not but what all were when we there can an your which their said if do will each about "
    "how up out them then she many some so these would other into has more her two like him see "
    "naïve größer Москва 東京 العربية emoji🙂 <|endoftext|> x=1; \t tab\n\nparagraph",
)


def write_shard(path: Path, texts: Sequence[str | bytes | None], **columns: Any) -> Path:
    """Write a parquet shard with `text`, `id` and what is named; `row_group_size` is passed on."""
    options = {
        name: columns.pop(name)
        for name in ("row_group_size", "write_page_checksum", "compression")
        if name in columns
    }
    ids = columns.pop("id", [f"{path.stem}-{row}" for row in range(len(texts))])
    kind = pa.binary() if any(isinstance(text, bytes) for text in texts) else pa.string()
    table = pa.table({"text": pa.array(texts, kind), "id": ids, **columns})
    pq.write_table(table, path, **options)
    return path


def make_corrupt_page(path: Path) -> None:
    """A good footer over a page that cannot be unpacked."""
    data = bytearray(write_shard(path, make_corpus(20), write_page_checksum=True).read_bytes())
    data[200:260] = bytes(60)
    path.write_bytes(data)


def make_texts(number: int, seed: int, words: int = 40) -> list[str]:
    """Make texts that share no long run of words."""
    chance = random.Random(seed)
    return [" ".join(chance.choices(WORDS, k=chance.randint(6, words))) for _ in range(number)]


def make_corpus(number: int = 120, seed: int = 0) -> list[str]:
    """Make texts of which some are exact and some near duplicates, one empty and one blank."""
    chance = random.Random(seed)
    texts = make_texts(number, seed, 120)
    copies = [chance.choice(texts) for _ in range(number // 6)]
    alike = [f"{chance.choice(texts)} {chance.choice(WORDS)}" for _ in range(number // 6)]
    mixed = [*texts, *copies, *alike, "", " \n\t "]
    chance.shuffle(mixed)
    return mixed


def make_documents(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """Tabulate documents as an audit does.

    Each row has `text` (a label; equal labels are exact copies), `cluster` (a label), `tokens`
    and `shard`; the longest of a cluster is its keeper, the smaller hash among equally long ones.
    """
    hashes = [hashlib.md5(str(row["text"]).encode()).digest() for row in rows]
    clusters = [str(row["cluster"]) for row in rows]
    first = {label: index for index, label in reversed(list(enumerate(clusters)))}
    keepers = set()
    for label in first:
        members = [index for index, own in enumerate(clusters) if own == label]
        keepers.add(min(members, key=lambda i: (-rows[i]["tokens"], hashes[i], i)))
    seen: dict[int, int] = {}
    places = []
    for row in rows:
        places.append(seen.get(row["shard"], 0))
        seen[row["shard"]] = places[-1] + 1
    return pl.DataFrame(
        {
            "shard": pl.Series([row["shard"] for row in rows], dtype=pl.UInt32),
            "row": pl.Series(places, dtype=pl.UInt64),
            "id": pl.Series([f"d{index}" for index in range(len(rows))], dtype=pl.String),
            "url": pl.Series([None] * len(rows), dtype=pl.String),
            "bytes": pl.Series([4 * row["tokens"] for row in rows], dtype=pl.UInt64),
            "tokens": pl.Series([row["tokens"] for row in rows], dtype=pl.UInt64),
            "content_hash": pl.Series(hashes, dtype=pl.Binary),
            "cluster": pl.Series([first[label] for label in clusters], dtype=pl.UInt64),
            "keeper": [index in keepers for index in range(len(rows))],
            "keeper_jaccard": [1.0 if index in keepers else 0.9 for index in range(len(rows))],
        }
    )


def decode(tokenizer: Tokenizer, ids: np.ndarray) -> str:
    """Decode ids to text."""
    return tokenizer.decode(ids).decode("utf-8")
