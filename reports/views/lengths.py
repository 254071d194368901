"""How long documents are."""

from assay.formats.audit_totals import Lengths
from assay.reports.page.charts import name_lengths, plot_bars, plot_lengths
from assay.reports.page.number_format import percent
from assay.reports.page.page import Chart, Section, Table
from assay.reports.sources.sources import AuditContent, Source
from assay.reports.views.untold import skip_untold
from assay.terminal.numbers import count


def view_lengths(source: Source[AuditContent]) -> Section:
    """Show lengths in tokens: quantiles, histogram, and where the tokens are."""
    if untold := skip_untold("lengths", "Lengths", source.content.totals):
        return untold
    lengths = source.content.totals.lengths
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
        columns,
        (cells,),
        frozenset(range(len(cells))),
        "Length in tokens by percentile of documents.",
    )


def _draw_lengths(lengths: Lengths) -> tuple[Chart, ...]:
    shown = lengths.histogram
    while len(shown) > 1 and not shown[0].documents:
        shown = shown[1:]
    documents = sum(part.documents for part in shown)
    tokens = sum(part.tokens for part in shown)
    histogram = Chart(
        "Documents and tokens by length; each bin is twice as wide as the one before",
        plot_lengths(shown),
        Table(
            ("length", "documents", "share", "tokens", "share of tokens"),
            tuple(
                (
                    name_lengths(part),
                    count(part.documents),
                    percent(part.documents, documents),
                    count(part.tokens),
                    percent(part.tokens, tokens),
                )
                for part in shown
            ),
            frozenset({0, 1, 2, 3, 4}),
        ),
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
