"""Hypotheses about the training data: overfitting, too little of it, its quality."""

from collections.abc import Iterator

from assay.diagnose.facts.case import Case
from assay.diagnose.facts.data_mismatch import Doubt
from assay.diagnose.facts.law_validity import UNKNOWN, cap
from assay.diagnose.hypotheses.evidence import Evidence, Hypothesis
from assay.diagnose.hypotheses.experiments import SCORE_BEST, compare_quality, compare_quantity
from assay.laws.budgets import Budget, describe_memory, show_range
from assay.laws.scaling import FEW_EPOCHS, Range, estimate_unique_gain
from assay.terminal.numbers import count

QUANTITY = "too little unique data, too many epochs"
_WIDE_GAP, _NO_GAP = 0.05, 0.02  # nats a token
_MANY_EPOCHS, _WORTHLESS = 15.4, 44.0  # R*, and where new epochs gave nothing


def weigh_overfitting(case: Case) -> Hypothesis:
    """Overfitting: the model learns its training data by heart and val loss pays for it."""
    missing = []
    if case.gap is None:
        missing.append("train and val loss at the same steps (nanoGPT's step lines)")
    if case.budget is None:
        missing.append("unique tokens (assay audit) bound what can be memorised")
    return Hypothesis(
        name="overfitting",
        evidence=[*_read_gap(case), *_read_turn(case), *_read_memory(case)],
        missing=missing,
        experiment=SCORE_BEST,
        tokens=0.0,
    )


def _read_gap(case: Case) -> Iterator[Evidence]:
    gap = case.gap
    if gap is None:
        return
    shown = f"val minus train is {gap.mean:+.4f} +- {gap.error:.4f} nats over the last "
    shown += f"{gap.num_evaluations} evaluations"
    if not gap.paired:
        shown += " (train loss is of batches, dropout on)"
    if gap.mean > _WIDE_GAP and gap.mean > 3 * gap.error:
        rising = gap.widened > max(_NO_GAP, 3 * gap.widened_error)
        yield Evidence(2.0 + 1.5 * rising, shown + (", and widening" if rising else ""), rising)
    elif gap.mean <= max(0.0, 2 * gap.error) + _NO_GAP / 2:
        yield Evidence(
            -4.0 if gap.paired else -2.0,
            shown
            + ": an overfitted model's val loss lies above its train loss"
            + (" (both with dropout off, so dropout does not hide it)" if gap.paired else ""),
            direct=gap.paired,
        )


def _read_turn(case: Case) -> Iterator[Evidence]:
    turn = case.turn
    if turn is None:
        return
    if turn.is_real:
        yield Evidence(
            3.0,
            f"val loss was lowest near step {turn.step:,} and has risen by {turn.rise:.3f} "
            f"+- {turn.error:.3f} {case.log.val_unit} since",
            direct=True,
        )
    elif turn.rise <= turn.error:
        yield Evidence(-1.0, f"val loss has not turned upwards (lowest near step {turn.step:,})")


def _read_memory(case: Case) -> Iterator[Evidence]:
    budget = case.budget
    if budget is None:
        return
    if budget.epochs <= 1:
        yield Evidence(-3.0, "no training token was seen twice", direct=case.data.measured)
    size = f"{budget.plan.parameters / 1e6:.1f}M parameters at 3.6 bits each"
    text = f"{size}: {_describe_data(budget)} {describe_memory(budget)[1]}"
    if budget.capacity < 1:
        yield Evidence(1.5, text)
    elif budget.capacity > 3:
        yield Evidence(-1.5, text)


def _describe_data(budget: Budget) -> str:
    """Hold the data against what can be memorised, as a clause."""
    fits, _ = describe_memory(budget)
    return f"the data is {fits}" if budget.capacity >= 1 else fits


def weigh_quantity(case: Case) -> Hypothesis:
    """Too little unique data: its repeats teach less than new tokens would."""
    if case.doubt is not None:
        return _withhold_quantity(case, case.doubt)
    budget = case.budget
    evidence = [*_read_repeats(case)]
    overfits = case.turn is not None and case.turn.is_real
    gap = case.gap
    if gap is not None and gap.mean > _WIDE_GAP and gap.widened > 3 * gap.widened_error:
        overfits = True
    if overfits:
        evidence.append(Evidence(2.5, "the run overfits, as small repeated data does", direct=True))
    elif gap is not None and gap.mean <= max(0.0, 2 * gap.error) + _NO_GAP / 2:
        evidence.append(
            Evidence(-1.0, "val loss is no worse than train loss: repeats are not memorised yet")
        )
    missing = []
    if budget is None:
        missing.append("unique tokens of the training data: assay audit, then --audit DIR")
    elif not case.data.measured:
        missing.append("duplicates: assay audit takes them off; U is an upper bound")
    experiment, tokens = compare_quantity(case)
    gain, source = _gain_of_more(case)
    return Hypothesis(
        name=QUANTITY,
        evidence=evidence,
        missing=missing,
        experiment=experiment,
        tokens=tokens,
        gain=gain,
        gain_source=source,
    )


def _withhold_quantity(case: Case, doubt: Doubt) -> Hypothesis:
    """Say neither yes nor no, and name no gain: the data handed over is not what was trained on."""
    experiment, tokens = compare_quantity(case)
    return Hypothesis(
        name=QUANTITY,
        evidence=[Evidence(0.0, f"withheld: {doubt.sentence}")],
        missing=[f"the run's own data: {doubt.question}"],
        experiment=experiment,
        tokens=tokens,
    )


def _gain_of_more(case: Case) -> tuple[Range | None, str]:
    """Return what twice the unique tokens would buy, None where no law tells, and its source."""
    budget, plan, gap = case.budget, case.plan, case.gap
    if budget is None or plan is None:
        return None, ""
    # On new tokens no train loss is lower than on those known by heart: val cannot come below it.
    closes = gap.mean if gap is not None and gap.mean > _WIDE_GAP else None
    if not case.laws_reach:
        if closes is None:
            return None, UNKNOWN
        return cap(Range(0.0, closes), budget, case.loss), "at most the gap of val and train"
    gain = estimate_unique_gain(plan.parameters, plan.tokens, budget.unique, 2 * budget.unique)
    gain = cap(gain, budget, case.loss)
    if closes is not None and closes < gain.high:
        gain = Range(min(gain.low, closes), closes, gain.caveats)
    return gain, "fit to small runs .. Muennighoff's formula"


def _read_repeats(case: Case) -> Iterator[Evidence]:
    budget = case.budget
    if budget is None:
        return
    epochs, cost = budget.epochs, cap(budget.repetition, budget, case.loss)
    text = f"{count(budget.seen)} tokens seen are {epochs:,.1f} epochs over {count(budget.unique)} "
    text += f"unique tokens ({case.data.source})"
    if epochs <= FEW_EPOCHS:
        yield Evidence(-3.5, f"{text}; up to 4 cost next to nothing", direct=case.data.measured)
    elif epochs <= _MANY_EPOCHS:
        yield Evidence(0.5, f"{text}; over 4, where repeats begin to cost")
    else:
        more = 2.5 if epochs > _WORTHLESS else 1.5
        yield Evidence(more, f"{text}; a repeat is worth little from about 15 epochs on")
    if epochs > FEW_EPOCHS and not case.laws_reach:
        yield Evidence(0.0, f"what repeating has cost so far is {UNKNOWN}")
    elif epochs > FEW_EPOCHS:
        points = 1.0 if cost.low >= 0.02 else 0.0 if cost.high > 0.1 else -0.5
        points = -1.5 if cost.high < 0.02 else points
        yield Evidence(
            points,
            f"repeating has cost {show_range(cost)} so far: {'; '.join(cost.caveats)}",
        )
    if budget.capacity < 1:
        yield Evidence(1.5, _describe_data(budget).rstrip(";"))
    elif budget.capacity > 3 and epochs > FEW_EPOCHS:
        yield Evidence(-0.5, _describe_data(budget).rstrip(";"))


def weigh_quality(case: Case) -> Hypothesis:
    """The text is poor: boilerplate, duplicates, another domain. A log cannot tell."""
    share = case.data.repeat_share
    evidence = []
    if share is not None:
        points = 0.5 if share > 0.2 else -0.5 if share < 0.05 else 0.0
        evidence.append(
            Evidence(points, f"{100 * share:.1f}% of tokens are in exact or near duplicates")
        )
    missing = ["a log cannot tell: only a comparison on held-out text of the kind you want can"]
    if share is None:
        missing.append("duplicates and leaks: assay audit, then --audit DIR")
    experiment, tokens = compare_quality(case)
    return Hypothesis(
        name="data quality",
        evidence=evidence,
        missing=missing,
        experiment=experiment,
        tokens=tokens,
        gain=Range(0.0, 0.01),
        gain_source="web text that was filtered already, judged on the like of it",
        most="possible",
    )
