"""The shards' own `token_count`, beside the exact counts."""

from collections.abc import Iterator

from assay.formats.audit_totals import AuditTotals
from assay.formats.findings import Finding, FindingKind
from assay.terminal.numbers import share

TOKEN_COUNT = FindingKind(
    name="token_count",
    measures="documents whose stored `token_count` differs from the exact count",
    unit="documents",
    levels="low where each is one more (an end-of-text), else medium over 0",
    unmeasured="no shard has a `token_count`",
    evidence="documents.parquet",
)
KINDS = (TOKEN_COUNT,)


def judge(totals: AuditTotals) -> Iterator[Finding]:
    """Yield the number of wrong stored counts, where any are stored."""
    known = sum(shard.stored_counts for shard in totals.shards)
    if not known:
        return
    wrong = sum(shard.mismatches for shard in totals.shards)
    all_one_more = wrong == sum(shard.one_more for shard in totals.shards)
    what = "differ from the exact count"
    if wrong and all_one_more:
        what = "are one more: they count an end-of-text"
    yield TOKEN_COUNT.find(
        float(wrong),
        f"{share(wrong, known)} of stored token_count values {what}",
        action="trust tokens in documents.parquet, not stored_tokens",
        level="ok" if not wrong else "low" if all_one_more else "medium",
        threshold=0.0,
    )
