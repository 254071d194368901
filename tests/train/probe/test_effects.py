"""The effects of a probe: against their slow twins, and how often their intervals hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.formats.probe import Effect
from assay.train.probe.effects import BranchLosses, make_effect, measure_gap
from assay.train.run.evaluate import Scores
from tests.twins import train as reference


def draw(
    generator: np.random.Generator, orders: int, documents: int, shifts: tuple[float, ...]
) -> BranchLosses:
    """BranchLosses with shifts in nats a token; orders and documents have spreads of their own."""
    tokens_J = generator.integers(20, 200, documents)
    level_J = 3 + 0.5 * generator.standard_normal(documents)
    of_data = {data: 0.01 * generator.standard_normal((orders, 1)) for data in ("old", "new")}
    rows = []
    for place, shift in enumerate(shifts):
        data = "old" if place < 2 else "new"
        noise = 0.004 * generator.standard_normal((orders, 1))
        own_J = 0.02 * generator.standard_normal(documents)
        rows.append((level_J + shift + of_data[data] + noise + own_J) * tokens_J)
    return BranchLosses(rows[0], rows[1], rows[2], rows[3], tokens_J)


@given(st.integers(0, 2**32), st.integers(2, 4), st.integers(2, 30))
def test_effects_are_those_of_their_slow_twins(seed: int, orders: int, documents: int) -> None:
    drawn = draw(np.random.default_rng(seed), orders, documents, (0.0, -0.1, -0.02, -0.13))
    tokens = drawn.tokens_J.tolist()
    old, cooled, new, new_cooled = (
        part.tolist()
        for part in (
            drawn.old_constant_SJ, drawn.old_cooldown_SJ,
            drawn.new_constant_SJ, drawn.new_cooldown_SJ,
        )
    )  # fmt: skip

    def means(plus: list[list[float]], minus: list[list[float]] | None = None) -> list[float]:
        other = minus or [[0.0] * len(tokens)] * orders
        return [(sum(a) - sum(b)) / sum(tokens) for a, b in zip(plus, other, strict=True)]

    on_old, on_new = means(cooled, old), means(new_cooled, new)
    both = [
        [a + b for a, b in zip(x, y, strict=True)] for x, y in zip(new_cooled, old, strict=True)
    ]
    rest = [[a + b for a, b in zip(x, y, strict=True)] for x, y in zip(new, cooled, strict=True)]
    for found, (plus, minus, spread, factor) in (
        (drawn.measure_cooldown(), (cooled, old, [on_old, on_new], 1)),
        (drawn.measure_cooldown(on_new=True), (new_cooled, new, [on_old, on_new], 1)),
        (drawn.measure_data(), (new, old, [means(old), means(new)], 2)),
        (drawn.measure_interaction(), (both, rest, [on_old, on_new], 2)),
    ):
        value, variance = reference.probe_effect(plus, minus, spread, factor, tokens)
        assert found.value == pytest.approx(value, abs=1e-12)
        assert found.error == pytest.approx(variance**0.5, rel=1e-9)


def covers(effect: Effect, value: float) -> bool:
    return effect.interval[0] <= value <= effect.interval[1]


def test_intervals_hold_as_often_as_they_say() -> None:
    generator = np.random.default_rng(0)
    held = np.zeros((400, 4))
    for row in held:
        drawn = draw(generator, 2, 60, (0.0, -0.05, 0.02, -0.04))
        row[:] = (
            covers(drawn.measure_cooldown(), -0.05),
            covers(drawn.measure_cooldown(on_new=True), -0.06),
            covers(drawn.measure_data(), 0.02),
            covers(drawn.measure_interaction(), -0.01),
        )

    assert (held.mean(0) > 0.92).all()  # 95% promised; 400 draws are good to 2%


def test_the_smallest_detectable_effect_is_found_four_times_in_five() -> None:
    generator = np.random.default_rng(1)
    drawn = [draw(generator, 2, 60, (0.0, 0.0, 0.0, 0.0)) for _ in range(200)]
    total = float(np.mean([each.measure_data().error ** 2 for each in drawn]))
    of_orders = 0.01**2 + 0.004**2  # as `draw` has it: twice that over two orders
    size = make_effect(0.0, (of_orders, 2), (total - of_orders, 59)).detectable
    shifted = [draw(generator, 2, 60, (0.0, 0.0, size, size)) for _ in range(200)]

    found = np.mean([not covers(each.measure_data(), 0.0) for each in shifted])

    assert 0.7 < found < 0.9


def test_a_gap_leaves_leaked_documents_out() -> None:
    def scores(nats: list[float], leaked: list[bool]) -> Scores:
        size = len(nats)
        tens_J = np.full(size, 10)
        return Scores(np.arange(size), np.array(nats), tens_J, tens_J, np.array(leaked))

    val = scores([30.0, 32.0, 5.0], [False, False, True])
    train = scores([20.0, 22.0, 24.0], [False] * 3)

    gap = measure_gap(val, train)

    assert gap.value == pytest.approx(3.1 - 2.2)
    assert gap.error == pytest.approx((0.01 + 0.04 / 3) ** 0.5)  # var of means: 0.02/2, 0.04/3
