"""The decision table on made-up effects, at both sides of each bound."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.formats.probe import CONFIRMED, RULED_OUT, UNDETERMINED, Effect
from assay.laws.scaling import Range
from assay.train.probe.decision_table import (
    BUG,
    CAPACITY,
    COOLDOWN,
    DATA,
    FAR_FROM_EXPECTED,
    GAP,
    NEAR_EXPECTED,
    QUALITY,
    REPETITION,
    SCHEDULE,
    VALIDATION,
    ProbeEffects,
    decide_causes,
    exceeds,
    format_effect,
    is_small,
    lowers,
)

HAIR = 1e-6
NEAR = Range(-0.05, 0.05)


def at(value: float, reach: float = 0.002) -> Effect:
    interval = (value - reach, value + reach)
    return Effect(
        value=value, interval=interval, detectable=1.4 * reach, error=reach / 2, degrees=4
    )


def make_signs(
    *,
    cooldown: Effect | None = None,
    data: Effect | None = None,
    gap: Effect | None = None,
    target: Effect | None = None,
    cooldown_on_new: Effect | None = None,
    capacity: float = 5.0,
    excess: Range | None = NEAR,
    leaked_share: float = 0.0,
) -> ProbeEffects:
    """Signs where nothing moves but what is named."""
    return ProbeEffects(
        cooldown=cooldown or at(0.0),
        cooldown_on_new=cooldown_on_new or cooldown or at(0.0),
        data=data or at(0.0),
        gap=gap or at(0.0),
        target=target,
        capacity=capacity,
        excess=excess,
        leaked_share=leaked_share,
    )


def states(**moved: Any) -> dict[str, str]:
    """Read the table where nothing moves but what is named."""
    return {row.name: row.state for row in decide_causes(make_signs(**moved))}


def named(found: dict[str, str]) -> list[str]:
    return [name for name, state in found.items() if state == CONFIRMED]


def test_a_cooldown_that_lowers_the_loss_names_the_schedule_from_its_bound_on() -> None:
    assert named(states(cooldown=at(-COOLDOWN - HAIR))) == [SCHEDULE]
    assert (
        states(cooldown=at(-COOLDOWN + HAIR))[SCHEDULE] == UNDETERMINED
    )  # its interval reaches over it
    assert states(cooldown=at(-COOLDOWN + 0.002 + HAIR))[SCHEDULE] == RULED_OUT
    assert states(cooldown=at(+COOLDOWN + HAIR))[SCHEDULE] == RULED_OUT


def test_a_large_effect_that_may_be_0_names_nothing() -> None:
    found = states(cooldown=at(-0.1, 0.11), data=at(-0.1, 0.11), gap=at(0.2))

    assert named(found) == []
    assert found[SCHEDULE] == found[REPETITION] == UNDETERMINED
    assert "may be 0; minimum detectable effect 0.1540" in format_effect(at(-0.1, 0.11))
    assert "cannot" not in format_effect(at(-0.1, 0.09))


def test_new_data_that_lowers_the_loss_names_repetition_where_the_old_is_known_by_heart() -> None:
    helps = at(-DATA - HAIR)

    assert named(states(data=helps, gap=at(GAP + HAIR))) == [REPETITION]
    assert states(data=helps, gap=at(GAP - HAIR))[REPETITION] == UNDETERMINED
    assert states(data=helps, gap=at(GAP - 0.002 - HAIR))[REPETITION] == RULED_OUT
    assert named(states(data=helps, capacity=1 - HAIR)) == [REPETITION]
    assert states(data=helps, capacity=1.0)[REPETITION] == RULED_OUT
    assert states(data=at(-DATA + HAIR), gap=at(0.2))[REPETITION] == UNDETERMINED
    assert states(data=at(-DATA + 0.002 + HAIR), gap=at(0.2))[REPETITION] == RULED_OUT


def test_schedule_and_data_are_both_named_only_if_the_cooldown_helps_on_new_data_too() -> None:
    both = states(cooldown=at(-0.05), cooldown_on_new=at(-0.04), data=at(-0.2), gap=at(0.5))
    alone = states(cooldown=at(-0.05), cooldown_on_new=at(0.04), data=at(-0.2), gap=at(0.5))

    assert named(both) == [REPETITION, SCHEDULE]  # the larger effect first
    assert named(alone) == [REPETITION]
    assert alone[SCHEDULE] == RULED_OUT


def test_new_data_that_helps_on_the_text_wanted_alone_is_of_another_kind() -> None:
    helps = at(-DATA - HAIR)

    assert named(states(target=helps)) == [QUALITY]
    assert states(target=at(-DATA + 0.002 + HAIR))[QUALITY] == RULED_OUT
    assert states(target=helps, data=at(-DATA + 0.002 - HAIR))[QUALITY] == UNDETERMINED
    assert states(target=at(-0.1), data=at(-DATA - HAIR))[QUALITY] == RULED_OUT
    assert states(data=helps)[QUALITY] == UNDETERMINED  # one kind of text was scored
    assert states()[QUALITY] == RULED_OUT


@pytest.mark.parametrize(
    ("moved", "state"),
    [
        ({}, CONFIRMED),
        ({"cooldown": at(COOLDOWN - 0.002 - HAIR)}, CONFIRMED),
        ({"cooldown": at(COOLDOWN - 0.002 + HAIR)}, UNDETERMINED),
        ({"cooldown": at(COOLDOWN + HAIR)}, UNDETERMINED),
        ({"cooldown": at(-COOLDOWN - HAIR)}, RULED_OUT),
        ({"data": at(DATA - 0.002 - HAIR)}, CONFIRMED),
        ({"data": at(DATA - 0.002 + HAIR)}, UNDETERMINED),
        ({"data": at(DATA + HAIR)}, UNDETERMINED),
        ({"data": at(-DATA - HAIR)}, RULED_OUT),
        ({"target": at(-DATA - HAIR)}, RULED_OUT),
        ({"gap": at(GAP - 0.002 - HAIR)}, CONFIRMED),
        ({"gap": at(GAP - 0.002 + HAIR)}, UNDETERMINED),
        ({"gap": at(GAP + HAIR)}, RULED_OUT),
        ({"excess": None}, UNDETERMINED),
        ({"excess": Range(NEAR_EXPECTED - HAIR, 0.3)}, CONFIRMED),
        ({"excess": Range(NEAR_EXPECTED + HAIR, 0.3)}, RULED_OUT),
        ({"excess": Range(-0.3, -NEAR_EXPECTED + HAIR)}, CONFIRMED),
        ({"excess": Range(-0.3, -NEAR_EXPECTED - HAIR)}, RULED_OUT),
    ],
)
def test_capacity_is_named_where_nothing_moves_and_the_loss_is_as_expected(
    moved: dict[str, Effect], state: str
) -> None:
    assert states(**moved)[CAPACITY] == state


def test_a_no_says_what_lowers_the_loss_and_what_raises_it_rules_nothing_out() -> None:
    rows = {
        moved: {row.name: row for row in decide_causes(make_signs(cooldown=at(moved), excess=None))}
        for moved in (-0.03, 0.03, 0.0)
    }

    for name in (CAPACITY, BUG):
        down, up, still = (rows[moved][name] for moved in (-0.03, 0.03, 0.0))
        assert (down.state, up.state, still.state) == (RULED_OUT, UNDETERMINED, UNDETERMINED)
        assert down.reason == "cooling down lowers the loss: -0.0300 (-0.0320 to -0.0280)"
        assert up.reason == (
            "cooling down raises the loss: +0.0300 (+0.0280 to +0.0320); the loss to expect of "
            "this size and these tokens is not known"
        )
        assert still.reason.startswith("neither cooling down nor new data moves the loss, val")


def test_a_bug_is_named_where_nothing_moves_and_the_loss_is_far_too_high() -> None:
    assert named(states(excess=Range(FAR_FROM_EXPECTED + HAIR, 0.4))) == [BUG]
    assert states(excess=Range(FAR_FROM_EXPECTED - HAIR, 0.4))[BUG] == UNDETERMINED
    assert states(excess=Range(0.0, FAR_FROM_EXPECTED - HAIR))[BUG] == RULED_OUT
    assert states(excess=Range(0.3, 0.4), cooldown=at(-0.1))[BUG] == RULED_OUT


def test_val_below_train_names_the_validation_set() -> None:
    assert named(states(gap=at(-0.002 - HAIR))) == [CAPACITY, VALIDATION]
    assert states(gap=at(-0.002 + HAIR))[VALIDATION] == RULED_OUT
    assert states(gap=at(0.0, GAP + HAIR))[VALIDATION] == UNDETERMINED
    assert states(leaked_share=0.01)[VALIDATION] == RULED_OUT
    assert states(leaked_share=0.01 + HAIR)[VALIDATION] == CONFIRMED


effects = st.builds(at, st.floats(-1, 1), st.floats(1e-4, 0.5))


@given(effects, st.floats(1e-3, 0.2))
def test_no_condition_is_met_by_an_effect_that_may_be_0(effect: Effect, bound: float) -> None:
    low, high = effect.interval
    if low <= 0 <= high:
        assert CONFIRMED not in (lowers(effect, bound), exceeds(effect, bound))
        assert is_small(effect, bound) != RULED_OUT
    assert [lowers(effect, bound), is_small(effect, bound)].count(CONFIRMED) <= 1


@given(effects, effects, effects, st.floats(0.1, 9), st.one_of(st.none(), st.just(NEAR)))
def test_capacity_is_never_named_beside_schedule_or_data(
    cooldown: Effect, data: Effect, gap: Effect, capacity: float, excess: Range | None
) -> None:
    found = states(cooldown=cooldown, data=data, gap=gap, capacity=capacity, excess=excess)

    assert len(found) == 6
    if found[CAPACITY] == CONFIRMED:
        assert found[SCHEDULE] != CONFIRMED
        assert found[REPETITION] != CONFIRMED
