"""Whether the laws of repeated tokens hold for a run: they were fitted to larger models."""

import math

from assay.laws.budgets import GUESSING, Budget
from assay.laws.scaling import FEW_EPOCHS, estimate_repetition, predict_muennighoff

_MEASURED = 0.05  # nats: runs of few repeats never lost as much


def laws_hold(budget: Budget, loss: float) -> bool:
    """Tell whether the laws of repeated tokens may be asked about a run, now and at its plan's end.

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
