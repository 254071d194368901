"""Too little unique data: its repeats teach less than new tokens would."""

from collections.abc import Iterator

from assay.diagnose.analysis.run_analysis import RunAnalysis
from assay.formats.hypothesis import Evidence
from assay.laws.budgets import UNKNOWN, describe_capacity, show_range
from assay.laws.scaling import FEW_EPOCHS, Range, estimate_unique_gain
from assay.terminal.numbers import count

# Muennighoff et al. 2023: their R*, and where new epochs gave nothing.
_MANY_EPOCHS, _WORTHLESS = 15.4, 44.0


def read_evidence(run: RunAnalysis) -> Iterator[Evidence]:
    """Count epochs and what they cost; neither where the data is not the run's."""
    if run.doubt is not None:
        yield Evidence(0.0, f"withheld: {run.doubt.sentence}")
        return
    yield from _read_repeats(run)
    gap = run.gap
    widens = gap is not None and gap.is_wide and gap.widened > 3 * gap.widened_error
    if widens or (run.turn is not None and run.turn.is_real):
        yield Evidence(2.5, "the run overfits, as small repeated data does", direct=True)
    elif gap is not None and gap.is_none:
        yield Evidence(-1.0, "val loss is no worse than train loss: repeats are not memorised yet")


def estimate_gain(run: RunAnalysis) -> tuple[Range | None, str]:
    """Return what twice the unique tokens would buy, None where no law tells, and its source."""
    budget, plan, gap = run.budget, run.plan, run.gap
    if budget is None or plan is None:
        return None, ""
    # On new tokens no train loss is lower than on those known by heart: val cannot come below it.
    closes = gap.mean if gap is not None and gap.is_wide else None
    if not run.laws_hold:
        if closes is None:
            return None, UNKNOWN
        return Range(0.0, closes).cap(run.limit), "at most the gap of val and train"
    gain = estimate_unique_gain(plan.parameters, plan.tokens, budget.unique, 2 * budget.unique)
    gain = gain.cap(run.limit)
    if closes is not None and closes < gain.high:
        gain = Range(min(gain.low, closes), closes, gain.caveats)
    return gain, "fit to small runs .. Muennighoff's formula"


def _read_repeats(run: RunAnalysis) -> Iterator[Evidence]:
    budget = run.budget
    if budget is None:
        return
    epochs, cost = budget.epochs, budget.repetition.cap(run.limit)
    text = (
        f"{count(budget.seen)} tokens seen are {epochs:,.1f} epochs over {count(budget.unique)} "
        f"unique tokens ({run.data.source})"
    )
    if epochs <= FEW_EPOCHS:
        yield Evidence(-3.5, f"{text}; up to 4 cost next to nothing", direct=run.data.measured)
    elif epochs <= _MANY_EPOCHS:
        yield Evidence(0.5, f"{text}; over 4, where repeats begin to cost")
    else:
        more = 2.5 if epochs > _WORTHLESS else 1.5
        yield Evidence(more, f"{text}; a repeat is worth little from about 15 epochs on")
    if epochs > FEW_EPOCHS and not run.laws_hold:
        yield Evidence(0.0, f"what repeating has cost so far is {UNKNOWN}")
    elif epochs > FEW_EPOCHS:
        points = 1.0 if cost.low >= 0.02 else 0.0 if cost.high > 0.1 else -0.5
        yield Evidence(
            -1.5 if cost.high < 0.02 else points,
            f"repeating has cost {show_range(cost)} so far: {'; '.join(cost.caveats)}",
        )
    if budget.capacity < 1:
        yield Evidence(1.5, describe_capacity(budget))
    elif budget.capacity > 3 and epochs > FEW_EPOCHS:
        yield Evidence(-0.5, describe_capacity(budget))
