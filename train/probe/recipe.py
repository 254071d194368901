"""What makes a probe: used to seal it, and to recognise a finished one."""

from pathlib import Path

from assay.formats.bins import Bins
from assay.formats.probe import PROBE, ProbeResult, read_probe
from assay.formats.train_config import RUNTIME_SETTINGS, record_config
from assay.storage.manifest import hash_manifest
from assay.storage.recipe import Recipe, refuse
from assay.train.probe.branch_point import BranchPoint


def make_recipe(
    branch_point: BranchPoint,
    old: Bins,
    new: Bins,
    scored: Bins,
    *,
    steps: int,
    seeds: int,
    seed: int,
    limit: int,
) -> Recipe:
    """State what makes a probe.

    Args:
        branch_point: The checkpoint that is branched.
        old: What the checkpoint was trained on.
        new: The other data.
        scored: Bins whose val documents are scored.
        steps: Of a branch.
        seeds: Orders of the data.
        seed: The root of them.
        limit: Held-out documents that are scored at most.
    """
    data = {"old": old, "new": new, "held out": scored}
    return Recipe(
        kind="probe",
        settings={
            "config": record_config(branch_point.config),
            "checkpoint": str(branch_point.path),
            "checkpoint_sha256": branch_point.initial.sha256,
            "learning_rate": branch_point.learning_rate,
            "steps": steps,
            "seeds": seeds,
            "seed": seed,
            "held_out_documents": limit,
        },
        tokenizer=old.manifest.tokenizer,
        parents={name: hash_manifest(bins.folder) for name, bins in data.items()},
        free=RUNTIME_SETTINGS,
        printed=[PROBE],
    )


def find_probe(
    folder: Path, recipe: Recipe, old: Bins, new: Bins, scored: Bins
) -> ProbeResult | None:
    """Read the result of a probe that the same command finished; None if none is finished.

    Where branches were trained, how fast, and how often they logged and saved decide nothing.

    Raises:
        UsageError: The folder holds something else; the message names what differs.
        IntegrityError: A file in it is missing, or is not what its manifest says.
    """
    if recipe.find_finished(folder) is None:
        return None
    result = read_probe(folder)
    names = [result.old, result.new, result.held_out]
    if names != [bins.folder.name for bins in (old, new, scored)]:  # the table calls them so
        raise refuse(folder, f"whose bins were called {', '.join(names)}")
    return result
