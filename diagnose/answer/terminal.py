"""A diagnosis for a terminal: ASCII, aligned, the likeliest cause first."""

from collections.abc import Iterable, Iterator

from assay.diagnose.analysis.run_analysis import RunAnalysis
from assay.formats.diagnosis import DiagnosisResult, NextStep
from assay.formats.hypothesis import Evidence, Hypothesis, describe_cost
from assay.laws.budgets import UNKNOWN, show_range, show_seen
from assay.laws.scaling import Range
from assay.terminal.layout import hang, lay_item, lay_table
from assay.terminal.numbers import count
from assay.terminal.text import show_line

_HYPOTHESES = (
    "HYPOTHESES, likeliest first; points are log-odds (likely from 1.5 up), * direct evidence"
)
_LEGEND = "BINS: what assay prepare wrote; MORE: bins of other data; CKPT: a checkpoint"
_SIDES = ("for", "against", "neither")
_LABEL = 9  # "certain" and two spaces; "against" and two


def describe_diagnosis(run: RunAnalysis, result: DiagnosisResult, screen: int | None = None) -> str:
    """Lay out a diagnosis: conclusions, what to do, the run, every hypothesis, the levers.

    Names from logs and configs are untrusted and made visible.

    Args:
        run: As measured.
        result: What is said of it.
        screen: The terminal's columns; None for a pipe or a file.
    """

    def items(label: str, texts: Iterable[str]) -> str:
        return "\n".join(lay_item(label, text, screen) for text in texts)

    blocks = [
        hang(_head(run), screen, ""),
        items("-", result.conclusions),
        *_describe_steps(result.next_steps, screen),
        "THE RUN\n" + lay_table(result.budget or _rows_of_run(run), screen),
        "THE CURVE\n" + items(" ", _describe_curve(run)),
    ]
    if result.log.notes:
        blocks.append("NOTES\n" + items("-", result.log.notes))
    blocks.append(hang(_HYPOTHESES, screen, ""))
    blocks += [_describe_hypothesis(each, screen) for each in result.hypotheses]
    if result.levers:
        rows = [(x.name, f"{-x.high:+.3f} .. {-x.low:+.3f}", x.source) for x in result.levers]
        blocks.append("WHAT WOULD CHANGE THE LOSS, nats/token\n" + lay_table(rows, screen))
    return "\n\n".join(blocks)


def _describe_steps(next_steps: list[NextStep], screen: int | None) -> Iterator[str]:
    if not next_steps:
        return
    lines = [
        lay_item(
            f"{number}.", f"{each.why} ({each.cost or 'cost not known'}): {each.command}", screen
        )
        for number, each in enumerate(next_steps, 1)
    ]
    yield "\n".join([hang(f"DO NEXT, cheapest first ({_LEGEND})", screen, ""), *lines])


def _head(run: RunAnalysis) -> str:
    steps = f"step {count(run.step)}"
    if run.plan is not None and run.plan.steps > run.step:
        steps += f" of {count(run.plan.steps)}"
    return (
        f"{show_line(str(run.log.path))}  {run.log.format}  {steps}  losses: "
        f"{run.log.val.size:,} val, {run.log.train.size:,} train, {run.log.batch.size:,} batch"
    )


def _rows_of_run(run: RunAnalysis) -> list[tuple[str, str]]:
    plan = run.plan
    if plan is None:
        return [("settings", "unknown: neither a config nor sizes in the log")]
    seen = run.seen or 0
    return [
        ("parameters", f"{count(plan.parameters)} ({plan.parameters / 1e6:.2f}M)"),
        ("tokens per iteration", count(plan.tokens_per_step)),
        ("tokens seen", show_seen(seen)),
        ("unique tokens", _describe_unique(run)),
        ("tokens per parameter", f"{seen / plan.parameters:.1f}"),
    ]


def _describe_unique(run: RunAnalysis) -> str:
    if run.doubt is None:
        return "unknown: --audit DIR, --bins DIR or --unique-tokens N"
    unique, epochs = count(run.doubt.unique_tokens), f"{run.doubt.epochs:,.0f} epochs"
    return f"in doubt: {unique} would make {epochs}, which the losses contradict"


def _describe_curve(run: RunAnalysis) -> Iterator[str]:
    step, loss = run.curve.step_N[-1], run.curve.value_N[-1]
    yield f"{run.curve_name} loss {loss:.4f} at step {step:,}"
    if run.slope is not None:
        yield run.slope.sentence
    if run.forecast is not None and run.forecast.at_step > run.step:
        others = ", ".join(f"{name} {loss:.3f}" for name, loss in run.forecast.cross_checks.items())
        yield f"{run.forecast.sentence}; other laws: {others}"


def _describe_hypothesis(each: Hypothesis, screen: int | None) -> str:
    lines = [f"{each.level:<{_LABEL + 1}}{each.points:+.1f}  {each.name}"]
    for fact in sorted(each.evidence, key=lambda fact: (_side(fact), -abs(fact.points))):
        begin = f"  {_SIDES[_side(fact)]:<{_LABEL}} {fact.points:+.1f}{'*' if fact.direct else ' '}"
        lines.append(lay_item(begin, fact.sentence, screen))
    lines += [lay_item(_pad("missing"), what, screen) for what in each.missing]
    if each.experiment:
        cost = describe_cost(each.tokens)
        decides = f"{each.experiment} ({cost})" if cost else each.experiment
        lines.append(lay_item(_pad("decides"), decides, screen))
    if each.gain is not None or each.gain_source == UNKNOWN:
        gain = f"{show_range(Range(*each.gain))} ({each.gain_source})" if each.gain else UNKNOWN
        lines.append(lay_item(_pad("would buy"), gain, screen))
    return "\n".join(lines)


def _side(fact: Evidence) -> int:
    """Return the place in `_SIDES` of what a fact speaks for."""
    return 0 if fact.points > 0 else 1 if fact.points < 0 else 2


def _pad(label: str) -> str:
    """Bring a label to the column where the evidence begins."""
    return f"  {label:<{_LABEL + 6}}"
