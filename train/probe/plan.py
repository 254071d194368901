"""What a probe does, checked before anything is trained."""

from dataclasses import dataclass

import numpy as np

from assay.errors import UsageError
from assay.formats.bins import Bins
from assay.storage.manifest import hash_manifest
from assay.train.probe.branch_point import MIN_STEPS, BranchPoint
from assay.train.run.evaluate import HeldOut, find_leaked, load_held_out
from assay.train.stats.decision_rule import MIN_DOCUMENTS

_MIN_SEEDS = 2


@dataclass(frozen=True, slots=True)
class ProbePlan:
    """What a probe does, checked before it begins.

    `scored` are the bins whose val documents are `held_out`, `home` the old data's val documents
    where others are held out, else None, and `trained` documents of the old training data.
    """

    branch_point: BranchPoint
    old: Bins
    new: Bins
    scored: Bins
    held_out: HeldOut
    home: HeldOut | None
    trained: HeldOut
    leaked_share: float
    steps: int
    seeds: int
    seed: int


def plan_probe(
    branch_point: BranchPoint,
    old: Bins,
    new: Bins,
    *,
    steps: int,
    seeds: int,
    seed: int,
    held_out: Bins | None,
    limit: int,
) -> ProbePlan:
    """Check what can be checked without training; `limit` is of documents, else as `run_probe`."""
    scored = held_out or old
    for bins in {each.folder: each for each in (old, new, scored)}.values():
        bins.check()
    if hash_manifest(old.folder) == hash_manifest(new.folder):
        raise UsageError("new must be other data than old", "new", "old")
    tokenizers = sorted({bins.fingerprint[:12] for bins in (old, new, scored)})
    if len(tokenizers) > 1:
        raise UsageError(
            f"old, new and held_out must have one tokenizer, got {', '.join(tokenizers)}",
            *("old", "new", "held_out"),
        )
    if seeds < _MIN_SEEDS:
        raise UsageError(f"seeds must be at least {_MIN_SEEDS}, got {seeds}", "seeds")
    if steps < MIN_STEPS:
        raise UsageError(f"steps must be at least {MIN_STEPS}, got {steps}", "steps")
    documents, leaked_J = _load(scored, limit, old, new)
    home, leaked_home_J = (None, leaked_J) if held_out is None else _load(old, limit, old, new)
    trained = load_held_out(old, max_documents=limit, split="train")
    if len(trained) < 2:
        raise UsageError(f"{old.folder} has {len(trained)} training document; 2 are needed")
    return ProbePlan(
        branch_point=branch_point,
        old=old,
        new=new,
        scored=scored,
        held_out=documents,
        home=home,
        trained=trained,
        leaked_share=float(leaked_home_J.mean()),
        steps=steps,
        seeds=seeds,
        seed=seed,
    )


def _load(scored: Bins, limit: int, old: Bins, new: Bins) -> tuple[HeldOut, np.ndarray]:
    """Load documents, marked where either data has them; and those that the old data has."""
    documents = load_held_out(scored, max_documents=limit)
    if not len(documents):
        raise UsageError(
            f"{scored.folder} has no val documents; name bins that have with held_out", "held_out"
        )
    in_old_J = find_leaked(old, documents)
    documents = documents.mark_leaked(in_old_J | find_leaked(new, documents))
    if documents.num_clean < MIN_DOCUMENTS:
        raise UsageError(
            f"{scored.folder} has {documents.num_clean:,} val documents that stand in no training "
            f"data of the probe, at least {MIN_DOCUMENTS} are needed; prepare again with more held "
            "out"
        )
    return documents, in_old_J
