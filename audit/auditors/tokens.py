"""How long documents are, in tokens, and the shards' own `token_count` beside the exact counts."""

from collections.abc import Iterator

import numpy as np

from assay.formats.audit_totals import AuditTotals, LengthBin, Lengths, Longer
from assay.formats.findings import Finding, FindingKind
from assay.terminal.numbers import count, share

QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
BLOCKS = (256, 512, 1_024, 2_048, 4_096, 8_192)
LENGTH = FindingKind(
    name="length",
    measures="the median length of documents",
    unit="tokens",
    unmeasured="no documents",
    evidence="documents.parquet",
)
TOKEN_COUNT = FindingKind(
    name="token_count",
    measures="documents whose stored `token_count` differs from the exact count",
    unit="documents",
    levels="low where each is one more (an end-of-text), or none differs and some are unreadable, "
    "else medium over 0",
    unmeasured="no shard has a `token_count`, or none is an integer",
    by_document=False,
    evidence="documents.parquet",
)


def measure_lengths(tokens_N: np.ndarray) -> Lengths:
    """Measure lengths of documents, in tokens."""
    total = int(tokens_N.sum())
    return Lengths(
        mean=float(tokens_N.mean()) if tokens_N.size else 0.0,
        quantiles=_find_quantiles(tokens_N),
        histogram=_count_bins(tokens_N),
        longer=[_count_longer(tokens_N, block, total) for block in BLOCKS],
    )


def _find_quantiles(tokens_N: np.ndarray) -> dict[str, int]:
    if not tokens_N.size:
        return {}
    values = np.quantile(tokens_N, QUANTILES, method="inverted_cdf")
    return {f"{q:g}": int(value) for q, value in zip(QUANTILES, values, strict=True)}


def _count_bins(tokens_N: np.ndarray) -> list[LengthBin]:
    """Count documents of 0 tokens, of 1, of 2 to 3, of 4 to 7, ...: the bin is the bit length."""
    longest = int(tokens_N.max(initial=0))
    edges = [0, *(1 << bits for bits in range(longest.bit_length() + 1))]
    documents, _ = np.histogram(tokens_N, bins=edges)
    tokens, _ = np.histogram(tokens_N, bins=edges, weights=tokens_N)
    rows = zip(edges, edges[1:], documents.tolist(), tokens.tolist(), strict=False)
    return [LengthBin(first, below, number, int(inside)) for first, below, number, inside in rows]


def _count_longer(tokens_N: np.ndarray, block: int, total: int) -> Longer:
    longer_N = tokens_N > block
    tokens = int(tokens_N[longer_N].sum())
    return Longer(block, int(longer_N.sum()), tokens, tokens / total if total else 0.0)


def judge_lengths(totals: AuditTotals) -> Iterator[Finding]:
    """Yield the median length, where there are documents."""
    quantiles = totals.lengths.quantiles
    if not quantiles:
        return
    longer = next(row for row in totals.lengths.longer if row.length == 1024)
    yield LENGTH.find(
        float(quantiles["0.5"]),
        f"half of the documents have at most {count(quantiles['0.5'])} tokens, the longest "
        f"{count(quantiles['1'])}; {100 * longer.share_of_tokens:.1f}% of tokens are in documents "
        "longer than 1,024",
    )


def judge_stored_counts(totals: AuditTotals) -> Iterator[Finding]:
    """Yield the number of wrong stored counts, where any are stored."""
    known = sum(shard.stored_counts for shard in totals.shards)
    unreadable = sum(shard.stored_unreadable for shard in totals.shards)
    if not known:
        if unreadable:
            yield TOKEN_COUNT.skip(f"none of {count(unreadable)} stored values is an integer")
        return
    wrong = sum(shard.mismatches for shard in totals.shards)
    all_one_more = wrong == sum(shard.one_more for shard in totals.shards)
    one_more = "are one more: they count an end-of-text"
    what = one_more if wrong and all_one_more else "differ from the exact count"
    beside = f", {count(unreadable)} unreadable (no integers)" if unreadable else ""
    yield TOKEN_COUNT.find(
        float(wrong),
        f"{share(wrong, known + unreadable)} of stored token_count values {what}{beside}",
        action="trust tokens in documents.parquet, not stored_tokens",
        level="medium" if not all_one_more else "low" if wrong or unreadable else "ok",
        threshold=0.0,
    )
