"""A run while it trains: where it stands, its loop, and what it saves on the way."""

import signal
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import torch

from assay.errors import Interrupted, UsageError
from assay.formats.run import (
    KEPT_PREFIX,
    LAST_PREFIX,
    ComputeSegment,
    MetricsLine,
    extend_segments,
)
from assay.storage.manifest import hash_manifest
from assay.terminal.numbers import number_of
from assay.terminal.progress import Log
from assay.train.checkpoints import checkpoint as checkpoints
from assay.train.checkpoints.checkpoint import TrainState, find_checkpoint, read_state
from assay.train.checkpoints.resume import ScheduleSegment, check_origin, resume_segment
from assay.train.data.batches import Batches
from assay.train.data.coupled_arms import open_windows
from assay.train.run.divergence import locate_divergence
from assay.train.run.evaluate import HeldOut, Scores, score_documents
from assay.train.run.metrics import MetricsWriter, describe_line
from assay.train.run.recipe import RunRequest
from assay.train.run.step import Stepper
from assay.train.runtime.compiled_model import CompiledModel
from assay.train.runtime.device import name_device, name_dtype, synchronize
from assay.train.runtime.distributed import ProcessGroup
from assay.train.runtime.memory import fits_resident
from assay.train.runtime.signals import StopSignals

_VOTE_INTERVAL = 20  # steps after which processes that log nothing vote on whether to stop


class Trainer:
    """What a run holds while it trains."""

    def __init__(
        self,
        request: RunRequest,
        compiled: CompiledModel,
        held_out: HeldOut,
        group: ProcessGroup,
        metrics: MetricsWriter,
        log: Log | None,
    ) -> None:
        self.request, self.compiled, self.held_out = request, compiled, held_out
        self.config, self.group, self.metrics = request.config, group, metrics
        self.log: Log = log if log and group.is_rank0 else lambda line: None
        self.bins_hash, device = hash_manifest(request.bins.folder), compiled.device
        self.company = request.coupled.sha256 if request.coupled else ""
        self.data = open_windows(request.bins, self.config, request.coupled)
        self.order, ids_N = self.data.order, self.data.ids_N
        resident = fits_resident(device, ids_N.size)
        self.batches = Batches(ids_N, self.order, device, resident=resident)
        compiled.model.init_weights(self.config.seed)
        self.init = request.init_hash
        self.stepper = Stepper(compiled, self.config, self.batches.fetch, group)
        if request.initial is not None:
            request.initial.load_into(compiled.model, self.stepper.optimizer)
        self.segment = ScheduleSegment(self.config, 0, [], [])
        self.step, self.windows, self._loss_steps = 0, 0, 0
        self._loss_sum = torch.zeros((), device=device)
        self._timed_step, self._timed_at = 0, 0.0  # of the last line of the metrics
        self._scored: tuple[int, Scores] | None = None
        self.computed: tuple[ComputeSegment, ...] = ()

    @property
    def steps_left(self) -> int:
        """Steps until the budget is spent."""
        return self.config.steps_after(self.windows)

    def resume(self) -> None:
        """Continue from the checkpoint in the folder, if there is one, or from another run's.

        Raises:
            UsageError: There is none and there has to be, or it has as many steps as the budget.
        """
        request, output = self.request, self.request.output
        own = find_checkpoint(output)
        saved = own or request.resume_from
        if saved is not None:
            self._load(saved, moved=own is None)
        elif request.resume:
            raise UsageError(f"{output} has no checkpoint; leave resume out", "resume")
        here = ComputeSegment(
            step=self.step,
            device=name_device(self.compiled.device),
            dtype=name_dtype(self.compiled.dtype),
            torch=str(torch.__version__),
            processes=self.group.size,
        )
        self.computed = extend_segments(self.computed, here)
        # The folder's own last checkpoint may be of the last step: only its scores are missing.
        complete = own is not None and not self.segment.notes
        if not self.steps_left and not complete:
            raise UsageError(
                f"{saved or output} has {self.step:,} steps already, and the budget is "
                f"{self.config.max_iters:,}; raise max_iters or tokens",
                "max_iters",
                "tokens",
            )
        last = self.step + self.steps_left
        request.retention.refuse_beyond(last)
        kept, interval = checkpoints.list_kept_checkpoints(output), request.intervals.checkpoint
        if missed := request.retention.describe_missed(self.step, last, interval, kept):
            self.log(missed)
        if self.group.is_rank0:
            self.metrics.truncate_after(self.step)
        self.log(self._describe_work())

    def _load(self, saved: Path, moved: bool) -> None:
        """Restore a checkpoint; `moved` if it is another run's."""
        request, state = self.request, read_state(saved)
        where = saved if moved else request.output
        may_change = request.resume or request.resume_from is not None
        if may_change and request.initial is None:  # what is not named stays as it was
            self.init = state.init
        self.segment = resume_segment(
            state, self.config, self.bins_hash, self.init, where, may_change, self.company
        )
        if request.resume_from is not None:
            self.segment = check_origin(
                self.segment, state, request.resume_from, moved, request.output
            )
        checkpoints.load_checkpoint(saved, self.compiled.model, self.stepper.optimizer)
        self.stepper.restore_scale(state.scale, state.left_out)
        self.step, self.windows = state.step, state.windows
        self.computed = state.computed
        if not moved:  # another run's lines are not here: nothing to add to
            self._loss_steps = state.loss_steps
            self._loss_sum.fill_(state.loss_sum)
        origin = f" from {saved}" if moved else ""
        self.log(f"{request.output} resumes{origin} at step {self.step:,}")
        for note in self.segment.notes:
            self.log(note)

    def train(self, signals: StopSignals) -> None:
        """Train until the budget is spent.

        Raises:
            Interrupted: A signal asked for it; the last step is saved.
            DivergedError: The loss or the gradient is not a finite number.
        """
        stepper, intervals = self.stepper, self.request.intervals
        per_step, end = self.config.windows_per_step, self.step + self.steps_left
        synchronize(self.compiled.device)
        self._timed_step, self._timed_at = self.step, time.monotonic()
        while self.step < end:
            # ---- one step; the learning rate follows from the windows seen
            position = (self.windows - self.segment.start) / per_step
            rate = self.segment.schedule.learning_rate_at(position)
            stepper.take(self.step, self.windows, rate)
            self._loss_sum += stepper.loss
            self.step, self.windows = self.step + 1, self.windows + per_step
            self._loss_steps += 1
            # ---- now and then: look, write, save
            due = [_is_due(self.step, each) for each in (intervals.log, intervals.evaluate)]
            if self.step in (1, end) or any(due):
                self._refuse_divergence()
                self._write_metrics(rate)
            if self.step == end:
                break
            retention = self.request.retention
            saves = self.step in retention.steps or _is_due(self.step, intervals.checkpoint)
            stops = self._vote_to_stop(signals)
            if saves or stops:
                self._refuse_divergence()
                self.save_checkpoint(kept=saves and retention.keeps(self.step))
            if stops:
                self.group.barrier()
                raise self.interrupt(signals, end)

    def _vote_to_stop(self, signals: StopSignals) -> bool:
        """Tell whether to stop here; several processes vote, where they wait anyway."""
        if self.group.size == 1:
            return signals.received > 0
        if not _is_due(self.step, self.request.intervals.log or _VOTE_INTERVAL):
            return False
        votes = torch.full((1,), float(signals.received > 0), device=self.compiled.device)
        self.group.all_reduce(votes)
        return votes.item() > 0

    def interrupt(self, signals: StopSignals, end: int) -> Interrupted:
        """Make the error that says where a stopped run of `end` steps can be resumed."""
        saved = find_checkpoint(self.request.output)
        return Interrupted(
            f"interrupted after step {self.step:,} of {end:,}, saved in {saved}; rerun the same "
            "command to resume",
            signals.received or signal.SIGTERM,  # another process of the group received it
        )

    def score(self, check: Callable[[], None] | None = None) -> Scores:
        """Score the held-out documents, once a step; `check` is called before each batch."""
        if self._scored is None or self._scored[0] != self.step:
            compiled, batch = self.compiled, self.config.eval_batch_size
            scores = score_documents(compiled.model, self.held_out, compiled.device, batch, check)
            self._scored = self.step, scores
        return self._scored[1]

    def _write_metrics(self, rate: float) -> None:
        """Write a line of the metrics; the one place in the loop that waits for the device."""
        loss = float(self._loss_sum.item()) / self._loss_steps
        self._loss_sum.zero_()
        self._loss_steps = 0
        if self.group.is_rank0:
            steps, seconds = self.step - self._timed_step, time.monotonic() - self._timed_at
            line = self._make_line(loss, rate, steps, seconds)
            self.metrics.write(line)
            self.log(describe_line(line, self.steps_left, self.steps_left * seconds / steps))
        self._timed_step, self._timed_at = self.step, time.monotonic()

    def _make_line(self, loss: float, rate: float, steps: int, seconds: float) -> MetricsLine:
        tokens = self.windows * self.order.block_size
        speed = steps * self.config.tokens_per_step / max(seconds, 1e-9)
        compiled, peak = self.compiled, self.compiled.peak_flops
        scores = _is_due(self.step, self.request.intervals.evaluate) and len(self.held_out)
        return MetricsLine(
            step=self.step,
            tokens_seen=tokens,
            epoch=tokens / self.order.num_ids,
            unique_tokens_seen=self.order.unique_tokens(self.windows),
            loss=loss,
            lr=rate,
            grad_norm=float(self.stepper.norm.item()),
            tokens_per_second=speed,
            mfu=speed * compiled.flops_per_token / peak / self.group.size if peak else None,
            left_out_steps=self.stepper.left_out if self.stepper.is_scaled else None,
            held_out_loss=self.score().loss_nats if scores else None,
        )

    def save_checkpoint(self, *, kept: bool) -> None:
        """Save where the run stands, for good or until the next time."""
        if self.group.is_rank0:
            output = self.request.output
            folder = output / f"{KEPT_PREFIX if kept else LAST_PREFIX}{self.step}"
            self.save(folder)
            checkpoints.remove_checkpoints(output, but=folder)

    def save(self, folder: Path, *, moments: bool = True) -> None:
        """Write weights and state, and the optimizer's moments, to a folder."""
        folder.mkdir(exist_ok=True)
        state = TrainState(
            step=self.step,
            windows=self.windows,
            config=self.config,
            schedule=self.segment.schedule,
            schedule_start=self.segment.start,
            changes=self.segment.changes,
            bins=self.bins_hash,
            init=self.init,
            coupled=self.company or msgspec.UNSET,
            loss_sum=float(self._loss_sum.item()),
            loss_steps=self._loss_steps,
            scale=self.stepper.save_scale(),
            left_out=self.stepper.left_out,
            computed=self.computed,
        )
        optimizer = self.stepper.optimizer if moments else None
        checkpoints.save_checkpoint(folder, self.compiled.model, optimizer, state)

    def _refuse_divergence(self) -> None:
        if (bad := int(self.stepper.bad_step.item())) < 0:
            return
        request, per_step = self.request, self.config.windows_per_step
        position_BT = self.data.positions(self.windows - (self.step - bad) * per_step, per_step)
        raise locate_divergence(request.output, bad, request.bins, position_BT)

    def _describe_work(self) -> str:
        """Describe what is about to be done, and on what."""
        config, compiled, plan = self.config, self.compiled, self.segment.schedule
        windows = number_of(self.stepper.micro_batch, "window")
        several = f" in each of {self.group.size} processes" if self.group.size > 1 else ""
        unfinished = ""
        if plan.schedule != "constant" and plan.decay_steps > plan.max_iters:
            unfinished = f"; the schedule does not finish: lr_decay_iters is {plan.decay_steps:,}"
        epochs = self.steps_left * config.tokens_per_step / self.order.num_ids
        return (
            f"{compiled.model.num_parameters:,} parameters; {self.steps_left:,} steps of "
            f"{config.tokens_per_step:,} tokens, {epochs:.2f} epochs; {compiled.device}, "
            f"{name_dtype(compiled.dtype)}, {windows} at once{several}{unfinished}"
        )


def _is_due(step: int, interval: int) -> bool:
    """Tell whether a step is one of those at an interval; none is at 0."""
    return interval > 0 and step % interval == 0
