"""Small valid inputs of every kind that is read, each with how its documents are read back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from assay.corpus.tokenizer import load_tokenizer
from tests.support.make import make_texts

_LLMC_MAGIC = 20_240_520
TEXTS = [*make_texts(30, seed=3), "", "a", "naïve größer 東京 🙂"]


def _write_parquet(path: Path, **options: Any) -> None:
    nulls = options.pop("nulls", False)
    texts = [None if nulls and place % 5 == 0 else text for place, text in enumerate(TEXTS)]
    table = pa.table(
        {
            "id": [f"d{place}" for place in range(len(texts))],
            "text": pa.array(texts, options.pop("kind", pa.string())),
            "token_count": list(range(len(texts))),
        }
    )
    pq.write_table(table, path, **options)


def _write_bin(path: Path, *, header: bool = False, first: bool = False) -> None:
    tokenizer = load_tokenizer("gpt2")
    mark = np.array([tokenizer.end_of_text], np.uint32)
    parts = []
    for text in TEXTS:
        ids = tokenizer.encode_reference(text.encode())
        parts += [mark, ids] if first else [ids, mark]
    ids_T = np.concatenate(parts).astype("<u2")
    head = np.zeros(256, "<i4")
    head[:3] = _LLMC_MAGIC, 1, ids_T.size
    path.write_bytes((head.tobytes() if header else b"") + ids_T.tobytes())


# File name -> its writer. The name's ending is what the kind is told by.
SEEDS: dict[str, Callable[[Path], None]] = {
    "plain.parquet": lambda path: _write_parquet(path, compression="none"),
    "plain-v2.parquet": lambda path: _write_parquet(
        path, compression="none", data_page_version="2.0", use_dictionary=False
    ),
    "checked.parquet": lambda path: _write_parquet(path, write_page_checksum=True),
    "groups.parquet": lambda path: _write_parquet(path, row_group_size=7, nulls=True),
    "delta.parquet": lambda path: _write_parquet(
        path, use_dictionary=False, column_encoding={"text": "DELTA_LENGTH_BYTE_ARRAY"}
    ),
    "binary.parquet": lambda path: _write_parquet(path, kind=pa.binary(), compression="zstd"),
    "nanogpt.bin": _write_bin,
    "llmc.bin": lambda path: _write_bin(path, header=True, first=True),
}


def write_seed(name: str, folder: Path) -> Path:
    """Write the valid input of that name."""
    SEEDS[name](folder / name)
    return folder / name


def count_valid() -> dict[str, int]:
    """Count what every one of them holds: documents, bytes, tokens; the same texts in each."""
    tokenizer = load_tokenizer("gpt2")
    raw = [text.encode() for text in TEXTS]
    return {
        "documents": len(raw),
        "bytes": sum(map(len, raw)),
        "tokens": sum(tokenizer.encode_reference(text).size for text in raw),
    }
