"""What a hypothesis cannot be judged without: what would have to be known, and what tells it."""

from collections.abc import Callable

from assay.diagnose.analysis.run_analysis import RunAnalysis
from assay.diagnose.hypotheses.validation.validation_too_small import SET_ERROR
from assay.formats.hypothesis import HypothesisName

# Whether it is known of a run, and what to ask for where it is not.
_NEEDED: dict[HypothesisName, list[tuple[Callable[[RunAnalysis], bool], str]]] = {
    HypothesisName.SCHEDULE_NOT_FINISHED: [
        (lambda run: run.rates is not None, "the schedule: --config FILE")
    ],
    HypothesisName.LEARNING_RATE_TOO_HIGH: [
        (
            lambda run: bool(run.settings.get("learning_rate")),
            "the peak learning rate: --config",
        )
    ],
    HypothesisName.OVERFITTING: [
        (
            lambda run: run.gap is not None,
            "train and val loss at the same steps (nanoGPT's step lines)",
        ),
        (
            lambda run: run.budget is not None,
            "unique tokens (assay audit) bound what can be memorised",
        ),
    ],
    HypothesisName.TOO_LITTLE_UNIQUE_DATA: [
        (
            lambda run: run.budget is not None,
            "unique tokens of the training data: assay audit, then --audit DIR",
        ),
        (
            lambda run: run.budget is None or run.data.measured,
            "duplicates: assay audit takes them off; U is an upper bound",
        ),
    ],
    HypothesisName.VALIDATION_LEAKED: [
        (
            lambda run: run.data.leak_share is not None,
            "leaks: assay audit TRAIN --val VAL, then --audit DIR",
        )
    ],
    HypothesisName.VALIDATION_TOO_SMALL: [
        (
            lambda run: run.data.val_tokens is not None,
            "tokens of val.bin (--bins): nanoGPT's 0.05% of one parquet would be some 350,000, "
            f"which errs by {SET_ERROR:g} nats",
        )
    ],
    HypothesisName.EVALUATION_NOISE: [
        (
            lambda run: run.forecast is not None or run.slope is not None,
            "a schedule: --config FILE",
        )
    ],
    HypothesisName.REGULARISATION: [
        (lambda run: "dropout" in run.settings, "dropout of the run: --config FILE")
    ],
    HypothesisName.CAPACITY: [
        (lambda run: run.expected is not None, "a loss to expect: --config, GPT-2's tokens")
    ],
    HypothesisName.DATA_QUALITY: [
        (
            lambda run: False,
            "a log cannot tell: only a comparison on held-out text of the kind you want can",
        ),
        (
            lambda run: run.data.repeat_share is not None,
            "duplicates and leaks: assay audit, then --audit DIR",
        ),
    ],
    HypothesisName.MIXED_PRECISION: [
        (lambda run: bool(run.settings.get("dtype")), "dtype of the run: --config FILE")
    ],
    HypothesisName.THROUGHPUT: [],
}


def list_missing(name: HypothesisName, run: RunAnalysis) -> list[str]:
    """Name what would have to be known to judge a hypothesis of this run, and what tells it."""
    if name == HypothesisName.TOO_LITTLE_UNIQUE_DATA and run.doubt is not None:
        return [f"the run's own data: {run.doubt.question}"]
    return [what for is_known, what in _NEEDED[name] if not is_known(run)]
