"""Ids to search a recipe with: a folder of bins as one small file, read without assay's tables.

    python -m bench.recipe.data BINS PACK.tar.xz

BINS is what `assay prepare` wrote, its val documents all held out. The pack holds plain arrays,
so that the machine with the GPU needs numpy, torch and msgspec alone; xz takes English ids of
GPT-2 to about 1.05 bytes each.
"""

# N = ids to train on, V = ids held out, J = held-out documents, P = pieces, T = block size

import io
import json
import lzma
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 1 << 26, "lc": 0, "lp": 1, "pb": 1}]
_ARRAYS = ("train_N", "val_V", "start_J", "end_J")
_SPLIT_SEED = 20_261_128  # which pieces are the half that is trained on, which replace them


@dataclass(frozen=True, slots=True)
class Ids:
    """What is trained on, and the held-out documents: end-of-text lies after each, outside."""

    train_N: np.ndarray
    val_V: np.ndarray
    start_J: np.ndarray
    end_J: np.ndarray
    vocab_size: int
    end_of_text: int

    @property
    def held_out_tokens(self) -> int:
        """Tokens of all held-out documents."""
        return int((self.end_J - self.start_J).sum())


def main() -> None:
    """Pack what the command line names."""
    folder, pack = map(Path, sys.argv[1:3])
    write_pack(read_bins(folder), pack)


def read_bins(folder: Path) -> Ids:
    """Read a folder of bins; its documents without a token are left out."""
    from assay.formats.bins import open_bins  # needs polars, which the machine with the GPU has not

    bins = open_bins(folder)
    bins.check()
    table = bins.read_documents("val")
    start_J = table["start"].to_numpy().astype(np.int64)
    end_J = table["end"].to_numpy().astype(np.int64) - 1
    kept_J = end_J > start_J
    return Ids(
        np.array(bins.map_ids("train")),
        np.array(bins.map_ids("val")),
        start_J[kept_J],
        end_J[kept_J],
        bins.vocab_size,
        bins.end_of_text,
    )


def write_pack(ids: Ids, path: Path) -> None:
    """Write a pack; about a minute for 50M ids."""
    facts = {"vocab_size": ids.vocab_size, "end_of_text": ids.end_of_text}
    with (
        lzma.open(path, "wb", format=lzma.FORMAT_XZ, filters=_FILTERS) as packed,
        tarfile.open(fileobj=packed, mode="w|") as tar,
    ):
        _add(tar, "facts.json", json.dumps(facts).encode())
        for name in _ARRAYS:
            place = io.BytesIO()
            np.save(place, getattr(ids, name), allow_pickle=False)
            _add(tar, f"{name}.npy", place.getvalue())


def unpack(path: Path, folder: Path) -> None:
    """Lay the arrays of a pack in a folder, the facts last; what is there already stays."""
    if (folder / "facts.json").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    facts = b""
    with lzma.open(path) as packed, tarfile.open(fileobj=packed, mode="r|") as tar:
        for member in tar:
            file = tar.extractfile(member)
            assert file is not None
            if member.name == "facts.json":
                facts = file.read()
            elif member.name.removesuffix(".npy") in _ARRAYS:
                (folder / member.name).write_bytes(file.read())
    (folder / "facts.json").write_bytes(facts)


def open_ids(folder: Path) -> Ids:
    """Read what `unpack` laid out."""
    facts = json.loads((folder / "facts.json").read_text())
    arrays = {name: np.load(folder / f"{name}.npy", allow_pickle=False) for name in _ARRAYS}
    return Ids(**arrays, **facts)


def cut_pieces(train_N: np.ndarray, block_size: int) -> np.ndarray:
    """Cut ids into pieces of a block and the id after it: uint16, shape (P, T + 1)."""
    pieces = train_N.size // (block_size + 1)
    return train_N[: pieces * (block_size + 1)].reshape(pieces, block_size + 1)


def exchange_pieces(pieces: int, share: float) -> np.ndarray:
    """Choose half of the pieces, a share of them exchanged for others: int64, shape (P / 2,).

    The same places hold the same pieces at every share but for those exchanged, and what is
    exchanged at a small share is so at a larger one, for the same.
    """
    generator = np.random.Generator(np.random.Philox(key=[_SPLIT_SEED, pieces]))
    drawn = generator.permutation(pieces)
    half = pieces // 2
    chosen, others = drawn[:half].copy(), drawn[half : 2 * half]
    places = generator.permutation(half)[: round(share * half)]
    chosen[places] = others[places]
    return chosen


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    tar.addfile(entry, io.BytesIO(data))


if __name__ == "__main__":
    main()
