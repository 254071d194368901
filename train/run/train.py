"""Train one model on one folder of bins."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from assay.errors import UsageError
from assay.formats.bins import Bins, as_bins
from assay.formats.config_checks import make_config
from assay.formats.run import Run
from assay.formats.train_config import Intervals
from assay.options import to_count
from assay.paths import AnyPath, to_path
from assay.storage.recipe import say_again
from assay.terminal.progress import Log, choose_log
from assay.train.run.environment import count_processes, require_torch
from assay.train.run.recipe import RunRequest, find_run
from assay.train.settings.retention import Retention
from assay.train.settings.settings import AnyConfig, collect_settings

if TYPE_CHECKING:
    from assay.train.checkpoints.initial_weights import InitialWeights


def train_on(
    bins: AnyPath | Bins,
    output: AnyPath,
    *,
    config: AnyConfig = None,
    size: str | None = None,
    tokens: int | str | None = None,
    init_from: AnyPath | None = None,
    resume: bool = False,
    resume_from: AnyPath | None = None,
    retention: Retention | None = None,
    intervals: Intervals | None = None,
    log_to: str | Sequence[str] = (),
    quiet: bool = True,
    **changes: Any,
) -> Run:
    """Train a model, score the held-out documents, and seal the folder.

    An unfinished folder is resumed at its last checkpoint, on the CPU to the same bits; what the
    same call finished is opened. SIGINT and SIGTERM end the step and save it; a second one stops
    at once. Under torchrun the processes share each step.

    Args:
        bins: What to train on, and whose val documents are scored.
        output: A folder that is new, empty, or left unfinished or finished by the same call.
        config: All settings, or a file that has some: TOML, or nanoGPT's `config/*.py`.
        size: "5M", "30M", "40M-seed" or "124M": sets layers, heads, width and block.
        tokens: Ids to train on, repeats counted (100_000_000 or "100M"); sets `max_iters`.
        init_from: Weights to start from: a run, a checkpoint in one, or nanoGPT's `ckpt.pt`; they
            set the shape.
        resume: Resume the folder's checkpoint, or refuse. Settings that are not named stay as they
            were; batch, length and learning rate may change.
        resume_from: The same from a checkpoint of another run, or a finished run's folder.
        retention: Checkpoints to keep for good, and nanoGPT's `ckpt.pt`.
        intervals: Steps between lines of the metrics, scorings and checkpoints.
        log_to: Some of "wandb", "tensorboard", "trackio", which get the metrics, too.
        quiet: No progress on stderr.
        **changes: Settings by name, over those of `config` and `size`.

    Raises:
        UsageError: A path or a setting is wrong, or the folder holds something else.
        IntegrityError: A bin or a checkpoint is not what its manifest says.
        DivergedError: The loss or gradient is not finite; the message has step and documents.
        Interrupted: A signal asked for it; the message says where the run can be resumed.
    """
    log, folder, budget = choose_log(quiet), to_path(output), to_count(tokens, "tokens")
    origin, initial = _read_beginning(resume_from, resume, init_from)
    shape = initial.shape if initial else None
    named = collect_settings(config, changes, size=size, tokens=budget, shape=shape, log=log)
    if resume or origin:
        named = _inherit(named, budget, folder, origin)
    chosen = make_config(named, tokens=budget, log=log)
    request = RunRequest(as_bins(bins), folder, chosen, intervals or Intervals(),
                         retention or Retention(), initial, resume, origin)  # fmt: skip
    return _open_or_train(request, log_to, log)


def _open_or_train(request: RunRequest, log_to: Sequence[str], log: Log | None) -> Run:
    # Several processes have to agree first.
    if count_processes() == 1 and (run := find_run(request)) is not None:
        if log:
            log(say_again(request.output, "run", "trained"))
        return run
    require_torch()
    from assay.train.run.launch import launch_run

    return launch_run(request, log_to=log_to, log=log)


def _inherit(
    named: dict[str, Any], tokens: int | None, output: Path, origin: Path | None
) -> dict[str, Any]:
    """Put settings over those of the run that is resumed, where there is one."""
    require_torch()
    from assay.train.checkpoints.checkpoint import read_saved_config
    from assay.train.checkpoints.resume import inherit_settings

    old = read_saved_config(output, origin)
    if old is not None and tokens is not None:  # sets max_iters, whatever the old one was
        old = msgspec.structs.replace(old, lr_decay_iters=None)
    return named if old is None else inherit_settings(old, named)


def _read_beginning(
    resume_from: AnyPath | None, resume: bool, init_from: AnyPath | None
) -> "tuple[Path | None, InitialWeights | None]":
    """Return the checkpoint that a run is resumed from, and weights that it starts from."""
    if resume_from and (resume or init_from):
        raise UsageError(
            "resume_from excludes resume and init_from; leave those out",
            *("resume_from", "resume", "init_from"),
        )
    if not init_from:
        return to_path(resume_from) if resume_from else None, None
    require_torch()
    from assay.train.checkpoints.initial_weights import read_initial_weights

    return None, read_initial_weights(to_path(init_from))
