"""A diagnosis for a terminal: ASCII, aligned, the likeliest cause first."""

import textwrap
from collections.abc import Iterator

from assay.anchors import Lever
from assay.budgets import describe_budget, show_range, show_seen
from assay.console import align, count, round_count, show_line
from assay.diagnose.case import Case
from assay.diagnose.evidence import Evidence, Hypothesis
from assay.diagnose.next_steps import LEGEND, NextStep

_WIDTH = 100
_LABEL = 9  # "certain" and two spaces; "against" and two


def describe_diagnosis(
    case: Case,
    hypotheses: list[Hypothesis],
    levers: list[Lever],
    conclusions: list[str],
    next_steps: list[NextStep],
) -> str:
    """Lay out a diagnosis: conclusions, what to do, the run, every hypothesis, the levers.

    Names from logs and configs are untrusted and made visible.
    """
    blocks = [
        _head(case),
        "\n".join(_item("-", sentence) for sentence in conclusions),
        *_tell_next(next_steps),
        "THE RUN\n" + align(_rows_of_run(case), "  "),
        "THE CURVE\n" + "\n".join(_item(" ", sentence) for sentence in _tell_curve(case)),
    ]
    notes = [*case.log.notes, *(case.plan.notes if case.plan else ()), *case.notes]
    if notes:
        blocks.append("NOTES\n" + "\n".join(_item("-", note) for note in notes))
    blocks.append(
        "HYPOTHESES, likeliest first; points are log-odds (likely from 1.5 up), * direct evidence"
        + "\n\n"
        + "\n\n".join("\n".join(_tell(each)) for each in hypotheses)
    )
    if levers:
        rows = [(x.name, f"{-x.high:+.3f} .. {-x.low:+.3f}", x.source) for x in levers]
        blocks.append("WHAT WOULD CHANGE THE LOSS, nats/token\n" + _table(rows))
    return "\n\n".join(blocks)


def _tell_next(next_steps: list[NextStep]) -> Iterator[str]:
    if not next_steps:
        return
    lines = [
        _item(f"{number}.", f"{each.why} ({each.cost}): {each.command}")
        for number, each in enumerate(next_steps, 1)
    ]
    yield "\n".join([f"DO NEXT, cheapest first ({LEGEND})", *lines])


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
        return describe_budget(case.budget)
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
    if case.forecast is not None and case.forecast.at_step > case.curve.step_N[-1]:
        others = ", ".join(
            f"{name} {loss:.3f}" for name, loss in case.forecast.cross_checks.items()
        )
        yield f"{case.forecast.sentence}; other laws: {others}"


def _tell(each: Hypothesis) -> Iterator[str]:
    yield f"{each.level:<{_LABEL + 1}}{each.points:+.1f}  {each.name}"
    for label, facts in (
        ("for", [fact for fact in each.evidence if fact.points > 0]),
        ("against", [fact for fact in each.evidence if fact.points < 0]),
        ("neither", [fact for fact in each.evidence if fact.points == 0]),
    ):
        for fact in sorted(facts, key=_weight):
            mark = "*" if fact.direct else " "
            yield _item(f"  {label:<{_LABEL}} {fact.points:+.1f}{mark}", fact.sentence)
    for what in each.missing:
        yield _item(f"  {'missing':<{_LABEL + 6}}", what)
    if each.experiment:
        yield _item(f"  {'decides':<{_LABEL + 6}}", each.experiment + _cost(each.tokens))
    if each.gain is not None:
        yield _item(
            f"  {'would buy':<{_LABEL + 6}}", f"{show_range(each.gain)} ({each.gain_source})"
        )


def _weight(fact: Evidence) -> float:
    return -abs(fact.points)


def _cost(tokens: float | None) -> str:
    if tokens is None:
        return ""
    return f" ({round_count(tokens)} tokens)" if tokens else " (no training)"


def _item(label: str, text: str) -> str:
    """Put a label before a text that wraps under itself."""
    first = f"{label} "
    return textwrap.fill(
        show_line(text, 1_000),
        _WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _table(rows: list[tuple[str, str, str]]) -> str:
    return align(rows, "  ")
