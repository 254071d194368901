"""What a comparison is going to do: fixed, and its conditions checked, before it begins."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay.errors import UsageError
from assay.formats.bins import Bins
from assay.formats.comparison import ArmResult, Gate
from assay.formats.train_config import TrainConfig
from assay.storage.manifest import hash_manifest
from assay.train.compare.arms import Arm, differing_settings
from assay.train.compare.design import Terms
from assay.train.compare.gates import (
    check_enough,
    check_held_out,
    check_leaks,
    check_settings,
    check_tokenizers,
)
from assay.train.data.batches import WindowOrder
from assay.train.run.evaluate import HeldOut, find_leaked, load_held_out
from assay.train.run.train import Pace


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """Documents to score, the folder they came from, and which of them each arm was trained on."""

    bins: Bins
    documents: HeldOut
    leaked: list[np.ndarray]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a comparison does, checked and fixed before it begins."""

    arms: list[Arm]
    judged: JudgedSet
    also: JudgedSet | None
    gates: list[Gate]
    terms: Terms
    pace: Pace

    @property
    def config(self) -> TrainConfig:
        """The baseline's settings; its seed is the root of all seeds."""
        return self.arms[0].config

    @property
    def names(self) -> list[str]:
        """The arms' names."""
        return [arm.name for arm in self.arms]

    @property
    def held_out(self) -> HeldOut:
        """The primary set, those documents marked that any arm was trained on."""
        return self.judged.documents


def derive_seed(root: int, arm: int, seed: int) -> int:
    """Derive the seed of a run from those of the comparison, the arm and the repetition."""
    return int(np.random.SeedSequence([root, arm, seed]).generate_state(1)[0])


def make_plan(
    arms: Sequence[Arm],
    terms: Terms,
    *,
    held_out: Bins | None = None,
    also: Bins | None = None,
    pace: Pace | None = None,
) -> Plan:
    """Check the terms, and the conditions that need no training; as `compare_arms`."""
    _check_terms(arms, terms)
    judged = arms[0].bins if held_out is None else held_out
    folders = {bins.folder: bins for bins in [*(arm.bins for arm in arms), judged]}
    if also is not None:
        folders[also.folder] = also
    for bins in folders.values():
        bins.check()
    every = [arm.bins for arm in arms]
    gates = [check_tokenizers(every, *([judged] if also is None else [judged, also]))]
    gates.append(check_held_out(every if held_out is None else [held_out]))
    for arm in arms:  # refuse a bin that is too small before anything is trained
        WindowOrder(arm.config.seed, arm.bins.map_ids("train").size, arm.config.block_size)
    primary = _load_set(judged, arms, terms.most_held_out)
    gates.append(check_settings(arms))
    names = [arm.name for arm in arms]
    gates.append(check_leaks(names, primary.leaked, terms.allow_leaked))
    gates.append(check_enough(primary.documents))
    second = None if also is None else _load_set(also, arms, terms.most_held_out)
    return Plan(list(arms), primary, second, gates, terms, pace or Pace())


def _check_terms(arms: Sequence[Arm], terms: Terms) -> None:
    looks, margins = terms.looks, terms.margins
    if len(arms) < 2:
        raise UsageError(f"{len(arms)} arm; a comparison needs two or more")
    if not looks or looks[0] < 1 or list(looks) != sorted(set(looks)):
        shown = ",".join(map(str, looks))
        raise UsageError(f"looks at {shown} seeds; they must rise, and begin at 1 or more")
    if not margins.delta > 0:
        raise UsageError(f"delta {margins.delta:g}: needs more than 0 nats/token")
    if margins.not_worse_by is not None and not margins.not_worse_by > 0:
        raise UsageError(f"margin {margins.not_worse_by:g}: needs more than 0 nats/token")
    if terms.seed_sd is not None and not terms.seed_sd > 0:
        raise UsageError(f"spread of seeds {terms.seed_sd:g}: needs more than 0 nats/token")
    if len({arm.stream for arm in arms}) < len(arms):
        raise UsageError("two arms share a stream of seeds; give each its own")


def _load_set(judged: Bins, arms: Sequence[Arm], most: int) -> JudgedSet:
    """Load documents, and find which of them each arm was trained on; each bin is read once."""
    documents = load_held_out(judged, most=most)
    by_folder = {
        folder: find_leaked(bins, documents)
        for folder, bins in {arm.bins.folder: arm.bins for arm in arms}.items()
    }
    leaked = [by_folder[arm.bins.folder] for arm in arms]
    return JudgedSet(judged, documents.mark_leaked(np.logical_or.reduce(leaked)), leaked)


def describe_arm(plan: Plan, place: int) -> ArmResult:
    """Count an arm's data: ids, unique tokens as prepare found them, epochs of a run."""
    arm = plan.arms[place]
    ids = arm.bins.map_ids("train")
    unique = arm.bins.manifest.totals.get("train", {}).get("unique_tokens")
    if unique is None:
        unique = ids.size - int(np.count_nonzero(ids == arm.bins.end_of_text))
    return ArmResult(
        name=arm.name,
        manifest_sha256=hash_manifest(arm.bins.folder),
        train_tokens=ids.size,
        unique_tokens=round(unique),
        epochs=arm.tokens / ids.size,
        leaked_documents=int(plan.judged.leaked[place].sum()),
        tokens_per_run=arm.tokens,
        settings=arm.settings,
    )


def estimate_work(plan: Plan, parameters: int) -> str:
    """Say what is about to be done."""
    config = plan.config
    looks = plan.terms.looks
    number = " or ".join(f"{len(plan.arms) * seeds}" for seeds in looks)
    varied = differing_settings(plan.arms)
    budget = f"{plan.arms[0].tokens:,} tokens ({config.max_iters:,} steps)"
    if "max_iters" in varied:
        most = max(arm.tokens for arm in plan.arms)
        budget = f"up to {most:,} tokens"
    return (
        f"{number} runs of {budget}, {parameters:,} parameters, "
        f"{plan.held_out.start_J.size:,} held-out documents of "
        f"{int(plan.held_out.tokens_J.sum()):,} tokens"
    )
