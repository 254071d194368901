"""What a comparison is going to do: fixed, and its gates checked, before it begins."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay.errors import UsageError
from assay.formats.bins import Bins
from assay.formats.comparison import ArmResult, Gate
from assay.formats.train_config import Intervals, TrainConfig
from assay.storage.manifest import hash_manifest
from assay.train.compare.arms import Arm, differing_settings
from assay.train.compare.design import ComparisonDesign, Coupling, couple_arms
from assay.train.compare.validity import (
    check_enough,
    check_held_out,
    check_leaks,
    check_settings,
    check_tokenizers,
)
from assay.train.run.evaluate import HeldOut, find_leaked, load_held_out
from assay.train.run.executor import refuse_small_bin


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """Documents to score, the folder they came from, and which of them each arm was trained on."""

    bins: Bins
    documents: HeldOut
    leaked: list[np.ndarray]


@dataclass(frozen=True, slots=True)
class ComparisonPlan:
    """What a comparison does, checked and fixed before it begins."""

    arms: list[Arm]
    primary: EvaluationSet
    also: EvaluationSet | None
    gates: list[Gate]
    design: ComparisonDesign
    intervals: Intervals
    coupling: Coupling

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
        return self.primary.documents


def make_plan(
    arms: Sequence[Arm],
    design: ComparisonDesign,
    *,
    held_out: Bins | None = None,
    also: Bins | None = None,
    intervals: Intervals | None = None,
) -> ComparisonPlan:
    """Check the design, and the gates that need no training; as `compare_arms`."""
    _check_design(arms, design)
    scored = arms[0].bins if held_out is None else held_out
    every = [arm.bins for arm in arms]
    sets = [scored] if also is None else [scored, also]
    for bins in {bins.folder: bins for bins in [*every, *sets]}.values():
        bins.check()
    gates = [
        check_tokenizers(every, *sets),
        check_held_out(every if held_out is None else [held_out]),
    ]
    for arm in arms:
        refuse_small_bin(arm.bins, arm.config)
    primary, *second = [_load_set(bins, arms, design.held_out_documents) for bins in sets]
    gates += [
        check_settings(arms),
        check_leaks([arm.name for arm in arms], primary.leaked, design.allow_leaked),
        check_enough(primary.documents),
    ]
    sound = all(gate.passed for gate in gates)
    return ComparisonPlan(
        list(arms),
        primary,
        second[0] if second else None,
        gates,
        design,
        intervals or Intervals(),
        couple_arms(arms, design.coupled) if sound else Coupling(),
    )


def _check_design(arms: Sequence[Arm], design: ComparisonDesign) -> None:
    looks = design.looks
    if len(arms) < 2:
        raise UsageError(f"a comparison needs two arms or more, got {len(arms)}")
    if not looks or looks[0] < 1 or list(looks) != sorted(set(looks)):
        shown = ",".join(map(str, looks))
        raise UsageError(f"looks must rise, and begin at 1 or more, got {shown}", "looks")
    for name in ("delta", "not_worse_by", "seed_sd"):
        value = getattr(design, name)
        if value is not None and not value > 0:
            raise UsageError(f"{name} must be above 0 nats/token, got {value:g}", name)
    if len({arm.stream for arm in arms}) < len(arms):
        raise UsageError("two arms share a stream of seeds; give each its own")


def _load_set(scored: Bins, arms: Sequence[Arm], limit: int) -> EvaluationSet:
    """Load documents, and find which of them each arm was trained on; each bin is read once."""
    documents = load_held_out(scored, max_documents=limit)
    by_folder = {
        folder: find_leaked(bins, documents)
        for folder, bins in {arm.bins.folder: arm.bins for arm in arms}.items()
    }
    leaked = [by_folder[arm.bins.folder] for arm in arms]
    return EvaluationSet(scored, documents.mark_leaked(np.logical_or.reduce(leaked)), leaked)


def describe_arm(plan: ComparisonPlan, place: int) -> ArmResult:
    """Count an arm's data: ids, unique tokens as prepare found them, epochs of a run."""
    arm = plan.arms[place]
    ids = arm.bins.map_ids("train")
    return ArmResult(
        name=arm.name,
        manifest_sha256=hash_manifest(arm.bins.folder),
        train_tokens=ids.size,
        unique_tokens=arm.bins.unique_tokens,
        epochs=arm.config.tokens / ids.size,
        leaked_documents=int(plan.primary.leaked[place].sum()),
        tokens_per_run=arm.config.tokens,
        settings=arm.settings,
        coupled_share=plan.coupling.shared_A[place] if plan.coupling.shared_A else None,
    )


def describe_work(plan: ComparisonPlan, parameters: int) -> str:
    """Describe what is about to be done."""
    config = plan.config
    number = " or ".join(f"{len(plan.arms) * seeds}" for seeds in plan.design.looks)
    budget = f"{config.tokens:,} tokens ({config.max_iters:,} steps)"
    if "max_iters" in differing_settings(plan.arms):
        budget = f"up to {max(arm.config.tokens for arm in plan.arms):,} tokens"
    if plan.coupling.shared_A:
        budget += f", coupled in {min(plan.coupling.shared_A):.0%} of their windows"
    elif plan.coupling.reason:
        budget += f", trained apart ({plan.coupling.reason})"
    return (
        f"{number} runs of {budget}, {parameters:,} parameters, "
        f"{len(plan.held_out):,} held-out documents of "
        f"{int(plan.held_out.tokens_J.sum()):,} tokens"
    )
