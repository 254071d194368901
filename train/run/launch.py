"""Set up a run, in one process or in several, and carry it out."""

from collections.abc import Sequence
from contextlib import ExitStack

import msgspec
import torch

from assay.errors import AssayError, Interrupted
from assay.formats.run import CKPT_PT, Run, open_run
from assay.formats.train_config import record_config
from assay.storage.recipe import say_again
from assay.storage.sealed_folder import claim_folder
from assay.terminal.progress import Log
from assay.train.checkpoints.checkpoint import find_checkpoint, read_vocab_rows
from assay.train.checkpoints.nanogpt_checkpoint import check_exportable
from assay.train.run.evaluate import HeldOut, load_held_out
from assay.train.run.finish import finish_run
from assay.train.run.metrics import Logger, MetricsWriter, open_loggers
from assay.train.run.recipe import RunRequest, find_run
from assay.train.run.trainer import Trainer
from assay.train.runtime.compiled_model import CompiledModel, compile_model
from assay.train.runtime.distributed import SINGLE_PROCESS, ProcessGroup, join_process_group
from assay.train.runtime.signals import StopSignals


def launch_run(request: RunRequest, *, log_to: Sequence[str] = (), log: Log | None = None) -> Run:
    """Train in this process, or in those that torchrun started; what is finished is opened.

    Raises:
        UsageError: A logger is missing, or nanoGPT cannot hold the model; before training.
        And what `run_training` raises.
    """
    if request.retention.ckpt_pt:
        check_exportable(request.config, request.output / CKPT_PT)
    with join_process_group(request.config.device) as (group, device):
        if group.size > 1 and (run := _find_together(request, group)) is not None:
            if log and group.is_rank0:
                log(say_again(request.output, "run", "trained"))
            return run
        # The device of this process is not the run's: it would be resumed on one for all.
        here = msgspec.structs.replace(request.config, device=device)
        compiled = compile_model(here, request.bins.vocab_size, rows=_find_rows(request))
        loggers = open_loggers(
            log_to if group.is_rank0 else (), request.output, record_config(request.config)
        )
        return run_training(request, compiled=compiled, group=group, loggers=loggers, log=log)


def run_training(
    request: RunRequest,
    *,
    compiled: CompiledModel,
    held_out: HeldOut | None = None,
    group: ProcessGroup = SINGLE_PROCESS,
    loggers: Sequence[Logger] = (),
    signals: StopSignals | None = None,
    log: Log | None = None,
) -> Run:
    """Train a model, score the held-out documents, and seal the folder.

    An unfinished folder is resumed at its last checkpoint, on the CPU to the same bits. SIGINT and
    SIGTERM end the step and save it; a second signal stops at once.

    Args:
        request: What to train.
        compiled: A model of the same shape, which is trained in place.
        held_out: Documents to score at the end; by default the val documents of the bins.
        group: The processes that share each step; rank 0 writes.
        loggers: What gets the numbers of the metrics, too; closed at the end.
        signals: What notes the signals, entered already; by default this run notes them.
        log: Called with a line of progress at each log interval.

    Raises:
        DivergedError: The loss or gradient is not finite; the message has step and documents.
        Interrupted: A signal asked for it; the message says where the run can be resumed.
        UsageError: Bins too small, a folder that is taken or was begun otherwise.
        IntegrityError: A bin is not what its manifest says.
    """
    request.bins.check()
    held_out = load_held_out(request.bins) if held_out is None else held_out
    assert compiled.fits(request.config)
    with ExitStack() as stack:
        if group.is_rank0:
            stack.enter_context(claim_folder(request.output, "run"))
        for logger in loggers:
            stack.callback(logger.finish)
        metrics = MetricsWriter(request.output, loggers)
        group.barrier()
        trainer = Trainer(request, compiled, held_out, group, metrics, log)
        stack.callback(trainer.batches.close)
        trainer.resume()
        if signals is None:
            message = "stopping after this step, which is saved; a second signal stops at once"
            # torchrun sends each process several signals, and ends one that does not stop itself.
            signals = stack.enter_context(
                StopSignals(message if group.is_rank0 else "", absorb=group.size > 1)
            )
        _train(trainer, signals)
    group.barrier()
    return open_run(request.output)


def _train(trainer: Trainer, signals: StopSignals) -> None:
    output = trainer.request.output
    try:
        trainer.train(signals)
    except torch.OutOfMemoryError as error:
        raise AssayError(
            f"{output}: {trainer.stepper.micro_batch} windows at once do not fit into the "
            "device's memory; lower micro_batch, or leave it at auto"
        ) from error
    if trainer.group.is_rank0:
        finish_run(trainer, signals)
    if signals.received:  # while it was sealed
        raise Interrupted(f"interrupted when {output} was finished", signals.received)


def _find_together(request: RunRequest, group: ProcessGroup) -> Run | None:
    """Have rank 0 look whether the run is finished; all processes go by what it finds."""
    run, refusal = None, None
    if group.is_rank0:
        try:
            run = find_run(request)
        except AssayError as error:
            refusal = error
    code = group.broadcast(refusal.exit_code if refusal else int(run is not None))
    if refusal is not None:
        raise refusal
    if code > 1:  # rank 0 says why
        raise SystemExit(code)
    return run or (open_run(request.output) if code else None)


def _find_rows(request: RunRequest) -> int | None:
    """Find how many ids the checkpoint has embeddings for that a run starts from; None if none."""
    if request.initial is not None:
        return request.initial.check_vocab_rows(request.bins.vocab_size)
    saved = find_checkpoint(request.output) or request.resume_from
    resumes = request.resume or request.resume_from is not None
    return read_vocab_rows(saved) if resumes and saved is not None else None
