"""What makes a run: used to seal it, and to recognise a finished one. Needs no torch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.errors import UsageError
from assay.formats.bins import Bins
from assay.formats.run import (
    CKPT_PT,
    KEPT_PREFIX,
    LAST_PREFIX,
    OPTIMIZER,
    STATE,
    Run,
    SettingsChange,
    open_run,
)
from assay.formats.train_config import RUNTIME_SETTINGS, Intervals, TrainConfig, record_config
from assay.storage.manifest import MANIFEST, hash_manifest
from assay.storage.recipe import Recipe, refuse
from assay.train.settings.retention import Retention

if TYPE_CHECKING:
    from assay.train.checkpoints.initial_weights import InitialWeights
    from assay.train.data.coupled_arms import CoupledArm


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A run to train: on what, where it goes, with which settings, and what it starts from.

    `initial` are weights that are not drawn, `resume_from` a checkpoint of another run; with
    `resume` the folder's own checkpoint must be there, and settings may change. `coupled` says of
    which arms it is one, where they are trained coupled.
    """

    bins: Bins
    output: Path
    config: TrainConfig
    intervals: Intervals = field(default_factory=Intervals)
    retention: Retention = field(default_factory=Retention)
    initial: "InitialWeights | None" = None
    resume: bool = False
    resume_from: Path | None = None
    coupled: "CoupledArm | None" = None

    @property
    def init_hash(self) -> str:
        """The sha256 of the initial weights; "" where they are drawn."""
        return self.initial.sha256 if self.initial else ""


def make_recipe(
    bins: Bins,
    config: TrainConfig,
    *,
    changes: Sequence[SettingsChange] = (),
    init: str = "",
    coupled: "CoupledArm | None" = None,
) -> Recipe:
    """State what makes a run.

    Args:
        bins: What it is trained on.
        config: Its settings.
        changes: What was changed where it was resumed.
        init: The sha256 of its initial weights; "" for drawn ones.
        coupled: Of which coupled arms it is one.
    """
    apart = _or_nothing("changes", list(changes))
    apart |= _or_nothing("coupled", coupled.record() if coupled else None)
    return Recipe(
        kind="run",
        settings={"config": record_config(config)} | apart,
        tokenizer=bins.manifest.tokenizer,
        parents={"bins": hash_manifest(bins.folder)} | _or_nothing("init", init),
        free=RUNTIME_SETTINGS,
    )


def find_run(request: RunRequest) -> Run | None:
    """Open a run that the same request finished, all val documents scored; None if none is.

    Where it was trained, how fast, and what it logged decide nothing. It may hold more than what
    is to be kept.

    Raises:
        UsageError: The folder holds something else; the message names what differs.
        IntegrityError: A file in it is missing, or is not what its manifest says.
    """
    folder = request.output
    if not (folder / MANIFEST).exists():
        return None
    if request.resume:
        raise UsageError(
            f"{folder} is finished; to train on, name it with resume_from and another output, and "
            "more tokens or max_iters",
            "resume_from",
            "max_iters",
        )
    init, changes = request.init_hash, list[SettingsChange]()
    if request.resume_from is not None:
        from assay.train.checkpoints.resume import foresee_changes

        bins_hash = hash_manifest(request.bins.folder)
        init, changes = foresee_changes(request.resume_from, request.config, bins_hash, folder)
    recipe = make_recipe(request.bins, request.config, changes=changes, init=init)
    if recipe.find_finished(folder) is None:
        return None
    run = open_run(folder)
    if missing := next(_find_missing(run, request), ""):
        raise refuse(folder, f"without {missing}")
    if any(folder.glob(f"{LAST_PREFIX}*")):  # it was killed just after it was sealed
        from assay.train.checkpoints.checkpoint import remove_checkpoints

        remove_checkpoints(folder)
    if not _scored_all(run, request.bins):
        raise refuse(folder, "with other documents scored")
    return run


def _or_nothing(name: str, value: Any) -> dict[str, Any]:
    return {name: value} if value else {}


def _find_missing(run: Run, request: RunRequest) -> Iterator[str]:
    """Name what is to be kept and is not there."""
    retention, interval = request.retention, request.intervals.checkpoint
    names = {entry.name for entry in run.manifest.outputs}
    if retention.optimizer and OPTIMIZER not in names:
        yield "its optimizer's moments"
    if retention.ckpt_pt and CKPT_PT not in names:
        yield CKPT_PT
    steps = set(retention.steps)
    if retention.every and interval:
        changes = run.manifest.settings.get("changes", ())
        began = max((change["step"] for change in changes if "from" in change), default=0)
        saved = range(interval, run.totals.steps, interval)
        steps |= {step for step in saved if step > began}
    for step in sorted(steps):
        if f"{KEPT_PREFIX}{step}/{STATE}" not in names:
            yield f"{KEPT_PREFIX}{step}"


def _scored_all(run: Run, bins: Bins) -> bool:
    """Tell whether a run's losses are those of all val documents of some bins."""
    documents = bins.read_documents("val")
    tokens = (documents["end"] - documents["start"]).cast(int) - 1
    scored = run.read_losses()["tokens"].to_list()
    return bool(scored == [count for count in tokens.to_list() if count > 0])
