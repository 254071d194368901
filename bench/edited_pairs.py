"""Real documents, each beside a copy edited to about a wished Jaccard, and their true Jaccard."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from assay.audit.pairs.jaccard import make_sets, measure_pairs
from bench.planted import edit_words, has_enough_words

_LONGEST = 20_000  # characters; longer documents would only take longer
_POOL_TEXTS = 500


@dataclass(frozen=True, slots=True)
class EditedPairs:
    """P pairs: document i and document P + i of one buffer, and the Jaccard of their sets."""

    texts: list[str]
    data: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    jaccard_P: NDArray[np.float64]

    @property
    def num_pairs(self) -> int:
        """How many pairs."""
        return self.jaccard_P.size


def choose_share(jaccard: float) -> float:
    """Return the share of words to edit so that about `jaccard` is left of sets of five words.

    >>> round(choose_share(0.8), 4)
    0.0233
    """
    left: float = (2 * jaccard / (1 + jaccard)) ** (1 / 5)
    return 1 - left


def read_texts(shards: Sequence[Path], number: int) -> list[str]:
    """Return the first `number` different documents of 50 words to 20,000 characters.

    Raises:
        ValueError: There are fewer.
    """
    texts: dict[str, None] = {}
    for path in shards:
        for text in pq.read_table(path, columns=["text"])["text"].to_pylist():
            if text and len(text) <= _LONGEST and has_enough_words(text):
                texts.setdefault(text)
            if len(texts) == number:
                return list(texts)
    raise ValueError(f"the shards have {len(texts):,} such documents, needed {number:,}")


def edit_pairs(texts: Sequence[str], wished: Sequence[float], *, seed: int = 1) -> EditedPairs:
    """Pair each text with a copy of itself, edited to about the Jaccard wished for it.

    `wished` repeats as often as needed. The true Jaccard is counted on the sets of shingles.
    """
    rng = random.Random(seed)
    pool = [word for text in texts[:_POOL_TEXTS] for word in text.split()]
    shares = [choose_share(jaccard) for jaccard in wished]
    copies = [
        edit_words(text, shares[nth % len(shares)], pool=pool, rng=rng)
        for nth, text in enumerate(texts)
    ]
    return _pair(texts, copies)


def edit_near_pairs(shards: Sequence[Path], number: int, *, seed: int = 2) -> EditedPairs:
    """Return the first `number` edited pairs with 0.8 <= J < 1, spread evenly over that.

    Raises:
        ValueError: The shards have too few documents: of two pairs made, more than one serves.
    """
    texts = read_texts(shards, 2 * number)
    made = edit_pairs(texts, np.linspace(0.78, 0.995, 97).tolist(), seed=seed)
    near = np.flatnonzero((made.jaccard_P >= 0.8) & (made.jaccard_P < 1))[:number].tolist()
    if len(near) < number:
        raise ValueError(f"{len(near):,} of {made.num_pairs:,} pairs serve, needed {number:,}")
    copies = made.texts[made.num_pairs :]
    return _pair([texts[place] for place in near], [copies[place] for place in near])


def _pair(texts: Sequence[str], copies: Sequence[str]) -> EditedPairs:
    encoded = [text.encode() for text in [*texts, *copies]]
    offsets = np.append(0, np.cumsum([len(raw) for raw in encoded])).astype(np.int64)
    data = np.frombuffer(b"".join(encoded), np.uint8)
    sets = make_sets(data, offsets)
    pair_P2 = np.stack([np.arange(len(texts)), np.arange(len(texts)) + len(texts)], axis=1)
    return EditedPairs([*texts, *copies], data, offsets, measure_pairs(sets, pair_P2))
