from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.diagnose.curve.law import (
    DECAY,
    SHAPE,
    follow_annealing,
    follow_multi_power,
    follow_time,
    remember,
)
from assay.laws.lr_schedule import Schedule
from tests.twins import diagnose as reference

rates_of_any_kind = st.lists(st.floats(0, 1), min_size=1, max_size=40).filter(
    lambda rates: max(rates) > 1e-3
)


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=70), st.floats(0, 0.999))
def test_remembering_is_the_recurrence(values: Sequence[float], decay: float) -> None:
    slow, last = [], 0.0
    for value in values:
        last = value + decay * last
        slow.append(last)

    assert remember(np.array(values), decay) == pytest.approx(slow, abs=1e-9)


@settings(deadline=None)
@given(rates_of_any_kind)
def test_annealing_sums_are_the_double_sum(rates: Sequence[float]) -> None:
    spent, annealed = reference.annealing_sums(rates, DECAY)

    progress = follow_annealing(np.array(rates), len(rates) - 1)

    assert progress.spent == pytest.approx(spent, rel=1e-9)
    # Scaled to 1 at the end, where anything was annealed.
    assert progress.annealed * annealed[-1] == pytest.approx(annealed, rel=1e-6, abs=1e-9)


@settings(deadline=None)
@given(st.integers(20, 60), st.integers(1, 10), st.sampled_from(["cosine", "linear", "wsd"]))
def test_multi_power_gain_is_the_sum_over_falls(end: int, warmup: int, kind: str) -> None:
    schedule = Schedule(kind, 3e-4, end, warmup, 3e-5, cooldown_steps=end // 4)  # type: ignore[arg-type]
    rates = schedule(np.arange(end + 1))
    gain = reference.multi_power_gain(rates.tolist(), SHAPE.speed, SHAPE.beta, SHAPE.gamma)

    progress = follow_multi_power(rates, end)

    assert progress.annealed == pytest.approx(np.array(gain) / gain[-1], abs=1e-9)


def test_grouping_the_falls_costs_less_than_a_hundredth_of_the_gain() -> None:
    end = 3000
    rates = Schedule("cosine", 3e-4, end, 100, 3e-5)(np.arange(end + 1))
    sums = np.cumsum(rates)
    falls = np.append(0.0, rates[:-1] - rates[1:])
    asked = np.arange(100, end + 1, 145)
    where = np.arange(101, end + 1)
    since = np.maximum(sums[asked][:, None] - sums[where - 1], 0.0)
    arrived = 1 - (1 + SHAPE.speed * rates[where] ** -SHAPE.gamma * since) ** -SHAPE.beta
    exact = arrived @ falls[where]

    progress = follow_multi_power(rates, end)

    assert progress.annealed[asked] == pytest.approx(exact / exact[-1], abs=0.01)


def test_a_rate_that_never_falls_anneals_nothing() -> None:
    rates = Schedule("constant", 1.0, 10, 3)(np.arange(11))

    assert not follow_annealing(rates, 10).annealed.any()
    assert not follow_multi_power(rates, 10).annealed.any()
    assert follow_annealing(rates, 10).spent.tolist() == pytest.approx(
        [0.25, 0.75, 1.5, 2.5, *np.arange(3.5, 10)]
    )


def test_a_decay_to_zero_is_followed_to_its_end() -> None:
    rates = Schedule("linear", 1.0, 50, 5)(np.arange(51))

    progress = follow_multi_power(rates, 50)

    assert np.isfinite(progress.annealed).all()
    assert progress.annealed[-1] == 1


def test_time_counts_steps() -> None:
    progress = follow_time(np.ones(4), 3)

    assert progress.spent.tolist() == [1, 2, 3, 4]
    assert not progress.annealed.any()


def test_what_lies_past_the_end_goes_beyond_one() -> None:
    rates = Schedule("cosine", 1.0, 100, 5, 0.1)(np.arange(301))

    progress = follow_annealing(rates, 100)

    assert progress.annealed[100] == pytest.approx(1)
    assert progress.annealed[300] > 1
