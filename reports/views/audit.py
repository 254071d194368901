"""Sections of an audit: what was read, and how long documents are."""

from assay.formats.audit_totals import AuditTotals, Lengths, ShardTotals
from assay.formats.findings import Finding
from assay.reports.page.charts import name_lengths, plot_bars, plot_lengths
from assay.reports.page.number_format import LEVEL_TONES, NO_VALUE, percent, show_value
from assay.reports.page.page import Block, Chart, Facts, Note, Section, Table
from assay.reports.sources.sources import AuditSource
from assay.storage.manifest import FileEntry
from assay.terminal.numbers import count, number_of
from assay.terminal.text import show_line

MAX_SHARDS = 200  # rows of the table of shards; the rest is summed


def view_findings(audits: tuple[AuditSource, ...]) -> Section:
    """List every finding of every audit, worst first."""
    blocks: list[Block] = []
    for source in audits:
        caption = show_line(str(source.audit.folder)) if len(audits) > 1 else ""
        calm = tuple(f for f in source.findings if f.level in ("info", "ok"))
        worse = tuple(f for f in source.findings if f.level not in ("info", "ok"))
        if worse:
            blocks.append(tabulate_findings(worse, caption))
        if calm:
            folded = f"{count(len(calm))} within their threshold, or without one"
            blocks.append(tabulate_findings(calm, caption, folded))
    judged = [f for source in audits for f in source.findings if f.level not in ("info", "ok")]
    lead = (
        f"{count(len(judged))} beyond their threshold; worst first."
        if judged
        else "Nothing is beyond its threshold."
    )
    return Section("findings", "Findings", lead, tuple(blocks))


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
    columns = ("level", "finding", "value", "threshold", "what to do", "name", "evidence")
    tones = tuple(LEVEL_TONES[finding.level] for finding in findings)
    return Table(columns, tuple(rows), frozenset({2, 3}), caption, tones=tones, folded=folded)


def view_shards(source: AuditSource) -> Section:
    """Show what was read: each shard, and what the rows were."""
    totals = source.totals
    blocks: list[Block] = [
        tabulate_shards(totals),
        Facts(list_counts(totals, source.audit.manifest.tokenizer)),
    ]
    aside: list[Block] = [
        Note(f"Set aside, not in any count: {show_line(line, 300)}", "warn")
        for line in totals.set_aside
    ]
    lead = (
        f"{count(totals.documents)} documents, {count(totals.tokens)} tokens, "
        f"{count(totals.bytes)} bytes of text in {count(len(totals.shards))} "
        f"{'shard' if len(totals.shards) == 1 else 'shards'}."
    )
    return Section("shards", "Shards", lead, (*aside, *blocks))


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
            count(shard.documents),
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
        whole = (count(totals.documents), count(totals.tokens), count(totals.bytes), per_token)
        rows.append(("all", "", *whole, ""))
        strong = frozenset({len(rows) - 1})
    columns = (
        "shard",
        "split",
        "documents",
        "tokens",
        "bytes",
        "bytes/token",
        "stored token_count",
    )
    return Table(columns, tuple(rows), frozenset({2, 3, 4, 5}), caption, strong)


def judge_counts(shard: ShardTotals) -> str:
    """Say whether a shard's own `token_count` is right."""
    if not shard.stored_counts:
        return "none stored"
    if not shard.mismatches:
        return f"all {count(shard.stored_counts)} equal"
    note = ", by an end-of-text" if shard.one_more == shard.mismatches else ""
    return f"{count(shard.mismatches)} of {count(shard.stored_counts)} differ{note}"


def list_counts(
    totals: AuditTotals, tokenizer: dict[str, object] | None
) -> tuple[tuple[str, str], ...]:
    """Name what the rows were and how tokens were counted."""
    name = show_line(str((tokenizer or {}).get("name", "?")), 40)
    check = totals.tokenizer_check
    return (
        ("rows", count(totals.rows)),
        ("null texts (no documents)", count(totals.null)),
        ("empty", count(totals.empty)),
        ("white space alone", count(totals.blank)),
        (f"under {totals.lsh.shingles}", count(totals.short)),
        ("not UTF-8", f"{count(totals.invalid_utf8)}, {count(totals.dropped_invalid)} left out"),
        ("over 256 MB (set aside)", count(totals.oversized)),
        (
            "train",
            f"{count(totals.train.documents)} documents, {count(totals.train.tokens)} tokens",
        ),
        ("val", f"{count(totals.val.documents)} documents, {count(totals.val.tokens)} tokens"),
        (
            "tokenizer",
            f"{name} by {show_line(check.backend, 20)}; {number_of(check.documents, 'document')} "
            "encoded by tiktoken, too, and equal",
        ),
    )


def view_lengths(source: AuditSource) -> Section:
    """Show lengths in tokens: quantiles, histogram, and where the tokens are."""
    lengths = source.totals.lengths
    if not lengths.quantiles:
        return Section("lengths", "Lengths", "No documents.", ())
    half, longest = lengths.quantiles.get("0.5", 0), lengths.quantiles.get("1", 0)
    lead = (
        f"Half of the documents have at most {count(half)} tokens; the mean is "
        f"{lengths.mean:,.0f}, the longest has {count(longest)}."
    )
    return Section(
        "lengths", "Lengths", lead, (tabulate_quantiles(lengths), *_draw_lengths(lengths))
    )


def tabulate_quantiles(lengths: Lengths) -> Table:
    """Lay quantiles out in one row: lengths of real documents, in tokens."""
    names = {"0": "shortest", "0.5": "median", "1": "longest"}
    columns = tuple(
        names.get(q, f"{float(q):.0%}" if float(q) > 0 else q) for q in lengths.quantiles
    )
    cells = tuple(count(value) for value in lengths.quantiles.values())
    return Table(
        columns, (cells,), frozenset(range(len(cells))), "Tokens; so many percent are no longer."
    )


def _draw_lengths(lengths: Lengths) -> tuple[Chart, ...]:
    shown = lengths.histogram
    while len(shown) > 1 and not shown[0].documents:
        shown = shown[1:]
    documents = sum(part.documents for part in shown)
    tokens = sum(part.tokens for part in shown)
    rows = tuple(
        (
            name_lengths(part),
            count(part.documents),
            percent(part.documents, documents),
            count(part.tokens),
            percent(part.tokens, tokens),
        )
        for part in shown
    )
    columns = ("length", "documents", "share", "tokens", "share of tokens")
    histogram = Chart(
        "Documents and tokens by length; each bin is twice as wide as the one before",
        plot_lengths(shown),
        Table(columns, rows, frozenset({0, 1, 2, 3, 4})),
    )
    bars = [
        (
            f"{row.length:,}",
            row.share_of_tokens,
            f"longer than {row.length:,}: {row.share_of_tokens:.2%} of tokens",
        )
        for row in lengths.longer
    ]
    longer = Chart(
        "Share of tokens in documents longer than a block: what a context of that size cuts",
        plot_bars(bars, "share of tokens in longer documents", form=".0%"),
        Table(
            ("longer than", "documents", "tokens", "share of tokens"),
            tuple(
                (
                    count(r.length),
                    count(r.documents),
                    count(r.tokens),
                    f"{100 * r.share_of_tokens:.2f}%",
                )
                for r in lengths.longer
            ),
            frozenset({0, 1, 2, 3}),
        ),
    )
    return histogram, longer


def tabulate_inputs(entries: list[FileEntry]) -> Table:
    """Lay input files out with rows, size and sha256."""
    shown = entries[:MAX_SHARDS]
    more = len(entries) - len(shown)
    rows = tuple(
        (
            show_line(entry.name, 120),
            count(entry.rows) if entry.rows is not None else NO_VALUE,
            count(entry.size),
            show_line(entry.sha256, 64),
        )
        for entry in shown
    )
    caption = f"{count(more)} more in the manifest." if more else ""
    return Table(("input", "rows", "bytes", "sha256"), rows, frozenset({1, 2}), caption)
