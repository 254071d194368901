"""The experiments that would decide: commands as they can be run, and what they cost in tokens.

Words in capitals stand for the user's own files: CKPT a checkpoint, BINS what `assay prepare`
wrote, MORE bins of other data, CONFIG the run's settings.
"""

import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from assay.diagnose.analysis.run_analysis import RunAnalysis
from assay.formats.hypothesis import HypothesisName

_RUN_TOKENS = 100_000_000  # of one run of a comparison, unless the run itself is shorter
_SEEDS = 3
_PROBE_STEPS = 300
_BRANCHES = 8  # of a probe: four ways to go on, in two orders
_MANY_DOCUMENTS = 20_000
_WARMUP_SHARE = 20  # a config's own warmup may be longer than a comparison's runs


class Experiment(NamedTuple):
    """What would decide, and the tokens that it trains on; None where that is not known."""

    command: str
    tokens: float | None


def name_files(config: str | None, bins: Path | None) -> dict[str, str]:
    """Return the user's own files, where they were given, by the words that stand for them."""
    words = shlex.split(config) if config is not None else []
    files = {"BINS": shlex.quote(str(bins))} if bins is not None else {}
    if len(words) == 1 and not words[0].startswith("--"):  # overrides are no part of a file
        files["CONFIG"] = shlex.quote(words[0])
    return files


def fill_in(command: str, files: Mapping[str, str]) -> str:
    """Put files into a command in the place of the words that stand for them."""
    return re.sub(r"\b[A-Z]+\b", lambda word: files.get(word[0], word[0]), command)


def _vary(run: RunAnalysis, what: str, arms: int) -> Experiment:
    """Compare settings on the run's own data, with its other settings."""
    tokens, written = _choose_tokens(run)
    command = f"assay compare BINS -o ab --config CONFIG --tokens {written} --vary {what}"
    if run.plan is not None:
        command += f" --warmup_iters {int(tokens / run.plan.tokens_per_step / _WARMUP_SHARE)}"
    return Experiment(command, float(arms * _SEEDS * tokens))


def _choose_tokens(run: RunAnalysis) -> tuple[int, str]:
    """Return the tokens of one run of a comparison, as a number and as an option takes it."""
    if run.plan is None or run.plan.tokens >= _RUN_TOKENS:
        return _RUN_TOKENS, f"{_RUN_TOKENS // 1_000_000}M"
    return run.plan.tokens, str(run.plan.tokens)


def _vary_rate(run: RunAnalysis) -> Experiment:
    """A third, once and three times the peak learning rate, each cooled down."""
    peak = float(run.settings.get("learning_rate") or 0.0)
    if not peak:
        return _vary(run, "learning_rate=LR,LR/3,3*LR", 3)
    return _vary(run, f"learning_rate={peak:.3g},{peak / 3:.3g},{3 * peak:.3g}", 3)


def _vary_dropout(run: RunAnalysis) -> Experiment:
    """Dropout as it is, and none; where there is none there is nothing to decide."""
    dropout = float(run.settings.get("dropout", 0.1))
    return _vary(run, f"dropout={dropout:g},0", 2) if dropout else Experiment("", None)


def _grow_model(run: RunAnalysis) -> Experiment:
    """The model as it is and twice as wide, each for the whole schedule, one seed."""
    layers, width = (run.settings.get(name) for name in ("n_layer", "n_embd"))
    if not layers or not width or run.plan is None:
        return Experiment("a model 1.5 to 3 times as large for the same tokens", None)
    what = f"n_layer+n_embd={layers}+{width},{layers}+{2 * int(width)}"
    return Experiment(
        f"assay compare BINS -o ab --config CONFIG --vary {what} --seeds 1", 2.0 * run.plan.tokens
    )


def _finish_or_probe(run: RunAnalysis) -> Experiment:
    """Finish the schedule where that is cheaper than to branch a checkpoint four ways."""
    command = f"assay probe CKPT --old BINS --new MORE -o probe --steps {_PROBE_STEPS}"
    tokens = _count_tokens(run, _BRANCHES * _PROBE_STEPS)
    if getattr(run.rates, "kind", "") == "constant":
        command += ": its branches cool down, the run itself never will"
    elif run.tokens_left and (tokens is None or run.tokens_left <= tokens):
        return Experiment(f"finish the schedule; or {command}", float(run.tokens_left))
    else:
        command += "; or finish the schedule"
    return Experiment(command, tokens)


def _compare_quantity(run: RunAnalysis) -> Experiment:
    """This data against twice the unique tokens, equal tokens seen."""
    tokens, written = _choose_tokens(run)
    return Experiment(
        f"assay compare BINS MORE -o ab --tokens {written}, MORE with twice the unique tokens",
        float(2 * _SEEDS * tokens),
    )


def _compare_quality(run: RunAnalysis) -> Experiment:
    """The data as it is against the data cleaned, on the same held-out documents."""
    tokens, written = _choose_tokens(run)
    return Experiment(
        "assay prepare AUDIT -o raw --drop none; assay prepare AUDIT -o clean --drop "
        f"exact,near,leaked; assay compare raw clean -o ab --tokens {written}",
        float(2 * _SEEDS * tokens),
    )


def score_more(scored: int | None, held_out: int | None) -> str:
    """Score a larger set: of what the bins hold out, or of others where all of that was scored.

    Args:
        scored: Documents that the run was scored on, as far as that is known.
        held_out: Documents that are held out, as far as that is known.
    """
    command = "assay score CKPT --held-out BINS --held-out-documents"
    if held_out is None or held_out >= _MANY_DOCUMENTS:
        return f"{command} {_MANY_DOCUMENTS}: one fixed set of 10,000,000 tokens"
    if scored is None or scored < held_out:
        return f"{command} {held_out}: all that are held out"
    return (
        f"all {held_out:,} held-out documents were scored; hold out others: assay "
        "prepare AUDIT -o LARGER --val SHARD, then assay score CKPT --held-out LARGER --trained-on "
        "BINS"
    )


def _train_precisely(run: RunAnalysis) -> Experiment:
    """The same steps in float32 and bfloat16."""
    return Experiment(
        f"assay train BINS -o f32 --init-from CKPT --dtype float32 --max_iters {_PROBE_STEPS}; the "
        "same into bf16 with --dtype bfloat16; assay score f32 bf16 --held-out BINS",
        _count_tokens(run, 2 * _PROBE_STEPS),
    )


def _count_tokens(run: RunAnalysis, steps: int) -> float | None:
    return float(steps * run.plan.tokens_per_step) if run.plan is not None else None


# The cheapest experiment that would decide each hypothesis about a run.
DESIGNS: dict[HypothesisName, Callable[[RunAnalysis], Experiment]] = {
    HypothesisName.SCHEDULE_NOT_FINISHED: _finish_or_probe,
    HypothesisName.LEARNING_RATE_TOO_HIGH: _vary_rate,
    HypothesisName.OVERFITTING: lambda run: Experiment(
        "assay score BEST CKPT --held-out BINS: the best checkpoint beside the last", 0.0
    ),
    HypothesisName.TOO_LITTLE_UNIQUE_DATA: _compare_quantity,
    HypothesisName.VALIDATION_LEAKED: lambda run: Experiment(
        "assay audit TRAIN --val VAL -o audit; assay score CKPT --held-out BINS --trained-on BINS: "
        "documents with a copy stand apart",
        0.0,
    ),
    HypothesisName.VALIDATION_TOO_SMALL: lambda run: Experiment(
        score_more(run.data.val_documents, run.data.val_most), 0.0
    ),
    HypothesisName.EVALUATION_NOISE: lambda run: Experiment(
        "assay score CKPT1 CKPT2 --held-out BINS: the last checkpoints, each on all of one set", 0.0
    ),
    HypothesisName.REGULARISATION: _vary_dropout,
    HypothesisName.CAPACITY: _grow_model,
    HypothesisName.DATA_QUALITY: _compare_quality,
    HypothesisName.MIXED_PRECISION: _train_precisely,
    HypothesisName.THROUGHPUT: lambda run: Experiment(
        "none is needed: it decides how soon the same loss is reached", 0.0
    ),
}
