from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.diagnose.curve.learning_rate import Logged
from assay.diagnose.curve.slope import (
    TYPICAL,
    HealthyDrop,
    _sum_products,
    choose_window,
    healthy_drop,
    judge_slope,
)
from assay.errors import UsageError
from assay.formats.diagnosis import FLATTER, STILL_IMPROVING, TOO_NOISY
from assay.laws.lr_schedule import Schedule
from tests.diagnose.curve.test_fit import COSINE, END
from tests.twins import diagnose as reference

STEP = np.arange(10_000, 14_501, 500)
HEALTHY = HealthyDrop(0.065, 0.014)


def draw_line(
    drop: float, noise: float, *, num: int = 10, correlation: float = 0.0, seed: int = 0
) -> np.ndarray:
    """Draw `num` losses that fall by `drop` in all, about 3.6, with noise of first order."""
    generator = np.random.default_rng(seed)
    rest = generator.normal(size=num)
    for i in range(1, num):
        rest[i] = correlation * rest[i - 1] + (1 - correlation**2) ** 0.5 * rest[i]
    return np.asarray(3.6 - drop * np.linspace(0, 1, num) + noise * rest)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=30), st.floats(0, 0.95))
def test_products_sum_as_over_all_pairs(values: list[float], correlation: float) -> None:
    assert _sum_products(np.array(values), correlation) == pytest.approx(
        reference.sum_correlated(values, correlation), rel=1e-9, abs=1e-9
    )


@pytest.mark.parametrize(
    ("drop", "noise", "outcome"),
    [
        (0.065, 0.0, STILL_IMPROVING),
        (0.2, 0.005, STILL_IMPROVING),
        (0.065, 0.003, STILL_IMPROVING),
        (0.005, 0.003, FLATTER),
        (0.0, 0.0, FLATTER),
        (-0.1, 0.01, FLATTER),
        (0.03, 0.05, TOO_NOISY),
    ],
)
def test_each_outcome_has_its_curve(drop: float, noise: float, outcome: str) -> None:
    verdict = judge_slope(STEP, draw_line(drop, noise), HEALTHY)

    assert verdict.outcome == outcome
    assert (verdict.more_evaluations == 0) == (outcome != TOO_NOISY)


def test_flatter_begins_where_the_healthy_drops_own_doubt_ends() -> None:
    reach = 1.96 * HEALTHY.sd

    outcomes = [
        judge_slope(STEP, draw_line(HEALTHY.value - reach + off, 0.0), HEALTHY).outcome
        for off in (-0.001, 0.001)
    ]

    assert outcomes == [FLATTER, STILL_IMPROVING]


def test_healthy_curves_are_seldom_called_flatter() -> None:
    found = Counter(
        judge_slope(STEP, draw_line(0.065, 0.02, correlation=c, seed=seed), HEALTHY).outcome
        for seed in range(150)
        for c in (0.0, 0.5)
    )

    assert found[FLATTER] <= 0.04 * found.total()


def test_flat_curves_are_seldom_called_improving() -> None:
    found = Counter(
        judge_slope(STEP, draw_line(0.0, 0.01, correlation=c, seed=seed), HEALTHY).outcome
        for seed in range(150)
        for c in (0.0, 0.5)
    )

    assert found[STILL_IMPROVING] <= 0.05 * found.total()
    assert found[FLATTER] >= 0.7 * found.total()


def test_the_interval_holds_the_drop_in_spite_of_autocorrelation() -> None:
    verdicts = [
        judge_slope(np.arange(30), draw_line(0.1, 0.02, num=30, correlation=0.6, seed=s), HEALTHY)
        for s in range(300)
    ]

    held = np.mean([verdict.low <= 0.1 <= verdict.high for verdict in verdicts])
    assert held >= 0.88
    assert np.mean([v.autocorrelation for v in verdicts]) == pytest.approx(0.6, abs=0.1)
    assert np.mean([v.noise for v in verdicts]) == pytest.approx(0.02, rel=0.15)


@pytest.mark.parametrize("number", [6, 8, 12, 30])
def test_a_bend_is_not_taken_for_noise(number: int) -> None:
    bend = 0.4 * np.linspace(-0.5, 0.5, number) ** 2  # its line does not fall
    verdicts = [
        judge_slope(np.arange(number), draw_line(0.1, 0.01, num=number, seed=s) + bend, HEALTHY)
        for s in range(300)
    ]

    assert np.mean([v.low <= 0.1 <= v.high for v in verdicts]) >= 0.93
    assert np.median([v.noise for v in verdicts]) == pytest.approx(0.01, rel=0.25)
    assert np.median([v.high - v.low for v in verdicts]) < 0.1  # 0.4 and more about a line


@pytest.mark.parametrize("true", [0.0, 0.065])
def test_as_many_more_evaluations_as_it_asks_for_decide(true: float) -> None:
    asked = []
    for seed in range(200):
        verdict = judge_slope(STEP, draw_line(true, 0.03, seed=seed), HEALTHY)
        if verdict.more_evaluations:
            asked.append(verdict.more_evaluations)
    num = STEP.size + int(np.median(asked))

    again = Counter(
        judge_slope(np.arange(num), draw_line(true, 0.03, num=num, seed=seed), HEALTHY).outcome
        for seed in range(500, 600)
    )

    assert len(asked) > 20
    assert again[TOO_NOISY] <= 0.2 * again.total()


def test_no_number_of_evaluations_tells_an_unknown_drop_from_none() -> None:
    verdict = judge_slope(STEP, draw_line(0.0, 0.02, seed=3), HealthyDrop(0.01, 0.01))

    assert verdict.outcome == TOO_NOISY
    assert verdict.more_evaluations is None
    assert "no number of evaluations can tell" in verdict.sentence


def test_the_sentence_says_how_many_are_needed() -> None:
    verdict = judge_slope(STEP, draw_line(0.03, 0.05), HEALTHY)

    assert verdict.sentence.startswith(
        f"the evaluations are too noisy to tell; needs {verdict.more_evaluations} more: over 10 "
    )


def test_three_evaluations_are_no_slope() -> None:
    with pytest.raises(UsageError, match="3 evaluations in the window"):
        judge_slope([1, 2, 3], [3.0, 3.0, 3.0], HEALTHY)


def test_a_loss_that_is_not_finite_is_no_verdict() -> None:
    with pytest.raises(ValueError, match="1 losses are not finite"):
        judge_slope([1, 2, 3, 4], [3.0, float("nan"), 3.0, 3.0], HEALTHY)


def test_four_evaluations_are_judged_without_certainty() -> None:
    verdict = judge_slope([1, 2, 3, 4], [3.61, 3.6, 3.63, 3.59], HEALTHY)

    assert verdict.outcome == TOO_NOISY


def test_healthy_runs_fall_as_the_records_say() -> None:
    middle = healthy_drop(COSINE, 10_000, 14_500, END)
    end = healthy_drop(COSINE, 14_500, END, END)

    # Seven real runs: 0.052 to 0.093, then 0.031 to 0.054.
    assert middle.value - 2 * middle.sd < 0.052 < 0.093 < middle.value + 2 * middle.sd
    assert end.value - 2 * end.sd < 0.031 < 0.054 < end.value + 2 * end.sd


def test_a_constant_rate_promises_no_gain_of_decay() -> None:
    constant = Schedule("constant", 1.0, 10_000)

    drop = healthy_drop(constant, 2_499, 9_999, 9_999)

    # A quarter of the rates are spent, then all: left * (0.25^-0.5 - 1) = left.
    assert drop.value == pytest.approx(TYPICAL.left)
    assert drop.sd == pytest.approx(TYPICAL.left_sd)


def test_nothing_falls_before_anything_is_learned() -> None:
    logged = Logged(np.array([0, 10]), np.array([0.0, 1.0]))

    with pytest.raises(ValueError, match="up to step 0"):
        healthy_drop(logged, 0, 10, 10)


def test_the_window_is_the_last_three_tenths_or_eight_evaluations() -> None:
    assert choose_window(np.arange(0, 1_001, 10)) == 700
    assert choose_window(np.arange(0, 1_001, 100)) == 300
    assert choose_window([5, 9]) == 5


def test_ten_thousand_evaluations_are_judged_at_once() -> None:
    loss = draw_line(0.065, 0.1, num=10_000)

    verdict = judge_slope(np.arange(10_000), loss, HEALTHY)

    assert verdict.outcome == STILL_IMPROVING
    assert verdict.high - verdict.low < 0.02
