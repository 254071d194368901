"""A training run compared with the unique tokens of an audit."""

import re

import pytest

from assay.audit.auditors.budget import judge
from assay.audit.results.totals import compare_plan
from assay.audit.summary import describe_budget
from assay.errors import UsageError
from assay.laws.plans import read_plan
from tests.support.totals import make_totals


def test_a_budget_of_few_tokens_is_a_whole_sentence() -> None:
    plan = read_plan("--params 124M --batch-tokens 491520 --iters 20000")
    _, gain = judge(make_totals(budget=compare_plan(plan, 34_649)))
    sentence = gain.sentence

    assert re.fullmatch(
        r"repeats cost [\d.]+ nats/token or more \(of so few tokens no formula tells\) against as "
        r"many new tokens; twice the unique tokens would save [\d.]+ .*",
        sentence,
    )
    assert "more, so few" not in sentence


def test_on_a_terminal_the_caveats_of_a_plan_are_broken_at_its_edge() -> None:
    plan = read_plan("--params 124M --batch-tokens 491520 --iters 20000")
    budget = compare_plan(plan, 3_000_000)

    assert all(len(line) <= 80 for line in describe_budget(budget, 80).splitlines())
    assert describe_budget(budget, 80).split() == describe_budget(budget).split()
    assert len(describe_budget(budget).splitlines()) == len(budget.rows) + 2


def test_without_a_plan_there_is_no_finding() -> None:
    assert list(judge(make_totals())) == []


@pytest.mark.parametrize(
    ("epochs", "level"), [(4, "ok"), (4.5, "low"), (16, "low"), (17, "medium"), (45, "high")]
)
def test_epochs_have_the_levels_that_are_documented(epochs: float, level: str) -> None:
    plan = read_plan("--params 10M --batch-tokens 1000 --iters 18000")

    finding, _ = judge(make_totals(budget=compare_plan(plan, round(18_000_000 / epochs))))

    assert finding.level == level


def test_a_plan_cannot_be_compared_with_no_tokens() -> None:
    plan = read_plan("--params 40M --batch-tokens 524288 --iters 20000")

    with pytest.raises(UsageError, match="plan cannot be compared with train: it has no unique"):
        compare_plan(plan, 0)
