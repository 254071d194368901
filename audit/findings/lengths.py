"""How long documents are, in tokens."""

from typing import Any

import numpy as np

QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
BLOCKS = (256, 512, 1_024, 2_048, 4_096, 8_192)


def measure_lengths(tokens_N: np.ndarray) -> dict[str, Any]:
    """Measure lengths of documents, in tokens.

    Returns:
        `mean`; `quantiles`, as the lengths of real documents (the smallest that at least this
        share of documents do not exceed); `histogram`, rows of (from, below, documents, tokens)
        with bins that double; `longer`, rows of (L, documents, tokens) of documents longer than
        L, and `share_of_tokens` they hold.
    """
    total = int(tokens_N.sum())
    return {
        "mean": float(tokens_N.mean()) if tokens_N.size else 0.0,
        "quantiles": _find_quantiles(tokens_N),
        "histogram": _count_bins(tokens_N),
        "longer": [_count_longer(tokens_N, block, total) for block in BLOCKS],
    }


def _find_quantiles(tokens_N: np.ndarray) -> dict[str, int]:
    if not tokens_N.size:
        return {}
    values = np.quantile(tokens_N, QUANTILES, method="inverted_cdf")
    return {f"{q:g}": int(value) for q, value in zip(QUANTILES, values, strict=True)}


def _count_bins(tokens_N: np.ndarray) -> list[dict[str, int]]:
    """Count documents of 0 tokens, of 1, of 2 to 3, of 4 to 7, ...: the bin is the bit length."""
    longest = int(tokens_N.max(initial=0))
    edges = [0, 1]
    while edges[-1] <= longest:
        edges.append(edges[-1] * 2)
    documents, _ = np.histogram(tokens_N, bins=edges)
    tokens, _ = np.histogram(tokens_N, bins=edges, weights=tokens_N)
    rows = zip(edges, edges[1:], documents.tolist(), tokens.tolist(), strict=False)
    return [{"from": a, "below": b, "documents": n, "tokens": int(t)} for a, b, n, t in rows]


def _count_longer(tokens_N: np.ndarray, block: int, total: int) -> dict[str, Any]:
    longer_N = tokens_N > block
    tokens = int(tokens_N[longer_N].sum())
    return {
        "length": block,
        "documents": int(longer_N.sum()),
        "tokens": tokens,
        "share_of_tokens": tokens / total if total else 0.0,
    }
