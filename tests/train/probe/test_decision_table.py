"""The decision table on made-up effects, at both sides of each bound."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.formats.probe import MET, OPEN, UNMET, Effect
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
    Signs,
    exceeds,
    is_small,
    lowers,
    read_table,
    show_effect,
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
) -> Signs:
    """Signs where nothing moves but what is named."""
    return Signs(
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
    return {row.name: row.state for row in read_table(make_signs(**moved))}


def named(found: dict[str, str]) -> list[str]:
    return [name for name, state in found.items() if state == MET]


def test_a_cooldown_that_lowers_the_loss_names_the_schedule_from_its_bound_on() -> None:
    assert named(states(cooldown=at(-COOLDOWN - HAIR))) == [SCHEDULE]
    assert states(cooldown=at(-COOLDOWN + HAIR))[SCHEDULE] == OPEN  # its interval reaches over it
    assert states(cooldown=at(-COOLDOWN + 0.002 + HAIR))[SCHEDULE] == UNMET
    assert states(cooldown=at(+COOLDOWN + HAIR))[SCHEDULE] == UNMET


def test_a_large_effect_that_may_be_0_names_nothing() -> None:
    found = states(cooldown=at(-0.1, 0.11), data=at(-0.1, 0.11), gap=at(0.2))

    assert named(found) == []
    assert found[SCHEDULE] == found[REPETITION] == OPEN
    assert "cannot be told from 0; the smallest that could be seen is 0.1540" in show_effect(
        at(-0.1, 0.11)
    )
    assert "cannot" not in show_effect(at(-0.1, 0.09))


def test_new_data_that_lowers_the_loss_names_repetition_where_the_old_is_known_by_heart() -> None:
    helps = at(-DATA - HAIR)

    assert named(states(data=helps, gap=at(GAP + HAIR))) == [REPETITION]
    assert states(data=helps, gap=at(GAP - HAIR))[REPETITION] == OPEN
    assert states(data=helps, gap=at(GAP - 0.002 - HAIR))[REPETITION] == UNMET
    assert named(states(data=helps, capacity=1 - HAIR)) == [REPETITION]
    assert states(data=helps, capacity=1.0)[REPETITION] == UNMET
    assert states(data=at(-DATA + HAIR), gap=at(0.2))[REPETITION] == OPEN
    assert states(data=at(-DATA + 0.002 + HAIR), gap=at(0.2))[REPETITION] == UNMET


def test_schedule_and_data_are_both_named_only_if_the_cooldown_helps_on_new_data_too() -> None:
    both = states(cooldown=at(-0.05), cooldown_on_new=at(-0.04), data=at(-0.2), gap=at(0.5))
    alone = states(cooldown=at(-0.05), cooldown_on_new=at(0.04), data=at(-0.2), gap=at(0.5))

    assert named(both) == [REPETITION, SCHEDULE]  # the larger effect first
    assert named(alone) == [REPETITION]
    assert alone[SCHEDULE] == UNMET


def test_new_data_that_helps_on_the_text_wanted_alone_is_of_another_kind() -> None:
    helps = at(-DATA - HAIR)

    assert named(states(target=helps)) == [QUALITY]
    assert states(target=at(-DATA + 0.002 + HAIR))[QUALITY] == UNMET
    assert states(target=helps, data=at(-DATA + 0.002 - HAIR))[QUALITY] == OPEN
    assert states(target=at(-0.1), data=at(-DATA - HAIR))[QUALITY] == UNMET
    assert states(data=helps)[QUALITY] == OPEN  # one kind of text was scored
    assert states()[QUALITY] == UNMET


@pytest.mark.parametrize(
    ("moved", "state"),
    [
        ({}, MET),
        ({"cooldown": at(COOLDOWN - 0.002 - HAIR)}, MET),
        ({"cooldown": at(COOLDOWN - 0.002 + HAIR)}, OPEN),
        ({"cooldown": at(COOLDOWN + HAIR)}, OPEN),
        ({"cooldown": at(-COOLDOWN - HAIR)}, UNMET),
        ({"data": at(DATA - 0.002 - HAIR)}, MET),
        ({"data": at(DATA - 0.002 + HAIR)}, OPEN),
        ({"data": at(DATA + HAIR)}, OPEN),
        ({"data": at(-DATA - HAIR)}, UNMET),
        ({"target": at(-DATA - HAIR)}, UNMET),
        ({"gap": at(GAP - 0.002 - HAIR)}, MET),
        ({"gap": at(GAP - 0.002 + HAIR)}, OPEN),
        ({"gap": at(GAP + HAIR)}, UNMET),
        ({"excess": None}, OPEN),
        ({"excess": Range(NEAR_EXPECTED - HAIR, 0.3)}, MET),
        ({"excess": Range(NEAR_EXPECTED + HAIR, 0.3)}, UNMET),
        ({"excess": Range(-0.3, -NEAR_EXPECTED + HAIR)}, MET),
        ({"excess": Range(-0.3, -NEAR_EXPECTED - HAIR)}, UNMET),
    ],
)
def test_capacity_is_named_where_nothing_moves_and_the_loss_is_as_expected(
    moved: dict[str, Effect], state: str
) -> None:
    assert states(**moved)[CAPACITY] == state


def test_a_no_says_what_lowers_the_loss_and_what_raises_it_rules_nothing_out() -> None:
    rows = {
        moved: {row.name: row for row in read_table(make_signs(cooldown=at(moved), excess=None))}
        for moved in (-0.03, 0.03, 0.0)
    }

    for name in (CAPACITY, BUG):
        down, up, still = (rows[moved][name] for moved in (-0.03, 0.03, 0.0))
        assert (down.state, up.state, still.state) == (UNMET, OPEN, OPEN)
        assert down.reason == "cooling down lowers the loss: -0.0300 (-0.0320 to -0.0280)"
        assert up.reason == (
            "cooling down raises the loss: +0.0300 (+0.0280 to +0.0320); the loss to expect of "
            "this size and these tokens is not known"
        )
        assert still.reason.startswith("neither cooling down nor new data moves the loss, val")


def test_a_bug_is_named_where_nothing_moves_and_the_loss_is_far_too_high() -> None:
    assert named(states(excess=Range(FAR_FROM_EXPECTED + HAIR, 0.4))) == [BUG]
    assert states(excess=Range(FAR_FROM_EXPECTED - HAIR, 0.4))[BUG] == OPEN
    assert states(excess=Range(0.0, FAR_FROM_EXPECTED - HAIR))[BUG] == UNMET
    assert states(excess=Range(0.3, 0.4), cooldown=at(-0.1))[BUG] == UNMET


def test_val_below_train_names_the_validation_set() -> None:
    assert named(states(gap=at(-0.002 - HAIR))) == [CAPACITY, VALIDATION]
    assert states(gap=at(-0.002 + HAIR))[VALIDATION] == UNMET
    assert states(gap=at(0.0, GAP + HAIR))[VALIDATION] == OPEN
    assert states(leaked_share=0.01)[VALIDATION] == UNMET
    assert states(leaked_share=0.01 + HAIR)[VALIDATION] == MET


effects = st.builds(at, st.floats(-1, 1), st.floats(1e-4, 0.5))


@given(effects, st.floats(1e-3, 0.2))
def test_no_condition_is_met_by_an_effect_that_may_be_0(effect: Effect, bound: float) -> None:
    low, high = effect.interval
    if low <= 0 <= high:
        assert MET not in (lowers(effect, bound), exceeds(effect, bound))
        assert is_small(effect, bound) != UNMET
    assert [lowers(effect, bound), is_small(effect, bound)].count(MET) <= 1


@given(effects, effects, effects, st.floats(0.1, 9), st.one_of(st.none(), st.just(NEAR)))
def test_capacity_is_never_named_beside_schedule_or_data(
    cooldown: Effect, data: Effect, gap: Effect, capacity: float, excess: Range | None
) -> None:
    found = states(cooldown=cooldown, data=data, gap=gap, capacity=capacity, excess=excess)

    assert len(found) == 6
    if found[CAPACITY] == MET:
        assert found[SCHEDULE] != MET
        assert found[REPETITION] != MET
