"""Sections of an audit: what was found, and what was read."""

from collections.abc import Sequence

from assay.formats.audit_totals import AuditTotals, ShardTotals
from assay.formats.findings import Finding
from assay.reports.page.number_format import LEVEL_TONES, NO_VALUE, show_value
from assay.reports.page.page import Banner, Block, Facts, Mark, Note, Section, Table
from assay.reports.sources.sources import AuditContent, Source
from assay.reports.views.untold import count_documents
from assay.terminal.numbers import count, number_of
from assay.terminal.text import show_line

_CALM = ("info", "ok")
_UNMEASURED = "unmeasured"
MAX_SHARDS = 200  # rows of the table of shards; the rest is summed


def head_audit(source: Source[AuditContent]) -> Banner:
    """Say in a few words what an audit found, and its three worst findings."""
    totals, judged = source.content.totals, _list_judged(source)
    marks = tuple(
        Mark(
            LEVEL_TONES[finding.level],
            finding.level,
            show_line(finding.sentence, 500),
            show_line(finding.action, 300) if finding.action else "",
        )
        for finding in judged[:3]
    )
    word = f"{number_of(len(judged), 'finding')} to act on" if judged else "nothing to act on"
    if unmeasured := _list_unmeasured(source):
        word += f", {count(len(unmeasured))} not measured"
    return Banner(
        LEVEL_TONES[judged[0].level] if judged else "plain" if unmeasured else "good",
        word,
        f"audit {source.name}",
        f"{count(totals.tokens)} tokens; documents cannot be told apart."
        if totals.undivided
        else f"{count(totals.documents)} documents, {count(totals.tokens)} tokens, of which "
        f"{count(totals.unique_tokens)} are unique.",
        marks,
    )


def _list_judged(source: Source[AuditContent]) -> tuple[Finding, ...]:
    """List the findings beyond their threshold."""
    return tuple(
        each for each in source.content.findings if each.level not in (*_CALM, _UNMEASURED)
    )


def _list_unmeasured(source: Source[AuditContent]) -> tuple[Finding, ...]:
    """List the findings of what was not looked at."""
    return tuple(each for each in source.content.findings if each.level == _UNMEASURED)


def view_findings(audits: Sequence[Source[AuditContent]]) -> Section:
    """List every finding of every audit, worst first."""
    blocks: list[Block] = []
    for source in audits:
        caption = show_line(str(source.folder)) if len(audits) > 1 else ""
        worse = _list_judged(source)
        calm = tuple(each for each in source.content.findings if each.level in _CALM)
        unmeasured = _list_unmeasured(source)
        if worse:
            blocks.append(tabulate_findings(worse, caption))
        if unmeasured:
            blocks.append(tabulate_findings(unmeasured, "Not measured"))
        if calm:
            folded = f"{count(len(calm))} within their threshold, or without one"
            blocks.append(tabulate_findings(calm, caption, folded))
    judged = sum(len(_list_judged(source)) for source in audits)
    skipped = sum(len(_list_unmeasured(source)) for source in audits)
    left = f" {count(skipped)} not measured: nothing is said of them." if skipped else ""
    return Section(
        "findings",
        "Findings",
        (
            f"{count(judged)} beyond their threshold; worst first."
            if judged
            else "Nothing that was measured is beyond its threshold."
        )
        + left,
        tuple(blocks),
    )


def tabulate_findings(findings: tuple[Finding, ...], caption: str = "", folded: str = "") -> Table:
    """Lay findings out: level, sentence, value, threshold, what to do, name, evidence."""
    rows = []
    for finding in findings:
        value = show_value(finding, finding.value)
        if finding.interval is not None:
            ends = (show_value(finding, end) for end in finding.interval)
            low, high = (end.removesuffix(f" {finding.unit}") for end in ends)
            value += f" ({low} to {high})"
        rows.append(
            (
                finding.level,
                show_line(finding.sentence, 500),
                value,
                show_value(finding, finding.threshold),
                show_line(finding.action, 300) or NO_VALUE,
                show_line(finding.name, 40),
                show_line(finding.evidence, 100) or NO_VALUE,
            )
        )
    return Table(
        ("level", "finding", "value", "threshold", "what to do", "name", "evidence"),
        tuple(rows),
        frozenset({2, 3}),
        caption,
        tones=tuple(LEVEL_TONES[finding.level] for finding in findings),
        folded=folded,
    )


def view_shards(source: Source[AuditContent]) -> Section:
    """Show what was read: each shard, and what the rows were."""
    totals = source.content.totals
    aside = [
        Note(f"Set aside, not in any count: {show_line(line, 300)}", "warn")
        for line in totals.set_aside
    ]
    return Section(
        "shards",
        "Shards",
        f"{count_documents(totals, totals.documents)}, {count(totals.tokens)} tokens, "
        f"{count(totals.bytes)} bytes of text in {number_of(len(totals.shards), 'shard')}.",
        (
            *aside,
            tabulate_shards(totals),
            Facts(list_counts(totals, source.manifest.tokenizer)),
        ),
    )


def tabulate_shards(totals: AuditTotals) -> Table:
    """Lay shards out, in order; beyond 200, those whose stored counts are wrong come first."""
    shards = totals.shards
    caption = ""
    if len(shards) > MAX_SHARDS:
        shards = sorted(shards, key=lambda shard: -shard.mismatches)[:MAX_SHARDS]
        caption = f"{MAX_SHARDS} of {count(len(totals.shards))} shards; wrong token_count first."
    rows = [
        (
            show_line(shard.name, 120),
            shard.split,
            NO_VALUE if shard.undivided else count(shard.documents),
            count(shard.tokens),
            count(shard.bytes),
            f"{shard.bytes / shard.tokens:.2f}" if shard.tokens else NO_VALUE,
            judge_counts(shard),
        )
        for shard in shards
    ]
    strong = frozenset[int]()
    if len(totals.shards) > 1:
        per_token = f"{totals.bytes / totals.tokens:.2f}" if totals.tokens else NO_VALUE
        documents = NO_VALUE if totals.undivided else count(totals.documents)
        whole = (documents, count(totals.tokens), count(totals.bytes), per_token)
        rows.append(("all", "", *whole, ""))
        strong = frozenset({len(rows) - 1})
    return Table(
        ("shard", "split", "documents", "tokens", "bytes", "bytes/token", "stored token_count"),
        tuple(rows),
        frozenset({2, 3, 4, 5}),
        caption,
        strong,
    )


def judge_counts(shard: ShardTotals) -> str:
    """Say whether a shard's own `token_count` is right."""
    if not shard.stored_counts and not shard.stored_unreadable:
        return "none stored"
    unreadable = shard.stored_unreadable
    beside = f", {count(unreadable)} unreadable" if unreadable else ""
    if not shard.mismatches and not unreadable:
        return f"all {count(shard.stored_counts)} equal"
    note = ", by an end-of-text" if 0 < shard.one_more == shard.mismatches else ""
    stored = shard.stored_counts + unreadable
    return f"{count(shard.mismatches)} of {count(stored)} differ{note}{beside}"


def list_counts(
    totals: AuditTotals, tokenizer: dict[str, object] | None
) -> tuple[tuple[str, str], ...]:
    """Name what the rows were and how tokens were counted."""
    name = show_line(str((tokenizer or {}).get("name", "?")), 40)
    check = totals.tokenizer_check
    return (
        ("rows", count(totals.rows)),
        ("null texts (skipped)", count(totals.null)),
        ("empty", count(totals.empty)),
        ("white space alone", count(totals.blank)),
        (f"under {totals.lsh.shingles}", count(totals.short)),
        (
            "not UTF-8",
            f"{count(totals.invalid_utf8)}, {count(totals.dropped_invalid)} dropped",
        ),
        ("over 256 MB (skipped)", count(totals.oversized)),
        (
            "train",
            f"{count_documents(totals, totals.train.documents)}, "
            f"{count(totals.train.tokens)} tokens",
        ),
        (
            "val",
            f"{count_documents(totals, totals.val.documents)}, {count(totals.val.tokens)} tokens",
        ),
        (
            "tokenizer",
            f"{name} by {show_line(check.backend, 20)}; {number_of(check.documents, 'document')} "
            "encoded by tiktoken, too, and equal",
        ),
    )
