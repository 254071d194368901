"""Charts of training: losses over tokens seen, and a difference against what it is held to."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from assay.reports.page.charts import CALM, FIRST, GRID, INK, MUTED, NAMES, SECOND, finish, inline
from assay.reports.page.page import Draw

COLORS = (FIRST, SECOND, "#2c7d54", "#7455a6")
MAX_POINTS = 300  # of a curve
_WARM_SHARE = 0.1  # of the tokens: the steep beginning, left above the frame


@dataclass(frozen=True, slots=True)
class Point:
    """The losses of an arm's seeds after the same tokens: mean, lowest, highest."""

    tokens: int
    mean: float
    low: float
    high: float
    seeds: int


@dataclass(frozen=True, slots=True)
class Curve:
    """One arm's loss; `name` is safe to show and differs from the other arms' names."""

    name: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """A difference to draw, in nats a token: arm minus baseline."""

    name: str
    value: float
    low: float
    high: float
    detectable: float


def join_seeds(name: str, runs: Sequence[Sequence[tuple[int, float]]]) -> Curve:
    """Join (tokens seen, loss) of several seeds; at most 300 points, evenly thinned."""
    found: dict[int, list[float]] = defaultdict(list)
    for run in runs:
        for tokens, loss in run:
            found[tokens].append(loss)
    places = sorted(found)
    step = max(1, -(-len(places) // MAX_POINTS))
    kept = sorted({*places[::-1][::step]})  # the last is always kept
    return Curve(
        name,
        tuple(
            Point(
                at, sum(found[at]) / len(found[at]), min(found[at]), max(found[at]), len(found[at])
            )
            for at in kept
        ),
    )


def plot_curves(curves: Sequence[Curve], title: str, *, along: str = "tokens seen") -> Draw:
    """Draw the mean of each arm's seeds over tokens seen, the range of its seeds as a band.

    The frame leaves out what lies above the losses at a tenth of the tokens. `along` names what is
    counted, where a point's `tokens` are steps.
    """
    rows: list[dict[str, Any]] = [
        {
            "arm": curve.name, "tokens": p.tokens, "mean": p.mean, "low": p.low, "high": p.high,
            "label": f"{curve.name}, {p.tokens:,} {along}: {p.mean:.4f}",
        }
        for curve in curves for p in curve.points
    ]  # fmt: skip
    last = max((point.tokens for curve in curves for point in curve.points), default=1)
    late = [r for r in rows if r["tokens"] >= _WARM_SHARE * last] or rows
    floor, top = min(r["low"] for r in late), max(r["high"] for r in late)
    pad = 0.03 * (top - floor) or 0.01
    scale = alt.Scale(domain=[floor - pad, top + pad], nice=False)
    names = [curve.name for curve in curves]
    color = alt.Color(
        "arm:N",
        legend=alt.Legend(title=None) if len(curves) > 1 else None,
        scale=alt.Scale(domain=names, range=[COLORS[i % 4] for i in range(len(names))]),
    )

    def draw(width: int) -> Any:
        x = alt.X(
            "tokens:Q",
            scale=alt.Scale(domainMin=0),
            axis=alt.Axis(title=along, format="~s", tickCount=5),
        )
        axis = alt.Axis(title=title, tickCount=5)
        base = alt.Chart(inline(rows), width=width - 70, height=230)
        band = base.mark_area(opacity=0.18, clip=True, aria=False).encode(
            x=x, y=alt.Y("low:Q", scale=scale, axis=axis), y2="high:Q", color=color
        )
        line = base.mark_line(strokeWidth=2, clip=True, aria=False).encode(
            x=x, y=alt.Y("mean:Q", scale=scale, axis=axis), color=color
        )
        points = base.mark_circle(size=40, opacity=0.01, clip=True).encode(
            x=x, y=alt.Y("mean:Q", scale=scale, axis=axis), color=color, description="label:N"
        )
        return finish(alt.layer(band, line, points))

    return draw


def plot_gaps(gaps: Sequence[Gap], delta: float, *, meaning: str = "arm minus baseline") -> Draw:
    """Draw differences with intervals against 0, the margin, and what could be detected."""
    side = "the arm is better" if meaning == "arm minus baseline" else "better"
    rows: list[dict[str, Any]] = [
        {
            "name": gap.name, "value": gap.value, "low": gap.low, "high": gap.high,
            "left": -gap.detectable, "right": gap.detectable,
            "label": f"{gap.name}: {gap.value:+.4f}, interval {gap.low:+.4f} to {gap.high:+.4f}",
        }
        for gap in gaps
    ]  # fmt: skip
    ends = [abs(v) for gap in gaps for v in (gap.low, gap.high, gap.detectable)]
    reach = 1.1 * max([delta, *ends])
    margin = [{"from": -delta, "to": delta, "label": f"within {delta:g}: too small to matter"}]

    def draw(width: int) -> Any:
        x = alt.Scale(domain=[-reach, reach], nice=False)
        axis = alt.Axis(
            title=f"nats a token, {meaning}" + (f" (left: {side})" if width > 500 else ""),
            format="+.3~f",
            tickCount=7 if width > 500 else 5,
        )
        y = alt.Y("name:N", axis=None, sort=[str(row["name"]) for row in rows])
        base = alt.Chart(inline(rows), width=width - 20, height=56 + 30 * len(rows))
        zone = (
            alt.Chart(inline(margin))
            .mark_rect(color=GRID, opacity=0.8)
            .encode(x=alt.X("from:Q", scale=x, axis=axis), x2="to:Q", description="label:N")
        )
        zero = (
            alt.Chart(inline([{"at": 0}]))
            .mark_rule(color=INK, aria=False)
            .encode(x=alt.X("at:Q", scale=x))
        )
        whisker = base.mark_rule(strokeWidth=3, color=FIRST).encode(
            x=alt.X("low:Q", scale=x, axis=axis), x2="high:Q", y=y, description="label:N"
        )
        dot = base.mark_circle(size=110, opacity=1, color=FIRST).encode(
            x=alt.X("value:Q", scale=x), y=y, description="label:N"
        )
        ticks = [
            base.mark_tick(color=SECOND, thickness=2, size=20, aria=False).encode(
                x=alt.X(f"{side}:Q", scale=x), y=y
            )
            for side in ("left", "right")
        ]
        words = base.mark_text(color=MUTED, align="left", dy=-20, fontSize=12, aria=False).encode(
            x=alt.value(0), y=y, text="name:N"
        )
        return finish(alt.layer(zone, zero, *ticks, whisker, dot, words))

    return draw


def plot_seeds(names: Sequence[str], losses: Sequence[Sequence[float]]) -> Draw:
    """Draw the held-out loss of every run as a dot, a line an arm, its mean as a stroke."""
    rows = [
        {"arm": name, "loss": loss, "label": f"{name}: {loss:.4f}"}
        for name, of_arm in zip(names, losses, strict=True)
        for loss in of_arm
    ]
    means = [
        {"arm": name, "loss": sum(of_arm) / len(of_arm)}
        for name, of_arm in zip(names, losses, strict=True)
        if of_arm
    ]

    def draw(width: int) -> Any:
        x = alt.X(
            "loss:Q",
            scale=alt.Scale(zero=False, padding=14),
            axis=alt.Axis(title="held-out loss, nats a token", format=".3f", tickCount=5),
        )
        y = alt.Y("arm:N", sort=list(names), axis=NAMES)
        base = alt.Chart(inline(rows), width=width - 120, height=alt.Step(34))
        dots = base.mark_circle(size=70, opacity=0.75, color=FIRST).encode(
            x=x, y=y, description="label:N"
        )
        mean = (
            alt.Chart(inline(means))
            .mark_tick(color=CALM, thickness=2, size=22, aria=False)
            .encode(x=x, y=y)
        )
        return finish(alt.layer(mean, dots))

    return draw
