"""Make the bins of the leakage and settings experiments for a model of bytes, for one CPU core.

    ASSAY_CORPORA=... python -m bench.byte_data FOLDER
    python -m bench.gpu_experiments WORK --pack FOLDER/data.tar.xz --scale bytes
        --only E3,E5-dropout,E5-rate --minutes 90

From four shards of English Wikipedia, the first 500 bytes of articles: `u36` holds 4 MB of them
(the name is that of the GPU's size), `leak1`, `leak4` and `leak16` half of the held-out ones
besides, so many times each. All hold out the same 400.
"""

import argparse
import os
import random
from pathlib import Path

import polars as pl

from assay.formats.bins import Bins
from bench.gpu_data import COPIES, SEED, SHARDS
from bench.gpu_pack import PACK, pack_bins
from tests.support.bins_fixture import make_bins

LONGEST, SHORTEST = 500, 200  # bytes of an article
HELD_OUT = 400
TRAIN_BYTES = 4_000_000
END = 256


def main() -> None:
    """Make what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    asked = parser.parse_args()
    shards = [Path(os.environ["ASSAY_CORPORA"]) / "shards" / name for name in SHARDS]
    texts = pl.read_parquet(shards, columns=["text"])["text"].drop_nulls().to_list()
    print(make_pack(texts, asked.folder, TRAIN_BYTES, HELD_OUT))


def make_pack(texts: list[str], folder: Path, train_bytes: int, held_out: int) -> Path:
    """Cut, draw and leak texts; write the bins and their pack; return the pack."""
    cut = dict.fromkeys(text.encode()[:LONGEST] for text in texts)  # exact copies go
    documents = [document for document in cut if len(document) >= SHORTEST]
    random.Random(SEED).shuffle(documents)
    val, rest = documents[:held_out], documents[held_out:]
    train, size = [], 0
    for document in rest:
        if size >= train_bytes:
            break
        train.append(document)
        size += len(document)
    made = [_write(folder / "bins" / "u36", train, val)]
    for copies in COPIES:
        leaky = [*train, *(val[::2] * copies)]
        made.append(_write(folder / "bins" / f"leak{copies}", leaky, val))
    pack_bins(made, folder / PACK)
    return folder / PACK


def _write(folder: Path, train: list[bytes], val: list[bytes]) -> Bins:
    documents = [[list(document) for document in part] for part in (train, val)]
    return make_bins(folder, *documents, end_of_text=END, bytes_per_id=1)


if __name__ == "__main__":
    main()
