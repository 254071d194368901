"""Weigh every hypothesis by the evidence of one run, likeliest first."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from assay.diagnose.analysis.run_analysis import RunAnalysis
from assay.diagnose.hypotheses.data import data_quality, overfitting, too_little_unique_data
from assay.diagnose.hypotheses.experiments import DESIGNS, fill_in, name_files
from assay.diagnose.hypotheses.missing import list_missing
from assay.diagnose.hypotheses.training import (
    capacity,
    learning_rate_too_high,
    mixed_precision,
    regularisation,
    schedule_not_finished,
    throughput,
)
from assay.diagnose.hypotheses.validation import (
    evaluation_noise,
    validation_leaked,
    validation_too_small,
)
from assay.formats.hypothesis import (
    LEVELS,
    TITLES,
    Evidence,
    Hypotheses,
    Hypothesis,
    HypothesisName,
)
from assay.laws.scaling import Range

# What yields the evidence for and against each. Of equals the first: what costs least to mend.
_RULES: dict[HypothesisName, Callable[[RunAnalysis], Iterator[Evidence]]] = {
    HypothesisName.SCHEDULE_NOT_FINISHED: schedule_not_finished.read_evidence,
    HypothesisName.LEARNING_RATE_TOO_HIGH: learning_rate_too_high.read_evidence,
    HypothesisName.OVERFITTING: overfitting.read_evidence,
    HypothesisName.TOO_LITTLE_UNIQUE_DATA: too_little_unique_data.read_evidence,
    HypothesisName.VALIDATION_LEAKED: validation_leaked.read_evidence,
    HypothesisName.VALIDATION_TOO_SMALL: validation_too_small.read_evidence,
    HypothesisName.EVALUATION_NOISE: evaluation_noise.read_evidence,
    HypothesisName.REGULARISATION: regularisation.read_evidence,
    HypothesisName.CAPACITY: capacity.read_evidence,
    HypothesisName.DATA_QUALITY: data_quality.read_evidence,
    HypothesisName.MIXED_PRECISION: mixed_precision.read_evidence,
    HypothesisName.THROUGHPUT: throughput.read_evidence,
}
# By how much the loss falls where the cause is removed, and where that is from.
_GAINS: dict[HypothesisName, Callable[[RunAnalysis], tuple[Range | None, str]]] = {
    HypothesisName.SCHEDULE_NOT_FINISHED: schedule_not_finished.estimate_gain,
    HypothesisName.TOO_LITTLE_UNIQUE_DATA: too_little_unique_data.estimate_gain,
    HypothesisName.REGULARISATION: regularisation.estimate_gain,
    HypothesisName.DATA_QUALITY: data_quality.estimate_gain,
}
# The highest level that such evidence as a log gives can reach.
_HIGHEST = {HypothesisName.DATA_QUALITY: "possible"}
_PRIOR = -1.0  # log-odds of each: about one in four


def weigh(run: RunAnalysis, *, config: str | None = None, bins: Path | None = None) -> Hypotheses:
    """Return all hypotheses, the likeliest first: by level, then by points.

    Args:
        run: As measured.
        config: Its config as it was named, for the commands of the experiments.
        bins: Its bins, likewise.
    """
    files = name_files(config, bins)
    found = {name: _weigh(name, run, files) for name in _RULES}
    return dict(sorted(found.items(), key=lambda item: (item[1].rank, -item[1].points)))


def _weigh(name: HypothesisName, run: RunAnalysis, files: Mapping[str, str]) -> Hypothesis:
    evidence = list(_RULES[name](run))
    points = _PRIOR + sum(fact.points for fact in evidence)
    gain, source = _GAINS[name](run) if name in _GAINS else (None, "")
    if gain is not None:  # no change can buy more than there is to lose
        gain = gain.cap(run.loss)
    command, tokens = DESIGNS[name](run)
    return Hypothesis(
        name=TITLES[name],
        level=max(choose_level(points, evidence), _HIGHEST.get(name, "certain"), key=LEVELS.index),
        points=points,
        evidence=evidence,
        missing=list_missing(name, run),
        experiment=fill_in(command, files),
        tokens=tokens,
        gain=None if gain is None else (gain.low, gain.high),
        gain_source=source,
    )


def choose_level(points: float, evidence: Sequence[Evidence]) -> str:
    """Choose one of `LEVELS`; nothing is certain or refuted without direct evidence."""
    proved = any(fact.direct and fact.points > 0 for fact in evidence)
    disproved = any(fact.direct and fact.points < 0 for fact in evidence)
    if points >= 1.5:
        return "certain" if points >= 4 and proved else "likely"
    if points > -1.5:
        return "possible"
    return "refuted" if points <= -3.5 and disproved else "unlikely"
