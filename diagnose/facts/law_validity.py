"""How far the laws of repeated tokens reach: what they say of a run, or that they do not know."""

import math

from assay.laws.budgets import GUESSING, Budget, describe_budget, show_range
from assay.laws.scaling import FEW_EPOCHS, Range, estimate_repetition, predict_muennighoff

UNKNOWN = "not known at this size: the laws of repeated tokens do not reach it"
_MEASURED = 0.05  # nats: runs of few repeats never lost as much; a law that says so is out of reach
_WORTH = "worth"  # a row of the arithmetic, as are the next
_OF_LAWS = ("repeats cost", "twice the unique tokens buy")


def laws_reach(budget: Budget, loss: float) -> bool:
    """Whether the laws of repeated tokens may be asked about a run, now and at its plan's end.

    They may not where they would have even new tokens end worse than guessing, where they have few
    repeats cost what they never did, or repeats more than the loss or what memorising can part.

    Args:
        budget: Of the run until now.
        loss: Of the run, nats a token; infinite where it is not known.
    """
    size, unique = budget.plan.parameters, budget.unique
    for seen in (budget.seen, max(budget.seen, budget.plan.tokens)):
        if predict_muennighoff(size, seen, seen) > GUESSING:
            return False
        least = estimate_repetition(size, seen, unique).low
        few = seen / unique <= FEW_EPOCHS
        if least > min(loss, budget.largest_gap, _MEASURED if few else math.inf):
            return False
    return True


def cap(span: Range, budget: Budget, loss: float) -> Range:
    """Cut a range to what the loss, and what memorising can part, allow."""
    most = min(loss, budget.largest_gap)
    return Range(min(span.low, most), min(span.high, most), span.caveats)


def tell_budget(budget: Budget, *, reached: bool, loss: float) -> list[tuple[str, str]]:
    """Return the arithmetic as rows of (what, number), without numbers of laws out of reach."""
    spans = dict(zip(_OF_LAWS, (budget.repetition, budget.doubled), strict=True))
    rows = []
    for name, text in describe_budget(budget):
        if name in spans:
            text = _tell_span(text, spans[name], budget, reached, loss)
        rows.append((name, UNKNOWN if name == _WORTH and not reached else text))
    return rows


def _tell_span(text: str, span: Range, budget: Budget, reached: bool, loss: float) -> str:
    """Put what is known into a row's words, after which it may say until when."""
    if not reached:
        return UNKNOWN
    return text.replace(show_range(span), show_range(cap(span, budget, loss)))
