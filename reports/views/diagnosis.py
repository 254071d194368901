"""The section of a diagnosis: what it comes to, every hypothesis with its evidence, the levers."""

from collections.abc import Iterator

from assay.formats.diagnosis import DiagnosisResult, FittedCurve, LossForecast
from assay.formats.hypothesis import Hypothesis
from assay.laws.anchors import Lever
from assay.reports.page.page import Banner, Block, Chart, Facts, Mark, Note, Section, Table
from assay.reports.page.training_plots import Curve, Point, join_seeds, plot_curves
from assay.reports.sources.sources import Source
from assay.terminal.numbers import count, round_count
from assay.terminal.text import show_line

_TONES = {"certain": "bad", "likely": "warn", "refuted": "good"}
# The headline says it; the second as version 0.1.0 wrote it.
_NAMES = ("most likely ", "what most likely ", "no cause stands out")
_ROWS = 40  # of the curve under its picture


def head_diagnosis(source: Source[DiagnosisResult]) -> Banner:
    """Say in a few words which causes stand out."""
    found = source.content
    causes = [each for each in found.hypotheses if each.stands_out]
    word, tone = "no cause stands out", "plain"
    if causes:
        word = f"{causes[0].level}: {causes[0].name}"
        tone = "bad" if any(each.level == "certain" for each in causes) else "warn"
    # With causes, the headline and the marks say them: the sentence says the rest, the curve first.
    names = {each.name for each in found.hypotheses}
    marks = [
        Mark(
            "warn",
            "test" if step.why in names else "do",
            show_line(f"{step.why} ({step.cost})" if step.cost else step.why, 300),
            show_line(step.command, 500),
        )
        for step in found.next_steps
    ]
    return Banner(
        tone,
        show_line(word, 80),
        f"diagnosis {source.name}",
        show_line(_part(found)[0], 1_000),
        tuple(marks),
    )


def view_diagnosis(source: Source[DiagnosisResult], number: int) -> Section:
    """Show a diagnosis: the run, hypotheses, evidence for and against, levers, notes."""
    found = source.content
    lead = (
        f"A log of {show_line(found.log.format, 40)} until step {count(found.log.last_step)}, "
        f"weighed against {len(found.hypotheses)} hypotheses; points are log-odds, and nothing is "
        "certain or refuted without direct evidence."
    )
    return Section(
        f"diagnosis-{number}", f"Diagnosis: {source.name}", lead, tuple(_list_blocks(found))
    )


def _list_blocks(found: DiagnosisResult) -> Iterator[Block]:
    yield from (Note(show_line(text, 1_000)) for text in _part(found)[1])
    if found.curve is not None and len(found.curve.steps) > 1:
        yield _draw_curve(found.curve, found.forecast)
    yield _list_hypotheses(found)
    if found.budget:
        yield Facts(tuple(_join_rows(found.budget)))
    yield from (_list_evidence(each) for each in found.hypotheses if each.evidence or each.missing)
    if found.levers:
        yield _list_levers(found.levers)
    yield from (Note(show_line(note, 500), "warn") for note in found.log.notes)


def list_levels(found: DiagnosisResult) -> list[tuple[str, str, str]]:
    """List the hypotheses, the likeliest first: level, points, name."""
    return [
        (show_line(each.level, 20), f"{each.points:+.1f}", show_line(each.name, 80))
        for each in found.hypotheses
    ]


def _part(found: DiagnosisResult) -> tuple[str, list[str]]:
    """Part the conclusions: the first two for the banner, the others for the section."""
    sentences = [
        f"{text[:1].upper()}{text[1:]}."
        for text in found.conclusions
        if not text.startswith(_NAMES)
    ]
    return " ".join(sentences[:2]), sentences[2:]


def _draw_curve(curve: FittedCurve, forecast: LossForecast | None) -> Chart:
    """Draw the losses that were fitted, and where they are headed."""
    points = list(zip(curve.steps, curve.losses, strict=False))
    name = show_line(curve.name, 20)
    curves = [join_seeds(name, [points])]
    rows = [(count(step), f"{loss:.4f}", name) for step, loss in points[::-1][:_ROWS][::-1]]
    label = f"Loss ({name}) over steps"
    if forecast is not None and forecast.step > curve.steps[-1]:
        low, high = forecast.interval
        now = curves[0].points[-1]
        ahead = Point(forecast.step, forecast.loss, low, high, 1)
        curves.append(Curve("forecast", (now, ahead)))
        rows.append(
            (count(forecast.step), f"{forecast.loss:.4f}", f"forecast, {low:.4f} to {high:.4f}")
        )
        label += f", and the forecast for step {count(forecast.step)} with its interval"
    table = Table(("step", "nats/token", ""), tuple(rows), frozenset({0, 1}))
    return Chart(label, plot_curves(curves, "nats a token", along="steps"), table)


def _join_rows(rows: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Join rows without a name, which go on with the one before, to it."""
    joined: list[tuple[str, str]] = []
    for what, text in rows:
        if what or not joined:
            joined.append((what, text))
        else:
            joined[-1] = (joined[-1][0], f"{joined[-1][1]} {text}")
    yield from ((show_line(what), show_line(text, 300)) for what, text in joined)


def _list_hypotheses(found: DiagnosisResult) -> Table:
    rows = [
        (
            show_line(each.level, 20),
            show_line(each.name),
            show_line(each.experiment, 300),
            # Nothing is an answer, a dash is none.
            "-" if each.tokens is None else round_count(each.tokens) if each.tokens else "none",
            "-" if each.gain is None else f"{each.gain[0]:.3f} to {each.gain[1]:.3f}",
            f"{each.points:+.1f}",
        )
        for each in found.hypotheses
    ]
    return Table(
        ("level", "hypothesis", "what decides", "tokens", "would buy, nats/token", "points"),
        tuple(rows),
        frozenset({3, 4, 5}),
        "Hypotheses, the likeliest first",
        tones=tuple(_TONES.get(each.level, "plain") for each in found.hypotheses),
    )


def _list_evidence(each: Hypothesis) -> Table:
    rows = [
        (f"{fact.points:+.1f}", "direct" if fact.direct else "", show_line(fact.sentence, 1_000))
        for fact in sorted(each.evidence, key=lambda fact: -abs(fact.points))
    ]
    rows += [("", "missing", show_line(what, 500)) for what in each.missing]
    return Table(
        ("points", "", "evidence"),
        tuple(rows),
        frozenset({0}),
        folded=f"{show_line(each.level, 20)} ({each.points:+.1f}): {show_line(each.name)}",
    )


def _list_levers(levers: list[Lever]) -> Table:
    rows = [
        (show_line(x.name), f"{-x.high:+.3f} to {-x.low:+.3f}", show_line(x.source, 200))
        for x in levers
    ]
    return Table(
        ("change", "loss, nats/token", "source"),
        tuple(rows),
        frozenset({1}),
        "What would change the loss",
    )
