"""A plan beside the unique tokens measured: epochs, their worth, and what more would buy."""

import math
from dataclasses import dataclass

from assay.laws.plans import Plan
from assay.laws.scaling import (
    TOKENS_PER_PARAMETER,
    Range,
    bound_memorisation,
    effective_tokens,
    estimate_repetition,
    estimate_unique_gain,
    weigh_capacity,
)
from assay.terminal.numbers import count, round_count

GUESSING = math.log(50_257)  # nats/token of a model that holds all of GPT-2's ids equally likely
UNKNOWN = "not known at this size: the laws of repeated tokens do not reach it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Tokens of a run: seen, unique, and what they are worth.

    Attributes:
        plan: The run.
        seen: Ids trained on, repeats counted.
        unique: Unique tokens of the training data, near duplicates weighed.
        repetition: Loss that repeating costs, against as many new tokens.
        doubled: Loss that twice the unique tokens would save, at equal tokens seen.
    """

    plan: Plan
    seen: int
    unique: int
    repetition: Range
    doubled: Range

    @property
    def epochs(self) -> float:
        """Tokens seen over unique tokens."""
        return self.seen / self.unique

    @property
    def effective(self) -> float:
        """D': the new tokens that the tokens seen are worth."""
        return effective_tokens(self.seen, self.unique)

    @property
    def tokens_per_parameter(self) -> float:
        """Tokens seen for each parameter."""
        return self.seen / self.plan.parameters

    @property
    def largest_gap(self) -> float:
        """The most by which memorising can part train loss from val loss, nats a token."""
        return bound_memorisation(self.plan.parameters, self.unique)

    @property
    def capacity(self) -> float:
        """How many times the unique tokens exceed what the model can memorise."""
        return weigh_capacity(self.plan.parameters, self.unique)


def draw_budget(plan: Plan, unique: int, *, step: int | None = None) -> Budget:
    """Set a plan beside the unique tokens, at the end of the plan or at a step of it.

    Args:
        plan: The run.
        unique: Unique tokens of its training data, at least 1.
        step: Optimizer steps done; None for all of the plan's.
    """
    seen = plan.tokens_per_step * (plan.steps if step is None else step)
    size = plan.parameters
    return Budget(
        plan=plan,
        seen=seen,
        unique=unique,
        repetition=estimate_repetition(size, seen, unique),
        doubled=estimate_unique_gain(size, seen, unique, 2 * unique),
    )


def describe_budget(
    budget: Budget, *, limit: float = math.inf, known: bool = True
) -> list[tuple[str, str]]:
    """Return the arithmetic as rows of (what, number), in the order of the reckoning.

    Args:
        budget: Of the run.
        limit: The most nats a token that any change can cost or buy.
        known: Whether the laws of repeated tokens hold for such a run.
    """
    plan = budget.plan
    stated = plan.blocks is None or "parameters" in plan.settings  # not counted from the shape
    counted = "" if stated else " by nanoGPT's count"
    worth = 100 * budget.effective / budget.seen
    by_laws = (
        f"{round(budget.effective):,} new tokens ({worth:.1f}% of those seen)",
        show_range(budget.repetition.cap(limit)),
        f"{show_range(budget.doubled.cap(limit))} by {_name_end(budget)}",
    )
    new_tokens, repeats, twice = by_laws if known else (UNKNOWN,) * 3
    return [
        (
            "parameters",
            f"{count(plan.parameters)} ({plan.parameters / 1e6:.2f}M{counted})",
        ),
        ("tokens per iteration", count(plan.tokens_per_step)),
        ("tokens seen", show_seen(budget.seen)),
        ("unique tokens", count(budget.unique)),
        ("epochs", f"{budget.epochs:,.2f}"),
        ("worth", new_tokens),
        (
            "tokens per parameter",
            f"{budget.tokens_per_parameter:.1f} (Chinchilla: about {TOKENS_PER_PARAMETER:.0f})",
        ),
        ("repeats cost", repeats),
        ("twice the unique tokens buy", twice),
        ("memory", f"{describe_capacity(budget, data='')};"),
        ("", describe_largest_gap(budget)),
    ]


def describe_capacity(budget: Budget, data: str = "the data is ") -> str:
    """Say how the data compares with what the model can memorise."""
    if budget.capacity >= 1:
        return f"{data}{budget.capacity:.1f} times what the model can memorise"
    return f"{1 / budget.capacity:,.1f} times as many tokens could be memorised"


def describe_largest_gap(budget: Budget) -> str:
    """Say how far memorising can part train loss from val loss, if anything bounds it."""
    if budget.largest_gap >= GUESSING:
        return "nothing bounds how far train and val loss can part"
    return f"train and val can part by at most {budget.largest_gap:.3f} nats/token"


def show_seen(seen: int) -> str:
    """Write the tokens seen, exact and, where there are many, in short."""
    exact, short = count(seen), round_count(seen)
    return exact if exact == short else f"{exact} ({short})"


def _name_end(budget: Budget) -> str:
    """Name the tokens that a gain is about: those until now, or those of the whole plan."""
    if budget.seen < budget.plan.tokens:
        return f"now, {round_count(budget.seen)} of {round_count(budget.plan.tokens)} tokens"
    return "the end of the plan"


def show_range(span: Range) -> str:
    """Format a range of nats a token; a formula's end over that of guessing says nothing.

    >>> show_range(Range(0.004, 0.0495)), show_range(Range(5.86, 32.2))
    ('0.004 to 0.050 nats/token', '5.860 nats/token or more (of so few tokens no formula tells)')
    """
    if span.high >= GUESSING:
        return f"{span.low:.3f} nats/token or more (of so few tokens no formula tells)"
    return f"{span.low:.3f} to {span.high:.3f} nats/token"
