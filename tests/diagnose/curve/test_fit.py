from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from assay.diagnose.curve.fit import Fit, choose_first_step, estimate_noise, find_top, fit_curve
from assay.diagnose.curve.law import follow_annealing
from assay.diagnose.curve.regression import PRIORS
from assay.errors import UsageError
from assay.laws.lr_schedule import Schedule
from tests.twins import diagnose as reference

END = 20_000
COSINE = Schedule("cosine", 1e-3, END, 500, 1e-4)
FLAT = replace(PRIORS, exponent_sd=10.0, gain_sd=10.0)


def draw_curve(
    step: np.ndarray,
    *,
    floor: float = 3.0,
    scale: float = 0.3,
    exponent: float = 0.5,
    gain: float = 0.1,
    noise: float = 0.0,
    seed: int = 0,
) -> np.ndarray:
    """Draw a curve of the annealing law; `scale` is nats above the floor at the last step."""
    progress = follow_annealing(COSINE(np.arange(END + 1)), END)
    spent = progress.spent[step] / progress.spent[step[-1]]
    clean = floor + scale * spent**-exponent - gain * progress.annealed[step]
    return np.asarray(clean + noise * np.random.default_rng(seed).normal(size=step.size))


def test_constants_of_a_planted_curve_are_found() -> None:
    step = np.arange(0, 18_001, 250)
    loss = draw_curve(step, floor=2.9, scale=0.25, exponent=0.41, gain=0.13)

    fit = fit_curve(step, loss, COSINE, end_step=END, priors=FLAT)

    found = (fit.floor, fit.scale, fit.exponent, fit.gain)
    assert found == pytest.approx((2.9, 0.25, 0.41, 0.13), abs=2e-3)
    assert fit.loss_at(fit.step) == pytest.approx(fit.loss, abs=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_no_optimiser_finds_less_than_the_fit(seed: int) -> None:
    generator = np.random.default_rng(seed)
    step = np.arange(0, int(generator.integers(8_000, 19_000)), 400)
    loss = draw_curve(step, exponent=generator.uniform(0.3, 0.7), noise=0.01, seed=seed)
    loss[generator.integers(loss.size, size=2)] += 0.3
    fit = fit_curve(step, loss, COSINE, end_step=END)
    progress = follow_annealing(COSINE(np.arange(END + 1)), END)

    def cost(constants: np.ndarray) -> float:
        return reference.soft_l1_cost(
            constants.tolist(),
            progress.spent[fit.step] / progress.spent[fit.last_step],
            progress.annealed[fit.step],
            fit.loss.tolist(),
            noise=fit.noise,
            misfit=PRIORS.misfit,
            exponent=(PRIORS.exponent, PRIORS.exponent_sd),
            gain=(PRIORS.gain, PRIORS.gain_sd),
        )

    ours = cost(np.array([fit.floor, fit.scale, fit.exponent, fit.gain]))
    start = np.array([3.1, 0.2, 0.4, 0.05])
    best = minimize(cost, start, method="Nelder-Mead", options={"maxiter": 4000, "fatol": 1e-9})
    assert ours <= best.fun + 1e-3


def test_a_few_wild_evaluations_move_the_end_little() -> None:
    step = np.arange(0, 14_501, 250)
    loss = draw_curve(step, noise=0.005)
    wild = loss.copy()
    wild[[20, 33, 47]] += [1.0, -0.5, 2.0]

    ends = [
        float(fit_curve(step, each, COSINE, end_step=END).loss_at(np.array([END]))[0])
        for each in (loss, wild)
    ]

    assert ends[1] == pytest.approx(ends[0], abs=0.006)


def test_a_dense_log_is_not_surer_than_its_law() -> None:
    dense = np.arange(0, 14_501, 1)
    sparse = dense[::250]

    fits = [fit_curve(step, draw_curve(step), COSINE, end_step=END) for step in (sparse, dense)]

    few, many = (deviation(fit) for fit in fits)
    assert many == pytest.approx(few, rel=0.15)


def deviation(fit: Fit) -> float:
    slope = fit.slopes_at(np.array([END]))[0]
    return float(np.sqrt(slope @ fit.covariance @ slope))


def test_slopes_are_the_differences_of_the_curve() -> None:
    step = np.arange(0, 14_501, 500)
    fit = fit_curve(step, draw_curve(step, noise=0.01), COSINE, end_step=END)
    asked = np.array([5_000, 14_500, 20_000])

    for column, name in enumerate(("floor", "scale", "exponent", "gain")):
        above = replace(fit, **{name: getattr(fit, name) + 1e-6})
        rise = (above.loss_at(asked) - fit.loss_at(asked)) / 1e-6
        assert fit.slopes_at(asked)[:, column] == pytest.approx(rise, abs=1e-4)


def test_the_covariance_foretells_the_spread_of_the_end() -> None:
    step = np.arange(0, 14_501, 250)
    honest = replace(PRIORS, misfit=0.0)
    fits = [
        fit_curve(step, draw_curve(step, noise=0.01, seed=s), COSINE, end_step=END, priors=honest)
        for s in range(60)
    ]

    error = (
        np.array([fit.loss_at(np.array([END]))[0] for fit in fits])
        - draw_curve(np.append(step, END), scale=0.3 * (spent_at(END) / spent_at(14_500)) ** -0.5)[
            -1
        ]
    )

    held = np.abs(error) < 1.645 * np.array([deviation(fit) for fit in fits])
    assert held.mean() >= 0.85


def spent_at(step: int) -> float:
    return float(follow_annealing(COSINE(np.arange(END + 1)), END).spent[step])


def test_noise_is_told_from_trend_and_outliers() -> None:
    step = np.arange(3_000, 20_000, 20)
    loss = draw_curve(step, noise=0.01)
    loss[::100] += 1.0

    assert estimate_noise(loss) == pytest.approx(0.01, rel=0.1)
    assert estimate_noise(np.linspace(4, 3, 50)) == 1e-4


@pytest.mark.parametrize(
    ("last", "top", "first"),
    [
        (20_000, 500, 2_500),
        (72_000, 2_160, 8_640),
        (12_000, 2_000, 2_500),
        (8_000, 100, 2_000),
        (800, 40, 200),
        (800, 300, 300),
    ],
)
def test_what_comes_too_early_is_left_out(last: int, top: int, first: int) -> None:
    assert choose_first_step(last, top) == first


def test_the_top_is_where_the_warmup_ends() -> None:
    assert find_top(COSINE, 10_000) == 500


def test_a_curve_without_a_decay_keeps_the_believed_gain() -> None:
    step = np.arange(0, 10_001, 250)
    constant = Schedule("constant", 1e-3, 10_000, 500)

    fit = fit_curve(step, 3 + 20 * (step + 1.0) ** -0.5, constant)

    assert fit.gain == pytest.approx(PRIORS.gain)
    assert fit.floor == pytest.approx(3, abs=0.02)


def test_too_few_evaluations_are_counted() -> None:
    step = np.array([0, 1_000, 2_600, 3_000, 4_000, 5_000, 6_000])

    with pytest.raises(UsageError, match=r"5 evaluations from step 2,600, .* 6 are needed"):
        fit_curve(step, np.linspace(4, 3, 7), Schedule("constant", 1.0, 9_000, 2_600))


def test_no_evaluation_at_all_is_too_few() -> None:
    with pytest.raises(UsageError, match="0 evaluations"):
        fit_curve([], [], COSINE)


@pytest.mark.parametrize("schedule", [Schedule("linear", 1.0, 400, 5), COSINE])
def test_a_stretch_that_spent_nothing_cannot_be_fitted(schedule: Schedule) -> None:
    step = np.arange(19_900, 20_000, 10)

    with pytest.raises(UsageError, match=r"only 0\.\d\d% .* \(step 19,900\) and the last"):
        fit_curve(step, np.linspace(4, 3, 10), schedule)


def test_absurd_steps_are_named_before_memory_is_taken() -> None:
    step = np.append(np.arange(0, 10_000, 100), 10**15)

    with pytest.raises(UsageError, match=r"1,000,000,000,000,000 steps; 10,000,000 can be"):
        fit_curve(step, np.linspace(4, 3, step.size), COSINE)


@pytest.mark.parametrize(
    ("step", "loss", "named"),
    [
        ([1, 2], [1.0], "one of each"),
        ([2, 1], [1.0, 1.0], "must rise"),
        ([1, 1], [1.0, 1.0], "must rise"),
        ([1, 2], [1.0, float("nan")], "1 losses are not finite"),
    ],
)
def test_wrong_curves_are_refused(step: list[float], loss: list[float], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        fit_curve(step, loss, COSINE)


def test_a_rising_curve_has_no_scale() -> None:
    step = np.arange(0, 14_501, 500)

    fit = fit_curve(step, 3 + step / 14_500, COSINE, end_step=END)

    assert fit.scale < 0
