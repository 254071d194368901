"""The experiments that would decide: commands as they can be run, and what they cost in tokens.

Words in capitals stand for the user's own files: CKPT a checkpoint, BINS what `assay prepare`
wrote, MORE bins of other data, CONFIG the run's settings.
"""

import re
import shlex
from dataclasses import replace
from pathlib import Path

from assay.diagnose.facts.case import Case
from assay.diagnose.hypotheses.evidence import Hypothesis

_RUN_TOKENS = 100_000_000  # of one run of a comparison, unless the run itself is shorter
_SEEDS = 3
_PROBE_STEPS = 300
_BRANCHES = 8  # of a probe: four ways to go on, in two orders
_MANY_DOCUMENTS = 20_000
_WARMUP_SHARE = 20  # a config's own warmup may be longer than a comparison's runs

Experiment = tuple[str, float | None]


def vary(case: Case, what: str, arms: int) -> Experiment:
    """Compare settings on the run's own data, with its other settings."""
    tokens, written = choose_tokens(case)
    command = f"assay compare BINS -o ab --config CONFIG --tokens {written} --vary {what}"
    if case.plan is not None:
        warmup = int(tokens / case.plan.tokens_per_step / _WARMUP_SHARE)
        command += f" --warmup_iters {warmup}"
    return command, float(arms * _SEEDS * tokens)


def choose_tokens(case: Case) -> tuple[int, str]:
    """Return the tokens of one run of a comparison, as a number and as an option takes it."""
    if case.plan is None or case.plan.tokens >= _RUN_TOKENS:
        return _RUN_TOKENS, f"{_RUN_TOKENS // 1_000_000}M"
    return case.plan.tokens, str(case.plan.tokens)


def vary_rate(case: Case) -> Experiment:
    """A third, once and three times the peak learning rate, each cooled down."""
    peak = float(case.settings.get("learning_rate") or 0.0)
    if not peak:
        return vary(case, "learning_rate=LR,LR/3,3*LR", 3)
    return vary(case, f"learning_rate={peak:.3g},{peak / 3:.3g},{3 * peak:.3g}", 3)


def vary_dropout(case: Case) -> Experiment:
    """Dropout as it is, and none."""
    return vary(case, f"dropout={float(case.settings['dropout']):g},0", 2)


def grow_model(case: Case) -> Experiment:
    """The model as it is and twice as wide, each for the whole schedule, one seed."""
    layers, width = (case.settings.get(name) for name in ("n_layer", "n_embd"))
    if not layers or not width or case.plan is None:
        return "a model 1.5 to 3 times as large for the same tokens", None
    what = f"n_layer+n_embd={layers}+{width},{layers}+{2 * int(width)}"
    command = f"assay compare BINS -o ab --config CONFIG --vary {what} --seeds 1"
    return command, 2.0 * case.plan.tokens


def probe(case: Case) -> Experiment:
    """Branch a checkpoint: cooldown against constant, new data against old."""
    command = f"assay probe CKPT --old BINS --new MORE -o probe --steps {_PROBE_STEPS}"
    each = case.plan.tokens_per_step if case.plan is not None else 0
    return command, float(_BRANCHES * _PROBE_STEPS * each) or None


def finish_or_probe(case: Case, tokens_left: float) -> Experiment:
    """Finish the schedule where that is cheaper than to probe a checkpoint."""
    command, tokens = probe(case)
    if getattr(case.rates, "kind", "") == "constant":
        return f"{command}: its branches cool down, the run itself never will", tokens
    if tokens_left and (tokens is None or tokens_left <= tokens):
        return f"finish the schedule; or {command}", tokens_left
    return f"{command}; or finish the schedule", tokens


def compare_quantity(case: Case) -> Experiment:
    """This data against twice the unique tokens, equal tokens seen."""
    tokens, written = choose_tokens(case)
    command = f"assay compare BINS MORE -o ab --tokens {written}, MORE with twice the unique tokens"
    return command, float(2 * _SEEDS * tokens)


def compare_quality(case: Case) -> Experiment:
    """The data as it is against the data cleaned, on the same held-out documents."""
    tokens, written = choose_tokens(case)
    return (
        "assay prepare AUDIT -o raw --drop none; assay prepare AUDIT -o clean --drop "
        f"exact,near,leaked; assay compare raw clean -o ab --tokens {written}",
        float(2 * _SEEDS * tokens),
    )


def score_more(scored: int | None, most: int | None) -> str:
    """Score a larger set: of what the bins hold out, or of others where all of that was scored.

    Args:
        scored: Documents that the run was scored on, as far as that is known.
        most: Documents that are held out, as far as that is known.
    """
    command = "assay score CKPT --held-out BINS --held-out-documents"
    if most is None or most >= _MANY_DOCUMENTS:
        return f"{command} {_MANY_DOCUMENTS}: one fixed set of 10,000,000 tokens"
    if scored is None or scored < most:
        return f"{command} {most}: all that are held out"
    return (
        f"all {most:,} held-out documents were scored; hold out others: assay "
        "prepare AUDIT -o LARGER --val SHARD, then assay score CKPT --held-out LARGER --trained-on "
        "BINS"
    )


def train_precisely(case: Case) -> Experiment:
    """The same steps in float32 and bfloat16."""
    each = case.plan.tokens_per_step if case.plan is not None else 0
    command = (
        f"assay train BINS -o f32 --init-from CKPT --dtype float32 --max_iters {_PROBE_STEPS}; the "
        "same into bf16 with --dtype bfloat16; assay score f32 bf16 --held-out BINS"
    )
    return command, float(2 * _PROBE_STEPS * each) or None


def name_files(
    hypotheses: list[Hypothesis], *, config: str | None, bins: Path | None
) -> list[Hypothesis]:
    """Put the user's own files into the commands, where they were given."""
    words = shlex.split(config) if config is not None else []
    files = {"BINS": shlex.quote(str(bins))} if bins is not None else {}
    if len(words) == 1 and not words[0].startswith("--"):  # overrides are no part of a file
        files["CONFIG"] = shlex.quote(words[0])
    if not files:
        return hypotheses
    names = re.compile(rf"\b({'|'.join(files)})\b")
    return [
        replace(each, experiment=names.sub(lambda found: files[found[0]], each.experiment))
        for each in hypotheses
    ]


SCORE_BEST = "assay score BEST CKPT --held-out BINS: the best checkpoint beside the last"
SCORE_LAST = "assay score CKPT1 CKPT2 --held-out BINS: the last checkpoints, each on all of one set"
SCORE_LEAKED = (
    "assay audit TRAIN --val VAL -o audit; assay score CKPT --held-out BINS --trained-on BINS: "
    "documents with a copy stand apart"
)
