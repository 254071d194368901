"""The section of a run: its losses, and how much of its data it saw how often."""

from collections.abc import Iterator, Sequence

from assay.formats.run import MetricsLine, RunTotals, read_metrics
from assay.reports.page.number_format import NO_VALUE, four_digits, percent
from assay.reports.page.page import Chart, Facts, Section, Table
from assay.reports.page.training_plots import Curve, join_seeds, plot_curves
from assay.reports.sources.sources import Source
from assay.terminal.numbers import count

_MAX_ROWS = 12  # of a curve under its picture


def view_run(source: Source[RunTotals], number: int) -> Section:
    """Show one run; `number` makes its anchor unique."""
    totals = source.content
    lead = (
        f"{count(totals.steps)} steps, {count(totals.tokens_seen)} tokens seen, held-out loss "
        f"{four_digits(totals.loss_nats)} nats a token. One seed is a measurement, not a verdict."
    )
    unique = percent(totals.unique_tokens_seen, totals.tokens_seen)
    facts = (
        ("parameters", count(totals.parameters)),
        ("epochs", f"{totals.epoch:.3f}"),
        ("unique tokens seen", f"{count(totals.unique_tokens_seen)} ({unique} of those seen)"),
        ("held-out documents", count(totals.held_out_documents)),
        ("held-out tokens", count(totals.held_out_tokens)),
        *(
            (
                f"from step {count(each.step + 1)} on" if each.step else "computed on",
                f"{each.device}, {each.dtype}",
            )
            for each in totals.computed
        ),
    )
    charts = draw_losses([(source.name, [read_metrics(source.folder)])])
    return Section(f"run-{number}", f"Run: {source.name}", lead, (*charts, Facts(facts)))


def draw_losses(runs: Sequence[tuple[str, Sequence[Sequence[MetricsLine]]]]) -> Iterator[Chart]:
    """Draw training losses, and held-out losses where they were logged.

    Args:
        runs: By the name of an arm, the metrics of each of its seeds' runs.
    """
    for what, field in (("Training loss", "loss"), ("Held-out loss", "held_out_loss")):
        curves = [
            join_seeds(name, [_read_points(lines, field) for lines in of_arm])
            for name, of_arm in runs
        ]
        if any(len(curve.points) > 1 for curve in curves):
            yield _draw_curves(what, curves)


def _read_points(lines: Sequence[MetricsLine], field: str) -> list[tuple[int, float]]:
    found = [(line.tokens_seen, getattr(line, field)) for line in lines]
    return [(tokens, loss) for tokens, loss in found if loss is not None]


def _draw_curves(what: str, curves: Sequence[Curve]) -> Chart:
    """Draw curves, and lay out some points of each."""
    rows = []
    for curve in curves:
        step = max(1, -(-len(curve.points) // _MAX_ROWS))
        for point in curve.points[::-1][::step][::-1]:
            spread = f"{point.low:.4f} to {point.high:.4f}" if point.seeds > 1 else NO_VALUE
            rows.append((curve.name, count(point.tokens), f"{point.mean:.4f}", spread))
    several = any(point.seeds > 1 for curve in curves for point in curve.points)
    band = "; line: mean of the seeds, band: lowest to highest seed" if several else ""
    label = f"{what} over tokens seen, nats a token{band}; the first tenth may lie above the frame"
    table = Table(("arm", "tokens seen", "loss", "range"), tuple(rows), frozenset({1, 2, 3}))
    return Chart(label, plot_curves([c for c in curves if c.points], what.lower()), table)
