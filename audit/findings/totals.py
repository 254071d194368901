"""Count what was found: the totals of an audit's manifest."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from assay.audit.duplicates.duplicates import Duplicates
from assay.audit.duplicates.leakage import Leaks
from assay.audit.findings.lengths import measure_lengths
from assay.audit.minhash.config import MinHashConfig
from assay.audit.pairs.planted_pairs import keep_one_a_cluster, tally_planted
from assay.audit.scan.corpus import Corpus
from assay.corpus.shards import Shard

_JACCARDS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)


def count_corpus(corpus: Corpus, shards: Sequence[Shard]) -> dict[str, Any]:
    """Count documents, bytes and tokens, by split and shard, and what is wrong with some.

    `empty` documents have no bytes, `blank` ones white space alone, `short` ones fewer words than
    a shingle; `null` rows have no text and are no documents.
    """
    totals: dict[str, Any] = {
        "rows": corpus.counts["num_rows"],
        "documents": corpus.num_documents,
        "null": corpus.counts["num_null"],
        "invalid_utf8": corpus.counts["num_invalid"],
        "dropped_invalid": corpus.counts["num_dropped"],
        "oversized": corpus.counts["num_oversized"],
        "empty": int((corpus.bytes_N == 0).sum()),
        "blank": int(corpus.blank_N.sum()),
        "short": int(corpus.short_N.sum()),
        "bytes": int(corpus.bytes_N.sum()),
        "tokens": int(corpus.tokens_N.sum()),
    }
    for split, here_N in (("train", ~corpus.val_N), ("val", corpus.val_N)):
        tokens = int(corpus.tokens_N[here_N].sum())
        totals[split] = {"documents": int(here_N.sum()), "tokens": tokens}
    totals["shards"] = [_count_shard(corpus, shard) for shard in shards]
    totals["lengths"] = measure_lengths(corpus.tokens_N)
    return totals


def _count_shard(corpus: Corpus, shard: Shard) -> dict[str, Any]:
    here = slice(*np.searchsorted(corpus.shard_N, [shard.index, shard.index + 1]).tolist())
    tokens_N = corpus.tokens_N[here]
    stored = corpus.stored_tokens.slice(here.start, here.stop - here.start)
    known_N = np.asarray(stored.is_valid())
    stored_N = np.asarray(stored.fill_null(0)).astype(np.int64)
    off_N = (stored_N - tokens_N)[known_N]
    return {
        "name": shard.name,
        "split": shard.split,
        "documents": int(tokens_N.size),
        "bytes": int(corpus.bytes_N[here].sum()),
        "tokens": int(tokens_N.sum()),
        "stored_counts": int(known_N.sum()),
        "stored_tokens": int(stored_N.sum()) if known_N.any() else None,
        "mismatches": int((off_N != 0).sum()),
        "one_more": int((off_N == 1).sum()),
    }


def count_duplicates(
    corpus: Corpus, duplicates: Duplicates, config: MinHashConfig
) -> dict[str, Any]:
    """Count repeats: documents and tokens that an earlier or longer text gives already.

    `chained` documents are in a cluster by way of others alone: their own Jaccard to its keeper is
    below the threshold. `weakest` is the weakest link of the largest cluster.
    """
    tokens_N = corpus.tokens_N
    repeat_N = duplicates.first_N != np.arange(corpus.num_documents)
    alike_N = ~duplicates.keeper_N & ~repeat_N
    sizes_N = np.bincount(duplicates.cluster_N, minlength=corpus.num_documents)
    largest = int(np.argmax(sizes_N))
    chained_N = duplicates.keeper_jaccard_N < config.threshold
    unique_N = weigh_unique(corpus, duplicates)
    return {
        "exact": {"documents": int(repeat_N.sum()), "tokens": int(tokens_N[repeat_N].sum())},
        "near": {"documents": int(alike_N.sum()), "tokens": int(tokens_N[alike_N].sum())},
        "clusters": {
            "count": int((sizes_N > 1).sum()),
            "largest": int(sizes_N[largest]),
            "weakest": float(duplicates.weakest_N[largest]),
            "chained": int(chained_N.sum()),
        },
        "unique_tokens": round(float(unique_N.sum())),
        "train_unique_tokens": round(float(unique_N[~corpus.val_N].sum())),
        "pairs": {
            "candidates": duplicates.num_candidates,
            "exact": int(repeat_N.sum()),
            "near": int(duplicates.jaccard_P.size),
            "unlisted": duplicates.num_unlisted,
            "joined": duplicates.num_joined,
            "uncompared": duplicates.num_uncompared,
        },
    }


def weigh_unique(corpus: Corpus, duplicates: Duplicates) -> np.ndarray:
    """Return what each document adds to the unique tokens: float64, (documents,).

    A keeper adds its tokens, another member of its cluster tokens x (1 - Jaccard to the keeper).
    """
    weight_N = np.where(duplicates.keeper_N, 1.0, 1.0 - duplicates.keeper_jaccard_N)
    return np.asarray(weight_N * corpus.tokens_N)


def count_leaks(corpus: Corpus, leaks: Leaks) -> dict[str, int]:
    """Count leaked validation documents by tier, and the tokens that they hold."""
    return {
        "val_documents": int(corpus.val_N.sum()),
        "exact": int(leaks.exact_L.sum()),
        "near": int((~leaks.exact_L).sum()),
        "tokens": int(corpus.tokens_N[leaks.val_L].sum()),
    }


def describe_detection(
    corpus: Corpus, duplicates: Duplicates, config: MinHashConfig
) -> dict[str, Any]:
    """State what the bands can find, and measure it.

    `detection` is the chance of proposing a pair, by its Jaccard. `planted` holds that against
    pairs made for the purpose (`audit.planted`). `near_recall` is the share found of the pairs
    with threshold <= J < 1: each pair found, by its chance of being found, stands for 1 / chance
    pairs that are there (Horvitz and Thompson 1952); `near_recall_error` is the standard error that
    follows from the same chances. `precision` is the share of the compared
    candidates that met the threshold.
    """
    curve = [[jaccard, config.detect(jaccard)] for jaccard in _JACCARDS]
    near_P = duplicates.jaccard_P[duplicates.jaccard_P < 1]
    recall, error = estimate_recall(near_P, config)
    compared = duplicates.num_candidates
    planted = keep_one_a_cluster(corpus.planted, corpus.content_hash_N, duplicates.cluster_N)
    return {
        **config.describe(),
        "detection": curve,
        "planted": tally_planted(planted, config),
        "near_pairs": int(near_P.size),
        "near_recall": recall,
        "near_recall_error": error,
        "compared": compared,
        "verified": duplicates.num_verified,
        "precision": duplicates.num_verified / compared if compared else None,
    }


def estimate_recall(
    jaccard_P: np.ndarray, config: MinHashConfig
) -> tuple[float, float] | tuple[None, None]:
    """Estimate the share found of the pairs that are there, from the Jaccard of those found.

    Each stands for 1 / chance pairs (Horvitz and Thompson 1952). Returns the share and its standard
    error; sums are exact, so that they do not depend on the order of the pairs.
    """
    if not jaccard_P.size:
        return None, None
    chances = [config.detect(jaccard) for jaccard in jaccard_P.tolist()]
    there = math.fsum(1 / chance for chance in chances)
    spread = math.sqrt(math.fsum((1 - chance) / chance**2 for chance in chances))
    return jaccard_P.size / there, jaccard_P.size * spread / there**2
