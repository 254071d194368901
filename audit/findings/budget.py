"""Hold a plan against what an audit measured: findings `epochs` and `budget`."""

from typing import Any

from assay.errors import UsageError
from assay.formats.findings import Finding
from assay.laws.budgets import Budget, describe_budget, draw_budget, show_range
from assay.laws.plans import Plan
from assay.laws.scaling import FEW_EPOCHS
from assay.terminal.numbers import count
from assay.terminal.text import align, wrap

# Muennighoff et al. 2023: repeating is nearly worthless from 16 epochs on, from 44 wholly.
_MANY, _ALL = 16.0, 44.0
# Nats a token: under the first no A/B of three seeds sees it; the second is a larger model's worth.
_SMALL, _LARGE = 0.01, 0.1


def budget_audit(plan: Plan, totals: dict[str, Any]) -> Budget:
    """Hold a plan against the unique tokens of an audit's training documents.

    Raises:
        UsageError: They hold none.
    """
    unique = int(totals["train_unique_tokens"])
    if unique < 1:
        raise UsageError("the plan has no unique training tokens to be held against")
    return draw_budget(plan, unique)


def judge_budget(budget: Budget) -> list[Finding]:
    """Turn a budget into findings: how often tokens are repeated, and what more would buy."""
    return [_judge_epochs(budget), _judge_gain(budget)]


def _judge_epochs(budget: Budget) -> Finding:
    epochs, worth = budget.epochs, 100 * budget.effective / budget.seen
    level = "ok" if epochs <= FEW_EPOCHS else "low"
    level = "high" if epochs > _ALL else "medium" if epochs > _MANY else level
    return Finding(
        name="epochs",
        level=level,
        value=epochs,
        threshold=FEW_EPOCHS,
        unit="epochs",
        sentence=(
            f"{count(budget.seen)} tokens seen are {epochs:,.2f} epochs over "
            f"{count(budget.unique)} unique tokens, worth {worth:.1f}% as many new ones; "
            f"up to {FEW_EPOCHS:.0f} epochs cost next to nothing"
        ),
        action="" if level == "ok" else "audit all shards of the run, then see what more would buy",
        evidence="documents.parquet",
    )


def _judge_gain(budget: Budget) -> Finding:
    cost = budget.repetition
    if cost.high <= _SMALL:
        level, action = "ok", ""
    elif cost.low >= _LARGE:
        level, action = "high", "add unique text, or train for fewer epochs"
    elif cost.low >= _SMALL:
        level, action = "medium", "add unique text; test it with assay compare"
    else:
        level = "low"
        action = "the sources disagree: test it with assay compare before collecting more text"
    return Finding(
        name="budget",
        level=level,
        value=cost.high,
        threshold=_SMALL,
        unit="nats/token",
        interval=(cost.low, cost.high),
        sentence=(
            f"repeats cost {show_range(cost)} against as many new tokens; twice the unique tokens "
            f"would save {show_range(budget.doubled)}"
        ),
        action=action,
        evidence="documents.parquet",
    )


def summarise_budget(budget: Budget) -> dict[str, Any]:
    """Return a budget as it stands in an audit's totals."""
    plan = budget.plan
    claim = plan.find_claim()
    return {
        "plan": plan.name,
        "parameters": plan.parameters,
        "claimed": {"label": claim[0], "parameters": claim[1]} if claim else None,
        "tokens_per_step": plan.tokens_per_step,
        "steps": plan.steps,
        "seen": budget.seen,
        "unique": budget.unique,
        "epochs": budget.epochs,
        "effective": budget.effective,
        "tokens_per_parameter": budget.tokens_per_parameter,
        "repetition": [budget.repetition.low, budget.repetition.high],
        "doubled": [budget.doubled.low, budget.doubled.high],
        "caveats": list(budget.repetition.caveats),
        "largest_gap": budget.largest_gap,
        "capacity": budget.capacity,
        "notes": list(plan.notes),
        "rows": describe_budget(budget),
    }


def describe_plan(summary: dict[str, Any], width: int | None = None) -> str:
    """Lay out the budget in an audit's totals; `width` is a terminal's, None: a line each."""
    lines = [align([(what, number) for what, number in summary["rows"]])]
    claimed = summary["claimed"]
    if claimed:
        lines.append(
            f"{claimed['label']!r} claims {claimed['parameters'] / 1e6:g}M parameters; its "
            f"settings make {summary['parameters'] / 1e6:.2f}M"
        )
    lines += [f"- {caveat}" for caveat in summary["caveats"]]
    lines += summary["notes"]
    if width is not None:
        lines = [lines[0], *("\n  ".join(wrap(line, width - 2)) for line in lines[1:])]
    return "\n".join(lines) + "\n"
