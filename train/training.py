"""A run while it goes on: where it stands, its loop, and what it writes."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import torch

from assay.artifacts import enter_file, hash_manifest
from assay.bins import Bins
from assay.errors import UsageError
from assay.tables import LOSSES as LOSSES_SCHEMA
from assay.tables import write_table
from assay.train.batches import Batches
from assay.train.checkpoint import (
    MODEL,
    OPTIMIZER,
    STATE,
    State,
    find_checkpoint,
    list_files,
    list_kept,
    load_checkpoint,
    name_checkpoint,
    read_state,
    remove_checkpoints,
    save_checkpoint,
)
from assay.train.config import TrainConfig
from assay.train.diverged import DivergedError
from assay.train.evaluate import HeldOut, Scores, score_documents
from assay.train.keep import Keep
from assay.train.machine import Machine, wait_for
from assay.train.metrics import Line, Metrics, Pace, count_seen, describe_line, is_due
from assay.train.nanogpt import NANOGPT, write_nanogpt
from assay.train.optim import learning_rate_at
from assay.train.order import make_order
from assay.train.resume import begin_leg, check_origin, resume_leg
from assay.train.runs import LOSSES, METRICS, seal_run
from assay.train.start import Start
from assay.train.step import Stepper
from assay.train.team import Team

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Job:
    """A run as it was asked for; as `loop.train_on` has it."""

    bins: Bins
    output: Path
    config: TrainConfig
    pace: Pace
    held_out: HeldOut
    machine: Machine
    team: Team
    keep: Keep
    start: Start | None


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
        if not self.steps_left:
            raise UsageError(
                f"{saved or output} has {self.step:,} steps, as many as the budget of "
                f"{self.job.config.max_iters:,}; raise --max_iters or --tokens"
            )
        last, there = self.step + self.steps_left, [path.name for path in list_kept(output)]
        self.job.keep.refuse_beyond(last)
        if missed := self.job.keep.tell_missed(self.step, last, self.job.pace.checkpoint, there):
            self.say(missed)
        if self.job.team.leads:
            self.metrics.keep_until(self.step)
        self.say(self._announce())

    def _go_on(self, saved: Path, moved: bool, asked: bool, origin: Path | None) -> None:
        """Put a checkpoint in place; `moved` if it is another run's."""
        job, state = self.job, read_state(saved)
        where = saved if moved else job.output
        self.leg = resume_leg(state, job.config, self.bins_hash, self.init, where, asked)
        if origin is not None:
            self.leg = check_origin(self.leg, state, origin, moved, job.output)
        load_checkpoint(saved, job.machine.model, self.stepper.optimizer)
        self.stepper.restore_scale(state.scale)
        self.step, self.windows = state.step, state.windows
        if not moved:  # another run's lines are not here: nothing to go on with
            self.loss_steps = state.loss_steps
            self.loss_sum.fill_(state.loss_sum)
        goes_on = f"{job.output} goes on from {saved if moved else 'step'}"
        self.say(f"{goes_on}, step {self.step:,}" if moved else f"{goes_on} {self.step:,}")
        for note in self.leg.notes:
            self.say(note)

    def go(self) -> None:
        """Train until the budget is spent."""
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
            named = self.step in self.job.keep.steps
            if self.step < end and (named or is_due(self.step, pace.checkpoint)):
                self._refuse_divergence()
                self._save_checkpoint()

    def finish(self) -> None:
        """Score the held-out documents, write the weights, seal."""
        job, keep = self.job, self.job.keep
        if not job.team.leads:
            return
        scores = self._score()
        entry = write_table(job.output / LOSSES, scores.to_table(), LOSSES_SCHEMA)
        self._save(job.output, keep.optimizer)
        if keep.ckpt_pt:
            self._export(scores)
        names = [MODEL, STATE, METRICS] + [OPTIMIZER] * keep.optimizer + [NANOGPT] * keep.ckpt_pt
        files = [job.output / name for name in names]
        files += [file for folder in list_kept(job.output) for file in list_files(folder)]
        changes = {"changes": self.leg.changes} if self.leg.changes else {}
        seal_run(
            job.output,
            settings={"config": msgspec.to_builtins(job.config)} | changes,
            outputs=[entry, *(enter_file(file, job.output) for file in files)],
            tokenizer=job.bins.manifest.tokenizer,
            totals=self._count(scores),
            parents={"bins": self.bins_hash} | ({"init": self.init} if self.init else {}),
        )
        remove_checkpoints(job.output)

    def _announce(self) -> str:
        """Say what is about to be done, and on what."""
        config, machine, order = self.job.config, self.job.machine, self.order
        tokens = self.steps_left * config.tokens_per_step
        several = f" in each of {self.job.team.size} processes" if self.job.team.size > 1 else ""
        windows = "window" if self.stepper.micro_batch == 1 else "windows"
        plan = self.leg.schedule
        unfinished = ""
        if plan.schedule != "constant" and plan.decay_steps > plan.max_iters:
            unfinished = (
                f"; the schedule is not finished then: lr_decay_iters is {plan.decay_steps:,}"
            )
        return (
            f"{machine.model.num_parameters:,} parameters; {self.steps_left:,} steps of "
            f"{config.tokens_per_step:,} tokens, {tokens / order.num_ids:.2f} epochs; "
            f"{machine.device}, {str(machine.dtype).removeprefix('torch.')}, "
            f"{self.stepper.micro_batch:,} {windows} at once{several}{unfinished}"
        )

    def _count(self, scores: Scores) -> Line:
        return {
            "steps": self.step,
            "parameters": self.job.machine.model.num_parameters,
            **count_seen(self.order, self.windows),
            "held_out_documents": int(scores.nats_J.size),
            "held_out_tokens": int(scores.tokens_J.sum()),
            "loss_nats": _or_none(scores.loss_nats),
            "bits_per_byte": _or_none(scores.bits_per_byte),
        }

    def _score(self) -> Scores:
        """Score the held-out documents, once a step."""
        if self.scored is None or self.scored[0] != self.step:
            machine, batch = self.job.machine, self.job.config.eval_batch_size
            scores = score_documents(machine.model, self.job.held_out, machine.device, batch)
            self.scored = self.step, scores
        return self.scored[1]

    def _log(self, rate: float) -> None:
        """Write a line of the metrics; the one place in the loop that waits for the device."""
        loss = float(self.loss_sum.item()) / self.loss_steps
        self.loss_sum.zero_()
        self.loss_steps = 0
        if self.job.team.leads:
            self._write_line(loss, rate)
        self.mark = (self.step, time.monotonic())

    def _write_line(self, loss: float, rate: float) -> None:
        machine, per_step = self.job.machine, self.job.config.tokens_per_step
        seconds = time.monotonic() - self.mark[1]
        speed = (self.step - self.mark[0]) * per_step / max(seconds, 1e-9)
        peak = machine.peak_flops
        share = speed * machine.flops_per_token / peak / self.job.team.size if peak else None
        line: Line = {
            "step": self.step,
            **count_seen(self.order, self.windows),
            "loss": loss,
            "lr": rate,
            "grad_norm": float(self.stepper.norm.item()),
            "tokens_per_second": speed,
            "mfu": share,
        }
        if is_due(self.step, self.job.pace.evaluate) and self.job.held_out.start_J.size:
            line["held_out_loss"] = self._score().loss_nats
        self.metrics.write(line)
        self.say(describe_line(line, self.steps_left, self.steps_left * per_step / speed))

    def _save_checkpoint(self) -> None:
        """Save where the run stands, for good or until the next time."""
        job = self.job
        if job.team.leads:
            saved = name_checkpoint(job.output, self.step, kept=job.keep.keeps(self.step))
            self._save(saved)
            remove_checkpoints(job.output, but=saved)

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
        )
        optimizer = self.stepper.optimizer if keep_optimizer else None
        save_checkpoint(folder, self.job.machine.model, optimizer, state)

    def _export(self, scores: Scores) -> None:
        write_nanogpt(
            self.job.output / NANOGPT,
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


def _or_none(value: float) -> float | None:
    return value if value == value else None
