"""Weigh every hypothesis by the evidence of one run, likeliest first."""

from dataclasses import replace

from assay.diagnose.facts.case import Case
from assay.diagnose.hypotheses.data import weigh_overfitting, weigh_quality, weigh_quantity
from assay.diagnose.hypotheses.evidence import LEVELS, Hypothesis
from assay.diagnose.hypotheses.training import (
    weigh_capacity,
    weigh_dropout,
    weigh_precision,
    weigh_rate,
    weigh_schedule,
    weigh_throughput,
)
from assay.diagnose.hypotheses.validation import weigh_leak, weigh_noise, weigh_set
from assay.laws.scaling import Range

# Of equals the first: what costs least to mend.
RULES = (
    weigh_schedule,
    weigh_rate,
    weigh_overfitting,
    weigh_quantity,
    weigh_leak,
    weigh_set,
    weigh_noise,
    weigh_dropout,
    weigh_capacity,
    weigh_quality,
    weigh_precision,
    weigh_throughput,
)


def weigh(case: Case) -> list[Hypothesis]:
    """Return all hypotheses, the likeliest first: by level, then by points."""
    found = [_bound_gain(rule(case), case.loss) for rule in RULES]
    return sorted(found, key=lambda each: (LEVELS.index(each.level), -each.points))


def _bound_gain(each: Hypothesis, loss: float) -> Hypothesis:
    """Let no change buy more than there is to lose."""
    gain = each.gain
    if gain is None or gain.high <= loss:
        return each
    return replace(each, gain=Range(min(gain.low, loss), loss, gain.caveats))
