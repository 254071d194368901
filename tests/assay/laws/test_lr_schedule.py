"""One formula of the learning rate, held to its slow twin."""

from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import UsageError
from assay.laws.lr_schedule import Kind, Schedule, learning_rates
from tests.twins import diagnose, laws

SETTINGS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(get_args(Kind)),
        "peak": st.floats(1e-5, 1.0),
        "floor": st.floats(0, 1e-5),
        "warmup_steps": st.integers(0, 100),
        "end_step": st.integers(1, 500),
        "cooldown_steps": st.integers(0, 500),
    }
)


@given(SETTINGS, st.floats(0, 700))
def test_one_step_has_the_bits_of_the_slow_twin(settings: dict[str, Any], step: float) -> None:
    found = learning_rates(np.array([step]), **settings)

    assert found.tolist() == [laws.learning_rate(step, **settings)]


@given(SETTINGS)
def test_many_steps_have_the_rates_of_the_slow_twin(settings: dict[str, Any]) -> None:
    steps = np.arange(700)

    found = learning_rates(steps, **settings)

    assert found == pytest.approx(
        [laws.learning_rate(step, **settings) for step in steps.tolist()], rel=1e-12, abs=1e-18
    )


@given(st.integers(1, 400), st.integers(1, 100), st.floats(1e-5, 1.0), st.floats(0, 1), st.data())
def test_cosine_is_nanogpts(
    length: int, warmup: int, peak: float, share: float, data: st.DataObject
) -> None:
    end, floor = warmup + length, peak * share
    schedule = Schedule("cosine", peak, end, warmup, floor)
    step = data.draw(st.integers(0, 2 * end))

    assert float(schedule(np.array(step))) == pytest.approx(
        diagnose.cosine_rate(step, peak, floor, warmup, end), rel=1e-9
    )


def test_origin_cases_rate_was_far_from_its_floor() -> None:
    schedule = Schedule("cosine", 1e-3, 20_000, 500, 1e-4)

    rates = schedule(np.array([500, 10_000, 14_500, 20_000, 30_000]))

    assert rates == pytest.approx([1e-3, 5.68e-4, 2.65e-4, 1e-4, 1e-4], rel=2e-3)


def test_wsd_stays_and_then_falls_in_a_line() -> None:
    schedule = Schedule("wsd", 8.0, 10, 1, 0.0, cooldown_steps=4)

    assert schedule(np.arange(12)).tolist() == [4, 8, 8, 8, 8, 8, 8, 6, 4, 2, 0, 0]


def test_linear_falls_from_the_warmup_and_constant_never() -> None:
    steps = np.array([0, 2, 4, 6])

    assert Schedule("linear", 4.0, 6, 2, 0.0)(steps).tolist() == [4 / 3, 4, 2, 0]
    assert Schedule("constant", 4.0, 6, 2)(steps).tolist() == [4 / 3, 4, 4, 4]


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (("sine", 1.0, 10), "sine"),
        (("cosine", 0.0, 10), "must be above 0"),
        (("cosine", float("nan"), 10), "nan"),
        (("cosine", 1.0, 10, 10), "10 steps of warmup"),
        (("cosine", 1.0, 10, 0, 2.0), "lowest learning rate must be"),
        (("wsd", 1.0, 10, 5, 0.0, 6), "6 steps of cooldown"),
    ],
)
def test_settings_that_describe_no_schedule_are_named(
    settings: tuple[Kind, float, int], named: str
) -> None:
    with pytest.raises(UsageError, match=named):
        Schedule(*settings)
