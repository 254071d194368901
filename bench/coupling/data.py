"""What the pairs of runs are trained on: packs of ids, and datasets made of their documents.

    python -m bench.coupling.data BINS NEWS_BINS FOLDER

BINS holds encyclopedia articles (those of the recipe's search), NEWS_BINS short news. FOLDER gets
two packs: half of the articles and some held-out documents, and part of the news.
"""

# N = ids, D = documents, J = held-out documents

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from assay.train.data.shared_documents import BinDocuments
from bench.recipe.data import Ids, read_bins, write_pack

ARTICLES, NEWS = "articles.tar.xz", "news.tar.xz"
_POOL, _NEWS, _HELD_OUT = 25_000_000, 2_200_000, 1_000_000  # ids of each that are packed
_SEED = 20_261_129
Documents = list[np.ndarray]


@dataclass(frozen=True, slots=True)
class Dataset:
    """A training bin in memory: its ids, and where its documents lie."""

    ids_N: np.ndarray
    documents: BinDocuments


def main() -> None:
    """Write the packs that the command line names."""
    bins, news, folder = map(Path, sys.argv[1:4])
    folder.mkdir(parents=True, exist_ok=True)
    write_pack(_cut(read_bins(bins), _POOL, _HELD_OUT), folder / ARTICLES)
    write_pack(_cut(read_bins(news), _NEWS, 0), folder / NEWS)


def split_documents(ids_N: np.ndarray, end_of_text: int) -> Documents:
    """Split ids after each end-of-text."""
    ends = np.flatnonzero(ids_N == end_of_text) + 1
    return [part for part in np.split(ids_N, ends) if part.size]


def make_dataset(documents: Sequence[np.ndarray]) -> Dataset:
    """Lay documents down in the order of their content's hash, as `assay prepare` does."""
    hashed = sorted(
        (hashlib.blake2b(part.tobytes(), digest_size=16).digest(), n)
        for n, part in enumerate(documents)
    )
    ids_N = np.concatenate([documents[n] for _, n in hashed])
    end_D = np.cumsum([documents[n].size for _, n in hashed])
    hash_D2 = np.frombuffer(b"".join(digest for digest, _ in hashed), np.uint64).reshape(-1, 2)
    return Dataset(ids_N, BinDocuments(np.concatenate([[0], end_D[:-1]]), end_D, hash_D2))


def make_mixture(articles: Documents, news: Documents, size: int) -> tuple[Dataset, Dataset]:
    """Make two datasets of `size` ids: articles, and the same with a fifth exchanged for news."""
    generator = np.random.Generator(np.random.Philox(key=[_SEED, 0]))
    kept, place = _take(articles, generator.permutation(len(articles)), round(0.8 * size))
    own, _ = _take(articles, place, size - _count(kept))
    other, _ = _take(news, generator.permutation(len(news)), size - _count(kept))
    return make_dataset(kept + own), make_dataset(kept + other)


def make_null(pool: Documents, size: int, share: float, pair: int) -> tuple[Dataset, Dataset]:
    """Draw two datasets of `size` ids from one pool, a share of it in both."""
    generator = np.random.Generator(np.random.Philox(key=[_SEED, 1 + pair]))
    both, rest = _take(pool, generator.permutation(len(pool)), round(share * size))
    one, rest = _take(pool, rest, size - _count(both))
    two, _ = _take(pool, rest, size - _count(both))
    return make_dataset(both + one), make_dataset(both + two)


def _take(documents: Documents, order: np.ndarray, size: int) -> tuple[Documents, np.ndarray]:
    """Take documents in an order until they have `size` ids; return what of the order is left."""
    taken, held = 0, 0
    while held < size:
        if taken == order.size:
            raise ValueError(f"the documents have {held:,} ids, {size:,} were asked for")
        held += documents[order[taken]].size
        taken += 1
    return [documents[n] for n in order[:taken].tolist()], order[taken:]


def _count(documents: Documents) -> int:
    return sum(part.size for part in documents)


def _cut(ids: Ids, train: int, held_out: int) -> Ids:
    """Keep the first documents, of so many ids; of the held-out ones as many as are asked for."""
    ends = np.flatnonzero(ids.train_N == ids.end_of_text) + 1
    last = min(int(np.searchsorted(ends, train)), ends.size - 1)
    train_N = ids.train_N[: int(ends[last])]
    kept = int(np.searchsorted(ids.end_J, held_out))
    end = int(ids.end_J[kept - 1]) + 1 if kept else 0
    return replace(
        ids,
        train_N=train_N,
        val_V=ids.val_V[:end],
        start_J=ids.start_J[:kept],
        end_J=ids.end_J[:kept],
    )


if __name__ == "__main__":
    main()
