"""Corpora made of clusters, and all near pairs of a corpus by exhaustive search.

Four kinds of cluster, sizes drawn from 2 to 50: copies of one text with words exchanged, each by
its own measure (*star*), copies of copies (*chain*), one template of few words with a number in it
(*template*), and a star of which each text stands with commas, too (*echo*: equal shingles).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix  # type: ignore[import-untyped,unused-ignore]

KINDS = ("star", "chain", "template", "echo")


def make_clusters(seed: int, kinds: Sequence[str] = KINDS, *, most: int = 50) -> list[str]:
    """Make 5 to 40 clusters of 2 to `most` texts, half as many texts that repeat none, shuffled."""
    generator = np.random.default_rng(seed)
    texts: list[str] = []
    for _ in range(int(generator.integers(5, 41))):
        kind = kinds[int(generator.integers(len(kinds)))]
        size = int(2 + (most - 1) * generator.random() ** 2)  # small ones more often, as they are
        texts += _make_cluster(kind, size, generator)
    texts += [" ".join(_draw_words(generator, 120)) for _ in range(len(texts) // 2)]
    return [texts[place] for place in generator.permutation(len(texts))]


def make_sharing(seed: int, number: int, *, shared: float = 2 / 3) -> list[str]:
    """Make texts of 150 to 450 words that share a first part, `shared` of the longest."""
    generator = np.random.default_rng(seed)
    length = int(generator.integers(150, 451))
    base = _draw_words(generator, int(length * shared))
    return [" ".join(base + _draw_words(generator, length - len(base))) for _ in range(number)]


def _draw_words(generator: np.random.Generator, number: int) -> list[str]:
    return [f"w{word}" for word in generator.integers(50_000, size=number).tolist()]


def _make_cluster(kind: str, size: int, generator: np.random.Generator) -> list[str]:
    if kind == "template":
        base = _draw_words(generator, int(generator.integers(12, 30)))
        return [" ".join([f"n{number}", *base, f"m{number % 3}"]) for number in range(size)]
    base = _draw_words(generator, int(generator.integers(60, 400)))
    most = generator.uniform(0.005, 0.05)  # of the words; each takes five shingles
    texts = []
    for _ in range(size):
        words = list(base)
        share = generator.uniform(0.004, 0.02) if kind == "chain" else generator.uniform(0, most)
        for place in np.flatnonzero(generator.random(len(words)) < share).tolist():
            words[place] = _draw_words(generator, 1)[0]
        if kind == "chain":
            base = words
        texts.append(" ".join(words))
        if kind == "echo":
            texts.append(", ".join(words))
    return texts[:size]


def find_near_pairs(texts: Sequence[str], threshold: float = 0.8) -> set[tuple[int, int]]:
    """Find all pairs with threshold <= J < 1 of distinct texts, the first of each text alone.

    Shares nothing with the audit: shingles are tuples of five words of ASCII letters and numbers,
    and all pairs that share one are counted by a product of sparse matrices.
    """
    first: dict[str, int] = {}
    rows = [row for row, text in enumerate(texts) if first.setdefault(text, row) == row]
    numbers: dict[tuple[str, ...], int] = {}
    documents, shingles = [], []
    sizes = np.zeros(len(rows), np.int64)
    for place, row in enumerate(rows):
        words = texts[row].replace(",", " ").split()
        own = {tuple(words[at : at + 5]) for at in range(max(1, len(words) - 4))}
        sizes[place] = len(own)
        documents += [place] * len(own)
        shingles += [numbers.setdefault(shingle, len(numbers)) for shingle in own]
    holds = csr_matrix((np.ones(len(shingles), np.int32), (documents, shingles)))
    both = (holds @ holds.T).tocoo()
    jaccard = both.data / (sizes[both.row] + sizes[both.col] - both.data)
    near = (both.row < both.col) & (jaccard >= threshold) & (jaccard < 1)
    pairs: NDArray[np.int64] = np.stack([both.row[near], both.col[near]], axis=1)
    return {(rows[a], rows[b]) for a, b in pairs.tolist()}
