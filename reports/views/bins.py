"""The section of bins: what came in, what was dropped and why, what is left."""

from assay.formats.bins import BinsTotals, SplitTotals
from assay.reports.page.charts import plot_waterfall
from assay.reports.page.number_format import NO_VALUE, percent
from assay.reports.page.page import Chart, Facts, Note, Section, Table
from assay.reports.sources.sources import Source
from assay.terminal.numbers import count
from assay.terminal.text import show_line


def view_bins(source: Source[BinsTotals], number: int) -> Section:
    """Show one folder of bins; `number` makes its anchor unique."""
    totals = source.content
    kept = totals.train.tokens + totals.val.tokens
    return Section(
        f"bins-{number}",
        f"Prepared: {source.name}",
        f"{count(kept)} of {count(totals.tokens_in)} tokens kept "
        f"({percent(kept, totals.tokens_in)}): {count(totals.train.tokens)} to train on, "
        f"{count(totals.val.tokens)} held out.",
        (
            Chart(
                "Tokens: what came in, less each reason, is what train and val hold",
                plot_waterfall(totals),
                tabulate_waterfall(totals),
                open=True,
            ),
            Note(*state_conservation(totals)),
            Facts(list_choices(source)),
        ),
    )


def tabulate_waterfall(totals: BinsTotals) -> Table:
    """Lay out what came in, each reason, and each split: documents and tokens."""
    dropped = [
        (f"\u2212 {show_line(reason, 20)}", part.documents, part.tokens)
        for reason, part in totals.dropped.items()
    ]
    rows = [
        ("in", totals.documents_in, totals.tokens_in),
        *dropped,
        ("= train", totals.train.documents, totals.train.tokens),
        ("+ val", totals.val.documents, totals.val.tokens),
    ]
    cells = tuple(
        (
            name,
            count(documents),
            percent(documents, totals.documents_in),
            count(tokens),
            percent(tokens, totals.tokens_in),
        )
        for name, documents, tokens in rows
    )
    return Table(
        ("", "documents", "share", "tokens", "share of tokens"),
        cells,
        frozenset({1, 2, 3, 4}),
        strong=frozenset({0, len(cells) - 2, len(cells) - 1}),
    )


def state_conservation(totals: BinsTotals) -> tuple[str, str]:
    """Say whether what came in was kept or dropped, all of it; the sentence and its tone."""
    documents = (
        f"{count(totals.documents_in)} documents in, {count(totals.documents_out)} kept or dropped"
    )
    tokens = f"{count(totals.tokens_in)} tokens in, {count(totals.tokens_out)} kept or dropped"
    if totals.documents_in == totals.documents_out and totals.tokens_in == totals.tokens_out:
        return f"Nothing was lost: {documents}; {tokens}.", "good"
    return f"Documents or tokens are missing: {documents}; {tokens}.", "bad"


def list_choices(source: Source[BinsTotals]) -> tuple[tuple[str, str], ...]:
    """Name the settings, the splits' unique tokens, and the check across the split."""
    totals, settings = source.content, source.manifest.settings
    check = totals.split_check
    drop = settings.get("drop")
    dropped = ", ".join(map(str, drop)) if isinstance(drop, list) else str(drop)
    held_out = next(
        (
            f"{key}: {settings[key]}"
            for key in ("val_share", "val_tokens", "val_shards")
            if settings.get(key)
        ),
        NO_VALUE,
    )
    return (
        ("dropped for", show_line(dropped, 100) or "nothing but copies of held-out documents"),
        ("held out by", show_line(held_out.replace("_", " "), 200)),
        ("seed", show_line(str(settings.get("seed", NO_VALUE)), 20)),
        ("train.bin", _describe_bin(totals.train)),
        ("val.bin", _describe_bin(totals.val)),
        (
            "leakage after",
            f"{count(check.exact_across + check.near_across)} of the audit's pairs lie across "
            f"train and val ({count(check.exact_across)} exact, {count(check.near_across)} near); "
            f"{count(check.pairs_within_kept)} lie within what was kept",
        ),
        ("finished bins", _describe_checks(totals)),
    )  # fmt: skip


def _describe_checks(totals: BinsTotals) -> str:
    if not totals.checks:
        return "not checked: they were made by a version that did not look through them"
    return "; ".join([totals.checks.describe(), *totals.checks.list_unchecked()])


def _describe_bin(split: SplitTotals) -> str:
    return f"{count(split.ids)} ids, {count(split.unique_tokens)} unique tokens"
