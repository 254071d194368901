"""Hypotheses: what may hold a loss, or mislead about it, and what speaks for and against each."""

from enum import StrEnum

import msgspec

from assay.terminal.numbers import round_count

LEVELS = ("certain", "likely", "possible", "unlikely", "refuted")


class HypothesisName(StrEnum):
    """All that are weighed."""

    SCHEDULE_NOT_FINISHED = "schedule_not_finished"
    LEARNING_RATE_TOO_HIGH = "learning_rate_too_high"
    OVERFITTING = "overfitting"
    TOO_LITTLE_UNIQUE_DATA = "too_little_unique_data"
    VALIDATION_LEAKED = "validation_leaked"
    VALIDATION_TOO_SMALL = "validation_too_small"
    EVALUATION_NOISE = "evaluation_noise"
    REGULARISATION = "regularisation"
    CAPACITY = "capacity"
    DATA_QUALITY = "data_quality"
    MIXED_PRECISION = "mixed_precision"
    THROUGHPUT = "throughput"


# As people read them, and as `diagnosis.json` names them.
TITLES = {
    HypothesisName.SCHEDULE_NOT_FINISHED: "schedule not finished",
    HypothesisName.LEARNING_RATE_TOO_HIGH: "learning rate too high",
    HypothesisName.OVERFITTING: "overfitting",
    HypothesisName.TOO_LITTLE_UNIQUE_DATA: "too little unique data, too many epochs",
    HypothesisName.VALIDATION_LEAKED: "leaked validation",
    HypothesisName.VALIDATION_TOO_SMALL: "validation set too small or unlike train",
    HypothesisName.EVALUATION_NOISE: "evaluation noise",
    HypothesisName.REGULARISATION: "dropout",
    HypothesisName.CAPACITY: "capacity of the model",
    HypothesisName.DATA_QUALITY: "data quality",
    HypothesisName.MIXED_PRECISION: "mixed precision",
    HypothesisName.THROUGHPUT: "throughput",
}


class Evidence(msgspec.Struct, frozen=True):
    """One fact about a run, and by how much it shifts the log-odds of a hypothesis.

    `direct` facts show the cause itself (val loss that turned upwards); others only fit it.
    """

    points: float
    sentence: str
    direct: bool = False


class Hypothesis(msgspec.Struct, frozen=True, kw_only=True):
    """A cause that might hold the loss, weighed.

    Attributes:
        name: Of `TITLES`.
        level: One of `LEVELS`.
        points: Log-odds: a prior of -1, and all evidence added up.
        evidence: Facts for it (points over 0) and against it.
        missing: What would have to be known, and what tells it.
        experiment: What would decide.
        tokens: What that costs in tokens trained: 0 where nothing is, None where not known.
        gain: Nats a token by which the loss falls if it is the cause and is removed, from and to.
        gain_source: Where that is from.
    """

    name: str
    level: str
    points: float
    evidence: list[Evidence]
    missing: list[str]
    experiment: str
    tokens: float | None
    gain: tuple[float, float] | None
    gain_source: str

    @property
    def rank(self) -> int:
        """The place of its level in `LEVELS`: 0 is certain."""
        return LEVELS.index(self.level)

    @property
    def stands_out(self) -> bool:
        """Whether it is certain or likely."""
        return self.level in ("certain", "likely")


def describe_cost(tokens: float | None) -> str:
    """Say what an experiment costs in tokens trained; empty where that is not known.

    >>> describe_cost(1.26e9), describe_cost(0.0), describe_cost(None)
    ('1.26B tokens', 'no training', '')
    """
    if tokens is None:
        return ""
    return f"{round_count(tokens)} tokens" if tokens else "no training"


Hypotheses = dict[HypothesisName, Hypothesis]
"""Likeliest first."""
