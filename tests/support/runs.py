"""Runs for tests, with what callers of the library do not hand over: a log, signals, documents."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assay.formats.bins import Bins
from assay.formats.comparison import Comparison
from assay.formats.run import Run
from assay.formats.train_config import TrainConfig
from assay.terminal.progress import Log
from assay.train.compare.arms import make_data_arms
from assay.train.compare.compare import compare_arms
from assay.train.compare.design import ComparisonDesign
from assay.train.run.launch import launch_run, run_training
from assay.train.run.recipe import RunRequest, find_run
from assay.train.runtime.compiled_model import compile_model

_CARRIED = ("compiled", "held_out", "group", "loggers", "signals")


def train(
    bins: Bins, output: Path, *, config: TrainConfig, log: Log | None = None, **asked: Any
) -> Run:
    """Train as `train_on` does, or open what is finished; lines of progress go to `log`."""
    carried = {name: asked.pop(name) for name in _CARRIED if name in asked}
    request = RunRequest(bins, output, config, **asked)
    if not carried:
        return (None if request.resume else find_run(request)) or launch_run(request, log=log)
    compiled = carried.pop("compiled", None) or compile_model(config, bins.vocab_size)
    return run_training(request, compiled=compiled, log=log, **carried)


def compare(
    bins: Sequence[Bins],
    output: Path,
    *,
    config: TrainConfig,
    seeds: int = 3,
    allow_leaked: bool = False,
    **asked: Any,
) -> Comparison:
    """Compare as `compare_bins` does; lines of progress go to `log`."""
    design = ComparisonDesign(looks=(seeds,), allow_leaked=allow_leaked)
    return compare_arms(make_data_arms(bins, config), output, design=design, **asked)
