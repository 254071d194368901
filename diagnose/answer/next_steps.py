"""What to do next: the experiments of the causes that stand out, the cheapest first."""

from dataclasses import dataclass

import numpy as np

from assay.diagnose.facts.case import Case
from assay.diagnose.hypotheses.evidence import Hypothesis
from assay.terminal.numbers import duration, round_count

_MOST = 4  # who reads more of a list of what to do does none of it
LEGEND = "BINS: what assay prepare wrote; MORE: bins of other data; CKPT: a checkpoint"


@dataclass(frozen=True, slots=True)
class NextStep:
    """One thing to do: why, the command, what it costs in tokens, and in time at the run's rate.

    `tokens` is 0 where nothing is trained; it and `seconds` are None where they are not known.
    """

    why: str
    command: str
    tokens: float | None
    seconds: float | None

    @property
    def cost(self) -> str:
        """The cost in words."""
        if self.tokens is None:
            return "cost not known"
        if not self.tokens:
            return "no training"
        time = f", {duration(self.seconds)} at this run's rate" if self.seconds else ""
        return f"{round_count(self.tokens)} tokens{time}"


def list_next(case: Case, hypotheses: list[Hypothesis]) -> list[NextStep]:
    """List what to do: first what is not known yet, then what decides the likeliest causes."""
    steps = []
    if case.plan is None or not case.settings:
        steps.append(NextStep("the run's settings are not known", "--config FILE", 0.0, 0.0))
    if case.data.unique is None:
        why, shards = "the data was not counted", "TRAIN"
        if case.doubt is not None:
            why, shards = "the data handed over does not fit the run", "ALL-OF-TRAIN"
        command = f"assay audit {shards} --val VAL -o audit, then --audit audit"
        steps.append(NextStep(why, command, 0.0, 0.0))
    causes = [each for each in hypotheses if each.level in ("certain", "likely")]
    rate = find_rate(case)
    decide = [
        NextStep(
            each.name,
            each.experiment,
            each.tokens,
            each.tokens / rate if rate and each.tokens else None,
        )
        for each in causes
    ]
    decide.sort(key=lambda step: float("inf") if step.tokens is None else step.tokens)
    return [*steps, *decide][:_MOST]


def find_rate(case: Case) -> float | None:
    """Return the run's tokens a second, from the time of its steps as printed."""
    if case.plan is None or not case.log.milliseconds.size:
        return None
    each = float(np.median(case.log.milliseconds.value_N))
    return 1000 * case.plan.tokens_per_step / each if each > 0 else None
