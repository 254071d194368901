"""A run while it goes on: where it stands, its loop, and what it writes."""

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import torch

from assay.errors import Interrupted, UsageError
from assay.formats import run as run_files
from assay.formats.run import ComputeSegment
from assay.storage.manifest import enter_file, hash_manifest
from assay.storage.tables import write_table
from assay.train.checkpoints import checkpoint as checkpoints
from assay.train.checkpoints.checkpoint import State, find_checkpoint, read_state
from assay.train.checkpoints.nanogpt_checkpoint import write_nanogpt
from assay.train.checkpoints.resume import begin_leg, check_origin, resume_leg
from assay.train.data.batches import Batches
from assay.train.data.window_order import make_order
from assay.train.model.optimizer import learning_rate_at
from assay.train.run.context import Job, Say, announce_run, count_scores, measure_speed
from assay.train.run.divergence import DivergedError
from assay.train.run.evaluate import Scores, score_documents
from assay.train.run.metrics import Line, Metrics, count_seen, describe_line, is_due
from assay.train.run.provenance import go_on_with
from assay.train.run.recipe import make_recipe
from assay.train.run.step import Stepper
from assay.train.runtime.device import wait_for
from assay.train.runtime.signals import Stopping

_AGREE = 20  # steps after which processes that log nothing ask each other whether to stop


class Training:
    """What a run holds while it goes on."""

    def __init__(self, job: Job, metrics: Metrics, say: Say | None) -> None:
        self.job, self.metrics = job, metrics
        self.say: Say = say if say and job.team.leads else lambda line: None
        config, machine = job.config, job.machine
        self.bins_hash = hash_manifest(job.bins.folder)
        ids = job.bins.map_ids("train")
        self.order = make_order(config, ids.size)
        self.batches = Batches(ids, self.order, machine.device)
        machine.model.reset(config.seed)
        self.init = job.start.sha256 if job.start else ""
        self.stepper = Stepper(machine, config, self.batches.fetch, job.team)
        if job.start is not None:
            job.start.place(machine.model, self.stepper.optimizer)
        self.leg = begin_leg(config)
        self.step, self.windows, self.loss_steps = 0, 0, 0
        self.loss_sum = torch.zeros((), device=machine.device)
        self.mark = (0, 0.0)
        self.scored: tuple[int, Scores] | None = None
        self.computed: list[ComputeSegment] = []

    @property
    def steps_left(self) -> int:
        """Steps until the budget is spent."""
        per_step = self.job.config.windows_per_step
        return max(0, -(-(self.job.config.max_iters * per_step - self.windows) // per_step))

    def begin(self, resume: bool, resume_from: Path | None) -> None:
        """Go on from the checkpoint in the folder, if there is one, or from another run's."""
        output = self.job.output
        own = find_checkpoint(output)
        saved = own or resume_from
        if saved is not None:
            self._go_on(saved, own is None, resume or resume_from is not None, resume_from)
        elif resume:
            raise UsageError(f"{output} has no checkpoint to resume; leave --resume out")
        size = self.job.team.size
        self.computed = go_on_with(self.computed, self.step, self.job.machine, size)
        # The folder's own last checkpoint may be of the last step: only its scores are missing.
        complete = own is not None and not self.leg.notes
        if not self.steps_left and not complete:
            raise UsageError(
                f"{saved or output} has {self.step:,} steps, as many as the budget of "
                f"{self.job.config.max_iters:,}; raise --max_iters or --tokens"
            )
        last = self.step + self.steps_left
        self.job.keep.refuse_beyond(last)
        kept, interval = checkpoints.list_kept_steps(output), self.job.pace.checkpoint
        if missed := self.job.keep.tell_missed(self.step, last, interval, kept):
            self.say(missed)
        if self.job.team.leads:
            self.metrics.keep_until(self.step)
        left, ids = self.steps_left, self.order.num_ids
        self.say(announce_run(self.job, self.stepper, left, ids, self.leg.schedule))

    def _go_on(self, saved: Path, moved: bool, asked: bool, origin: Path | None) -> None:
        """Put a checkpoint in place; `moved` if it is another run's."""
        job, state = self.job, read_state(saved)
        where = saved if moved else job.output
        if asked and job.start is None:  # what is not named stays as it was
            self.init = state.init
        self.leg = resume_leg(state, job.config, self.bins_hash, self.init, where, asked)
        if origin is not None:
            self.leg = check_origin(self.leg, state, origin, moved, job.output)
        checkpoints.load_checkpoint(saved, job.machine.model, self.stepper.optimizer)
        self.stepper.restore_scale(state.scale, state.left_out)
        self.step, self.windows = state.step, state.windows
        self.computed = state.computed
        if not moved:  # another run's lines are not here: nothing to go on with
            self.loss_steps = state.loss_steps
            self.loss_sum.fill_(state.loss_sum)
        goes_on = f"{job.output} goes on from {saved if moved else 'step'}"
        self.say(f"{goes_on}, step {self.step:,}" if moved else f"{goes_on} {self.step:,}")
        for note in self.leg.notes:
            self.say(note)

    def go(self, stopping: Stopping) -> None:
        """Train until the budget is spent.

        Raises:
            Interrupted: A signal asked for it; the last step is saved.
        """
        stepper, pace, per_step = self.stepper, self.job.pace, self.job.config.windows_per_step
        end = self.step + self.steps_left
        wait_for(self.job.machine.device)
        self.mark = (self.step, time.monotonic())

        while self.step < end:
            # ---- one step; the learning rate follows from the windows seen
            position = (self.windows - self.leg.start) / per_step
            rate = learning_rate_at(position, self.leg.schedule)
            stepper.take(self.step, self.windows, rate)
            self.loss_sum += stepper.loss
            self.step, self.windows = self.step + 1, self.windows + per_step
            self.loss_steps += 1

            # ---- now and then: look, write, save
            due = [is_due(self.step, each) for each in (pace.log, pace.evaluate)]
            if self.step in (1, end) or any(due):
                self._refuse_divergence()
                self._log(rate)
            if self.step == end:
                break
            saves = self.step in self.job.keep.steps or is_due(self.step, pace.checkpoint)
            stops = self._is_asked(stopping)
            if saves or stops:
                self._refuse_divergence()
                self._save_checkpoint(kept=saves and self.job.keep.keeps(self.step))
            if stops:
                self.job.team.wait()
                raise self._interrupt(stopping, end)

    def _is_asked(self, stopping: Stopping) -> bool:
        """Say whether to stop here; several processes ask each other, where they wait anyway."""
        team = self.job.team
        if team.size == 1:
            return stopping.asked > 0
        if not is_due(self.step, self.job.pace.log or _AGREE):
            return False
        votes = torch.full((1,), float(stopping.asked > 0), device=self.job.machine.device)
        team.sum_up(votes)
        return votes.item() > 0

    def _interrupt(self, stopping: Stopping, end: int) -> Interrupted:
        saved = find_checkpoint(self.job.output)
        return Interrupted(
            f"interrupted after step {self.step:,} of {end:,}, saved in {saved}; the same command "
            "goes on from there",
            stopping.asked or signal.SIGTERM,  # another process of the team was asked
        )

    def finish(self, stopping: Stopping) -> None:
        """Score the held-out documents, write the weights, seal.

        Raises:
            Interrupted: A signal asked for it before all were scored; the last step is saved.
        """
        job, keep = self.job, self.job.keep
        if not job.team.leads:
            return
        scores = self._score(lambda: self._refuse_to_score(stopping))
        entry = write_table(
            job.output / run_files.LOSSES, scores.to_table(), run_files.LOSS_COLUMNS
        )
        self._save(job.output, keep.optimizer)
        if keep.ckpt_pt:
            self._export(scores)
        names = [run_files.MODEL, run_files.STATE, run_files.METRICS]
        names += [run_files.OPTIMIZER] * keep.optimizer + [run_files.NANOGPT] * keep.ckpt_pt
        files = [job.output / name for name in names]
        files += [
            file
            for folder in checkpoints.list_kept(job.output)
            for file in checkpoints.list_files(folder)
        ]
        recipe = make_recipe(job.bins, job.config, changes=self.leg.changes, init=self.init)
        recipe.seal(
            job.output,
            outputs=[entry, *(enter_file(file, job.output) for file in files)],
            totals=self._count(scores),
        )
        checkpoints.remove_checkpoints(job.output)

    def _count(self, scores: Scores) -> dict[str, Any]:
        return {
            "steps": self.step,
            "parameters": self.job.machine.model.num_parameters,
            **count_seen(self.order, self.windows),
            **self.stepper.count_left_out(),
            **count_scores(scores),
            "computed": msgspec.to_builtins(self.computed),
        }

    def _score(self, check: Callable[[], None] | None = None) -> Scores:
        """Score the held-out documents, once a step; `check` is called again and again."""
        if self.scored is None or self.scored[0] != self.step:
            job, model = self.job, self.job.machine.model
            batch = job.config.eval_batch_size
            scores = score_documents(model, job.held_out, job.machine.device, batch, check)
            self.scored = self.step, scores
        return self.scored[1]

    def _refuse_to_score(self, stopping: Stopping) -> None:
        if stopping.asked:
            self._save_checkpoint(kept=False)
            raise self._interrupt(stopping, self.step)

    def _log(self, rate: float) -> None:
        """Write a line of the metrics; the one place in the loop that waits for the device."""
        loss = float(self.loss_sum.item()) / self.loss_steps
        self.loss_sum.zero_()
        self.loss_steps = 0
        if self.job.team.leads:
            self._write_line(loss, rate)
        self.mark = (self.step, time.monotonic())

    def _write_line(self, loss: float, rate: float) -> None:
        taken, seconds = self.step - self.mark[0], time.monotonic() - self.mark[1]
        line: Line = {
            "step": self.step,
            **count_seen(self.order, self.windows),
            "loss": loss,
            "lr": rate,
            "grad_norm": float(self.stepper.norm.item()),
            **measure_speed(self.job, taken, seconds),
            **self.stepper.count_left_out(),
        }
        if is_due(self.step, self.job.pace.evaluate) and self.job.held_out.start_J.size:
            line["held_out_loss"] = self._score().loss_nats
        self.metrics.write(line)
        self.say(describe_line(line, self.steps_left, self.steps_left * seconds / taken))

    def _save_checkpoint(self, *, kept: bool) -> None:
        """Save where the run stands, for good or until the next time."""
        job = self.job
        if job.team.leads:
            saved = checkpoints.name_checkpoint(job.output, self.step, kept=kept)
            self._save(saved)
            checkpoints.remove_checkpoints(job.output, but=saved)

    def _save(self, folder: Path, keep_optimizer: bool = True) -> None:
        folder.mkdir(exist_ok=True)
        state = State(
            step=self.step,
            windows=self.windows,
            config=self.job.config,
            schedule=self.leg.schedule,
            schedule_start=self.leg.start,
            changes=self.leg.changes,
            bins=self.bins_hash,
            init=self.init,
            loss_sum=float(self.loss_sum.item()),
            loss_steps=self.loss_steps,
            scale=self.stepper.save_scale(),
            left_out=self.stepper.left_out,
            computed=self.computed,
        )
        optimizer = self.stepper.optimizer if keep_optimizer else None
        checkpoints.save_checkpoint(folder, self.job.machine.model, optimizer, state)

    def _export(self, scores: Scores) -> None:
        write_nanogpt(
            self.job.output / run_files.NANOGPT,
            self.job.machine.model,
            self.stepper.optimizer.adamw,
            config=self.job.config,
            step=self.step,
            loss_nats=scores.loss_nats,
        )

    def _refuse_divergence(self) -> None:
        bad = int(self.stepper.bad_step.item())
        if bad < 0:
            return
        per_step, block = self.job.config.windows_per_step, self.job.config.block_size
        start_B = self.order.starts(self.windows - (self.step - bad) * per_step, per_step)
        raise DivergedError.at(self.job.output, bad, self.job.bins, start_B, block)
