import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.laws.student_t import quantile
from assay.train.stats.decision_rule import judge_all
from assay.train.stats.paired_difference import Losses, bootstrap, estimate
from assay.train.stats.power import foresee_detectable
from tests.twins import train as reference


def draw_pairs(
    generator: np.random.Generator,
    *,
    pairs: int = 3,
    documents: int = 60,
    shift: float = 0.0,
    own_sd: float = 0.002,
    document_sd: float = 0.02,
) -> Losses:
    """Draw losses of coupled runs: a pair's common noise of 0.02, and each run's own."""
    tokens_J = generator.integers(50, 500, documents).astype(float)
    base_J = generator.normal(4, 0.65, documents)
    change_J = generator.normal(shift, document_sd, documents)
    common = generator.normal(0, 0.02, (pairs, 1))
    arms = [
        (base_J + change + common + generator.normal(0, own_sd, (pairs, 1))) * tokens_J
        for change in (0.0, change_J)
    ]
    return Losses(arms[0], arms[1], tokens_J, np.round(tokens_J * 4.45))


def test_the_estimate_of_pairs_is_worked_out_by_hand() -> None:
    sizes = np.array([10.0, 10.0])
    nats_a, nats_b = np.outer([3, 5], sizes), np.outer([4, 8], sizes)

    found = estimate(nats_a, nats_b, sizes, paired=True, rounds=0)

    # Differences 1 and 3: mean 2, variance 2 over two pairs, 1 degree of freedom.
    assert found.value == pytest.approx(2)
    assert found.pair_sd == pytest.approx(math.sqrt(2))
    assert found.error == pytest.approx(1)
    assert found.degrees == pytest.approx(1)
    assert found.interval(0.05).high == pytest.approx(2 + quantile(0.975, 1))


@given(st.integers(2, 6), st.integers(2, 30), st.integers(0, 1000))
def test_the_estimate_of_pairs_is_the_twins(pairs: int, documents: int, seed: int) -> None:
    losses = draw_pairs(np.random.default_rng(seed), pairs=pairs, documents=documents)
    arms = losses.nats_a_SJ, losses.nats_b_SJ, losses.tokens_J

    found = estimate(*arms, paired=True, rounds=0)

    slow = reference.paired_difference(*(each.tolist() for each in arms))
    assert (found.value, found.error**2, found.degrees) == pytest.approx(slow, rel=1e-6, abs=1e-15)


@pytest.mark.parametrize("pairs", [3, 5])
def test_coupled_pairs_of_the_same_data_are_called_different_one_time_in_twenty(pairs: int) -> None:
    generator = np.random.default_rng(pairs)

    excluded = 0
    for _ in range(400):
        losses = draw_pairs(generator, pairs=pairs, document_sd=0.0)
        found = estimate(losses.nats_a_SJ, losses.nats_b_SJ, losses.tokens_J, paired=True, rounds=0)
        excluded += found.p < 0.05

    assert 8 <= excluded <= 35  # the central 99.9% of 400 draws at 5%


def test_the_noise_that_a_pair_shares_is_not_in_its_difference() -> None:
    losses = draw_pairs(np.random.default_rng(1), pairs=5, shift=0.02, document_sd=0.01)

    (paired,), (apart,) = (judge_all([replace(losses, paired=paired)]) for paired in (True, False))

    assert (paired.verdict, apart.verdict) == ("worse", "no detectable difference")
    assert paired.pair_sd is not None
    assert paired.pair_sd < 0.006 < 0.01 < max(paired.seed_sd[0] or 0, paired.seed_sd[1] or 0)
    assert apart.pair_sd is None


def test_the_bootstrap_of_pairs_draws_a_pair_whole() -> None:
    losses = draw_pairs(np.random.default_rng(2), pairs=4, document_sd=0.0)
    arms = losses.nats_a_SJ, losses.nats_b_SJ, losses.tokens_J

    paired, apart = (bootstrap(*arms, rounds=2000, seed=0, paired=each) for each in (True, False))

    differences = (losses.nats_b_SJ - losses.nats_a_SJ).sum(1) / losses.tokens_J.sum()
    # Four pairs drawn with replacement: the variance of their mean, without Bessel's correction.
    assert paired.std() == pytest.approx(differences.std() / 2, rel=0.1)
    assert apart.std() > 3 * paired.std()


def test_what_pairs_could_see_counts_their_degrees_of_freedom() -> None:
    apart = foresee_detectable(0.003, 0.0, seeds=3, documents=100, alpha=0.05)
    paired = foresee_detectable(0.003, 0.0, seeds=3, documents=100, alpha=0.05, paired=True)

    # The same standard error, with 2 degrees of freedom for 4: t(2) is 4.30, t(4) 2.78.
    assert 1.2 < paired / apart < 2.2
    found = [0.003 * math.sqrt(2 / 3) * (quantile(0.975, n) + quantile(0.8, n)) for n in (2, 4)]
    assert (paired, apart) == pytest.approx(found, rel=0.25)
