"""What makes a comparison: used to seal it, and to recognise a finished one. Needs no torch."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from assay.errors import IntegrityError
from assay.formats.bins import Bins
from assay.formats.comparison import VERDICT, Verdict, read_verdict
from assay.formats.run import METRICS, open_run
from assay.formats.train_config import RUNTIME_SETTINGS, record_config
from assay.storage.manifest import MANIFEST, check_file, hash_manifest
from assay.storage.recipe import Recipe, refuse
from assay.train.compare.arms import Arm
from assay.train.compare.design import ComparisonDesign


def make_recipe(
    arms: Sequence[Arm], design: ComparisonDesign, scored: Bins, also: Bins | None
) -> Recipe:
    """State what makes a comparison; `scored` are the bins whose val documents are scored."""
    parents = {f"arm {place}": hash_manifest(arm.bins.folder) for place, arm in enumerate(arms)}
    if also is not None:
        parents["also"] = hash_manifest(also.folder)
    parents["held out"] = hash_manifest(scored.folder)
    return Recipe(
        kind="comparison",
        settings={"config": record_config(arms[0].config)} | design.record(arms),
        tokenizer=arms[0].bins.manifest.tokenizer,
        parents=parents,
        free=RUNTIME_SETTINGS,
        printed=[VERDICT],
    )


def find_comparison(
    folder: Path,
    arms: Sequence[Arm],
    design: ComparisonDesign,
    *,
    held_out: Bins | None = None,
    also: Bins | None = None,
    evaluate: int = 0,
) -> Verdict | None:
    """Read the verdict of a comparison that the same command finished; None if none is finished.

    Where runs were trained, how fast, and how often they logged and saved decide nothing.

    Args:
        folder: Of the comparison.
        arms: As `make_data_arms` or `make_setting_arms` make them; of others a folder does not hold
            enough, and None is returned.
        design: What was declared before.
        held_out: Bins whose val documents are scored; by default those of the arms.
        also: Bins whose val documents are scored apart.
        evaluate: Steps between scorings: tokens to equal loss are read off them.

    Raises:
        UsageError: The folder holds something else; the message names what differs.
        IntegrityError: A file in it is missing, or is not what its manifest says.
    """
    if not (folder / MANIFEST).exists() or not _are_recorded(arms):
        return None
    recipe = make_recipe(arms, design, held_out or arms[0].bins, also)
    if (found := recipe.find_finished(folder)) is None:
        return None
    verdict = read_verdict(folder)
    _refuse_other_names(folder, verdict, arms, also)
    for arm in verdict.arms:
        for each in arm.seeds:
            if not _scored_every(folder / each.run, found.parents.get(each.run, ""), evaluate):
                raise refuse(folder, "with other settings (eval-interval)")
    return verdict


def _are_recorded(arms: Sequence[Arm]) -> bool:
    """Tell whether a manifest holds all of the arms: the first one's settings, and what varies."""
    return all(
        arm.stream == place
        and arm.config == msgspec.structs.replace(arms[0].config, **arm.settings)
        for place, arm in enumerate(arms)
    )


def _refuse_other_names(
    folder: Path, verdict: Verdict, arms: Sequence[Arm], also: Bins | None
) -> None:
    """Refuse a verdict that would call the same data by other names; UsageError."""
    names = [arm.name for arm in verdict.arms]
    wanted = [arm.name for arm in arms]
    if verdict.also is not None and also is not None:
        names.append(verdict.also.name)
        wanted.append(also.folder.name)
    if names != wanted:
        raise refuse(folder, f"whose bins were called {', '.join(names)}")


def _scored_every(folder: Path, sha256: str, evaluate: int) -> bool:
    """Tell whether a run was scored at that interval; its manifest must be the one recorded."""
    if not (folder / MANIFEST).is_file():
        raise IntegrityError(f"{folder / MANIFEST} is missing; the comparison's lists it")
    if (now := hash_manifest(folder)) != sha256:
        raise IntegrityError(f"{folder / MANIFEST} has sha256 {now}, the comparison has {sha256}")
    run = open_run(folder)
    for entry in run.manifest.outputs:
        if entry.name == METRICS:
            check_file(folder, entry)
    scored = [line.step for line in run.read_metrics() if line.held_out_loss is not None]
    last = run.totals.steps
    return scored == (list(range(evaluate, last + 1, evaluate)) if evaluate else [])
