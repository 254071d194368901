"""Make the bins of the GPU experiments, and pack them to travel.

    ASSAY_CORPORA=... python -m bench.gpu_data FOLDER [--scale 1]

From four shards of English Wikipedia, by assay's own audit and prepare; every folder of bins holds
out the same documents:

- `u36`, `u9`, `u2`: 36M, 9M and 2.25M unique tokens, each a part of the one before;
- `dirty`: half of `u36`, and as many tokens of 300 other documents and their copies, of which half
  have one word in a hundred edited; `cleaned`: what prepare makes of it;
- `mild`: `u36` with 5% of its tokens replaced by second copies of other documents, and `mended`;
- `leak1`, `leak4`, `leak16`: `u36` and half of the held-out documents, so many times each;
- `asis`: held-out documents as they are in `dirty`: half of the tokens new copies of the 300
  documents, half of documents that no other folder has.

`--scale` makes all of it smaller; with `--cut 400` documents end after 400 characters, to prove the
chain quickly. Writes `FOLDER/bins/NAME` and `FOLDER/pack/data.tar.xz`; skips what is there.
"""

import argparse
import os
import random
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

import assay
from assay.formats.bins import Bins, open_bins
from bench.gpu_pack import PACK, pack_bins
from bench.planted import edit_words

SHARDS = [f"enwiki-00{number}.parquet" for number in range(4)]
NAMES = (
    "u36",
    "u9",
    "u2",
    "dirty",
    "cleaned",
    "mild",
    "mended",
    "leak1",
    "leak4",
    "leak16",
    "asis",
)
SEED = 20_261_124
JUNK_DOCUMENTS = 300
EDITED_SHARE = 0.01
COPIES = (1, 4, 16)


@dataclass(frozen=True, slots=True)
class Text:
    """A document: its text and its tokens."""

    text: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Sources:
    """Texts by what they are for: `clean` is u36's train, `half` the first half of its tokens."""

    clean: list[Text]
    half: list[Text]
    val: list[Text]
    spare: list[Text]


def main() -> None:
    """Make what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--cut", type=int)
    asked = parser.parse_args()
    shards = Path(os.environ["ASSAY_CORPORA"]) / "shards"
    make_data(shards, asked.folder, asked.scale, asked.cut)


def make_data(shards: Path, folder: Path, scale: float, cut: int | None = None) -> Path:
    """Make all bins under `folder` from the shards under `shards`; return the pack."""
    folder.mkdir(parents=True, exist_ok=True)
    inputs = [shards / name for name in SHARDS]
    if cut is not None:
        inputs = [cut_shard(path, folder / f"cut-{path.name}", cut) for path in inputs]
    if not (folder / "audit" / "manifest.json").exists():
        assay.audit_shards(inputs, folder / "audit")
    for name, tokens in (("u36", 36e6), ("u9", 9e6), ("u2", 2.25e6)):
        _prepare_part(folder, name, round(tokens * scale), round(1.5e6 * scale))
    if not (folder / "pack" / PACK).exists():
        sources = read_sources(open_bins(folder / "bins" / "u36"), inputs)
        write_texts(folder / "val.parquet", sources.val)
        _make_dirty(folder, sources, max(10, round(JUNK_DOCUMENTS * scale)))
        _make_mild(folder, sources)
        _make_leaks(folder, sources)
        pack_bins([open_bins(folder / "bins" / name) for name in NAMES], folder / "pack" / PACK)
    return folder / "pack" / PACK


def read_sources(bins: Bins, inputs: list[Path]) -> Sources:
    """Read the texts that stand in a folder of bins, and those that do not, in a fixed order."""
    texts = [pq.read_table(path, columns=["text"])["text"].to_pylist() for path in inputs]
    listed = {split: bins.read_documents(split) for split in ("train", "val")}
    found: dict[str, list[Text]] = {}
    used: set[tuple[int, int]] = set()
    for split, table in listed.items():
        rows = table.select("shard", "row", pl.col("end") - pl.col("start") - 1).rows()
        found[split] = [Text(texts[shard][row], tokens) for shard, row, tokens in rows]
        used.update((shard, row) for shard, row, _ in rows)
    spare = [
        Text(text, len(text) // 4)
        for shard, column in enumerate(texts)
        for row, text in enumerate(column)
        if text and (shard, row) not in used
    ]
    random.Random(SEED).shuffle(spare)
    clean = found["train"]
    half = take_tokens(clean, sum(each.tokens for each in clean) // 2)
    return Sources(clean, half, found["val"], spare)


def cut_shard(path: Path, target: Path, cut: int) -> Path:
    """Write a shard whose documents end after `cut` characters."""
    if not target.exists():
        texts = pq.read_table(path, columns=["text"])["text"].to_pylist()
        write_texts(target, [Text(text[:cut], 0) for text in texts if text])
    return target


def take_tokens(documents: list[Text], tokens: int) -> list[Text]:
    """Return the first documents until they have so many tokens."""
    taken, total = [], 0
    for document in documents:
        if total >= tokens:
            break
        taken.append(document)
        total += document.tokens
    return taken


def make_copies(originals: list[Text], tokens: int, rng: random.Random) -> list[Text]:
    """Return the originals and, in turn, copies of them, until they have so many tokens.

    Every second copy has words edited, so few that it stays a near duplicate.
    """
    pool = sorted({word for each in originals for word in each.text.split() if word.isalpha()})
    copies, total, lap = list[Text](), 0, 0
    while total < tokens:
        for original in originals:
            text = original.text
            if lap % 2:
                text = edit_words(text, EDITED_SHARE, pool=pool, rng=rng)
            copies.append(Text(text, original.tokens))
            total += original.tokens
            if total >= tokens:
                break
        lap += 1
    return copies


def write_texts(path: Path, documents: list[Text]) -> Path:
    """Write a shard with a column of text."""
    pq.write_table(pa.table({"text": [each.text for each in documents]}), path)
    return path


def _make_dirty(folder: Path, sources: Sources, number: int) -> None:
    rng = random.Random(SEED)
    middle = [each for each in sources.spare if 60 <= each.tokens <= 1500]
    junk, rest = middle[:number], middle[number:]
    tokens = sum(each.tokens for each in sources.half)
    shards = [
        write_texts(folder / "half.parquet", sources.half),
        write_texts(folder / "junk.parquet", make_copies(junk, tokens, rng)),
    ]
    _prepare_pair(folder, shards, raw="dirty", clean="cleaned")
    new = make_copies(junk, 2 * sum(each.tokens for each in junk), rng)[len(junk) :]
    fresh = take_tokens(rest, sum(each.tokens for each in new))
    asis = write_texts(folder / "asis.parquet", [*new, *fresh])
    _prepare(folder, "asis", [folder / "half.parquet"], asis, "none")


def _make_mild(folder: Path, sources: Sources) -> None:
    whole = sum(each.tokens for each in sources.clean)
    first = take_tokens(sources.clean, round(0.95 * whole))
    twice = take_tokens(first[::-1], round(0.05 * whole))
    shard = write_texts(folder / "mild.parquet", [*first, *twice])
    _prepare_pair(folder, [shard], raw="mild", clean="mended")


def _make_leaks(folder: Path, sources: Sources) -> None:
    clean = write_texts(folder / "clean.parquet", sources.clean)
    for copies in COPIES:
        leaked = sources.val[::2] * copies
        shards = [clean, write_texts(folder / f"leaked{copies}.parquet", leaked)]
        _prepare(folder, f"leak{copies}", shards, folder / "val.parquet", "none")


def _prepare_part(folder: Path, name: str, tokens: int, val_tokens: int) -> None:
    output = folder / "bins" / name
    if not output.exists():
        assay.prepare_bins(
            folder / "audit", output, val_tokens=val_tokens, train_tokens=tokens, quiet=True
        )


def _prepare_pair(folder: Path, shards: list[Path], *, raw: str, clean: str) -> None:
    _prepare(folder, raw, shards, folder / "val.parquet", "none")
    _prepare(folder, clean, shards, folder / "val.parquet", "exact,near,leaked,empty", audit=raw)


def _prepare(
    folder: Path, name: str, shards: list[Path], val: Path, drop: str, *, audit: str | None = None
) -> None:
    """Audit shards, unless that was done under another name, and prepare bins of them."""
    audited = folder / f"audit-{audit or name}"
    if not (audited / "manifest.json").exists():
        assay.audit_shards(shards, audited, val=[val])
    output = folder / "bins" / name
    if not output.exists():
        assay.prepare_bins(audited, output, drop=drop, val=[str(val)], quiet=True)


if __name__ == "__main__":
    main()
