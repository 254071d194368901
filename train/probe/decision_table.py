"""The decision table of a probe: which pattern of effects names which cause.

Each condition is met, not met, or open: where an interval reaches over its bound, nothing was
shown, and that is said. A cause is named only if all of its conditions are met.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assay.formats.probe import MET, OPEN, UNMET, Cause, Effect
from assay.laws.scaling import Range

SCHEDULE = "schedule"
REPETITION = "data-limited (repetition)"
QUALITY = "distribution or quality"
CAPACITY = "capacity"
BUG = "optimisation or architecture bug"
VALIDATION = "leak or easier validation set"

# Bounds, nats a token.
COOLDOWN = 0.02
DATA = 0.01
GAP = 0.05
NEAR_EXPECTED, FAR_FROM_EXPECTED = 0.1, 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What the table reads.

    Attributes:
        cooldown: Of cooling down on the old data.
        cooldown_on_new: Of cooling down on the new.
        data: Of new data at a constant rate, on documents like the old data's.
        target: The same on documents of the kind that is wanted, where those are others.
        gap: Val minus train loss of the checkpoint itself.
        capacity: How many times the old data's unique tokens exceed what can be memorised.
        excess: Loss after the cooldown minus what is expected of size and tokens; None where
            nothing can be expected.
        leaked_share: Of the held-out documents, those in the old training data.
    """

    cooldown: Effect
    cooldown_on_new: Effect
    data: Effect
    gap: Effect
    capacity: float
    target: Effect | None = None
    excess: Range | None = None
    leaked_share: float = 0.0


def read_table(signs: Signs) -> list[Cause]:
    """Read every row; named causes first, of these the largest effect first, then open ones.

    >>> at = lambda x: Effect(value=x, interval=(x - .004, x + .004), detectable=.006,
    ...                       error=.002, degrees=9)
    >>> signs = Signs(cooldown=at(-.09), cooldown_on_new=at(-.08), data=at(-.001),
    ...               gap=at(.01), capacity=5)
    >>> [cause.name for cause in read_table(signs) if cause.state == "named"]
    ['schedule']
    """
    rows = [*_read(signs)]
    order = (MET, OPEN, UNMET)
    return sorted(rows, key=lambda row: (order.index(row.state), row.effect))


def lowers(effect: Effect, bound: float) -> str:
    """Say whether the loss falls by at least `bound`, and surely falls."""
    low, high = effect.interval
    if effect.value <= -bound and high < 0:
        return MET
    return UNMET if low > -bound else OPEN


def exceeds(effect: Effect, bound: float) -> str:
    """Say whether a difference is over `bound`, and surely over 0."""
    low, high = effect.interval
    if effect.value > bound and low > 0:
        return MET
    return UNMET if high <= bound else OPEN


def is_small(effect: Effect, bound: float) -> str:
    """Say whether a difference surely lies within `bound` of 0."""
    low, high = effect.interval
    if -bound < low and high < bound:
        return MET
    return UNMET if abs(effect.value) >= bound and (low > 0 or high < 0) else OPEN


def meet_all(states: Sequence[str]) -> str:
    """Return unmet if any is, else open if any is, else met."""
    return next((state for state in (UNMET, OPEN) if state in states), MET)


def meet_any(states: Sequence[str]) -> str:
    """Return met if any is, else open if any is, else unmet."""
    return next((state for state in (MET, OPEN) if state in states), UNMET)


def show_effect(effect: Effect) -> str:
    """Write a difference with its interval; one that may be 0 with what could have been seen."""
    low, high = effect.interval
    text = f"{effect.value:+.4f} ({low:+.4f} to {high:+.4f})"
    if low <= 0 <= high:
        text += (
            f", cannot be told from 0; the smallest that could be seen is {effect.detectable:.4f}"
        )
    return text


def _read(signs: Signs) -> Iterator[Cause]:
    yield _read_schedule(signs)
    yield _read_repetition(signs)
    yield _read_quality(signs)
    yield from _read_rest(signs)
    yield _read_validation(signs)


def _read_schedule(signs: Signs) -> Cause:
    """Cooling down buys something, and not only to a model that is held by its data."""
    state, beside = lowers(signs.cooldown, COOLDOWN), lowers(signs.data, DATA)
    reason = f"cooling down on the same data: {show_effect(signs.cooldown)}"
    if beside == MET:
        state = meet_all([state, lowers(signs.cooldown_on_new, COOLDOWN)])
        on_new = show_effect(signs.cooldown_on_new)
        reason += f"; new data lowers the loss as well, cooling down on it: {on_new}"
    elif state == MET and beside == OPEN:
        reason += "; whether new data lowers the loss, too, is open"
    return Cause(
        name=SCHEDULE,
        state=state,
        reason=reason,
        advice="finish the schedule, or decay the learning rate now: the plateau is its noise",
        effect=signs.cooldown.value if state == MET else 0.0,
    )


def _read_repetition(signs: Signs) -> Cause:
    helps, gap = lowers(signs.data, DATA), exceeds(signs.gap, GAP)
    small = MET if signs.capacity < 1 else UNMET
    state = meet_all([helps, meet_any([gap, small])])
    reason = (
        f"new data at the same rate: {show_effect(signs.data)}; val minus train "
        f"{show_effect(signs.gap)}; the old data is {signs.capacity:.2g} times what the model can "
        "memorise"
    )
    return Cause(
        name=REPETITION,
        state=state,
        reason=reason,
        advice="more unique tokens: assay audit counts them, assay compare says what they buy",
        effect=signs.data.value if state == MET else 0.0,
    )


def _read_quality(signs: Signs) -> Cause:
    target = signs.target
    advice = "train on text of the kind you want: assay prepare, then assay compare"
    if target is None:
        state = UNMET if lowers(signs.data, DATA) == UNMET else OPEN
        reason = f"new data at the same rate: {show_effect(signs.data)}"
        if state == OPEN:
            reason += "; kinds of text are not told apart without --held-out of the kind you want"
        return Cause(name=QUALITY, state=state, reason=reason, advice=advice)
    state = meet_all([lowers(target, DATA), is_small(signs.data, DATA)])
    return Cause(
        name=QUALITY,
        state=state,
        reason=f"new data: {show_effect(target)} on the text that is wanted, "
        f"{show_effect(signs.data)} on text like the old",
        advice=advice,
        effect=target.value if state == MET else 0.0,
    )


def _read_rest(signs: Signs) -> Iterator[Cause]:
    """Rows that hold only where neither cooling down nor data does anything."""
    still, moved = _rule_out(signs)
    excess = signs.excess
    near = far = OPEN
    shown = "; the loss to expect of this size and these tokens is not known"
    if excess is not None:
        shown = f"; the loss is {excess.low:+.2f} to {excess.high:+.2f} over what is to be expected"
        near = MET if excess.low < NEAR_EXPECTED and excess.high > -NEAR_EXPECTED else UNMET
        far = MET if excess.low > FAR_FROM_EXPECTED else UNMET
        if far == UNMET and excess.high > FAR_FROM_EXPECTED:
            far = OPEN
    reason = moved if still == UNMET else moved + shown
    yield Cause(
        name=CAPACITY,
        state=meet_all([still, near]),
        reason=reason,
        advice="a larger model, or many more tokens: assay compare --vary n_layer+n_embd=...",
    )
    yield Cause(
        name=BUG,
        state=meet_all([still, far]),
        reason=reason,
        advice="look at learning rate, tokenizer, evaluation, dropout: "
        "assay compare --vary learning_rate=...",
    )


def _rule_out(signs: Signs) -> tuple[str, str]:
    """Say whether nothing moves the loss, and what does, or may: what lowers it is a cause itself.

    What surely raises it is none, and yet no sign that all is still: it leaves the rows open.
    """
    looked = [("cooling down", signs.cooldown, COOLDOWN), ("new data", signs.data, DATA)]
    if signs.target is not None:
        looked.append(("new data, on the text that is wanted,", signs.target, DATA))
    told: list[tuple[str, str]] = []
    for what, effect, bound in looked:
        if lowers(effect, bound) == MET:
            told.append((UNMET, f"{what} lowers the loss: {show_effect(effect)}"))
        elif exceeds(effect, bound) == MET:
            told.append((OPEN, f"{what} raises the loss: {show_effect(effect)}"))
        elif is_small(effect, bound) != MET:
            told.append((OPEN, f"whether {what} moves the loss is open: {show_effect(effect)}"))
    alike = is_small(signs.gap, GAP)
    if alike != MET:
        doubt = "whether val and train loss differ is open" if alike == OPEN else "they differ"
        told.append((alike, f"val minus train {show_effect(signs.gap)}: {doubt}"))
    state = meet_all([found for found, _ in told])
    if not told:
        return state, "neither cooling down nor new data moves the loss, val and train are alike"
    return state, "; ".join(text for found, text in told if found == state)


def _read_validation(signs: Signs) -> Cause:
    low, high = signs.gap.interval
    state = MET if high < 0 else UNMET if low > -GAP else OPEN
    reason = f"val minus train {show_effect(signs.gap)}"
    if signs.leaked_share > 0:
        reason += f"; {signs.leaked_share:.1%} of val documents stand in the training data"
        state = MET if signs.leaked_share > 0.01 else state
    return Cause(
        name=VALIDATION,
        state=state,
        reason=reason,
        advice="assay audit TRAIN --val VAL counts leaks; assay prepare holds out anew",
    )
