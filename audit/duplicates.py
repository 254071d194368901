"""Exact and near duplicates: group copies, propose pairs, verify them on the texts, cluster."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay.audit.corpus import Corpus
from assay.audit.shingles import list_shingles
from assay.documents import ShardReader
from assay.shards import Shard
from assay.tokenizer import Tokenizer


@dataclass(frozen=True, slots=True)
class Rule:
    """When two texts are near duplicates, and how pairs of them are proposed."""

    threshold: float
    bands: int
    rows: int


@dataclass(frozen=True, slots=True)
class Duplicates:
    """What N documents repeat. Positions are those of the corpus.

    Attributes:
        first_N: The first document with the same text; its own position where there is none.
        pair_P2: Verified near pairs of distinct texts, each by its first document; smaller first.
        jaccard_P: Their true Jaccard, at or over the threshold.
        cluster_N: The position of the first document of its cluster.
        keeper_N: Whether it is the one that its cluster keeps.
        keeper_jaccard_N: Its true Jaccard to that keeper; 1 for the keeper itself.
        num_candidates: Pairs that the bands proposed and that were compared.
        num_uncompared: Pairs that they proposed and that were not.
    """

    first_N: np.ndarray
    pair_P2: np.ndarray
    jaccard_P: np.ndarray
    cluster_N: np.ndarray
    keeper_N: np.ndarray
    keeper_jaccard_N: np.ndarray
    num_candidates: int
    num_uncompared: int


def group_copies(content_hash_N: np.ndarray, bytes_N: np.ndarray) -> np.ndarray:
    """Return, for each document, the first one with the same text; an empty one is its own."""
    halves = np.ascontiguousarray(content_hash_N).view("<u8").reshape(-1, 2)
    order = np.lexsort((halves[:, 1], halves[:, 0]))  # stable: the first of equals comes first
    same = (halves[order][1:] == halves[order][:-1]).all(axis=1)
    run = np.concatenate([[0], np.cumsum(~same)]) if order.size else order
    first_N = np.empty(order.size, np.int64)
    first_N[order] = order[np.searchsorted(run, run)]
    empty_N = bytes_N == 0
    first_N[empty_N] = np.flatnonzero(empty_N)
    return first_N


def find_duplicates(
    corpus: Corpus, shards: Sequence[Shard], tokenizer: Tokenizer, rule: Rule, threads: int
) -> Duplicates:
    first_N = group_copies(corpus.content_hash_N, corpus.bytes_N)
    n = corpus.num_documents
    eligible = np.flatnonzero((first_N == np.arange(n)) & (corpus.words_N > 0))
    cand: set[tuple[int, int]] = set()
    sig = corpus.signature_NP
    for band in range(rule.bands):
        block = np.ascontiguousarray(sig[eligible, band * rule.rows : (band + 1) * rule.rows])
        keys = block.view(np.dtype((np.void, block.shape[1] * 4))).ravel()
        _, inverse = np.unique(keys, return_inverse=True)
        order = np.argsort(inverse, kind="stable")
        cuts = np.flatnonzero(np.diff(inverse[order])) + 1
        for group in np.split(order, cuts):
            if 1 < group.size:
                members = eligible[group]
                for i in range(members.size):
                    cand.update((int(members[i]), int(x)) for x in members[i + 1 : 257])
    pairs = np.array(sorted(cand), np.int64).reshape(-1, 2)
    need = np.unique(pairs)
    sets: dict[int, set[int]] = {}
    readers = [ShardReader(s, tokenizer) for s in shards]
    starts = np.searchsorted(corpus.shard_N, np.arange(len(shards)))
    wanted = set(need.tolist())
    for s, shard in enumerate(shards):
        at = int(starts[s])
        for g in range(len(shard.groups)):
            for b in readers[s].read(g):
                for k in range(b.rows_N.size):
                    if at + k in wanted:
                        sets[at + k] = set(
                            list_shingles(b.data, b.offsets_N[k : k + 2]).tolist()
                        )
                at += b.rows_N.size

    def jac(a: int, b: int) -> float:
        shared = len(sets[a] & sets[b])
        return shared / (len(sets[a]) + len(sets[b]) - shared)

    jaccard = np.array([jac(a, b) for a, b in pairs.tolist()])
    keep = jaccard >= rule.threshold if len(pairs) else np.zeros(0, bool)
    pairs, near = pairs[keep], jaccard[keep]
    parent = first_N.copy()

    def find(x: int) -> int:
        while parent[x] != x:
            parent[x] = parent[parent[x]]
            x = int(parent[x])
        return x

    for a, b in pairs.tolist():
        a, b = find(a), find(b)
        parent[max(a, b)] = min(a, b)
    cluster = np.array([find(i) for i in range(n)])
    halves = np.ascontiguousarray(corpus.content_hash_N).view("<u8").reshape(-1, 2)
    order = np.lexsort((np.arange(n), halves[:, 1], halves[:, 0], -corpus.tokens_N, cluster))
    keeper = np.zeros(n, bool)
    keeper[order[np.r_[True, np.diff(cluster[order]) != 0]]] = True
    leader = np.zeros(n, np.int64)
    leader[cluster[keeper]] = np.flatnonzero(keeper)
    leader = leader[cluster]
    kj = np.ones(n)
    for i in np.flatnonzero(~keeper).tolist():
        a, b = int(first_N[i]), int(first_N[leader[i]])
        kj[i] = 1.0 if a == b else jac(a, b)
    return Duplicates(first_N, pairs, near, cluster, keeper, kj, len(cand), 0)
