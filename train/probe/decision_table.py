"""The decision table of a probe: which pattern of effects names which cause.

Each condition is met, ruled out, or undetermined: where an interval reaches over its bound, nothing
was shown, and the reason says so. A cause is named only if all of its conditions are met.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assay.formats.probe import CONFIRMED, RULED_OUT, UNDETERMINED, Cause, Effect
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
class ProbeEffects:
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


def decide_causes(effects: ProbeEffects) -> list[Cause]:
    """Decide every row; named causes first, of these the largest effect first, then open ones.

    >>> at = lambda x: Effect(value=x, interval=(x - .004, x + .004), detectable=.006,
    ...                       error=.002, degrees=9)
    >>> effects = ProbeEffects(cooldown=at(-.09), cooldown_on_new=at(-.08), data=at(-.001),
    ...                        gap=at(.01), capacity=5)
    >>> [cause.name for cause in decide_causes(effects) if cause.state == "named"]
    ['schedule']
    """
    rows = [
        _decide_schedule(effects),
        _decide_repetition(effects),
        _decide_quality(effects),
        *_decide_rest(effects),
        _decide_validation(effects),
    ]
    order = (CONFIRMED, UNDETERMINED, RULED_OUT)
    return sorted(rows, key=lambda row: (order.index(row.state), row.effect))


def lowers(effect: Effect, bound: float) -> str:
    """Tell whether the loss falls by at least `bound`, and surely falls."""
    low, high = effect.interval
    if effect.value <= -bound and high < 0:
        return CONFIRMED
    return RULED_OUT if low > -bound else UNDETERMINED


def exceeds(effect: Effect, bound: float) -> str:
    """Tell whether a difference is over `bound`, and surely over 0."""
    low, high = effect.interval
    if effect.value > bound and low > 0:
        return CONFIRMED
    return RULED_OUT if high <= bound else UNDETERMINED


def is_small(effect: Effect, bound: float) -> str:
    """Tell whether a difference surely lies within `bound` of 0."""
    low, high = effect.interval
    if -bound < low and high < bound:
        return CONFIRMED
    return RULED_OUT if abs(effect.value) >= bound and (low > 0 or high < 0) else UNDETERMINED


def meet_all(states: Sequence[str]) -> str:
    """Return ruled out if any is, else undetermined if any is, else confirmed."""
    return next((state for state in (RULED_OUT, UNDETERMINED) if state in states), CONFIRMED)


def meet_any(states: Sequence[str]) -> str:
    """Return confirmed if any is, else undetermined if any is, else ruled out."""
    return next((state for state in (CONFIRMED, UNDETERMINED) if state in states), RULED_OUT)


def format_effect(effect: Effect) -> str:
    """Write a difference with its interval; the minimum detectable effect where it may be 0."""
    low, high = effect.interval
    text = f"{effect.value:+.4f} ({low:+.4f} to {high:+.4f})"
    if low <= 0 <= high:
        text += f", may be 0; minimum detectable effect {effect.detectable:.4f}"
    return text


def _decide_schedule(effects: ProbeEffects) -> Cause:
    """Cooling down buys something, and not only to a model that is held by its data."""
    state, beside = lowers(effects.cooldown, COOLDOWN), lowers(effects.data, DATA)
    reason = f"cooling down on the same data: {format_effect(effects.cooldown)}"
    if beside == CONFIRMED:
        state = meet_all([state, lowers(effects.cooldown_on_new, COOLDOWN)])
        on_new = format_effect(effects.cooldown_on_new)
        reason += f"; new data lowers the loss as well, cooling down on it: {on_new}"
    elif state == CONFIRMED and beside == UNDETERMINED:
        reason += "; whether new data lowers the loss, too, is open"
    return Cause(
        name=SCHEDULE,
        state=state,
        reason=reason,
        advice="finish the schedule, or decay the learning rate now: the plateau is its noise",
        effect=effects.cooldown.value if state == CONFIRMED else 0.0,
    )


def _decide_repetition(effects: ProbeEffects) -> Cause:
    helps, gap = lowers(effects.data, DATA), exceeds(effects.gap, GAP)
    small = CONFIRMED if effects.capacity < 1 else RULED_OUT
    state = meet_all([helps, meet_any([gap, small])])
    reason = (
        f"new data at the same rate: {format_effect(effects.data)}; val minus train "
        f"{format_effect(effects.gap)}; the old data is {effects.capacity:.2g} times what the "
        "model can memorise"
    )
    return Cause(
        name=REPETITION,
        state=state,
        reason=reason,
        advice="more unique tokens: assay audit counts them, assay compare says what they buy",
        effect=effects.data.value if state == CONFIRMED else 0.0,
    )


def _decide_quality(effects: ProbeEffects) -> Cause:
    target = effects.target
    advice = "train on text of the kind you want: assay prepare, then assay compare"
    if target is None:
        state = RULED_OUT if lowers(effects.data, DATA) == RULED_OUT else UNDETERMINED
        reason = f"new data at the same rate: {format_effect(effects.data)}"
        if state == UNDETERMINED:
            reason += (
                "; kinds of text cannot be distinguished without held-out documents of the kind "
                "that is wanted"
            )
        return Cause(name=QUALITY, state=state, reason=reason, advice=advice)
    state = meet_all([lowers(target, DATA), is_small(effects.data, DATA)])
    return Cause(
        name=QUALITY,
        state=state,
        reason=f"new data: {format_effect(target)} on the text that is wanted, "
        f"{format_effect(effects.data)} on text like the old",
        advice=advice,
        effect=target.value if state == CONFIRMED else 0.0,
    )


def _decide_rest(effects: ProbeEffects) -> Iterator[Cause]:
    """Rows that hold only where neither cooling down nor data does anything."""
    still, moved = _rule_out(effects)
    excess = effects.excess
    near = far = UNDETERMINED
    shown = "; the loss to expect of this size and these tokens is not known"
    if excess is not None:
        shown = f"; the loss is {excess.low:+.2f} to {excess.high:+.2f} over what is to be expected"
        near = (
            CONFIRMED if excess.low < NEAR_EXPECTED and excess.high > -NEAR_EXPECTED else RULED_OUT
        )
        may_be_far = UNDETERMINED if excess.high > FAR_FROM_EXPECTED else RULED_OUT
        far = CONFIRMED if excess.low > FAR_FROM_EXPECTED else may_be_far
    reason = moved if still == RULED_OUT else moved + shown
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


def _rule_out(effects: ProbeEffects) -> tuple[str, str]:
    """Tell whether nothing moves the loss, and what does, or may: what lowers it is a cause itself.

    What surely raises it is none, and yet no sign that all is still: it leaves the rows open.
    """
    looked = [("cooling down", effects.cooldown, COOLDOWN), ("new data", effects.data, DATA)]
    if effects.target is not None:
        looked.append(("new data, on the text that is wanted,", effects.target, DATA))
    reasons: list[tuple[str, str]] = []
    for what, effect, bound in looked:
        shown = format_effect(effect)
        if lowers(effect, bound) == CONFIRMED:
            reasons.append((RULED_OUT, f"{what} lowers the loss: {shown}"))
        elif exceeds(effect, bound) == CONFIRMED:
            reasons.append((UNDETERMINED, f"{what} raises the loss: {shown}"))
        elif is_small(effect, bound) != CONFIRMED:
            reasons.append((UNDETERMINED, f"whether {what} moves the loss is open: {shown}"))
    alike = is_small(effects.gap, GAP)
    if alike != CONFIRMED:
        is_open = alike == UNDETERMINED
        differ = "whether val and train loss differ is open" if is_open else "they differ"
        reasons.append((alike, f"val minus train {format_effect(effects.gap)}: {differ}"))
    state = meet_all([found for found, _ in reasons])
    if not reasons:
        return state, "neither cooling down nor new data moves the loss, val and train are alike"
    return state, "; ".join(text for found, text in reasons if found == state)


def _decide_validation(effects: ProbeEffects) -> Cause:
    low, high = effects.gap.interval
    state = CONFIRMED if high < 0 else RULED_OUT if low > -GAP else UNDETERMINED
    reason = f"val minus train {format_effect(effects.gap)}"
    if effects.leaked_share > 0:
        reason += f"; {effects.leaked_share:.1%} of val documents stand in the training data"
        state = CONFIRMED if effects.leaked_share > 0.01 else state
    return Cause(
        name=VALIDATION,
        state=state,
        reason=reason,
        advice="assay audit TRAIN --val VAL counts leaks; assay prepare holds out anew",
    )
