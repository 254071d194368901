"""What nanoGPT's data/openwebtext/prepare.py does, for local parquet shards; runs in a peer's venv.

Written from its description: load with Hugging Face datasets, split off 0.05 % with seed 2357,
encode in worker processes with tiktoken's `encode_ordinary` and an end-of-text id behind each
document, then fill one uint16 memory map a split in 1,024 pieces. Two differences, both needed to
run at all: the encoding is tiktoken's `r50k_base`, whose ids are gpt2's and whose ranks are one
file that can be had offline; a split of fewer than 1,024 documents is filled one document a piece.
"""

import sys
from pathlib import Path
from typing import Any

import datasets  # type: ignore[import-not-found,unused-ignore]
import numpy as np
import tiktoken
from tqdm import tqdm  # type: ignore[import-not-found,import-untyped,unused-ignore]

NUM_PROCESSES = 2
VAL_SHARE = 0.0005
SPLIT_SEED = 2357
NUM_PIECES = 1_024

encoding = tiktoken.get_encoding("r50k_base")


def encode_document(document: dict[str, str]) -> dict[str, Any]:
    """Return a document's ids, end-of-text behind them, and their number."""
    ids = encoding.encode_ordinary(document["text"])
    ids.append(encoding.eot_token)
    return {"ids": ids, "len": len(ids)}


def write_bin(split: Any, path: Path) -> None:
    """Write one split's ids, in the order of its documents, as uint16."""
    length = int(np.sum(split["len"], dtype=np.uint64))
    ids = np.memmap(path, dtype=np.uint16, mode="w+", shape=(length,))
    pieces = min(NUM_PIECES, len(split))
    at = 0
    for piece in tqdm(range(pieces), desc=f"writing {path}"):
        rows = split.shard(num_shards=pieces, index=piece, contiguous=True).with_format("numpy")
        part = np.concatenate(rows["ids"])
        ids[at : at + len(part)] = part
        at += len(part)
    ids.flush()


def main(shards: str, output: str) -> None:
    """Prepare train.bin and val.bin in `output` from all parquet files in `shards`."""
    loaded = datasets.load_dataset(
        "parquet", data_files=str(Path(shards) / "*.parquet"), num_proc=NUM_PROCESSES
    )
    splits = loaded["train"].train_test_split(test_size=VAL_SHARE, seed=SPLIT_SEED, shuffle=True)
    splits["val"] = splits.pop("test")
    encoded = splits.map(
        encode_document,
        remove_columns=["text", "id"],
        desc="tokenizing the splits",
        num_proc=NUM_PROCESSES,
    )
    for name, split in encoded.items():
        write_bin(split, Path(output) / f"{name}.bin")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
