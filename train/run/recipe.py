"""A run as it was asked for, found where the same command finished it. Needs no torch."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.formats.bins import Bins, open_bins
from assay.formats.run import KEPT, LAST, NANOGPT, OPTIMIZER, STATE, Run, open_run
from assay.formats.train_config import TrainConfig, record_config
from assay.storage.manifest import MANIFEST, Manifest, hash_manifest
from assay.storage.recipe import Recipe, refuse, say_again
from assay.train.checkpoints.retention import Keep
from assay.train.settings.settings import FREE_SETTINGS

if TYPE_CHECKING:
    from assay.train.checkpoints.initial_weights import Start


@dataclass(frozen=True, slots=True)
class Launch:
    """A run as it was asked for; `pace` is intervals to log, evaluate and save, in steps."""

    bins: Path
    output: Path
    config: TrainConfig
    pace: tuple[int, int, int]
    resume: bool = False
    loggers: tuple[str, ...] = ()
    resume_from: Path | None = None
    keep: Keep = field(default_factory=Keep)
    start: "Start | None" = None


def tell_again(asked: Launch, say: Callable[[str], None]) -> dict[str, Any] | None:
    """Return the totals of a run that the same command finished, and say so; None if none is.

    Errors as `find_run` has them; `--resume` tells nothing again.
    """
    if asked.resume or not (asked.output / MANIFEST).exists():
        return None
    found = find_run(
        asked.output,
        open_bins(asked.bins),
        asked.config,
        keep=asked.keep,
        interval=asked.pace[2],
        init=asked.start.sha256 if asked.start else "",
        origin=asked.resume_from,
    )
    if found is None:
        return None
    say(say_again(asked.output, "run", "trained"))
    return found.manifest.totals


def make_recipe(
    bins: Bins, config: TrainConfig, *, changes: Sequence[dict[str, Any]] = (), init: str = ""
) -> Recipe:
    """State what makes a run.

    Args:
        bins: What it is trained on.
        config: Its settings.
        changes: What was changed where it went on from a checkpoint.
        init: The sha256 of the weights that it begins with; "" for drawn ones.
    """
    return Recipe(
        kind="run",
        settings={"config": record_config(config)} | _or_nothing("changes", list(changes)),
        tokenizer=bins.manifest.tokenizer,
        parents={"bins": hash_manifest(bins.folder)} | _or_nothing("init", init),
        free=FREE_SETTINGS,
    )


def find_run(
    folder: Path,
    bins: Bins,
    config: TrainConfig,
    *,
    keep: Keep,
    interval: int,
    init: str = "",
    origin: Path | None = None,
) -> Run | None:
    """Open a run that the same command finished, all val documents scored; None if none is.

    Where it was trained, how fast, and what it logged decide nothing.

    Args:
        folder: Of the run.
        bins: What it is to be trained on.
        config: Its settings.
        keep: What has to lie there; more may.
        interval: Steps between checkpoints, where all are kept.
        init: The sha256 of the weights that it is to begin with; "" for drawn ones.
        origin: A checkpoint of another run to go on from.

    Raises:
        UsageError: The folder holds something else; the message names what differs.
        IntegrityError: A file in it is missing, or is not what its manifest says.
    """
    if not (folder / MANIFEST).exists():
        return None
    changes: list[dict[str, Any]] = []
    if origin is not None:
        from assay.train.checkpoints.resume import foresee_changes

        init, changes = foresee_changes(origin, config, hash_manifest(bins.folder), folder)
    found = make_recipe(bins, config, changes=changes, init=init).find_finished(folder)
    if found is None:
        return None
    if missing := next(_find_missing(found, keep, interval), ""):
        raise refuse(folder, f"without {missing}")
    if any(folder.glob(f"{LAST}*")):  # it was killed just after it was sealed
        from assay.train.checkpoints.checkpoint import remove_checkpoints

        remove_checkpoints(folder)
    run = open_run(folder)
    if not _scored_all(run, bins):
        raise refuse(folder, "with other documents scored")
    return run


def _or_nothing(name: str, value: Any) -> dict[str, Any]:
    return {name: value} if value else {}


def _find_missing(found: Manifest, keep: Keep, interval: int) -> Iterator[str]:
    """Name what is to be kept and is not there."""
    names = {entry.name for entry in found.outputs}
    if keep.optimizer and OPTIMIZER not in names:
        yield "its optimizer's moments"
    if keep.ckpt_pt and NANOGPT not in names:
        yield NANOGPT
    steps = set(keep.steps)
    if keep.every and interval:
        began = [change["step"] for change in found.settings.get("changes", ()) if "from" in change]
        saved = range(interval, found.totals["steps"], interval)
        steps |= {step for step in saved if step > max(began, default=0)}
    for step in sorted(steps):
        if f"{KEPT}{step}/{STATE}" not in names:
            yield f"{KEPT}{step}"


def _scored_all(run: Run, bins: Bins) -> bool:
    """Tell whether a run's losses are those of all val documents of some bins."""
    documents = bins.read_documents("val")
    tokens = (documents["end"] - documents["start"]).cast(int) - 1
    scored = run.read_losses()["tokens"].to_list()
    return bool(scored == [count for count in tokens.to_list() if count > 0])
