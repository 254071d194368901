"""A diagnosis for a terminal: ASCII, aligned, the likeliest cause first."""

from collections.abc import Iterable, Iterator

from assay.diagnose.answer.next_steps import LEGEND, NextStep
from assay.diagnose.facts.case import Case
from assay.diagnose.facts.law_validity import UNKNOWN, tell_budget
from assay.diagnose.hypotheses.evidence import Evidence, Hypothesis
from assay.laws.anchors import Lever
from assay.laws.budgets import show_range, show_seen
from assay.terminal.layout import hang, lay_item, lay_table
from assay.terminal.numbers import count, round_count
from assay.terminal.text import show_line

_HYPOTHESES = (
    "HYPOTHESES, likeliest first; points are log-odds (likely from 1.5 up), * direct evidence"
)
_LABEL = 9  # "certain" and two spaces; "against" and two


def describe_diagnosis(
    case: Case,
    hypotheses: list[Hypothesis],
    levers: list[Lever],
    conclusions: list[str],
    next_steps: list[NextStep],
    screen: int | None = None,
) -> str:
    """Lay out a diagnosis: conclusions, what to do, the run, every hypothesis, the levers.

    Names from logs and configs are untrusted and made visible. `screen` is the terminal's width,
    None for a pipe or a file.
    """

    def items(label: str, texts: Iterable[str]) -> str:
        return "\n".join(lay_item(label, text, screen) for text in texts)

    blocks = [
        hang(_head(case), screen, ""),
        items("-", conclusions),
        *_tell_next(next_steps, screen),
        "THE RUN\n" + lay_table(_rows_of_run(case), screen),
        "THE CURVE\n" + items(" ", _tell_curve(case)),
    ]
    notes = [*case.log.notes, *(case.plan.notes if case.plan else ()), *case.notes]
    if notes:
        blocks.append("NOTES\n" + items("-", notes))
    blocks.append(
        "\n\n".join([hang(_HYPOTHESES, screen, ""), *(_tell(each, screen) for each in hypotheses)])
    )
    if levers:
        rows = [(x.name, f"{-x.high:+.3f} .. {-x.low:+.3f}", x.source) for x in levers]
        blocks.append("WHAT WOULD CHANGE THE LOSS, nats/token\n" + lay_table(rows, screen))
    return "\n\n".join(blocks)


def _tell_next(next_steps: list[NextStep], screen: int | None) -> Iterator[str]:
    if not next_steps:
        return
    lines = [
        lay_item(f"{number}.", f"{each.why} ({each.cost}): {each.command}", screen)
        for number, each in enumerate(next_steps, 1)
    ]
    yield "\n".join([hang(f"DO NEXT, cheapest first ({LEGEND})", screen, ""), *lines])


def _head(case: Case) -> str:
    steps = f"step {count(case.step)}"
    if case.plan is not None and case.plan.steps > case.step:
        steps += f" of {count(case.plan.steps)}"
    losses = (
        f"{case.log.val.size:,} val, {case.log.train.size:,} train, {case.log.batch.size:,} batch"
    )
    return f"{show_line(str(case.log.path))}  {case.log.format}  {steps}  losses: {losses}"


def _rows_of_run(case: Case) -> list[tuple[str, str]]:
    plan = case.plan
    if plan is None:
        return [("settings", "unknown: neither a config nor sizes in the log")]
    if case.budget is not None:
        return tell_budget(case.budget, reached=case.laws_reach, loss=case.loss)
    seen = case.seen or 0
    return [
        ("parameters", f"{count(plan.parameters)} ({plan.parameters / 1e6:.2f}M)"),
        ("tokens per iteration", count(plan.tokens_per_step)),
        ("tokens seen", show_seen(seen)),
        ("unique tokens", _tell_unknown(case)),
        ("tokens per parameter", f"{seen / plan.parameters:.1f}"),
    ]


def _tell_unknown(case: Case) -> str:
    if case.doubt is None:
        return "unknown: --audit DIR, --bins DIR or --unique-tokens N"
    epochs = f"{case.doubt.epochs:,.0f} epochs"
    return f"in doubt: {count(case.doubt.unique)} would make {epochs}, which the losses contradict"


def _tell_curve(case: Case) -> Iterator[str]:
    last = case.curve.value_N[-1]
    yield f"{case.curve_name} loss {last:.4f} at step {int(case.curve.step_N[-1]):,}"
    if case.slope is not None:
        yield case.slope.sentence
    if case.forecast is not None and case.forecast.at_step > case.step:
        others = ", ".join(
            f"{name} {loss:.3f}" for name, loss in case.forecast.cross_checks.items()
        )
        yield f"{case.forecast.sentence}; other laws: {others}"


def _tell(each: Hypothesis, screen: int | None) -> str:
    lines = [f"{each.level:<{_LABEL + 1}}{each.points:+.1f}  {each.name}"]
    for label, facts in (
        ("for", [fact for fact in each.evidence if fact.points > 0]),
        ("against", [fact for fact in each.evidence if fact.points < 0]),
        ("neither", [fact for fact in each.evidence if fact.points == 0]),
    ):
        for fact in sorted(facts, key=_weight):
            mark = "*" if fact.direct else " "
            begin = f"  {label:<{_LABEL}} {fact.points:+.1f}{mark}"
            lines.append(lay_item(begin, fact.sentence, screen))
    lines += [lay_item(_pad("missing"), what, screen) for what in each.missing]
    if each.experiment:
        lines.append(lay_item(_pad("decides"), each.experiment + _cost(each.tokens), screen))
    if each.gain is not None:
        gain = f"{show_range(each.gain)} ({each.gain_source})"
        lines.append(lay_item(_pad("would buy"), gain, screen))
    elif each.gain_source == UNKNOWN:
        lines.append(lay_item(_pad("would buy"), UNKNOWN, screen))
    return "\n".join(lines)


def _pad(label: str) -> str:
    """Bring a label to the column where the evidence begins."""
    return f"  {label:<{_LABEL + 6}}"


def _weight(fact: Evidence) -> float:
    return -abs(fact.points)


def _cost(tokens: float | None) -> str:
    if tokens is None:
        return ""
    return f" ({round_count(tokens)} tokens)" if tokens else " (no training)"
