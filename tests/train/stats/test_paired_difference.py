import math
from typing import Any

import numpy as np
import pytest

from assay.laws.student_t import quantile
from assay.train.compare.wording import write_sentence
from assay.train.stats.decision_rule import Decision, Margins, judge_all
from assay.train.stats.paired_difference import Losses, bootstrap, estimate
from tests.twins import train as reference

BYTES_PER_TOKEN = 4.45


def judge(losses: Losses, **given: Any) -> Decision:
    """Judge one arm."""
    return judge_all([losses], **given)[0]


def draw(
    generator: np.random.Generator,
    *,
    seeds: int = 3,
    documents: int = 200,
    shift: float = 0.0,
    seed_sd: float = 0.003,
    document_sd: float = 0.02,
) -> Losses:
    """Draw losses under the model of the test: seeds shift an arm, documents differ in both."""
    tokens_J = generator.integers(50, 500, documents).astype(float)
    base_J = generator.normal(4, 0.65, documents)
    change_J = generator.normal(shift, document_sd, documents)
    arms = [
        (base_J + change + generator.normal(0, seed_sd, (seeds, 1))) * tokens_J
        for change in (0.0, change_J)
    ]
    return Losses(arms[0], arms[1], tokens_J, np.round(tokens_J * BYTES_PER_TOKEN))


def log(decision: Decision, *, seeds: int = 3, delta: float = 0.01) -> str:
    return write_sentence(
        decision, "clean", "raw", seeds=seeds, documents=200, margins=Margins(delta)
    )


def test_the_estimate_is_worked_out_by_hand() -> None:
    # One document would have no spread: two equal ones. Arm A: 3 and 5 nats a token; B: 4 and 8.
    sizes = np.array([10.0, 10.0])
    nats_a, nats_b = np.outer([3, 5], sizes), np.outer([4, 8], sizes)

    found = estimate(nats_a, nats_b, sizes, rounds=0)

    # Means 4 and 6; variances 2/2 and 8/2 add to 5, with 25 / (1 + 16) degrees of freedom.
    assert found.value == pytest.approx(2)
    assert found.seed_sd == (pytest.approx(math.sqrt(2)), pytest.approx(math.sqrt(8)))
    assert found.degrees == pytest.approx(25 / 17)
    reach = quantile(0.975, 25 / 17) * math.sqrt(5)
    interval = found.interval(0.05)
    assert (interval.low, interval.high) == pytest.approx((2 - reach, 2 + reach))


def test_bits_a_byte_are_nats_a_token_in_another_unit() -> None:
    losses = draw(np.random.default_rng(1), shift=-0.1)

    decision = judge(losses)

    assert decision.per_token is not None
    assert decision.per_byte is not None
    factor = losses.tokens_J.sum() / losses.bytes_J.sum() / math.log(2)
    assert decision.per_byte.difference == pytest.approx(decision.per_token.difference * factor)


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_the_same_data_twice_is_called_different_one_time_in_twenty(seeds: int) -> None:
    generator = np.random.default_rng(seeds)
    rounds = 400

    excluded = 0
    for _ in range(rounds):
        losses = draw(generator, seeds=seeds, documents=60)
        found = estimate(losses.nats_a_SJ, losses.nats_b_SJ, losses.tokens_J, rounds=0)
        excluded += not found.interval(0.05).low <= 0 <= found.interval(0.05).high

    # Of 400 draws at 5%, 8 to 35 lie in the central 99.9%; two seeds are known to be cautious.
    assert 2 <= excluded <= 35


def test_a_clear_gain_is_better_and_a_clear_loss_worse() -> None:
    generator = np.random.default_rng(2)

    better, worse = (judge(draw(generator, shift=shift)) for shift in (-0.05, 0.05))

    assert (better.verdict, worse.verdict) == ("better", "worse")
    assert better.won_share is not None
    assert better.won_share > 0.9
    assert log(better).startswith("clean is better than raw: -0.0")
    assert "minimum detectable effect 0.0" in log(better)
    assert "95% interval" in log(better)


def test_a_difference_inside_delta_is_equivalent_even_if_detected() -> None:
    losses = draw(np.random.default_rng(3), shift=0.02, seed_sd=0.0005, document_sd=0.005)

    assert judge(losses, margins=Margins(0.01)).verdict == "worse"
    decision = judge(losses, margins=Margins(0.05))

    assert decision.verdict == "equivalent"
    assert "smaller than declared to matter" in log(decision, delta=0.05)


def test_noise_wider_than_delta_is_no_detectable_difference() -> None:
    losses = draw(np.random.default_rng(6), seed_sd=0.05)

    decision = judge(losses)

    assert decision.verdict == "no detectable difference"
    assert log(decision).startswith("no detectable difference between clean and raw")


def test_identical_runs_are_a_defect() -> None:
    losses = draw(np.random.default_rng(0))
    twins = Losses(losses.nats_a_SJ, losses.nats_a_SJ, losses.tokens_J, losses.bytes_J)
    nats_b_SJ = losses.nats_b_SJ.copy()
    nats_b_SJ[2] = losses.nats_a_SJ[0]
    shared = Losses(losses.nats_a_SJ, nats_b_SJ, losses.tokens_J, losses.bytes_J)

    for found in (judge(twins), judge(shared)):
        assert found.verdict == "invalid"
        assert found.reason is not None
        assert "not independent" in found.reason


def test_a_loss_that_is_no_number_is_invalid() -> None:
    losses = draw(np.random.default_rng(0))
    losses.nats_b_SJ[0, 0] = math.nan

    assert judge(losses).verdict == "invalid"


def test_few_documents_are_inconclusive() -> None:
    generator = np.random.default_rng(0)

    verdicts = [judge(draw(generator, documents=n, shift=1.0)).verdict for n in (1, 19, 20)]

    assert verdicts == ["inconclusive", "inconclusive", "worse"]


def test_one_seed_speaks_only_of_what_no_seed_could_do_and_provisionally() -> None:
    generator = np.random.default_rng(0)

    small, large = (judge(draw(generator, seeds=1, shift=shift)) for shift in (0.02, 0.08))

    assert (small.verdict, large.verdict) == ("inconclusive", "worse")
    assert small.provisional
    assert large.provisional
    assert "run more seeds" in log(small, seeds=1)
    assert "provisional" in log(large, seeds=1)


def test_the_wider_of_both_intervals_counts() -> None:
    generator = np.random.default_rng(0)

    for seeds in (2, 5):
        losses = draw(generator, seeds=seeds)
        arms = losses.nats_a_SJ, losses.nats_b_SJ, losses.tokens_J
        student, both = estimate(*arms, rounds=0), estimate(*arms, rounds=500)
        drawn_R = bootstrap(*arms, rounds=500, seed=0)

        low, high = np.quantile(drawn_R, [0.025, 0.975])
        by_student, wider = student.interval(0.05), both.interval(0.05)
        widths = {"student": by_student.high - by_student.low, "bootstrap": high - low}
        assert wider.kind == max(widths, key=widths.__getitem__)
        assert wider.high - wider.low == pytest.approx(max(widths.values()))
        assert drawn_R.mean() == pytest.approx(student.value, abs=5e-4)


def test_the_bootstrap_is_that_of_the_definition() -> None:
    losses = draw(np.random.default_rng(5), documents=30, shift=0.03)
    arms = losses.nats_a_SJ, losses.nats_b_SJ, losses.tokens_J

    fast = bootstrap(*arms, rounds=4000, seed=0)
    slow = reference.pigeonhole(*(each.tolist() for each in arms), rounds=4000, seed=0)

    # 4,000 draws each: means differ by 0.02 SD, spreads by 1.1%, at one standard error.
    spread = float(np.std(slow))
    assert abs(fast.mean() - np.mean(slow)) < 0.1 * spread
    assert fast.std() == pytest.approx(spread, rel=0.05)


def test_the_bootstrap_repeats_itself() -> None:
    losses = draw(np.random.default_rng(0))

    assert judge(losses) == judge(losses)


def test_a_name_cannot_reach_the_terminal() -> None:
    decision = judge(draw(np.random.default_rng(2), shift=-0.05))

    sentence = write_sentence(
        decision, "a\x1b[31m\nb", "raw", seeds=3, documents=200, margins=Margins()
    )

    assert "a?[31m?b is better" in sentence


def test_several_arms_are_held_to_holms_levels() -> None:
    generator = np.random.default_rng(7)
    arms = [draw(generator, shift=shift) for shift in (0.0, -0.05, 0.05)]

    judged = judge_all(arms, rounds=0)

    # The two real differences are held to 5%/3 and 5%/2 in the order of their p; the rest to 5%.
    levels = [round(1 - each.confidence, 6) for each in judged]
    assert sorted(levels) == [0.016667, 0.025, 0.05]
    assert levels[0] == 0.05
    assert [each.verdict for each in judged[1:]] == ["better", "worse"]
    for each in judged:
        assert each.per_token is not None
        excludes = each.per_token.interval[0] > 0 or each.per_token.interval[1] < 0
        assert excludes == (each.per_token.p < 1 - each.confidence)


def test_an_arm_that_cannot_be_judged_leaves_the_others_theirs() -> None:
    generator = np.random.default_rng(8)
    sound, broken = draw(generator, shift=0.05), draw(generator)
    broken.nats_b_SJ[0, 0] = math.nan

    judged = judge_all([sound, broken], rounds=0)

    assert [each.verdict for each in judged] == ["worse", "invalid"]
    assert judged[0].confidence == 0.975


def test_not_worse_is_said_of_what_is_surely_within_the_margin() -> None:
    losses = draw(np.random.default_rng(9), shift=0.004, seed_sd=0.002, document_sd=0.01)

    plain = judge(losses, margins=Margins(0.001))
    near = judge(losses, margins=Margins(0.001, not_worse_by=0.03))
    far = judge(losses, margins=Margins(0.001, not_worse_by=0.003))

    assert plain.verdict == "no detectable difference"
    assert near.verdict == "not worse"
    assert far.verdict == plain.verdict
    sentence = write_sentence(
        near, "clean", "raw", seeds=3, documents=200, margins=Margins(0.001, 0.03)
    )
    assert sentence.startswith("clean is not worse than raw by 0.03 nats/token: +0.00")


@pytest.mark.parametrize("shift", [-0.01, 0.01])
def test_a_difference_at_the_margin_is_seldom_called_equivalent(shift: float) -> None:
    generator = np.random.default_rng(10)

    verdicts = [
        judge(draw(generator, shift=shift, documents=60), rounds=0, margins=Margins(0.01)).verdict
        for _ in range(200)
    ]

    # At most 5% in the long run; 20 of 200 lie above the 99.9% point.
    assert verdicts.count("equivalent") <= 20
