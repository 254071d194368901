"""Whether the data handed over can be the run's: what is seen often enough is known by heart.

Measured (LOG.md, 30M parameters): 11 passes over 9.0M tokens left a train loss of 3.27 and val 1.34
above it, 44 passes over 2.25M 0.45 and 9.1. A run that is said to have passed over its data more
often than that, and whose train loss stands beside its val loss, was trained on other data.
"""

import math

from assay.diagnose.curve.evaluations import Gap, Turn, late_mean
from assay.diagnose.inputs.data_facts import DataFacts
from assay.diagnose.logs.run_log import RunLog
from assay.formats.diagnosis import DataDoubt
from assay.laws.budgets import Budget
from assay.terminal.numbers import count

# Without the cost of repeats seen in runs of more room than this, nothing is doubted.
_MAX_CAPACITY = 1.5
_MIN_EPOCHS, _MIN_STEPS = 20.0, 500
# Shares of what guessing gives (ln of the vocabulary). The runs measured had a gap of 5 times the
# least that is asked for here or more: GPT-2's ids, bytes, and nanoGPT's Shakespeare in characters.
_MIN_GAP, _MAX_TIMES = 0.01, 5.0
_LEARNT, _BY_HEART = 0.5, 0.1
# With no val loss to compare, train loss alone must be far from what memorising leaves.
_SURE_EPOCHS, _SURE_CAPACITY, _SURE_LOSS = 100.0, 0.25, 0.25
_LEAKED = 0.01  # share of val documents: then val says nothing of what was not memorised


def find_doubt(
    log: RunLog, budget: Budget | None, data: DataFacts, gap: Gap | None, turn: Turn | None
) -> DataDoubt | None:
    """Find whether the run should know the data by heart, and does not.

    None where the run brought its data itself, began from weights trained on other text, overfits,
    or where val documents are known to stand in train: then a small gap has another reason.

    Args:
        log: What was measured.
        budget: The run beside the data that was named.
        data: The data handed over.
        gap: Of val and train.
        turn: Of val, upwards.
    """
    if budget is None or not data.question or not _should_know(log, budget):
        return None
    guess = _guess(log, budget)
    train = late_mean(log.train if log.train.size else log.batch)
    if train is None or not _BY_HEART * guess < train < _LEARNT * guess:
        return None
    if gap is None:
        sure = budget.epochs >= _SURE_EPOCHS and budget.capacity <= _SURE_CAPACITY
        if not sure or train < _SURE_LOSS * guess:
            return None
    elif (
        gap.mean > _min_gap(budget) * guess
        or (turn is not None and turn.is_real)
        or (data.leak_share or 0.0) > _LEAKED
    ):
        return None
    return DataDoubt(
        question=data.question,
        sentence=_describe(budget, train, gap),
        unique_tokens=budget.unique,
        epochs=budget.epochs,
    )


def _should_know(log: RunLog, budget: Budget) -> bool:
    """Tell whether there were passes and steps enough to learn the data by heart."""
    return (
        budget.capacity <= _MAX_CAPACITY
        and _min_gap(budget) > 0
        and log.last_step >= _MIN_STEPS
        and not str(budget.plan.settings.get("init_from", "")).startswith("gpt2")
    )


def _min_gap(budget: Budget) -> float:
    """Return the gap to expect at the least, as a share of what guessing gives; 0: none.

    Data that fills more than half of what can be memorised takes the more passes.
    """
    times = budget.epochs / _MIN_EPOCHS / max(1.0, 2 * budget.capacity) ** 2
    return _MIN_GAP * min(times, _MAX_TIMES) if times >= 1 else 0.0


def _guess(log: RunLog, budget: Budget) -> float:
    """Return the loss of guessing, nats a token."""
    stated = log.facts.get("vocab_size", budget.plan.settings.get("vocab_size", 50_304))
    return math.log(max(2.0, float(stated)))


def _describe(budget: Budget, train: float, gap: Gap | None) -> str:
    where = f"train loss is still {train:.2f}"
    if gap is not None:
        where += f", val {abs(gap.mean):.3f} {'above' if gap.mean >= 0 else 'below'} it"
    return (
        f"{count(budget.unique)} unique tokens do not fit this log: {budget.epochs:,.0f} passes "
        f"over them would be known by heart, and {where} (measured at 30M parameters: 11 passes "
        "left train loss at 3.27, val 1.34 above it; 44 passes 0.45 and 9.1)"
    )
