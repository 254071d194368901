"""What a user of a MinHash library writes himself: read shards, split words, make shingles.

Runs in a peer's venv: nothing of assay, pyarrow and the standard library alone.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow.parquet as pq

SHINGLE_WORDS = 5
_WORD = re.compile(r"\w+")


def read_documents(shards: str) -> Iterator[tuple[str, str]]:
    """Yield (id, text) of every document of a folder of shards, in order."""
    for path in sorted(Path(shards).glob("*.parquet")):
        for batch in pq.ParquetFile(path).iter_batches(columns=["id", "text"]):
            columns = batch.to_pydict()
            yield from zip(columns["id"], columns["text"], strict=True)


def make_shingles(text: str) -> list[str]:
    """Return a document's runs of five lower-cased words; all its words if they are fewer."""
    words = _WORD.findall(text.lower())
    return [
        " ".join(words[at : at + SHINGLE_WORDS])
        for at in range(max(1, len(words) - SHINGLE_WORDS + 1))
    ]


def write_kept(folder: str, kept: Iterable[str]) -> None:
    """Write the ids that stay, one a line, to `folder`/kept.txt."""
    text = "".join(f"{name}\n" for name in kept)
    (Path(folder) / "kept.txt").write_text(text, encoding="utf-8")


def read_arguments() -> tuple[str, str]:
    """Return the folder of shards and the folder to write to."""
    shards, folder = sys.argv[1:3]
    return shards, folder
