"""Tokens to equal loss."""

from pathlib import Path

import pytest
import torch

from assay.formats.train_config import Intervals
from assay.train.commands.verdict_text import describe_verdict
from assay.train.compare.compare import compare_bins
from assay.train.compare.wording import write_equal_loss
from assay.train.stats.tokens_to_equal_loss import find_equal_loss, mean_curve
from tests.support.bins_fixture import make_bins
from tests.support.small_arms import DOCUMENTS, VAL, settings


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def test_equal_loss_is_read_off_the_lower_arms_curve() -> None:
    curve = [(100 * step, 5.0 - 0.1 * step) for step in range(1, 11)]  # 4.0 at 1,000 tokens
    flat = [(100 * step, 5.0) for step in range(1, 11)]

    better = find_equal_loss(-0.25, (-0.35, -0.15), ("b", "a"), (curve, flat))
    worse = find_equal_loss(0.25, (0.15, 0.35), ("b", "a"), (flat, curve))

    assert better.arm == "b"
    assert better.share == pytest.approx(0.75)
    assert better.interval == pytest.approx((0.65, 0.85))
    assert worse.arm == "a"
    assert worse.share == pytest.approx(0.75)
    assert write_equal_loss(better, "b", "a") == (
        "b reached the final loss of a after 75% of its tokens (65% to 85%), by its own curve"
    )


def test_equal_loss_says_why_it_is_not_known() -> None:
    curve = [(100 * step, 5.0 - 0.1 * step) for step in range(1, 11)]

    none = find_equal_loss(-0.1, (-0.3, 0.1), ("b", "a"), (curve, curve))
    short = find_equal_loss(-0.1, (-0.2, -0.05), ("b", "a"), (curve[-1:], curve[-1:]))
    first = find_equal_loss(-3.0, (-3.5, -2.5), ("b", "a"), (curve, curve))

    assert none.reason == "the difference's interval holds 0"
    assert "set an evaluation interval" in (short.reason or "")
    assert "from its first held-out loss on" in (first.reason or "")
    assert "not worked out" in write_equal_loss(none, "b", "a")


def test_a_curve_is_the_mean_where_all_runs_logged_one() -> None:
    assert mean_curve([[(1, 4.0)], [(1, 2.0), (2, 1.0)]]) == [(1, 3.0)]


def test_tokens_to_equal_loss_come_with_the_verdict(tmp_path: Path) -> None:
    whole = make_bins(tmp_path / "whole", DOCUMENTS, VAL)
    little = make_bins(tmp_path / "little", DOCUMENTS[:6], VAL)
    intervals = Intervals(log=10, evaluate=25, checkpoint=0)

    made = compare_bins(
        [whole, little], tmp_path / "ab", config=settings(max_iters=260, n_embd=32), seeds=2,
        intervals=intervals,
    )  # fmt: skip

    equal = made.verdict.comparisons[0].equal_loss
    assert made.verdict.verdict == "worse"
    assert equal is not None
    assert equal.arm == "whole"
    assert equal.share is not None
    assert equal.interval is not None
    assert 0 < equal.interval[0] <= equal.share <= equal.interval[1] < 1
    assert "whole reached the final loss of little after" in describe_verdict(made.verdict)
