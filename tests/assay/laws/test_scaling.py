import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assay.laws.anchors import (
    estimate_growth,
    estimate_tokens,
    expect_loss,
    expect_losses,
    floor_loss,
    recommend_rates,
)
from assay.laws.scaling import (
    bound_memorisation,
    count_parameters,
    effective_tokens,
    estimate_repetition,
    estimate_unique_gain,
    fit_repetition,
    predict_muennighoff,
    predict_repetition,
    weigh_capacity,
)

ORIGIN = 40_560_000
SEEN = 7.6e9

# Parameters, tokens, unique tokens, measured cost: runs of the datablations repository.
RUNS = [
    (83e6, 20e9, 1.5e9, 0.011),
    (83e6, 20e9, 0.4e9, 0.043),
    (83e6, 20e9, 0.1e9, 0.182),
    (146e6, 14e9, 1.5e9, 0.014),
    (146e6, 14e9, 0.4e9, 0.071),
    (146e6, 14e9, 0.1e9, 0.482),
    (220e6, 7.5e9, 1.5e9, 0.015),
    (220e6, 7.5e9, 0.4e9, 0.064),
    (220e6, 7.5e9, 0.1e9, 0.538),
    (281e6, 5.9e9, 0.4e9, 0.067),
    (281e6, 5.9e9, 0.1e9, 0.563),
    (619e6, 2.7e9, 0.4e9, 0.034),
    (619e6, 2.7e9, 0.1e9, 0.414),
]


def test_parameters_are_counted_as_nanogpt_prints_them() -> None:
    origin = count_parameters(12, 384)
    gpt2 = count_parameters(12, 768, 50257, bias=True)

    assert origin.counted == ORIGIN
    assert (origin.blocks, origin.embedding) == (21_233_664, 19_316_736)
    assert gpt2.counted + gpt2.positions == 124_439_808  # openai-community/gpt2


def test_parameters_are_those_of_a_model_of_ours() -> None:
    torch = pytest.importorskip("torch")
    from assay.formats.train_config import TrainConfig
    from assay.train.model.gpt import GPT

    for bias in (False, True):
        config = TrainConfig(
            arch="nanogpt", n_layer=3, n_head=2, n_embd=8, block_size=16, bias=bias
        )
        with torch.device("meta"):
            model = GPT(config, 100, torch.float32)
        counted = count_parameters(3, 8, 128, 16, bias=bias)

        assert sum(w.numel() for w in model.parameters()) == counted.counted + counted.positions


def test_the_formula_gives_its_readmes_examples() -> None:
    assert predict_muennighoff(6.34e9, 242e9, 25e9) == pytest.approx(2.2256440889984477)
    assert predict_muennighoff(8.67e9, 178e9, 25e9) == pytest.approx(2.2269634075087867)


@pytest.mark.parametrize(
    ("epochs", "worth"),
    [(2, 0.984), (4, 0.931), (8, 0.828), (16, 0.661), (44, 0.351), (100, 0.164), (410, 0.040)],
)
def test_the_worth_of_a_repeated_token(epochs: float, worth: float) -> None:
    assert effective_tokens(epochs * 1e9, 1e9) / (epochs * 1e9) == pytest.approx(worth, abs=6e-4)


@given(st.floats(1e5, 1e13), st.floats(1e5, 1e13))
def test_effective_tokens_stay_between_what_is_unique_and_what_was_seen(
    seen: float, unique: float
) -> None:
    worth = effective_tokens(seen, unique)

    assert min(seen, unique) * (1 - 1e-12) <= worth <= seen * (1 + 1e-12)
    assert worth <= 16.4 * unique
    assert effective_tokens(2 * seen, unique) >= worth


@pytest.mark.parametrize(
    ("unique", "loss"), [(7.6e9, 3.437), (1.5e9, 3.455), (0.73e9, 3.484), (0.25e9, 3.640)]
)
def test_the_formula_on_the_origin_case(unique: float, loss: float) -> None:
    assert predict_muennighoff(ORIGIN, SEEN, unique) == pytest.approx(loss, abs=6e-4)


@pytest.mark.parametrize(("parameters", "seen", "unique", "cost"), RUNS)
def test_the_fit_is_within_twice_its_spread_of_the_runs(
    parameters: float, seen: float, unique: float, cost: float
) -> None:
    fitted = fit_repetition(parameters, seen, unique)

    assert fitted is not None
    assert abs(math.log(fitted / cost)) < 2 * 0.43


@pytest.mark.parametrize(
    ("seen", "unique", "cost"),
    [(5.2e9, 0.7e9, 0.002), (SEEN, 0.7e9, 0.004), (10.5e9, 0.7e9, 0.006), (SEEN, 0.1e9, 0.048)],
)
def test_the_fit_on_the_origin_case(seen: float, unique: float, cost: float) -> None:
    assert fit_repetition(ORIGIN, seen, unique) == pytest.approx(cost, abs=5e-4)


def test_the_cost_of_repeating_is_a_range_with_caveats() -> None:
    cost = estimate_repetition(ORIGIN, SEEN, 0.7e9)

    assert (cost.low, cost.high) == pytest.approx((0.004, 0.0495), abs=2e-4)
    assert any("extrapolates to 40.6M parameters" in said for said in cost.caveats)
    assert not any("extrapolates" in said for said in estimate_repetition(1e8, SEEN, 5e8).caveats)


def test_doubling_the_unique_tokens_buys_a_range() -> None:
    gain = estimate_unique_gain(ORIGIN, SEEN, 0.7e9, 1.4e9)

    assert gain.high == pytest.approx(0.030, abs=5e-4)
    assert 0.001 < gain.low < 0.004


def test_under_50m_unique_tokens_the_fit_is_refused_and_the_range_holds_what_was_measured() -> None:
    # LOG.md: 9.0M against 36M unique tokens, 100M seen, 29.9M parameters: +0.494.
    gain = estimate_unique_gain(29.9e6, 100e6, 9e6, 36e6)

    assert fit_repetition(29.9e6, 100e6, 9e6) is None
    assert gain.low < 0.494 < gain.high
    assert any("is not used" in said for said in gain.caveats)


@given(st.floats(1e5, 1e9), st.floats(1e5, 1e12), st.floats(1e5, 1e12))
@example(1e5, 100_000.00000000001, 1e5)
def test_a_range_is_in_order_and_repeats_cost_nothing_where_there_are_none(
    parameters: float, seen: float, unique: float
) -> None:
    cost = estimate_repetition(parameters, seen, unique)
    gain = estimate_unique_gain(parameters, seen, unique, 2 * unique)

    assert 0 <= cost.low <= cost.high
    assert -1e-9 <= gain.low <= gain.high
    if seen <= unique:
        assert cost.high == predict_repetition(parameters, seen, unique) == 0


def test_memory_bounds_the_gap_of_the_origin_case() -> None:
    assert bound_memorisation(ORIGIN, 0.7e9) == pytest.approx(0.1446, abs=1e-4)
    assert weigh_capacity(ORIGIN, 0.7e9) == pytest.approx(24.93, abs=0.01)


def test_four_laws_agree_on_the_origin_case_once_anchored() -> None:
    losses = expect_losses(ORIGIN, 21_233_664, 10.49e9)

    assert losses["Hoffmann"] == pytest.approx(3.60, abs=5e-3)
    assert losses["Besiroglu"] == pytest.approx(3.62, abs=5e-3)
    assert losses["Muennighoff"] == pytest.approx(3.62, abs=5e-3)
    assert losses["Kaplan"] == pytest.approx(3.62, abs=5e-3)


def test_dropout_and_a_high_floor_raise_what_is_to_be_expected() -> None:
    plain = expect_loss(ORIGIN, 21_233_664, 10.49e9)
    his = expect_loss(ORIGIN, 21_233_664, 10.49e9, dropout=0.1, floor_share=0.1)

    assert (plain.low, plain.high) == pytest.approx((3.60, 3.62), abs=6e-3)
    assert (his.low, his.high) == pytest.approx((3.64, 3.68), abs=6e-3)
    assert len(expect_loss(10**6, 10**6, 1e8).caveats) == 2


def test_the_anchor_expects_itself() -> None:
    for loss in expect_losses(124_000_000, 84_900_000, 10.26e9).values():
        assert loss == pytest.approx(3.2722)


def test_perplexity_10_is_out_of_reach_of_40m_parameters() -> None:
    floor = floor_loss(ORIGIN)

    assert (floor.low, floor.high) == pytest.approx((2.74, 2.95), abs=6e-3)
    assert floor.low > math.log(10)


def test_rules_for_the_learning_rate() -> None:
    rules = recommend_rates(ORIGIN, 21_233_664, 10.49e9)

    assert [name for name, _ in rules] == ["DeepSeek", "Step Law"]
    assert [rate for _, rate in rules] == pytest.approx([1.55e-3, 1.27e-2], rel=0.01)


def test_levers_of_the_origin_case() -> None:
    small, large = (estimate_growth(ORIGIN, n, 10.49e9) for n in (63_500_000, 124_000_000))
    tokens = estimate_tokens(ORIGIN, 10.49e9)

    assert (small.low, small.high) == pytest.approx((0.15, 0.16), abs=0.01)
    assert (large.low, large.high) == pytest.approx((0.32, 0.35), abs=0.03)
    assert tokens.low < 0.05 < tokens.high
