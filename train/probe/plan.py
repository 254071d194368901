"""What a probe does, checked before anything is trained."""

from dataclasses import dataclass

import numpy as np

from assay.errors import UsageError
from assay.formats.bins import Bins
from assay.storage.manifest import hash_manifest
from assay.train.compare.gates import check_enough, check_tokenizers
from assay.train.probe.branch_point import LEAST_STEPS, Trunk
from assay.train.run.evaluate import HeldOut, find_leaked, load_held_out

_FEWEST_SEEDS = 2


@dataclass(frozen=True, slots=True)
class Probing:
    """What a probe does, checked before it begins.

    `home` are the old data's val documents, where others are held out, else None; `learnt`
    documents of the old training data.
    """

    trunk: Trunk
    old: Bins
    new: Bins
    judged: Bins
    held_out: HeldOut
    home: HeldOut | None
    learnt: HeldOut
    leaked_share: float
    steps: int
    seeds: int
    seed: int


def plan_probe(
    trunk: Trunk,
    old: Bins,
    new: Bins,
    *,
    steps: int | None,
    seeds: int,
    seed: int,
    held_out: Bins | None,
    most: int,
) -> Probing:
    """Check what can be checked without training; as `probe_checkpoint`."""
    judged = held_out or old
    for bins in {each.folder: each for each in (old, new, judged)}.values():
        bins.check()
    if hash_manifest(old.folder) == hash_manifest(new.folder):
        raise UsageError(f"--old and --new are the same data, {old.folder}; name other --new")
    gate = check_tokenizers([old, new], judged)
    if not gate.passed:
        raise UsageError(f"--old, --new and --held-out have tokenizers {gate.found}; one is needed")
    if seeds < _FEWEST_SEEDS:
        raise UsageError(f"{seeds} order has no spread to measure noise by; ask for 2 or more")
    length = steps or trunk.default_steps()
    if length < LEAST_STEPS:
        raise UsageError(f"branches of {length} steps show nothing; ask for {LEAST_STEPS} or more")
    documents, leaked_J = _load(judged, most, old, new)
    home, leaked_home_J = (documents, leaked_J) if held_out is None else _load(old, most, old, new)
    learnt = load_held_out(old, most=most, split="train")
    if learnt.start_J.size < 2:
        raise UsageError(f"{old.folder} has {learnt.start_J.size} training document; 2 are needed")
    return Probing(
        trunk, old, new, judged, documents, None if held_out is None else home, learnt,
        float(leaked_home_J.mean()), length, seeds, seed,
    )  # fmt: skip


def _load(judged: Bins, most: int, old: Bins, new: Bins) -> tuple[HeldOut, np.ndarray]:
    """Load documents, marked where either data has them; and those that the old data has."""
    documents = load_held_out(judged, most=most)
    if not documents.start_J.size:
        raise UsageError(f"{judged.folder} has no val documents; name bins with --held-out")
    in_old_J = find_leaked(old, documents)
    documents = documents.mark_leaked(in_old_J | find_leaked(new, documents))
    gate = check_enough(documents)
    if not gate.passed:
        raise UsageError(
            f"{judged.folder} has {gate.found} val documents that stand in neither --old nor "
            f"--new, {gate.needed} are needed; prepare again with more held out"
        )
    return documents, in_old_J
