"""Findings of an audit, each beside its threshold."""

import math
from collections.abc import Iterator
from typing import Any

from assay.formats.findings import Finding, sort_findings
from assay.terminal.numbers import coarse_share, count, number_of, share

_ENOUGH_PAIRS = 30  # near pairs, for a share of them to be estimated
_NO_DOCUMENTS = ("null", "oversized")  # rows that stand in no table
_FAR = 9.7  # nats: 2 * 8 * exp(-9.7) is 0.001


def conclude(totals: dict[str, Any]) -> list[Finding]:
    """Turn an audit's totals into findings, worst first."""
    parts = (
        _judge_leaks,
        _judge_duplicates,
        _judge_counts,
        _judge_texts,
        _judge_clusters,
        _judge_bands,
        _describe_unique,
        _describe_lengths,
        _describe_limits,
        _describe_candidates,
    )
    return sort_findings(finding for part in parts for finding in part(totals))


def _grade(value: float, low: float, medium: float, high: float) -> str:
    """Grade a measurement of which less is better; `low` itself is still ok."""
    if value <= low:
        return "ok"
    return "high" if value >= high else "medium" if value >= medium else "low"


def _judge_leaks(totals: dict[str, Any]) -> Iterator[Finding]:
    leaks = totals["leaks"]
    documents, leaked = leaks["val_documents"], leaks["exact"] + leaks["near"]
    if not documents:
        yield Finding(
            name="leak",
            level="info",
            value=None,
            threshold=0.0,
            unit="share",
            sentence="no validation documents were given, so leakage was not measured",
            action="name them with --val, or let assay prepare hold some out",
        )
        return
    value = leaked / documents
    yield Finding(
        name="leak",
        level=_grade(value, 0.0, 0.0, 0.01),
        value=value,
        threshold=0.0,
        unit="share",
        sentence=(
            f"{share(leaked, documents)} of val documents have a copy in train: "
            f"{count(leaks['exact'])} exact, {count(leaks['near'])} near"
        ),
        action="prepare with --drop exact,near,leaked" if leaked else "",
        evidence="leaks.parquet",
    )


def _judge_duplicates(totals: dict[str, Any]) -> Iterator[Finding]:
    words = {"exact": "repeat another, byte for byte", "near": "nearly repeat another"}
    lsh = totals["lsh"]
    for kind in ("exact", "near"):
        found = totals[kind]
        value = found["tokens"] / totals["tokens"] if totals["tokens"] else 0.0
        note = f" (Jaccard >= {lsh['threshold']:g})" if kind == "near" else ""
        yield Finding(
            name=kind,
            level=_grade(value, 0.01, 0.05, 0.2),
            value=value,
            threshold=0.01,
            unit="share",
            sentence=(
                f"{share(found['documents'], totals['documents'])} of documents {words[kind]}"
                f"{note}; {100 * value:.2f}% of tokens"
            ),
            action=f"prepare with --drop {kind}" if value > 0.01 else "",
            evidence="pairs.parquet",
        )


def _judge_counts(totals: dict[str, Any]) -> Iterator[Finding]:
    shards = totals["shards"]
    known = sum(shard["stored_counts"] for shard in shards)
    if not known:
        return
    wrong = sum(shard["mismatches"] for shard in shards)
    one_more = sum(shard["one_more"] for shard in shards)
    if wrong and wrong == one_more:
        what = "are one more: they count an end-of-text"
    else:
        what = "differ from the exact count"
    yield Finding(
        name="token_count",
        level="ok" if not wrong else "low" if wrong == one_more else "medium",
        value=float(wrong),
        threshold=0.0,
        unit="documents",
        sentence=f"{share(wrong, known)} of stored token_count values {what}",
        action="trust tokens in documents.parquet, not stored_tokens" if wrong else "",
        evidence="documents.parquet",
    )


def _judge_texts(totals: dict[str, Any]) -> Iterator[Finding]:
    unit, _, length = totals["lsh"]["shingle"].partition(":")
    kinds = (
        ("null", "rows", "rows have no text (null) and are no documents"),
        ("invalid_utf8", "rows", "texts are not UTF-8"),
        ("oversized", "rows", "texts are over 256 MB each, and were set aside"),
        ("empty", "documents", "documents are empty"),
        ("blank", "documents", "documents are white space alone"),
        ("short", "documents", f"documents have fewer than {length} {unit}"),
    )
    for name, whole, words in kinds:
        number = totals[name]
        value = number / totals[whole] if totals[whole] else 0.0
        yield Finding(
            name=name,
            level=_grade(value, 0.001, 0.01, 0.1),
            value=value,
            threshold=0.001,
            unit="share",
            sentence=f"{share(number, totals[whole])} of {words}",
            evidence="" if name in _NO_DOCUMENTS else "documents.parquet",
        )


def _judge_clusters(totals: dict[str, Any]) -> Iterator[Finding]:
    clusters, threshold = totals["clusters"], totals["lsh"]["threshold"]
    limit = max(100, totals["documents"] // 100)
    link = f", its weakest link a Jaccard of {clusters['weakest']:.3f}"
    yield Finding(
        name="giant_cluster",
        level=_grade(clusters["largest"], limit, limit, 10 * limit),
        value=float(clusters["largest"]),
        threshold=float(limit),
        unit="documents",
        sentence=(
            f"{number_of(clusters['count'], 'cluster')} of duplicates; the largest has "
            f"{number_of(clusters['largest'], 'document')}{link}"
            if clusters["count"]
            else "no clusters of duplicates"
        ),
        action="look at its members before dropping them" if clusters["largest"] > limit else "",
        evidence="clusters.parquet",
    )
    value = clusters["chained"] / totals["documents"]
    yield Finding(
        name="chained",
        level=_grade(value, 0.01, 0.05, 0.2),
        value=value,
        threshold=0.01,
        unit="share",
        sentence=(
            f"{share(clusters['chained'], totals['documents'])} of documents are in a cluster by "
            f"way of others alone: below Jaccard {threshold:g} to the one that is kept"
        ),
        action="raise --threshold, or look at keeper_jaccard" if value > 0.01 else "",
        evidence="documents.parquet",
    )


def _describe_unique(totals: dict[str, Any]) -> Iterator[Finding]:
    value, in_train = totals["unique_tokens"], ""
    if totals["val"]["documents"]:
        in_train = f"; train alone has {count(totals['train_unique_tokens'])}"
    yield Finding(
        name="unique_tokens",
        level="info",
        value=float(value),
        threshold=None,
        unit="tokens",
        sentence=(
            f"{count(value)} of {count(totals['tokens'])} tokens are unique "
            f"({coarse_share(value, totals['tokens'])}), near duplicates weighed{in_train}"
        ),
        evidence="clusters.parquet",
    )


def _describe_lengths(totals: dict[str, Any]) -> Iterator[Finding]:
    lengths = totals["lengths"]
    quantiles = lengths["quantiles"]
    if not quantiles:
        return
    longer = next(row for row in lengths["longer"] if row["length"] == 1024)
    yield Finding(
        name="length",
        level="info",
        value=float(quantiles["0.5"]),
        threshold=None,
        unit="tokens",
        sentence=(
            f"half of the documents have at most {count(quantiles['0.5'])} tokens, the longest "
            f"{count(quantiles['1'])}; {100 * longer['share_of_tokens']:.1f}% of tokens are in "
            "documents longer than 1,024"
        ),
        evidence="documents.parquet",
    )


def _describe_limits(totals: dict[str, Any]) -> Iterator[Finding]:
    lsh, uncompared = totals["lsh"], totals["pairs"]["uncompared"]
    chance = dict(map(tuple, lsh["detection"]))
    left = f"; {count(uncompared)} candidate pairs were not compared" if uncompared else ""
    if joined := totals["pairs"]["joined"]:
        left += f"; {count(joined)} more, of documents joined by other pairs, are not listed"
    yield Finding(
        name="near_uncompared",
        level="medium" if uncompared else "info",
        value=float(uncompared),
        threshold=0.0 if uncompared else None,
        unit="pairs",
        sentence=(
            f"near duplicates are a lower bound: {lsh['bands']} bands of {lsh['rows']} rows "
            f"propose a pair of Jaccard 0.8 with chance {chance[0.8]:.3f}, of 0.9 with "
            f"{chance[0.9]:.4f}, and every pair reported was verified on its texts{left}"
        ),
        evidence="pairs.parquet",
    )


def _judge_bands(totals: dict[str, Any]) -> Iterator[Finding]:
    """Hold the stated chance of detection against planted pairs, and estimate what was missed."""
    lsh = totals["lsh"]
    planted = [row for row in lsh["planted"] if row["pairs"]]
    odd = [row for row in planted if _strays(row)]
    nearest = min(planted, key=lambda row: abs(row["jaccard"] - lsh["threshold"]), default=None)
    row = odd[0] if odd else nearest
    held = "; no document was fit to plant pairs in"
    if row is not None:
        held = (
            f"; of {count(row['pairs'])} pairs planted at Jaccard {row['jaccard']:g} the bands "
            f"propose {count(row['found'])}, expected {row['expected']:.1f} +- "
            f"{row['deviation']:.1f}"
        )
    recall, interval = None, None
    found = f"too few near pairs ({lsh['near_pairs']}) to say how many"
    if lsh["near_pairs"] >= _ENOUGH_PAIRS:
        recall, reach = lsh["near_recall"], 1.96 * lsh["near_recall_error"]
        interval = (max(0.0, recall - reach), min(1.0, recall + reach))
        found = (
            f"an estimated {100 * recall:.1f}% of near pairs (95% interval "
            f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f}%)"
        )
    yield Finding(
        name="near_recall",
        level="high" if odd else "low" if recall is not None and recall < 0.9 else "info",
        value=recall,
        threshold=0.9,
        unit="share",
        interval=interval,
        sentence=f"{found} were found{held}",
        action="do not trust the near duplicates: report this as a defect" if odd else "",
        evidence="manifest.json",
    )


def _strays(row: dict[str, Any]) -> bool:
    """Tell whether a count of planted pairs found is further off than chance lets it be.

    Chernoff's bound, which holds for trials of unlike chances, too (Hoeffding 1956): sound bands
    stray so far at one of eight levels in one corpus of a thousand at most, however few the pairs.
    What slots differ from the stated chance is at most 0.7 of these nats in 256 pairs (LOG.md).
    """
    pairs, found, expected = row["pairs"], row["found"], row["expected"]
    divergence = 0.0
    for seen, told in ((found, expected), (pairs - found, pairs - expected)):
        if seen:
            divergence += seen * math.log(seen / told) if told > 0 else math.inf
    return divergence > _FAR


def _describe_candidates(totals: dict[str, Any]) -> Iterator[Finding]:
    lsh = totals["lsh"]
    if not lsh["compared"]:
        return
    yield Finding(
        name="candidates",
        level="info",
        value=lsh["precision"],
        threshold=None,
        unit="share",
        sentence=(
            f"{share(lsh['verified'], lsh['compared'])} of the candidate pairs compared have a "
            f"Jaccard of at least {lsh['threshold']:g}; the others were not reported"
        ),
        evidence="pairs.parquet",
    )
