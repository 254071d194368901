"""Holm's levels, and what a comparison can see, compared with slower or known values."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.train.stats.decision_rule import is_decided
from assay.train.stats.holm import holm_levels
from assay.train.stats.power import (
    find_detectable,
    foresee_detectable,
    pool_seed_sd,
    prior_seed_sd,
    satterthwaite,
)
from bench.drawn_comparisons import Noise, count_verdicts, draw_losses, fit_noise
from tests.twins import train as reference


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.floats(0.01, 0.2))
def test_holms_levels_let_stand_what_adjusted_chances_do(
    chances: list[float], alpha: float
) -> None:
    levels = holm_levels(chances, alpha)

    stands = [chance < level for chance, level in zip(chances, levels, strict=True)]
    adjusted = reference.holm(chances, alpha)
    # Rounding may tell a chance that lies exactly on its level either way.
    on_edge = any(
        math.isclose(chance, alpha / k, rel_tol=1e-9)
        for chance in chances
        for k in range(1, 1 + len(chances))
    )
    assert stands == adjusted or on_edge
    assert all(alpha / len(chances) <= level <= alpha for level in levels)


def test_degrees_of_freedom_add_as_welch_and_satterthwaite_have_it() -> None:
    assert satterthwaite([(1.0, 1), (4.0, 1)]) == pytest.approx(25 / 17)
    assert satterthwaite([(2.0, math.inf)]) == 1e6


def test_what_is_detectable_with_known_variance_is_the_textbooks() -> None:
    # (1.96 + 0.84) standard errors, where the variance need not be measured.
    found = find_detectable([(0.5, math.inf), (0.5, math.inf)], 0.05)

    assert found == pytest.approx(1.959964 + 0.841621, rel=0.02)
    assert find_detectable([], 0.05) == 0


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_the_smallest_detectable_effect_is_found_four_times_in_five(seeds: int) -> None:
    noise = Noise(seed_sd=0.004, both_sd=0.005, documents=60)

    found = count_verdicts(
        noise, comparisons=300, looks=(seeds,), effects=(noise.detectable(seeds),), seed=1
    )

    # 4 standard errors of 300 draws at 80%: 0.09.
    assert 0.70 <= found["worse"] / 300 <= 0.92


def test_false_verdicts_and_power_hold_under_the_stated_model() -> None:
    noise = Noise(seed_sd=0.004, change_sd=0.0, both_sd=0.04, documents=100)

    same = count_verdicts(noise, comparisons=400)
    twice = count_verdicts(noise, comparisons=100, effects=(2 * noise.detectable(3),))

    assert same["better"] + same["worse"] <= 35  # 5% of 400 is 20; 99.9% point 35
    assert twice["worse"] >= 90


def test_looks_together_err_no_more_often_than_one() -> None:
    noise = Noise(both_sd=0.005, documents=40)

    found = count_verdicts(noise, comparisons=250, looks=(3, 5, 8), seed=3)

    assert found["better"] + found["worse"] <= 24  # 5% of 250 is 12.5; 99.9% point 24


def test_several_arms_together_err_no_more_often_than_one() -> None:
    noise = Noise(both_sd=0.005, documents=40)

    found = count_verdicts(noise, comparisons=250, effects=(0.0, 0.0, 0.0), seed=4)

    assert found["better"] + found["worse"] <= 24


def test_the_bootstrap_only_ever_takes_verdicts_back() -> None:
    noise = Noise(documents=40)

    alone = count_verdicts(noise, comparisons=60, seed=5)
    both = count_verdicts(noise, comparisons=60, bootstrap_rounds=200, seed=5)

    assert both["better"] + both["worse"] <= alone["better"] + alone["worse"]


def test_more_seeds_see_smaller_effects() -> None:
    seen = [
        foresee_detectable(0.0025, 0.06 / math.sqrt(2000), seeds=n, documents=2000, alpha=0.05)
        for n in (2, 3, 5, 8)
    ]

    assert seen == sorted(seen, reverse=True)
    assert seen[1:] == pytest.approx([0.0084, 0.0062, 0.0053], abs=2e-4)


def test_priors_and_pooled_spreads() -> None:
    assert prior_seed_sd(2000, 100) == 0.004
    assert prior_seed_sd(1999, 100) == 0.04
    assert pool_seed_sd((3.0, 4.0)) == pytest.approx(np.sqrt(12.5))
    assert pool_seed_sd((None, 2.0)) == 2.0
    assert pool_seed_sd((None, None)) is None


def test_a_look_is_over_when_every_arm_has_an_answer() -> None:
    assert is_decided(["better", "equivalent", "invalid", "not worse"])
    assert not is_decided(["better", "no detectable difference"])
    assert not is_decided(["inconclusive"])


def test_a_fitted_model_is_the_one_that_was_drawn() -> None:
    noise = Noise(seed_sd=0.02, change_sd=0.04, both_sd=0.03, documents=400, length_sd=0.5)
    generator = np.random.default_rng(0)
    fitted = [
        fit_noise((drawn.nats_a_SJ, drawn.nats_b_SJ), drawn.tokens_J)
        for drawn in (draw_losses(noise, generator, seeds=5, effects=(0.1,))[0] for _ in range(40))
    ]

    for name in ("seed_sd", "change_sd", "both_sd", "tokens", "length_sd"):
        mean = math.sqrt(float(np.mean([getattr(each, name) ** 2 for each in fitted])))
        assert mean == pytest.approx(getattr(noise, name), rel=0.1), name


def test_a_model_without_noise_of_a_kind_is_fitted_with_none_or_little() -> None:
    noise = Noise(seed_sd=0.0, change_sd=0.0, both_sd=0.05, documents=200)
    drawn = draw_losses(noise, np.random.default_rng(1), seeds=3, effects=(0.0,))[0]

    fitted = fit_noise((drawn.nats_a_SJ, drawn.nats_b_SJ), drawn.tokens_J)

    assert fitted.seed_sd < 0.01
    assert fitted.change_sd < 0.02
