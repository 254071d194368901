"""The section of a comparison: the verdict, losses, arms, seeds and gates."""

from collections.abc import Iterator, Sequence

from assay.formats.comparison import ArmResult, Verdict, find_run
from assay.formats.run import MetricsLine, read_metrics
from assay.reports.page.number_format import NO_VALUE, four_digits
from assay.reports.page.page import Banner, Chart, Section, Table
from assay.reports.page.training_plots import plot_seeds
from assay.reports.sources.sources import Source
from assay.reports.views.comparison_details import (
    draw_gaps,
    note_verdict,
    tabulate_leaks,
    tabulate_looks,
    view_second_set,
)
from assay.reports.views.run import draw_losses
from assay.terminal.numbers import count, number_of
from assay.terminal.text import show_line

# No detectable difference is an answer, invalid and inconclusive are none: the tone says so.
TONES = {
    "better": "good", "worse": "bad", "equivalent": "plain", "not worse": "plain",
    "no detectable difference": "plain", "inconclusive": "warn", "invalid": "bad",
}  # fmt: skip


def head_comparison(source: Source[Verdict]) -> tuple[Banner, ...]:
    """Say each verdict in its own words, one banner for each arm after the baseline."""
    return tuple(
        Banner(
            TONES.get(pairing.verdict, "warn"),
            show_line(pairing.verdict, 40) + (", provisionally" if pairing.provisional else ""),
            f"comparison {source.name}: {show_line(pairing.arm, 60)} against "
            f"{show_line(pairing.baseline, 60)}",
            show_line(pairing.sentence, 1_000),
        )
        for pairing in source.content.comparisons
    )


def view_comparison(source: Source[Verdict], number: int) -> Section:
    """Show a comparison: difference, curves, arms, seeds, gates."""
    verdict = source.content
    lead = (
        f"{number_of(verdict.seeds, 'seed')} an arm, "
        f"{count(verdict.tokens_per_run)} tokens and {count(verdict.steps)} steps a run, "
        f"{count(verdict.parameters)} parameters, {count(verdict.documents)} held-out documents."
    )
    blocks = (
        draw_gaps(verdict),
        *note_verdict(verdict),
        *tabulate_leaks(verdict),
        *draw_losses(_read_runs(source)),
        _tabulate_arms(verdict.arms),
        *_draw_seeds(verdict.arms),
        *view_second_set(verdict),
        *tabulate_looks(verdict),
        _tabulate_gates(verdict),
    )
    return Section(f"comparison-{number}", f"Comparison: {source.name}", lead, blocks)


def name_arms(arms: Sequence[ArmResult]) -> list[str]:
    """Name arms, cut to 40 characters, so that no two are alike."""
    names = [show_line(arm.name, 40) for arm in arms]
    if len(set(names)) == len(names):
        return names
    return [f"{place} {name}" for place, name in enumerate(names, 1)]


def _read_runs(source: Source[Verdict]) -> list[tuple[str, list[list[MetricsLine]]]]:
    """Read the metrics of each arm's runs, as far as they are there."""
    runs = []
    arms = source.content.arms
    for name, arm in zip(name_arms(arms), arms, strict=True):
        folders = [find_run(source.folder, seed) for seed in arm.seeds]
        runs.append((name, [read_metrics(folder) for folder in folders if folder is not None]))
    return runs


def _tabulate_arms(arms: Sequence[ArmResult]) -> Table:
    columns = (
        "arm", "ids to train on", "unique tokens", "epochs", "leaked documents", "held-out loss",
        "SD of seeds", "bits/byte", "tokens a run", "parameters",
    )  # fmt: skip
    rows = tuple(
        (
            name,
            count(arm.train_tokens),
            count(arm.unique_tokens),
            f"{arm.epochs:.2f}",
            count(arm.leaked_documents),
            four_digits(arm.loss),
            four_digits(arm.loss_sd),
            four_digits(arm.bits_per_byte),
            NO_VALUE if arm.tokens_per_run is None else count(arm.tokens_per_run),
            NO_VALUE if arm.parameters is None else count(arm.parameters),
        )
        for name, arm in zip(name_arms(arms), arms, strict=True)
    )
    return Table(
        columns,
        rows,
        frozenset(range(1, 10)),
        "The first arm is the baseline. Loss is the mean of its seeds, in nats a token.",
    )


def _draw_seeds(arms: Sequence[ArmResult]) -> Iterator[Chart]:
    names = name_arms(arms)
    rows = tuple(
        (
            name,
            str(seed.seed),
            f"{seed.loss:.4f}",
            four_digits(seed.bits_per_byte),
            show_line(seed.run, 60),
        )
        for name, arm in zip(names, arms, strict=True)
        for seed in arm.seeds
    )
    if rows:
        yield Chart(
            "Held-out loss of every run; the stroke is an arm's mean",
            plot_seeds(names, [[seed.loss for seed in arm.seeds] for arm in arms]),
            Table(("arm", "seed", "held-out loss", "bits/byte", "run"), rows, frozenset({1, 2, 3})),
        )


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
    return Table(
        ("gate", "asks for", "found", "needed"),
        rows,
        caption=f"Gates of a fair comparison: {count(len(rows) - failed)} passed, "
        f"{count(failed)} failed.",
        tones=tuple("good" if gate.passed else "bad" for gate in ordered),
    )
