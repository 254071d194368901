"""Charts: Vega-Lite specs written with altair. Colours are names that the style sheet replaces.

The page draws each chart in two widths and in light and dark, so a chart is a function of its
width, and its colours are the fixed values below, which `assets/report.css` maps to both schemes.
"""

from collections.abc import Sequence
from typing import Any

import altair as alt

from assay.formats.audit_totals import LengthBin, Lsh
from assay.formats.bins import BinsTotals
from assay.reports.page.page import Draw

# Each is told apart by the style sheet, by value: change here and there.
INK, MUTED, GRID = "#101010", "#707070", "#e0e0e0"
FIRST, SECOND, ALERT, CALM = "#2a63a8", "#c25b12", "#b02a2a", "#9a9a9a"
# Fonts of like widths: text is measured when the chart is made, and drawn by the reader's browser.
_FONT = "Helvetica Neue, Helvetica, Arial, Liberation Sans, sans-serif"

# An axis of names, of one width in all charts.
NAMES = alt.Axis(title=None, minExtent=84, maxExtent=84, labelLimit=84, domain=False)


def finish(chart: Any) -> Any:
    """Give a chart the look they all share: no frame, thin grid, small quiet labels."""
    return (
        chart.configure(
            background="transparent",
            font=_FONT,
            padding={"left": 2, "right": 8, "top": 6, "bottom": 2},
        )
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=MUTED,
            titleColor=MUTED,
            titleFontWeight="normal",
            titleFontSize=12,
            labelFontSize=12,
            gridColor=GRID,
            domainColor=MUTED,
            tickColor=MUTED,
            labelPadding=5,
            titlePadding=8,
            domain=False,
            ticks=False,
        )
        .configure_axisX(grid=False, domain=True)
        .configure_legend(
            orient="top",
            title=None,
            labelColor=INK,
            labelFontSize=12,
            symbolStrokeWidth=3,
            symbolType="stroke",
            symbolOpacity=1,
            offset=6,
        )
        .configure_header(labelColor=INK, labelFontSize=12, labelFontWeight="normal", title=None)
    )


def inline(rows: Sequence[dict[str, Any]]) -> Any:
    """Hand rows to a chart as they are."""
    return alt.InlineData(values=list(rows))


def name_lengths(part: LengthBin) -> str:
    """Name a bin of lengths: "0", "1", "2-3", "1,024-2,047"."""
    last = part.below - 1
    return f"{part.first:,}" if last == part.first else f"{part.first:,}\u2013{last:,}"


def plot_lengths(histogram: Sequence[LengthBin]) -> Draw:
    """Draw documents and tokens by length, one above the other on the same axis."""
    documents = sum(part.documents for part in histogram) or 1
    tokens = sum(part.tokens for part in histogram) or 1
    rows = [
        {
            "bin": f"{part.first:,}",
            "what": what,
            "share": value / whole,
            "label": f"{name_lengths(part)} tokens: {value:,} {what}, {100 * value / whole:.2f}%",
        }
        for part in histogram
        for what, value, whole in (
            ("documents", part.documents, documents),
            ("tokens", part.tokens, tokens),
        )
    ]
    order = [f"{part.first:,}" for part in histogram]

    def draw(width: int) -> Any:
        below = alt.Axis(title="length in tokens, from", labelAngle=-90 if width < 500 else 0)
        panels = [
            alt.Chart(
                inline([row for row in rows if row["what"] == what]), width=width - 60, height=110
            )
            .mark_bar(color=color)
            .encode(
                x=alt.X("bin:N", sort=order, axis=axis, scale=alt.Scale(paddingInner=0.12)),
                y=alt.Y(
                    "share:Q",
                    axis=alt.Axis(format=".0%", title=f"share of {what}", tickCount=3),
                ),
                description="label:N",
            )
            for what, color, axis in (("documents", FIRST, None), ("tokens", SECOND, below))
        ]
        return finish(alt.vconcat(*panels, spacing=14))

    return draw


def plot_bars(
    rows: Sequence[tuple[str, float, str]], title: str, *, form: str, log: bool = False
) -> Draw:
    """Draw horizontal bars: (name, value, label) from the top down.

    Args:
        rows: Names are distinct.
        title: What the axis measures.
        form: d3 format of the axis, e.g. ".0%".
        log: Whether the axis is logarithmic (symmetric, so that 0 has a place).
    """
    bars = [{"name": name, "value": value, "label": label} for name, value, label in rows]
    ticks: dict[str, Any] = {"tickCount": 4}
    if form.endswith("d"):
        ticks = _choose_ticks(max((value for _, value, _ in rows), default=0.0), log)

    def draw(width: int) -> Any:
        scale = alt.Scale(type="symlog") if log else alt.Scale(domainMin=0)
        base = alt.Chart(inline(bars), width=width - 120, height=alt.Step(24)).encode(
            y=alt.Y("name:N", sort=[name for name, _, _ in rows], axis=NAMES),
            x=alt.X("value:Q", scale=scale, axis=alt.Axis(title=title, format=form, **ticks)),
            description="label:N",
        )
        return finish(base.mark_bar(color=FIRST, height=13))

    return draw


def _choose_ticks(top: float, log: bool) -> dict[str, Any]:
    """Choose whole numbers for the axis of a count; of many the default has none but whole."""
    if log:
        return {"values": [0, *(10**i for i in range(len(str(int(top)))))]}
    return {"values": list(range(int(top) + 1))} if top <= 4 else {"tickCount": 4}


def plot_detection(lsh: Lsh) -> Draw:
    """Draw the chance that a pair of some Jaccard is proposed, and the share of planted pairs.

    The threshold stands beside them.
    """
    rows = [
        {"jaccard": j, "chance": p, "label": f"Jaccard {j:.2f}: found with chance {p:.4f}"}
        for j, p in lsh.detection
    ]
    planted = [
        {
            "jaccard": level.jaccard,
            "chance": level.found / level.pairs,
            "label": f"{level.found} of {level.pairs} planted at Jaccard {level.jaccard:.2f} found",
        }
        for level in lsh.planted
        if level.pairs
    ]

    def draw(width: int) -> Any:
        x = alt.X(
            "jaccard:Q",
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(
                title="true Jaccard of a pair", format=".1f", values=[0, 0.2, 0.4, 0.6, 0.8, 1]
            ),
        )
        y = alt.Y(
            "chance:Q",
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(title="chance to be found", format=".0%", tickCount=5),
        )
        base = alt.Chart(inline(rows), width=width - 70, height=190)
        curve = base.mark_line(color=FIRST, strokeWidth=2, aria=False).encode(x=x, y=y)
        points = base.mark_circle(color=FIRST, size=30, opacity=1).encode(
            x=x, y=y, description="label:N"
        )
        rings = (
            alt.Chart(inline(planted))
            .mark_point(color=SECOND, size=60, opacity=1)
            .encode(x="jaccard:Q", y="chance:Q", description="label:N")
        )
        at = [{"jaccard": lsh.threshold, "text": f"threshold {lsh.threshold:g}"}]
        rule = (
            alt.Chart(inline(at))
            .mark_rule(color=SECOND, strokeDash=[4, 3], aria=False)
            .encode(x="jaccard:Q")
        )
        words = (
            alt.Chart(inline(at))
            .mark_text(color=SECOND, align="right", dx=-6, fontSize=12, aria=False)
            .encode(x="jaccard:Q", y=alt.value(8), text="text:N")
        )
        return finish(alt.layer(curve, points, rings, rule, words))

    return draw


def plot_waterfall(totals: BinsTotals) -> Draw:
    """Draw tokens from what came in, less each reason, to train and val."""
    whole = totals.tokens_in or 1
    steps: list[tuple[str, int, int, str]] = [("in", 0, totals.tokens_in, CALM)]
    right = totals.tokens_in
    for reason, part in totals.dropped.items():
        if part.documents:
            steps.append((f"\u2212 {reason}", right - part.tokens, right, SECOND))
            right -= part.tokens
    steps.append(("val", right - totals.val.tokens, right, CALM))
    steps.append(("train", 0, totals.train.tokens, FIRST))
    rows: list[dict[str, Any]] = [
        {
            "name": name, "from": a, "to": b, "color": color,
            "label": f"{name}: {b - a:,} tokens, {100 * (b - a) / whole:.2f}%",
            "share": f"{100 * (b - a) / whole:.1f}%",
        }
        for name, a, b, color in steps
    ]  # fmt: skip

    def draw(width: int) -> Any:
        base = alt.Chart(inline(rows), width=width - 120, height=alt.Step(28)).encode(
            y=alt.Y("name:N", sort=[str(row["name"]) for row in rows], axis=NAMES),
        )
        bars = base.mark_bar(height=15).encode(
            x=alt.X(
                "from:Q",
                axis=alt.Axis(title="tokens", format="~s", tickCount=4),
                scale=alt.Scale(domain=[0, whole]),
            ),
            x2="to:Q",
            color=alt.Color("color:N", scale=None),
            description="label:N",
        )
        words = base.mark_text(align="left", dx=5, color=INK, fontSize=12, aria=False).encode(
            x="to:Q", text="share:N"
        )
        return finish(bars + words)

    return draw
