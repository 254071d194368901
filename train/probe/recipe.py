"""A probe asked for again: found where the same command finished it."""

from pathlib import Path

from assay.formats.bins import Bins
from assay.formats.probe import PROBE, ProbeResult, read_probe
from assay.formats.train_config import record_config
from assay.storage.manifest import hash_manifest
from assay.storage.recipe import Recipe, refuse
from assay.train.probe.branch_point import Trunk
from assay.train.settings.settings import FREE_SETTINGS


def make_recipe(
    trunk: Trunk,
    old: Bins,
    new: Bins,
    judged: Bins,
    *,
    steps: int,
    seeds: int,
    seed: int,
    most: int,
) -> Recipe:
    """State what makes a probe.

    Args:
        trunk: The checkpoint that is branched.
        old: What the checkpoint was trained on.
        new: The other data.
        judged: Bins whose val documents are scored.
        steps: Of a branch.
        seeds: Orders of the data.
        seed: The root of them.
        most: Held-out documents that are scored at most.
    """
    data = {"old": old, "new": new, "held out": judged}
    return Recipe(
        kind="probe",
        settings={
            "config": record_config(trunk.config),
            "checkpoint": str(trunk.path),
            "checkpoint_sha256": trunk.start.sha256,
            "learning_rate": trunk.rate,
            "steps": steps,
            "seeds": seeds,
            "seed": seed,
            "held_out_documents": most,
        },
        tokenizer=old.manifest.tokenizer,
        parents={name: hash_manifest(bins.folder) for name, bins in data.items()},
        free=FREE_SETTINGS,
        printed=[PROBE],
    )


def find_probe(
    folder: Path, recipe: Recipe, old: Bins, new: Bins, judged: Bins
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
    if names != [bins.folder.name for bins in (old, new, judged)]:  # the table calls them so
        raise refuse(folder, f"whose bins were called {', '.join(names)}")
    return result
