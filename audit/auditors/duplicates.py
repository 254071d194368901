"""Documents that repeat another, exactly or nearly, their clusters, and what is left of them."""

from collections.abc import Iterator

import msgspec

from assay.formats.audit_totals import AuditTotals, Part
from assay.formats.findings import Finding, FindingKind
from assay.terminal.numbers import coarse_share, count, number_of, share

_LIMITS = (0.01, 0.05, 0.2)
_DROP = "prepare with --drop {}"
EXACT = FindingKind(
    name="exact",
    measures="tokens of documents whose text another document has, byte for byte",
    of="tokens",
    limits=_LIMITS,
    evidence="pairs.parquet",
)
NEAR = FindingKind(
    name="near",
    measures="tokens of documents that nearly repeat one that stays (by component: of clusters "
    "beside the one kept); a lower bound",
    of="tokens",
    limits=_LIMITS,
    unmeasured="fewer than two documents have words",
    evidence="pairs.parquet",
)
GIANT_CLUSTER = FindingKind(
    name="giant_cluster",
    measures="documents of the largest cluster of duplicates",
    unit="documents",
    levels="medium over 1% of documents (and over 100), high from ten times that",
    evidence="clusters.parquet",
)
CHAINED = FindingKind(
    name="chained",
    measures="documents linked to the first of their cluster only through others, below the "
    "threshold to it",
    of="documents",
    levels="info, as each goes only for one that it repeats itself; by component low over 1%, "
    "medium from 5%, high from 20%",
    evidence="documents.parquet",
)
UNIQUE_TOKENS = FindingKind(
    name="unique_tokens",
    measures="tokens of documents that stay, and of near duplicates what they add to the one that "
    "they repeat most; train's are judged among train's documents; repeats below the "
    "level of documents are not in it",
    unit="tokens",
    evidence="clusters.parquet",
)


def judge_copies(totals: AuditTotals) -> Iterator[Finding]:
    """Yield the shares of tokens in documents that repeat another."""
    yield _judge_part(EXACT, totals, totals.exact, "repeat another, byte for byte")
    if totals.documents - totals.empty - totals.wordless >= 2:
        yield _judge_near(totals)


def _judge_near(totals: AuditTotals) -> Finding:
    """Judge near duplicates: never "ok" where some candidates were not compared."""
    words = f"nearly repeat another (Jaccard >= {totals.lsh.threshold:g})"
    finding = _judge_part(NEAR, totals, totals.near, words)
    left, sentence = totals.pairs.uncompared, finding.sentence
    if totals.wordless:
        sentence += f"; {number_of(totals.wordless, 'document')} without words cannot be compared"
    if not left:
        return msgspec.structs.replace(finding, sentence=sentence)
    return msgspec.structs.replace(
        finding,
        level="low" if finding.level == "ok" else finding.level,
        sentence=f"at least {sentence}; {number_of(left, 'candidate pair')} were not compared",
        action=finding.action or _DROP.format(NEAR.name),
    )


def _judge_part(kind: FindingKind, totals: AuditTotals, found: Part, words: str) -> Finding:
    value = found.tokens / totals.tokens if totals.tokens else 0.0
    return kind.find(
        value,
        f"{share(found.documents, totals.documents)} of documents {words}; "
        f"{100 * value:.2f}% of tokens",
        action=_DROP.format(kind.name),
    )


def judge_clusters(totals: AuditTotals) -> Iterator[Finding]:
    """Yield the size of the largest cluster, and the share of chained documents."""
    clusters = totals.clusters
    limit = max(100, totals.documents // 100)
    yield GIANT_CLUSTER.find(
        float(clusters.largest),
        f"{number_of(clusters.count, 'cluster')} of duplicates; the largest has "
        f"{number_of(clusters.largest, 'document')}, its weakest link a Jaccard of "
        f"{clusters.weakest:.3f}"
        if clusters.count
        else "no clusters of duplicates",
        action="look at its members before dropping them",
        level=GIANT_CLUSTER.grade(clusters.largest, (limit, limit, 10 * limit)),
        threshold=float(limit),
    )
    yield _judge_chained(totals)


def _judge_chained(totals: AuditTotals) -> Finding:
    chained, threshold = totals.clusters.chained, totals.lsh.threshold
    value = chained / totals.documents
    linked = f"{share(chained, totals.documents)} of documents are linked to"
    if totals.lsh.near == "keeper":
        return CHAINED.find(
            value,
            f"{linked} the first of their cluster only through others: below Jaccard "
            f"{threshold:g} to it; a document goes only for one that it nearly repeats itself",
        )
    return CHAINED.find(
        value,
        f"{linked} the kept document only through others: below Jaccard {threshold:g} to it",
        action="audit with --near keeper, which keeps them unless they repeat another that stays",
        level=CHAINED.grade(value, _LIMITS),
        threshold=_LIMITS[0],
    )


def judge_unique(totals: AuditTotals) -> Iterator[Finding]:
    """Yield the number of unique tokens."""
    value, in_train = totals.unique_tokens, ""
    if totals.val.documents:
        in_train = f"; train alone has {count(totals.train_unique_tokens)}"
    yield UNIQUE_TOKENS.find(
        float(value),
        f"{count(value)} of {count(totals.tokens)} tokens are unique "
        f"({coarse_share(value, totals.tokens)}), near duplicates weighed{in_train}; "
        "repeats within documents are not in it",
    )
