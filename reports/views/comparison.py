"""Sections of comparisons and runs: the verdict, losses, arms, seeds and gates."""

from collections.abc import Sequence

from assay.formats.comparison import ArmResult, Verdict, find_run, read_verdict
from assay.formats.run import MetricsLine, RunTotals, read_metrics
from assay.reports.page.curve_charts import Curve, join_seeds, plot_curves, plot_seeds
from assay.reports.page.number_format import NO_VALUE, percent
from assay.reports.page.page import Banner, Block, Chart, Facts, Note, Section, Table
from assay.reports.sources.sources import TrainSource
from assay.reports.views.comparison_details import (
    draw_gaps,
    note_verdict,
    tabulate_leaks,
    tabulate_looks,
    view_second_set,
)
from assay.storage.manifest import read_totals
from assay.terminal.numbers import count
from assay.terminal.text import show_line

# No detectable difference is an answer, invalid and inconclusive are none: the tone says so.
TONES = {
    "better": "good", "worse": "bad", "equivalent": "plain", "not worse": "plain",
    "no detectable difference": "plain", "inconclusive": "warn", "invalid": "bad",
}  # fmt: skip


def judge_comparison(source: TrainSource, name: str) -> tuple[Banner, ...]:
    """Say each verdict in its own words, one banner for each arm after the baseline."""
    return tuple(
        Banner(
            TONES.get(pairing.verdict, "warn"),
            show_line(pairing.verdict, 40) + (", provisionally" if pairing.provisional else ""),
            f"comparison {name}: {show_line(pairing.arm, 60)} against "
            f"{show_line(pairing.baseline, 60)}",
            show_line(pairing.sentence, 1_000),
        )
        for pairing in read_verdict(source.folder).comparisons
    )


def view_comparison(source: TrainSource, number: int, name: str) -> Section:
    """Show a comparison: difference, curves, arms, seeds, gates."""
    verdict = read_verdict(source.folder)
    lead = (
        f"{count(verdict.seeds)} {'seed' if verdict.seeds == 1 else 'seeds'} an arm, "
        f"{count(verdict.tokens_per_run)} tokens and {count(verdict.steps)} steps a run, "
        f"{count(verdict.parameters)} parameters, {count(verdict.documents)} held-out documents."
    )
    blocks: list[Block] = []
    measured = [pairing for pairing in verdict.comparisons if pairing.nats_per_token]
    if measured:
        blocks.append(draw_gaps(measured, verdict))
    else:
        blocks.append(Note("No difference was measured, so there is none to draw.", "warn"))
    blocks += note_verdict(verdict)
    blocks += tabulate_leaks(verdict)
    blocks += _draw_curves(source, verdict)
    blocks.append(_tabulate_arms(verdict.arms))
    if any(arm.seeds for arm in verdict.arms):
        blocks.append(_draw_seeds(verdict.arms))
    blocks += view_second_set(verdict)
    blocks += tabulate_looks(verdict)
    blocks.append(_tabulate_gates(verdict))
    return Section(f"comparison-{number}", f"Comparison: {name}", lead, tuple(blocks))


def name_arms(arms: Sequence[ArmResult]) -> list[str]:
    """Name arms, cut to 40 characters, so that no two are alike."""
    names = [show_line(arm.name, 40) for arm in arms]
    if len(set(names)) == len(names):
        return names
    return [f"{place} {name}" for place, name in enumerate(names, 1)]


def _draw_curves(source: TrainSource, verdict: Verdict) -> list[Block]:
    """Draw training losses, and held-out losses where runs logged them."""
    runs: list[tuple[str, list[list[MetricsLine]]]] = []
    for name, arm in zip(name_arms(verdict.arms), verdict.arms, strict=True):
        folders = [find_run(source.folder, seed) for seed in arm.seeds]
        runs.append((name, [read_metrics(folder) for folder in folders if folder is not None]))
    training = [
        join_seeds(
            name, [[(m.tokens_seen, m.loss) for m in run if m.loss is not None] for run in of_arm]
        )
        for name, of_arm in runs
    ]
    held_out = [
        join_seeds(
            name,
            [
                [(m.tokens_seen, m.held_out_loss) for m in run if m.held_out_loss is not None]
                for run in of_arm
            ],
        )
        for name, of_arm in runs
    ]
    charts: list[Block] = []
    for what, curves in (("Training loss", training), ("Held-out loss", held_out)):
        if any(len(curve.points) > 1 for curve in curves):
            charts.append(draw_curves(what, curves))
    return charts


def draw_curves(what: str, curves: Sequence[Curve]) -> Chart:
    """Draw curves and lay out at most twelve points of each."""
    rows = []
    for curve in curves:
        step = max(1, -(-len(curve.points) // 12))
        for point in curve.points[::-1][::step][::-1]:
            spread = f"{point.low:.4f} to {point.high:.4f}" if point.seeds > 1 else NO_VALUE
            rows.append((curve.name, count(point.tokens), f"{point.mean:.4f}", spread))
    several = any(point.seeds > 1 for curve in curves for point in curve.points)
    band = "; line: mean of the seeds, band: lowest to highest seed" if several else ""
    label = f"{what} over tokens seen, nats a token{band}; the first tenth may lie above the frame"
    table = Table(("arm", "tokens seen", "loss", "range"), tuple(rows), frozenset({1, 2, 3}))
    return Chart(label, plot_curves([c for c in curves if c.points], what.lower()), table)


def _tabulate_arms(arms: Sequence[ArmResult]) -> Table:
    rows = tuple(
        (
            name,
            count(arm.train_tokens),
            count(arm.unique_tokens),
            f"{arm.epochs:.2f}",
            count(arm.leaked_documents),
            NO_VALUE if arm.loss is None else f"{arm.loss:.4f}",
            NO_VALUE if arm.loss_sd is None else f"{arm.loss_sd:.4f}",
            NO_VALUE if arm.bits_per_byte is None else f"{arm.bits_per_byte:.4f}",
            NO_VALUE if arm.tokens_per_run is None else count(arm.tokens_per_run),
            NO_VALUE if arm.parameters is None else count(arm.parameters),
        )
        for name, arm in zip(name_arms(arms), arms, strict=True)
    )
    columns = (
        "arm", "ids to train on", "unique tokens", "epochs", "leaked documents", "held-out loss",
        "SD of seeds", "bits/byte", "tokens a run", "parameters",
    )  # fmt: skip
    caption = "The first arm is the baseline. Loss is the mean of its seeds, in nats a token."
    return Table(columns, rows, frozenset(range(1, 10)), caption)


def _draw_seeds(arms: Sequence[ArmResult]) -> Chart:
    names = name_arms(arms)
    rows = tuple(
        (
            name,
            str(seed.seed),
            f"{seed.loss:.4f}",
            NO_VALUE if seed.bits_per_byte is None else f"{seed.bits_per_byte:.4f}",
            show_line(seed.run, 60),
        )
        for name, arm in zip(names, arms, strict=True)
        for seed in arm.seeds
    )
    table = Table(("arm", "seed", "held-out loss", "bits/byte", "run"), rows, frozenset({1, 2, 3}))
    draw = plot_seeds(names, [[seed.loss for seed in arm.seeds] for arm in arms])
    return Chart("Held-out loss of every run; the stroke is an arm's mean", draw, table)


def _tabulate_gates(verdict: Verdict) -> Table:
    ordered = sorted(verdict.gates, key=lambda gate: gate.passed)
    rows = tuple(
        (
            "passed" if gate.passed else "FAILED",
            show_line(gate.name, 80),
            show_line(gate.found, 300),
            show_line(gate.needed, 120),
        )
        for gate in ordered
    )
    failed = sum(not gate.passed for gate in verdict.gates)
    caption = (
        f"Gates of a fair comparison: {count(len(rows) - failed)} passed, {count(failed)} failed."
    )
    tones = tuple("good" if gate.passed else "bad" for gate in ordered)
    return Table(("gate", "asks for", "found", "needed"), rows, caption=caption, tones=tones)


def view_run(source: TrainSource, number: int, name: str) -> Section:
    """Show one run: its loss, and how much of its data it saw how often."""
    totals = read_totals(source.folder, source.manifest, RunTotals)
    metrics = read_metrics(source.folder)
    loss = NO_VALUE if totals.loss_nats is None else f"{totals.loss_nats:.4f}"
    lead = (
        f"{count(totals.steps)} steps, {count(totals.tokens_seen)} tokens seen, held-out loss "
        f"{loss} nats a token. One seed is a measurement, not a verdict."
    )
    blocks: list[Block] = []
    for what, points in (
        ("Training loss", [(m.tokens_seen, m.loss) for m in metrics if m.loss is not None]),
        (
            "Held-out loss",
            [(m.tokens_seen, m.held_out_loss) for m in metrics if m.held_out_loss is not None],
        ),
    ):
        if len(points) > 1:
            blocks.append(draw_curves(what, [join_seeds(name, [points])]))
    unique = percent(totals.unique_tokens_seen, totals.tokens_seen)
    blocks.append(
        Facts(
            (
                ("parameters", count(totals.parameters)),
                ("epochs", f"{totals.epoch:.3f}"),
                (
                    "unique tokens seen",
                    f"{count(totals.unique_tokens_seen)} ({unique} of those seen)",
                ),
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
        )
    )
    return Section(f"run-{number}", f"Run: {name}", lead, tuple(blocks))
