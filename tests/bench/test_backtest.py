"""Forecasts of real curves whose ends were hidden: the bounds that were promised."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assay.diagnose.curve.regression import PRIORS
from bench.backtest import FRACTIONS, Case, calibrate, forecast_end, run_cases, run_noise
from bench.backtest_table import format_cases, format_noise, format_summary, measure
from bench.backtest_table import measure_coverage as cover
from bench.curves import Curve, load_curves

CORPORA = os.environ.get("ASSAY_CORPORA")

pytestmark = [
    pytest.mark.corpora,
    pytest.mark.skipif(not CORPORA, reason="ASSAY_CORPORA names no folder of corpora"),
]


@pytest.fixture(scope="module")
def curves() -> list[Curve]:
    """All curves."""
    return load_curves(Path(str(CORPORA)))


@pytest.fixture(scope="module")
def cosine(curves: list[Curve]) -> list[Case]:
    """The cosine curves, no constant from the curve under test."""
    return run_cases(curves, "cosine")


def test_four_cosine_curves_are_forecast_from_three_places(cosine: list[Case]) -> None:
    assert len(cosine) == 12
    assert sorted({case.fraction for case in cosine}) == sorted(FRACTIONS)


@pytest.mark.parametrize("priors", [None, PRIORS], ids=["left-out", "shipped"])
def test_forecasts_are_nearer_than_both_baselines(
    curves: list[Curve], cosine: list[Case], priors: None
) -> None:
    cases = run_cases(curves, "cosine", priors) if priors else cosine

    for fraction in (0.5, 0.725):
        ours = measure(cases, "error", fraction)
        assert ours < measure(cases, "last", fraction)
        assert ours < measure(cases, "last_less_mean_drop", fraction)


@pytest.mark.parametrize("priors", [None, PRIORS], ids=["left-out", "shipped"])
def test_intervals_hold_the_ends_and_are_narrow(
    curves: list[Curve], cosine: list[Case], priors: None
) -> None:
    covered, half_width = cover(run_cases(curves, "cosine", priors) if priors else cosine)

    assert covered >= 0.8
    assert half_width <= 0.03


@pytest.mark.parametrize("kind", ["constant", "wsd", "wsdld"])
def test_intervals_hold_the_ends_of_other_schedules(curves: list[Curve], kind: str) -> None:
    covered, _ = cover(run_cases(curves, kind))

    assert covered >= 0.8


def test_intervals_hold_with_noise_added(curves: list[Curve]) -> None:
    cases = run_noise(curves, draws=3)

    for noise in (0.01, 0.02):
        some = [case for case in cases if case.noise == noise]
        assert np.mean([case.covered_share for case in some]) >= 0.8
        assert np.mean([case.printed_covered_share for case in some]) >= 0.8
        assert np.median([case.half_width for case in some]) <= 0.03
    assert "noise 0.02: 90% intervals of the loss hold" in format_noise(cases)


def test_the_hidden_part_does_not_reach_the_forecast(curves: list[Curve]) -> None:
    curve = next(curve for curve in curves if curve.kind == "cosine")
    hidden = ~curve.find_seen(0.5)
    changed = replace(curve, loss=np.where(hidden, 9.0, curve.loss))

    made = [forecast_end(each, 0.5, PRIORS).value for each in (curve, changed)]

    assert made[0] == made[1]


def test_no_constant_comes_from_the_curve_under_test(
    curves: list[Curve], cosine: list[Case]
) -> None:
    cosines = [curve for curve in curves if curve.kind == "cosine"]
    hidden = ~cosines[0].find_seen(0.85)
    changed = replace(cosines[0], loss=cosines[0].loss + 0.2 * hidden)

    again = run_cases([changed, *cosines[1:]], "cosine")

    for before, after in zip(cosine[:3], again[:3], strict=True):
        assert after.error == pytest.approx(before.error - 0.2, abs=1e-9)
        assert after.half_width == pytest.approx(before.half_width, abs=1e-9)


def test_shipped_priors_are_what_the_curves_say(curves: list[Curve]) -> None:
    found = calibrate([curve for curve in curves if curve.kind == "cosine"])

    assert abs(found.exponent - PRIORS.exponent) < PRIORS.exponent_sd
    assert abs(found.gain - PRIORS.gain) < PRIORS.gain_sd
    assert found.misfit <= PRIORS.misfit
    assert found.forecast_error <= PRIORS.forecast_error


def test_the_table_names_what_missed(cosine: list[Case]) -> None:
    missed = replace(cosine[0], half_width=0.0)

    text = format_cases("title", [missed, cosine[1]]) + format_summary([missed, cosine[1]])

    assert text.count("MISSES") == 1
    assert "hold 1 of 2 ends (50%)" in text
