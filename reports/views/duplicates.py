"""The section of an audit on duplicates, with the texts that show them."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import polars as pl

from assay.formats.audit_totals import AuditTotals, Lsh
from assay.formats.findings import Finding
from assay.reports.page.charts import plot_bars, plot_detection
from assay.reports.page.number_format import name_document, percent
from assay.reports.page.page import Block, Chart, Facts, Pair, Piece, Section, Table
from assay.reports.sources.samples import Samples, compare_texts, cut
from assay.reports.sources.sources import AuditContent, Source
from assay.reports.views.untold import skip_untold
from assay.terminal.numbers import count

MAX_CLUSTERS = 10  # largest clusters in the table
MAX_PAIRS = 6  # near pairs side by side
_Row = dict[str, Any]
_Place = tuple[str | None, int, int]  # id, shard, row


def view_duplicates(source: Source[AuditContent], samples: Samples | None, *, raw: bool) -> Section:
    """Show exact and near duplicates; with `samples`, texts of the pairs nearest to the limit."""
    totals = source.content.totals
    if untold := skip_untold("duplicates", "Duplicates", totals):
        return untold
    repeated = totals.exact.tokens + totals.near.tokens
    lead = (
        f"{percent(repeated, totals.tokens)} of tokens repeat another document; "
        f"{count(totals.unique_tokens)} of {count(totals.tokens)} tokens are unique "
        f"({percent(totals.unique_tokens, totals.tokens)})."
    )
    return Section(
        "duplicates",
        "Duplicates",
        lead,
        tuple(_show_duplicates(source.content, samples, raw=raw)),
    )


def _show_duplicates(
    content: AuditContent, samples: Samples | None, *, raw: bool
) -> Iterator[Block]:
    totals, clusters = content.totals, content.audit.read("clusters")
    pairs = content.audit.read("pairs").filter(pl.col("kind") == "near")
    yield _tabulate_kinds(totals)
    yield _state_bound(content)
    yield _draw_detection(totals.lsh)
    if clusters.height:
        yield _draw_sizes(clusters)
    if pairs.height:
        yield _draw_jaccard(pairs, totals.lsh.threshold)
    if clusters.height:
        yield _tabulate_clusters(clusters, samples, raw=raw)
    for row in choose_pairs(pairs):
        left, right = ((row[f"id_{x}"], row[f"shard_{x}"], row[f"row_{x}"]) for x in "ab")
        yield make_pair(f"Jaccard {row['jaccard']:.4f}", left, right, samples, raw=raw)


def _tabulate_kinds(totals: AuditTotals) -> Table:
    return Table(
        ("repeats", "documents", "share of documents", "tokens", "share of tokens"),
        tuple(
            (
                name,
                count(part.documents),
                percent(part.documents, totals.documents),
                count(part.tokens),
                percent(part.tokens, totals.tokens),
            )
            for name, part in (
                ("exact: same bytes", totals.exact),
                ("near: by shingles", totals.near),
            )
        ),
        frozenset({1, 2, 3, 4}),
        "Documents that repeat another; the one that each cluster keeps is not counted.",
    )


def _state_bound(content: AuditContent) -> Facts:
    totals, pairs, lsh = content.totals, content.totals.pairs, content.totals.lsh
    return Facts(
        (
            (
                "near means",
                f"Jaccard of shingles of {lsh.shingles} at least {lsh.threshold:g}, computed on "
                "the texts",
            ),
            (
                "clusters",
                f"{count(totals.clusters.count)}, the largest of "
                f"{count(totals.clusters.largest)} documents",
            ),
            (
                "candidate pairs",
                f"{count(pairs.candidates)}, of which "
                f"{count(pairs.near if lsh.verified is None else lsh.verified)} met the threshold; "
                f"{count(pairs.uncompared)} not compared; {count(pairs.joined)} passed over, their "
                "documents joined by other pairs",
            ),
            (
                "near pairs found",
                state_recall(content.findings),
            ),
            ("exact pairs", count(pairs.exact)),
        )
    )


def state_recall(findings: Sequence[Finding]) -> str:
    """Say what share of the near pairs that are there was found, as the finding states it."""
    for finding in findings:
        if finding.name == "near_recall" and finding.value is not None:
            low, high = finding.interval or (finding.value, finding.value)
            return (
                f"an estimated {100 * finding.value:.1f}% (95% interval {100 * low:.1f} to "
                f"{100 * high:.1f}%)"
            )
    return "not measured"


def _draw_detection(lsh: Lsh) -> Chart:
    planted = {level.jaccard: level for level in lsh.planted}
    rows = []
    for jaccard, chance in lsh.detection:
        measured = ("-", "-", "-")
        if (level := planted.get(jaccard)) is not None:
            expected = f"{level.expected:.1f} \u00b1 {level.deviation:.1f}"
            measured = (count(level.pairs), count(level.found), expected)
        rows.append((f"{jaccard:.2f}", f"{chance:.4f}", *measured))
    label = (
        f"The near count is a lower bound: {count(lsh.bands)} bands of {count(lsh.rows)} rows "
        "find a pair with this chance (rings: the share found of pairs planted in this corpus). "
        "No pair found is wrong; some may be missed"
    )
    return Chart(
        label,
        plot_detection(lsh),
        Table(
            ("Jaccard", "chance to be found", "planted pairs", "found", "expected"),
            tuple(rows),
            frozenset({0, 1, 2, 3, 4}),
        ),
    )


def _draw_sizes(clusters: pl.DataFrame) -> Chart:
    """Count clusters by size: 2, 3, 4 to 7, 8 to 15, ..."""
    sizes = clusters["size"].to_list()
    edges = [2, 3, 4]
    while edges[-1] <= max(sizes):
        edges.append(edges[-1] * 2)
    bars, rows = [], []
    for low, high in pairwise(edges):
        here = [size for size in sizes if low <= size < high]
        name = f"{low:,}" if high == low + 1 else f"{low:,}\u2013{high - 1:,}"
        bars.append((name, float(len(here)), f"{count(len(here))} clusters of {name} documents"))
        rows.append((name, count(len(here)), count(sum(here))))
    table = Table(
        ("documents in a cluster", "clusters", "documents"), tuple(rows), frozenset({0, 1, 2})
    )
    heights = [value for _, value, _ in bars if value]
    draw = plot_bars(bars, "clusters", form=",d", log=max(heights) > 50 * min(heights))
    return Chart("Clusters by number of documents", draw, table)


def _draw_jaccard(pairs: pl.DataFrame, threshold: float) -> Chart:
    """Count near pairs by Jaccard, in steps of 0.02 from the threshold to 1."""
    values = pairs["jaccard"].to_numpy()
    steps = max(1, round((1 - threshold) / 0.02))
    width = (1 - threshold) / steps or 1.0
    bars, rows = [], []
    for i in range(steps):
        low, high = threshold + i * width, threshold + (i + 1) * width
        inside = (values >= low - 1e-12) & ((values < high - 1e-12) | (i == steps - 1))
        name = f"{low:.2f}\u2013{high:.2f}"
        number = int(inside.sum())
        bars.append((name, float(number), f"Jaccard {name}: {count(number)} pairs"))
        rows.append((name, count(number)))
    return Chart(
        "Near pairs by their true Jaccard",
        plot_bars(bars, "near pairs", form=",d"),
        Table(("Jaccard", "near pairs"), tuple(rows), frozenset({0, 1})),
    )


def _tabulate_clusters(clusters: pl.DataFrame, samples: Samples | None, *, raw: bool) -> Table:
    largest = clusters.sort(["size", "tokens"], descending=True).head(MAX_CLUSTERS)
    rows = []
    for row in largest.iter_rows(named=True):
        shard, number = int(row["keeper_shard"]), int(row["keeper_row"])
        label, begins = None, list[str]()
        if samples is not None:
            position = samples.find(shard, number)
            label = None if position is None else samples.documents["id"][position]
            begins = [cut(samples.read(shard, number) or "", 120)]
        rows.append(
            (
                count(row["size"]),
                count(row["tokens"]),
                f"{row['weakest_jaccard']:.3f}",
                name_document(label, shard, number, raw=raw),
                *begins,
            )
        )
    columns = ("documents", "tokens", "weakest Jaccard", "keeper")
    return Table(
        columns if samples is None else (*columns, "begins"),
        tuple(rows),
        frozenset({0, 1, 2}),
        f"The {min(MAX_CLUSTERS, clusters.height)} largest clusters of {count(clusters.height)}.",
    )


def choose_pairs(pairs: pl.DataFrame) -> list[_Row]:
    """Choose near pairs to show: spread from the weakest to the strongest, no document twice."""
    ordered = pairs.sort(["jaccard", "shard_a", "row_a", "shard_b", "row_b"])
    seen: set[tuple[int, int]] = set()
    chosen: list[_Row] = []
    steps = 8 * MAX_PAIRS
    for i in range(steps if ordered.height else 0):
        row = ordered.row(i * (ordered.height - 1) // (steps - 1), named=True)
        places = {(row["shard_a"], row["row_a"]), (row["shard_b"], row["row_b"])}
        if not places & seen and i * MAX_PAIRS // steps >= len(chosen):
            chosen.append(row)
            seen |= places
    return chosen


def make_pair(
    title: str,
    left: _Place,
    right: _Place,
    samples: Samples | None,
    *,
    raw: bool,
    sides: tuple[str, str] = ("", ""),
) -> Pair:
    """Put two documents, (id, shard, row), side by side; texts where there are samples."""
    names, texts = [], []
    for side, (label, shard, row) in zip(sides, (left, right), strict=True):
        names.append(side + name_document(label, shard, row, raw=raw))
        texts.append(samples.read(shard, row) if samples is not None else None)
    if texts[0] is None or texts[1] is None:
        return Pair(title, names[0], names[1])
    found = compare_texts(texts[0], texts[1])
    if not found.differs:
        same = (Piece(cut(texts[0]), "same"),)
        return Pair(title, names[0], names[1], same, (), "No word differs in what was compared.")
    note = f"The first {count(found.same_words)} words agree." if found.same_words else ""
    return Pair(title, names[0], names[1], found.left, found.right, note)
