"""What to do next: the experiments of the causes that stand out, the cheapest first."""

import math
from collections.abc import Iterable

from assay.diagnose.analysis.run_analysis import RunAnalysis
from assay.formats.diagnosis import NextStep
from assay.formats.hypothesis import Hypothesis

_MAX_STEPS = 4  # who reads more of a list of what to do does none of it


def list_next(run: RunAnalysis, hypotheses: Iterable[Hypothesis]) -> list[NextStep]:
    """List what to do: first what is not known yet, then what decides the likeliest causes."""
    steps = []
    if run.plan is None or not run.settings:
        steps.append(NextStep("the run's settings are not known", "--config FILE", 0.0, 0.0))
    if run.data.unique is None:
        why, shards = "the data was not counted", "TRAIN"
        if run.doubt is not None:
            why, shards = "the data named does not match the run", "ALL-OF-TRAIN"
        steps.append(
            NextStep(why, f"assay audit {shards} --val VAL -o audit, then --audit audit", 0.0, 0.0)
        )
    rate = run.tokens_per_second
    decide = [
        NextStep(
            each.name,
            each.experiment,
            each.tokens,
            each.tokens / rate if rate and each.tokens else None,
        )
        for each in hypotheses
        if each.stands_out
    ]
    decide.sort(key=lambda step: math.inf if step.tokens is None else step.tokens)
    return [*steps, *decide][:_MAX_STEPS]
