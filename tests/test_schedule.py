import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.diagnose.schedule import Kind, Logged, Schedule
from assay.errors import UsageError
from tests import reference


@given(st.integers(1, 400), st.integers(1, 100), st.floats(1e-5, 1.0), st.floats(0, 1), st.data())
def test_cosine_is_nanogpts(
    length: int, warmup: int, peak: float, share: float, data: st.DataObject
) -> None:
    end, floor = warmup + length, peak * share
    schedule = Schedule("cosine", peak, end, warmup, floor)
    step = data.draw(st.integers(0, 2 * end))

    assert float(schedule(np.array(step))) == pytest.approx(
        reference.cosine_rate(step, peak, floor, warmup, end), rel=1e-9
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


def test_logged_rates_are_joined_by_lines_and_kept_at_the_end() -> None:
    logged = Logged(np.array([10, 20]), np.array([1.0, 0.5]))

    assert logged(np.array([0, 10, 15, 20, 99])).tolist() == [1, 1, 0.75, 0.5, 0.5]


def test_logged_rates_rise_over_a_warmup_before_the_log() -> None:
    logged = Logged(np.array([3, 4]), np.array([2.0, 2.0]), warmup_steps=3)

    assert logged(np.arange(5)).tolist() == [0.5, 1.0, 1.5, 2.0, 2.0]


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (("sine", 1.0, 10), "sine"),
        (("cosine", 0.0, 10), "not above 0"),
        (("cosine", float("nan"), 10), "nan"),
        (("cosine", 1.0, 10, 10), "10 steps of warmup"),
        (("cosine", 1.0, 10, 0, 2.0), "lowest rate 2"),
        (("wsd", 1.0, 10, 5, 0.0, 6), "6 steps of cooldown"),
    ],
)
def test_settings_that_describe_no_schedule_are_named(
    settings: tuple[Kind, float, int], named: str
) -> None:
    with pytest.raises(UsageError, match=named):
        Schedule(*settings)


@pytest.mark.parametrize(
    ("step", "rate", "named"),
    [
        ([], [], "at least one"),
        ([1, 2], [1.0], "1 logged learning rates for 2 steps"),
        ([1, 1], [1.0, 1.0], "do not rise"),
        ([1, 2], [1.0, float("nan")], "not finite"),
        ([1, 2], [0.0, 0.0], "all 0"),
        ([1, 2], [-1.0, 1.0], "negative"),
    ],
)
def test_columns_that_give_no_rate_are_refused(
    step: list[int], rate: list[float], named: str
) -> None:
    with pytest.raises(UsageError, match=named):
        Logged(np.array(step), np.array(rate))
