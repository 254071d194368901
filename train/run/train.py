"""Train one model on one folder of bins."""

from contextlib import ExitStack
from pathlib import Path

import torch

from assay.errors import AssayError, Interrupted, UsageError
from assay.formats.bins import Bins
from assay.formats.run import Run, open_run
from assay.formats.train_config import TrainConfig
from assay.storage.recipe import say_again
from assay.storage.sealed_folder import claim_folder
from assay.train.checkpoints.initial_weights import Start
from assay.train.checkpoints.retention import Keep
from assay.train.run.context import Job, Say
from assay.train.run.divergence import DivergedError
from assay.train.run.evaluate import HeldOut, load_held_out
from assay.train.run.metrics import Logger, Metrics, Pace
from assay.train.run.recipe import find_run
from assay.train.run.trainer import Training
from assay.train.runtime.compiled_model import Machine, build_machine
from assay.train.runtime.distributed import ALONE, Team
from assay.train.runtime.signals import Stopping

__all__ = ["DivergedError", "Keep", "Pace", "Say", "train_on"]


def train_on(
    bins: Bins,
    output: Path,
    *,
    config: TrainConfig,
    pace: Pace | None = None,
    held_out: HeldOut | None = None,
    machine: Machine | None = None,
    keep: Keep | None = None,
    resume: bool = False,
    resume_from: Path | None = None,
    team: Team = ALONE,
    loggers: list[Logger] | None = None,
    start: Start | None = None,
    stopping: Stopping | None = None,
    say: Say | None = None,
) -> Run:
    """Train a model, score the held-out documents, and seal the folder.

    An unfinished folder goes on from its last checkpoint, on the CPU to the same bits. What the
    same call finished is opened, but with `resume`, a team or `held_out`: the folder holds too
    little of those. SIGINT and SIGTERM end the step and save it; a second stops at once.

    Args:
        bins: What to train on.
        output: A folder that is new, empty, or left unfinished or finished by the same call.
        config: All that decides the weights, but the data.
        pace: Intervals in steps.
        held_out: Documents to score at the end; by default the val documents of `bins`.
        machine: A model of the same shape to train anew, in place; saves compiling again.
        keep: What stays beside weights and losses; by default the moments.
        resume: Refuse to begin anew; settings may change as `resume.resume_leg` says.
        resume_from: A checkpoint of another run to go on from; settings may change likewise.
        team: The processes that share each step; the first of them writes.
        loggers: What gets the lines of the metrics too; closed at the end.
        start: Weights, and moments, to begin with; by default weights are drawn.
        stopping: What notes the signals, entered already; by default this run notes them.
        say: Called with a line of progress at each log interval.

    Raises:
        DivergedError: The loss or gradient is no number; step and documents are told.
        Interrupted: A signal asked for it; where the run goes on is told.
        UsageError: Bins too small, a folder taken or begun otherwise, a machine of another shape.
        IntegrityError: A bin is not what its manifest says.
    """
    keep, pace, loggers = keep or Keep(), pace or Pace(), loggers or []
    if team.size == 1 and held_out is None and not resume:
        run = _find_finished(output, bins, config, keep, pace, start, resume_from)
        if run is not None:
            return _open_again(run, loggers, say)
    bins.check()
    held_out = load_held_out(bins) if held_out is None else held_out
    machine = _find_machine(machine, config, bins, start)
    job = Job(bins, output, config, pace, held_out, machine, team, keep, start)
    with ExitStack() as stack:
        training = _open_training(job, loggers, say, stack)
        training.begin(resume, resume_from)
        _train(training, stopping or stack.enter_context(_note_signals(team)))
    team.wait()
    return open_run(output)


def _open_training(job: Job, loggers: list[Logger], say: Say | None, stack: ExitStack) -> Training:
    """Claim the folder and open what the run writes to and reads from; the stack closes it."""
    if job.team.leads:
        stack.enter_context(claim_folder(job.output, "run"))
    metrics = stack.enter_context(Metrics(job.output, loggers))
    job.team.wait()
    training = Training(job, metrics, say)
    stack.callback(training.batches.close)
    return training


def _find_finished(
    output: Path,
    bins: Bins,
    config: TrainConfig,
    keep: Keep,
    pace: Pace,
    start: Start | None,
    origin: Path | None,
) -> Run | None:
    init = start.sha256 if start else ""
    return find_run(
        output, bins, config, keep=keep, interval=pace.checkpoint, init=init, origin=origin
    )


def _open_again(run: Run, loggers: list[Logger], say: Say | None) -> Run:
    for logger in loggers:
        logger.finish()
    if say:
        say(say_again(run.folder, "run", "trained"))
    return run


def _find_machine(
    machine: Machine | None, config: TrainConfig, bins: Bins, start: Start | None
) -> Machine:
    """Return the machine at hand if it is of the right shape, or a new one."""
    if machine is None:
        rows = start.fit_rows(bins.vocab_size) if start else None
        return build_machine(config, bins.vocab_size, rows=rows)
    if len(machine.model.wte.weight) < bins.vocab_size:
        known = len(machine.model.wte.weight)
        raise UsageError(f"the machine knows {known:,} ids, {bins.folder} has {bins.vocab_size:,}")
    if not machine.fits(config):
        raise UsageError("the machine was built for other settings; build one for these")
    return machine


def _note_signals(team: Team) -> Stopping:
    word = "stopping: this step is ended and saved; a second signal stops at once"
    # torchrun sends each process several signals, and ends one that does not stop itself.
    return Stopping(word if team.leads else "", patient=team.size > 1)


def _train(training: Training, stopping: Stopping) -> None:
    output = training.job.output
    try:
        training.go(stopping)
    except torch.OutOfMemoryError as error:
        raise AssayError(
            f"{output}: {training.stepper.micro_batch} windows at once are too much "
            "for the device's memory; lower --micro_batch, or leave it at auto"
        ) from error
    training.finish(stopping)
    if stopping.asked:  # while it was sealed
        raise Interrupted(f"interrupted when {output} was finished", stopping.asked)
