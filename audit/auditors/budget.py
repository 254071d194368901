"""The tokens of a planned training run, compared with the unique ones that were measured."""

from collections.abc import Iterator

from msgspec import UNSET

from assay.formats.audit_totals import AuditTotals, BudgetTotals
from assay.formats.findings import Finding, FindingKind
from assay.laws.scaling import FEW_EPOCHS, Range
from assay.terminal.numbers import count

# Muennighoff et al. 2023: repeating is nearly worthless from 16 epochs on, from 44 wholly.
_MANY, _ALL = 16.0, 44.0
# Nats a token: under the first no A/B of three seeds sees it; the second is a larger model's worth.
_SMALL, _LARGE = 0.01, 0.1
EPOCHS = FindingKind(
    name="epochs",
    measures="tokens seen by the plan over the unique tokens of train",
    unit="epochs",
    levels="low over 4, medium over 16, high over 44",
    unmeasured="no training run was named with --plan",
    evidence="documents.parquet",
)
BUDGET = FindingKind(
    name="budget",
    measures="what the plan's repeats cost against as many new tokens: the higher end of a range",
    unit="nats/token",
    levels="by the range's ends: low where it holds 0.01, medium over it, high from 0.1",
    unmeasured="no training run was named with --plan",
    evidence="documents.parquet",
)


def judge(totals: AuditTotals) -> Iterator[Finding]:
    """Yield, where there is a plan, how often tokens are repeated, and what more would buy."""
    if totals.budget is not UNSET:
        yield _judge_epochs(totals.budget)
        yield _judge_gain(totals.budget)


def _judge_epochs(budget: BudgetTotals) -> Finding:
    epochs, worth = budget.epochs, 100 * budget.effective / budget.seen
    level = "ok" if epochs <= FEW_EPOCHS else "low"
    level = "high" if epochs > _ALL else "medium" if epochs > _MANY else level
    return EPOCHS.find(
        epochs,
        f"{count(budget.seen)} tokens seen are {epochs:,.2f} epochs over {count(budget.unique)} "
        f"unique tokens, worth {worth:.1f}% as many new ones; up to {FEW_EPOCHS:.0f} epochs cost "
        "next to nothing",
        action="audit all shards of the run, then see what more would buy",
        level=level,
        threshold=FEW_EPOCHS,
    )


def _judge_gain(budget: BudgetTotals) -> Finding:
    from assay.laws.budgets import show_range  # where there is a plan: 8 ms

    low, high = budget.repetition
    if high <= _SMALL:
        level, action = "ok", ""
    elif low >= _LARGE:
        level, action = "high", "add unique text, or train for fewer epochs"
    elif low >= _SMALL:
        level, action = "medium", "add unique text; test it with assay compare"
    else:
        level = "low"
        action = "the sources disagree: test it with assay compare before collecting more text"
    return BUDGET.find(
        high,
        f"repeats cost {show_range(Range(low, high))} against as many new tokens; twice the "
        f"unique tokens would save {show_range(Range(*budget.doubled))}",
        action=action,
        level=level,
        threshold=_SMALL,
        interval=(low, high),
    )
