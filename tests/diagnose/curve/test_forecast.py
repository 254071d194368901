from dataclasses import replace

import numpy as np
import pytest

from assay.diagnose.curve.fit import fit_curve
from assay.diagnose.curve.forecast import forecast_loss
from assay.diagnose.curve.law import follow_multi_power
from assay.diagnose.curve.regression import PRIORS
from assay.laws.lr_schedule import Schedule
from tests.diagnose.curve.test_fit import COSINE, END, draw_curve

STEP = np.arange(0, 14_501, 250)


def test_the_end_of_a_planted_curve_is_forecast() -> None:
    whole = np.append(STEP, END)
    loss = draw_curve(whole, noise=0.005)

    forecast = forecast_loss(fit_curve(STEP, loss[:-1], COSINE, end_step=END))

    assert forecast.at_step == END
    assert forecast.loss_low < loss[-1] < forecast.loss_high
    assert forecast.value == pytest.approx(loss[-1], abs=0.015)
    assert forecast.drop == pytest.approx(forecast.level - forecast.value)
    assert forecast.level == pytest.approx(loss[-2], abs=0.015)


def test_the_interval_of_one_evaluation_adds_its_noise() -> None:
    fit = fit_curve(STEP, draw_curve(STEP, noise=0.02), COSINE, end_step=END)

    forecast = forecast_loss(fit, confidence=0.9)

    loss, printed = (high - forecast.value for high in (forecast.loss_high, forecast.high))
    assert printed**2 == pytest.approx(loss**2 + (1.645 * fit.noise) ** 2, rel=1e-3)
    assert forecast.value - forecast.low == pytest.approx(printed)
    assert loss > 1.645 * PRIORS.forecast_error


def test_more_confidence_is_wider() -> None:
    fit = fit_curve(STEP, draw_curve(STEP), COSINE, end_step=END)

    widths = [forecast_loss(fit, confidence=c).high for c in (0.5, 0.9, 0.99)]

    assert widths == sorted(widths)


def test_a_power_of_time_expects_nothing_of_the_decay() -> None:
    forecast = forecast_loss(fit_curve(STEP[:30], draw_curve(STEP[:30]), COSINE, end_step=END))

    assert set(forecast.cross_checks) == {"multi-power", "time"}
    assert forecast.cross_checks["time"] > forecast.value
    assert forecast.cross_checks["multi-power"] == pytest.approx(forecast.value, abs=0.03)


def test_laws_that_differ_widen_the_interval() -> None:
    step = np.arange(0, 18_301, 100)
    wsd = Schedule("wsd", 1e-3, END, 500, 0.0, cooldown_steps=2_000)
    loss = 3 + 20 * (step + 1.0) ** -0.5
    fit = fit_curve(step, loss, wsd, end_step=END)
    alone = replace(fit, covariance=np.zeros((4, 4)))

    forecast = forecast_loss(alone)

    apart = abs(forecast.cross_checks["multi-power"] - forecast.value)
    expected = 1.645 * np.hypot(PRIORS.forecast_error, apart / 2**0.5)
    assert apart > 0.001
    assert forecast.loss_high - forecast.value == pytest.approx(expected, rel=1e-3)


def test_a_cooldown_that_has_just_begun_comes_with_a_caveat() -> None:
    end = 24_000
    step = np.arange(0, 21_601, 100)
    wsd = Schedule("wsd", 3e-4, end, 2_000, 3e-5, cooldown_steps=4_000)
    progress = follow_multi_power(wsd(np.arange(end + 1)), end)
    loss = 3 + 20 * (step + 1.0) ** -0.5 - 0.1 * progress.annealed[step]

    forecast = forecast_loss(fit_curve(step, loss, wsd, end_step=end))

    other = forecast.cross_checks["multi-power"]
    assert other == pytest.approx(3 + 20 * end**-0.5 - 0.1, abs=0.01)
    assert forecast.value < other - 0.02
    assert forecast.caveats[0].startswith(f"the multi-power law says {other:.4f}: early in a")
    assert forecast.loss_high > other


def test_beyond_the_end_the_rate_stays_at_its_floor() -> None:
    fit = fit_curve(STEP, draw_curve(STEP), COSINE, end_step=END)

    near, far = (forecast_loss(fit, at_step=step).value for step in (END, END + 2_000))

    assert far < near


def test_the_past_is_no_forecast() -> None:
    fit = fit_curve(STEP, draw_curve(STEP), COSINE, end_step=END)

    with pytest.raises(ValueError, match="14,499 is before the last evaluation, 14,500"):
        forecast_loss(fit, at_step=14_499)


def test_a_rising_loss_comes_with_a_caveat() -> None:
    rising = fit_curve(STEP, 3 + STEP / 14_500, COSINE, end_step=END)
    healthy = fit_curve(STEP, draw_curve(STEP), COSINE, end_step=END)

    (caveat,) = forecast_loss(rising).caveats
    assert "does not fall as the law says" in caveat
    assert forecast_loss(healthy).caveats == ()


def test_a_curve_of_another_shape_comes_with_a_caveat() -> None:
    waves = draw_curve(STEP) + 0.2 * np.sin(STEP / 1_500)

    forecast = forecast_loss(fit_curve(STEP, waves, COSINE, end_step=END))

    assert any("does not describe this run" in caveat for caveat in forecast.caveats)


def test_the_sentence_has_the_numbers() -> None:
    forecast = forecast_loss(fit_curve(STEP, draw_curve(STEP), COSINE, end_step=END))

    assert forecast.sentence == (
        f"the loss is forecast to be {forecast.value:.4f} at step 20,000 (90% interval "
        f"{forecast.low:.4f} to {forecast.high:.4f}), {forecast.drop:+.4f} below its level of "
        f"{forecast.level:.4f} now"
    )
