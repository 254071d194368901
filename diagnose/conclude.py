"""What it comes to, in plain sentences."""

import math
from collections.abc import Iterator

from assay.anchors import floor_loss
from assay.budgets import show_range
from assay.diagnose.case import Case
from assay.diagnose.evidence import LEVELS, Hypothesis

QUANTITY = "too little unique data, too many epochs"
OVERFITTING = "overfitting"
SCHEDULE = "schedule not finished"
_PERPLEXITY = 10


def conclude(case: Case, hypotheses: list[Hypothesis]) -> list[str]:
    """Return the sentences a reader needs if he reads no more, the most important first."""
    return [*_name_causes(hypotheses), *_judge_data(hypotheses), *_state_reach(case)]


def _name_causes(hypotheses: list[Hypothesis]) -> Iterator[str]:
    found = [each for each in hypotheses if each.level in ("certain", "likely")]
    if not found:
        yield "no cause stands out: nothing here is more than possible"
        return
    names = ", ".join(f"{each.name} ({each.level})" for each in found)
    yield f"what most likely holds the loss: {names}"


def _judge_data(hypotheses: list[Hypothesis]) -> Iterator[str]:
    """Say plainly whether the amount of data is the cause."""
    by_name = {each.name: each for each in hypotheses}
    quantity, overfitting = by_name[QUANTITY], by_name[OVERFITTING]
    worst = min(LEVELS.index(quantity.level), LEVELS.index(overfitting.level))
    gain = _compare_gains(quantity, by_name[SCHEDULE])
    if worst < LEVELS.index("possible"):
        sure = "certainly" if worst == LEVELS.index("certain") else "likely"
        yield f"the amount of data is {sure} a cause{gain}"
    elif quantity.gain is None:
        yield (
            "whether more data would help cannot be told before its unique tokens are counted "
            f"(assay audit); overfitting is {overfitting.level}"
        )
    elif worst > LEVELS.index("possible"):
        yield f"the amount of data is not the cause{gain}"
    else:
        yield f"the amount of data may be a cause{gain}; a comparison decides"


def _compare_gains(quantity: Hypothesis, schedule: Hypothesis) -> str:
    if quantity.gain is None:
        return ""
    text = f": at equal tokens seen, twice the unique tokens would buy {show_range(quantity.gain)}"
    if schedule.gain is not None and schedule.level in ("certain", "likely"):
        text += f", finishing the schedule {show_range(schedule.gain)}"
    return text


def _state_reach(case: Case) -> Iterator[str]:
    if case.expected is not None and case.plan is not None:
        yield (
            f"to be expected of {case.plan.parameters / 1e6:.1f}M parameters and "
            f"{case.plan.tokens / 1e9:.2f}B tokens of web text: {case.expected.low:.2f} to "
            f"{case.expected.high:.2f}"
        )
        floor = floor_loss(case.plan.parameters)
        if floor.low > math.log(_PERPLEXITY):
            yield (
                f"perplexity below {_PERPLEXITY} (loss {math.log(_PERPLEXITY):.2f}) is out of "
                f"reach at this size: with endless data three laws give {floor.low:.2f} to "
                f"{floor.high:.2f}"
            )
    claim = case.plan.find_claim() if case.plan is not None else None
    if claim is not None and case.plan is not None:
        yield (
            f"the run calls itself {claim[0]!r}, {claim[1] / 1e6:g}M parameters; its settings make "
            f"{case.plan.parameters / 1e6:.2f}M"
        )
    printed = case.log.facts.get("parameters_millions")
    if printed and case.plan is not None:
        made = case.plan.parameters / 1e6
        if abs(printed - made) > max(0.02, 0.002 * made):
            yield (
                f"the log prints {printed:.2f}M parameters, the config makes {made:.2f}M: it is "
                "not this run's config"
            )
