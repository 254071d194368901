"""What a comparison is going to do: fixed, and its conditions checked, before it begins."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay.artifacts import hash_manifest
from assay.bins import Bins
from assay.errors import UsageError
from assay.train.batches import WindowOrder
from assay.train.config import TrainConfig
from assay.train.evaluate import HeldOut, load_held_out
from assay.train.fairness import (
    Gate,
    check_enough,
    check_held_out,
    check_leaks,
    check_tokenizers,
    find_leaked,
)
from assay.train.loop import Pace
from assay.train.sentence import printable
from assay.train.statistics import ALPHA
from assay.train.verdict import ArmResult


@dataclass(frozen=True, slots=True)
class Plan:
    """What a comparison does, checked and fixed before it begins."""

    arms: list[Bins]
    names: list[str]
    held_out: HeldOut
    leaked: list[np.ndarray]
    gates: list[Gate]
    config: TrainConfig
    seeds: int
    delta: float
    pace: Pace

    @property
    def alpha(self) -> float:
        """Bonferroni: with k arms against the baseline all intervals hold together."""
        return ALPHA / (len(self.arms) - 1)

    def fields(self) -> dict[str, object]:
        """Return what must not change when an interrupted comparison goes on."""
        return {"seeds": self.seeds, "delta": self.delta}


def derive_seed(root: int, arm: int, seed: int) -> int:
    """Derive the seed of a run from those of the comparison, the arm and the repetition."""
    return int(np.random.SeedSequence([root, arm, seed]).generate_state(1)[0])


def make_plan(
    arms: Sequence[Bins],
    names: list[str],
    config: TrainConfig,
    seeds: int,
    delta: float,
    held_out: Bins | None,
    most: int,
    allow_leaked: bool,
    pace: Pace,
) -> Plan:
    """Check the conditions that need no training; arguments as those of `compare_bins`."""
    judged = arms[0] if held_out is None else held_out
    for bins in {bins.folder: bins for bins in [*arms, judged]}.values():
        bins.check()
    gates = [check_tokenizers(arms, judged)]
    gates.append(check_held_out(arms if held_out is None else [held_out]))
    for bins in arms:  # refuse a bin that is too small before anything is trained
        WindowOrder(config.seed, bins.map_ids("train").size, config.block_size)
    documents = load_held_out(judged, most=most)
    leaked = [find_leaked(bins, documents) for bins in arms]
    documents = documents.mark_leaked(np.logical_or.reduce(leaked))
    budget = f"{config.max_iters:,} steps of {config.tokens_per_step:,} tokens in every run"
    gates.append(Gate(name="budget and settings", passed=True, found=budget, needed="the same"))
    gates += [check_leaks(names, leaked, allow_leaked), check_enough(documents)]
    return Plan(list(arms), names, documents, leaked, gates, config, seeds, delta, pace)


def name_arms(arms: Sequence[Bins]) -> list[str]:
    """Name arms by their folders; where two would be alike, by their place too."""
    if len(arms) < 2:
        raise UsageError(f"{len(arms)} arm; a comparison needs two folders of bins or more")
    names = [printable(bins.folder.name or str(bins.folder)) for bins in arms]
    if len(set(names)) == len(names):
        return names
    paths = [printable(str(bins.folder)) for bins in arms]
    if len(set(paths)) == len(paths):
        return paths
    return [f"{name} ({place})" for place, name in enumerate(names, 1)]


def describe_arm(plan: Plan, place: int) -> ArmResult:
    """Count an arm's data: ids, unique tokens as prepare found them, epochs of a run."""
    bins = plan.arms[place]
    ids = bins.map_ids("train")
    unique = bins.manifest.totals.get("train", {}).get("unique_tokens")
    if unique is None:
        unique = ids.size - int(np.count_nonzero(ids == bins.end_of_text))
    return ArmResult(
        name=plan.names[place],
        manifest_sha256=hash_manifest(bins.folder),
        train_tokens=ids.size,
        unique_tokens=round(unique),
        epochs=plan.config.max_iters * plan.config.tokens_per_step / ids.size,
        leaked_documents=int(plan.leaked[place].sum()),
    )


def estimate_work(plan: Plan, parameters: int) -> str:
    """Say what is about to be done."""
    config = plan.config
    number = len(plan.arms) * plan.seeds
    return (
        f"{number} runs of {config.max_iters * config.tokens_per_step:,} tokens "
        f"({config.max_iters:,} steps), {parameters:,} parameters, "
        f"{plan.held_out.start_J.size:,} held-out documents of "
        f"{int(plan.held_out.tokens_J.sum()):,} tokens"
    )
