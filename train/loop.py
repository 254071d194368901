"""Train one model on one folder of bins."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import msgspec
import torch

from assay.artifacts import claim_folder, enter_file, hash_manifest
from assay.bins import Bins
from assay.errors import AssayError, UsageError
from assay.tables import LOSSES as LOSSES_SCHEMA
from assay.tables import write_table
from assay.train.batches import Batches
from assay.train.checkpoint import (
    MODEL,
    OPTIMIZER,
    STATE,
    State,
    find_checkpoint,
    load_checkpoint,
    name_checkpoint,
    read_state,
    remove_checkpoints,
    save_checkpoint,
)
from assay.train.config import TrainConfig
from assay.train.diverged import DivergedError
from assay.train.evaluate import HeldOut, Scores, load_held_out, score_documents
from assay.train.machine import Machine, build_machine, wait_for
from assay.train.metrics import Line, Logger, Metrics, Pace, count_seen, describe_line, is_due
from assay.train.nanogpt import NANOGPT, write_nanogpt
from assay.train.optim import learning_rate_at
from assay.train.order import make_order
from assay.train.resume import begin_leg, resume_leg
from assay.train.runs import LOSSES, METRICS, Run, open_run, seal_run
from assay.train.start import Start
from assay.train.step import Stepper
from assay.train.team import ALONE, Team

__all__ = ["DivergedError", "Pace", "Say", "train_on"]

Say = Callable[[str], None]


def train_on(
    bins: Bins,
    output: Path,
    *,
    config: TrainConfig,
    pace: Pace | None = None,
    held_out: HeldOut | None = None,
    machine: Machine | None = None,
    keep_optimizer: bool = True,
    resume: bool = False,
    team: Team = ALONE,
    loggers: list[Logger] | None = None,
    ckpt_pt: bool = False,
    start: Start | None = None,
    say: Say | None = None,
) -> Run:
    """Train a model, score the held-out documents, and seal the folder.

    A folder left unfinished goes on from its last checkpoint; on the CPU to bitwise the losses
    of a run that was never stopped.

    Args:
        bins: What to train on.
        output: A folder that is new, empty, or left unfinished by the same call.
        config: All that decides the weights, but for the data.
        pace: Intervals in steps.
        held_out: Documents to score at the end; by default the val documents of `bins`.
        machine: A model of the same shape to train anew, in place; saves compiling again.
        keep_optimizer: Whether the sealed folder keeps the moments, twice the weights' size.
        resume: Refuse to begin anew; batch, length and learning rate may be others than before
            (see `resume.resume_leg`).
        team: The processes that share each step; the first of them writes.
        loggers: What gets the lines of the metrics too; they are closed at the end.
        ckpt_pt: Write nanoGPT's checkpoint file, too.
        start: Weights, and moments, to begin with; by default weights are drawn.
        say: Called with a line of progress at each log interval.

    Raises:
        DivergedError: The loss or gradient is no number; the step and its documents are told.
        UsageError: The bins are too small, the folder is taken, it was begun with other
            settings or data, or `machine` is of another shape.
        IntegrityError: A bin is not what its manifest says.
    """
    bins.check()
    held_out = load_held_out(bins) if held_out is None else held_out
    machine = build_machine(config, bins.vocab_size) if machine is None else machine
    if not machine.fits(config):
        raise UsageError("the machine was built for other settings; build one for these")
    with ExitStack() as stack:
        if team.leads:
            stack.enter_context(claim_folder(output, "run"))
        metrics = stack.enter_context(Metrics(output, loggers or []))
        team.wait()
        whole = (bins, output, config, pace or Pace(), held_out, machine, team, start)
        training = _Training(*whole, metrics, say)
        stack.callback(training.batches.close)
        training.begin(resume)
        try:
            training.go()
        except torch.OutOfMemoryError as error:
            raise AssayError(
                f"{output}: {training.stepper.micro_batch} windows at once are too much for the "
                "device's memory; lower --micro_batch, or leave it at auto"
            ) from error
        training.finish(keep_optimizer, ckpt_pt)
    team.wait()
    return open_run(output)


class _Training:
    """What a run holds while it goes on."""

    def __init__(
        self,
        bins: Bins,
        output: Path,
        config: TrainConfig,
        pace: Pace,
        held_out: HeldOut,
        machine: Machine,
        team: Team,
        start: Start | None,
        metrics: Metrics,
        say: Say | None,
    ) -> None:
        self.bins, self.output, self.config, self.pace = bins, output, config, pace
        self.held_out, self.machine, self.team = held_out, machine, team
        self.metrics, self.say = metrics, say if team.leads else None
        self.bins_hash = hash_manifest(bins.folder)
        ids = bins.map_ids("train")
        self.order = make_order(config, ids.size)
        self.batches = Batches(ids, self.order, machine.device)
        machine.model.reset(config.seed)
        self.init = start.sha256 if start else ""
        self.stepper = Stepper(machine, config, self.batches.fetch, team)
        if start is not None:
            start.place(machine.model, self.stepper.optimizer)
        self.leg = begin_leg(config)
        self.step, self.windows, self.loss_steps = 0, 0, 0
        self.loss_sum = torch.zeros((), device=machine.device)
        self.mark = (0, 0.0)

    def begin(self, resume: bool) -> None:
        """Go on from the checkpoint in the folder, if there is one."""
        saved = find_checkpoint(self.output)
        if saved is not None:
            state = read_state(saved)
            self.leg = resume_leg(
                state, self.config, self.bins_hash, self.init, self.output, resume
            )
            load_checkpoint(saved, self.machine.model, self.stepper.optimizer)
            self.stepper.restore_scale(state.scale)
            self.step, self.windows, self.loss_steps = state.step, state.windows, state.loss_steps
            self.loss_sum.fill_(state.loss_sum)
            for note in [f"{self.output} goes on from step {self.step:,}", *self.leg.notes]:
                if self.say:
                    self.say(note)
        elif resume:
            raise UsageError(f"{self.output} has no checkpoint to resume; leave --resume out")
        if self.team.leads:
            self.metrics.keep_until(self.step)

    def go(self) -> None:
        """Train until the budget is spent."""
        stepper, per_step = self.stepper, self.config.windows_per_step
        budget = self.config.max_iters * per_step
        wait_for(self.machine.device)
        self.mark = (self.step, time.monotonic())

        while self.windows < budget:
            # ---- one step; the learning rate follows from the windows seen
            position = (self.windows - self.leg.start) / per_step
            rate = learning_rate_at(position, self.leg.schedule)
            stepper.take(self.step, self.windows, rate)
            self.loss_sum += stepper.loss
            self.step, self.windows = self.step + 1, self.windows + per_step
            self.loss_steps += 1

            # ---- now and then: look, write, save
            last = self.windows >= budget
            if last or self.step == 1 or is_due(self.step, self.pace.log):
                self._refuse_divergence()
                self._log(rate)
            if not last and is_due(self.step, self.pace.checkpoint):
                self._refuse_divergence()
                if self.team.leads:
                    saved = name_checkpoint(self.output, self.step)
                    self._save(saved)
                    remove_checkpoints(self.output, but=saved)

    def finish(self, keep_optimizer: bool, ckpt_pt: bool) -> None:
        """Score the held-out documents, write the weights, seal."""
        if not self.team.leads:
            return
        scores = self._score()
        entry = write_table(self.output / LOSSES, scores.to_table(), LOSSES_SCHEMA)
        self._save(self.output, keep_optimizer)
        if ckpt_pt:
            self._export(scores)
        names = [MODEL, STATE, METRICS] + [OPTIMIZER] * keep_optimizer + [NANOGPT] * ckpt_pt
        outputs = [entry, *(enter_file(self.output / name, self.output) for name in names)]
        changes = {"changes": self.leg.changes} if self.leg.changes else {}
        seal_run(
            self.output,
            settings={"config": msgspec.to_builtins(self.config)} | changes,
            outputs=outputs,
            tokenizer=self.bins.manifest.tokenizer,
            totals=self._count(scores),
            parents={"bins": self.bins_hash} | ({"init": self.init} if self.init else {}),
        )
        remove_checkpoints(self.output)

    def _count(self, scores: Scores) -> Line:
        loss = scores.loss_nats
        return {
            "steps": self.step,
            "parameters": self.machine.model.num_parameters,
            **count_seen(self.order, self.windows),
            "held_out_documents": int(scores.nats_J.size),
            "held_out_tokens": int(scores.tokens_J.sum()),
            "loss_nats": loss if loss == loss else None,
        }

    def _score(self) -> Scores:
        return score_documents(
            self.machine.model, self.held_out, self.machine.device, self.config.eval_batch_size
        )

    def _log(self, rate: float) -> None:
        """Write a line of the metrics; the one place in the loop that waits for the device."""
        loss = float(self.loss_sum.item()) / self.loss_steps
        self.loss_sum.zero_()
        self.loss_steps = 0
        if self.team.leads:
            self._write_line(loss, rate)
        self.mark = (self.step, time.monotonic())

    def _write_line(self, loss: float, rate: float) -> None:
        seconds = time.monotonic() - self.mark[1]
        speed = (self.step - self.mark[0]) * self.config.tokens_per_step / max(seconds, 1e-9)
        peak = self.machine.peak_flops
        line: Line = {
            "step": self.step,
            **count_seen(self.order, self.windows),
            "loss": loss,
            "lr": rate,
            "grad_norm": float(self.stepper.norm.item()),
            "tokens_per_second": speed,
            "mfu": speed * self.machine.flops_per_token / peak / self.team.size if peak else None,
        }
        if is_due(self.step, self.pace.evaluate) and self.held_out.start_J.size:
            line["held_out_loss"] = self._score().loss_nats
        self.metrics.write(line)
        if self.say:
            per_step = self.config.windows_per_step
            left = -(-(self.config.max_iters * per_step - self.windows) // per_step)
            self.say(describe_line(line, left, left * self.config.tokens_per_step / speed))

    def _save(self, folder: Path, keep_optimizer: bool = True) -> None:
        folder.mkdir(exist_ok=True)
        state = State(
            step=self.step,
            windows=self.windows,
            config=self.config,
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
        save_checkpoint(folder, self.machine.model, optimizer, state)

    def _export(self, scores: Scores) -> None:
        write_nanogpt(
            self.output / NANOGPT,
            self.machine.model,
            self.stepper.optimizer.adamw,
            config=self.config,
            step=self.step,
            loss_nats=scores.loss_nats,
        )

    def _refuse_divergence(self) -> None:
        bad = int(self.stepper.bad_step.item())
        if bad < 0:
            return
        per_step = self.config.windows_per_step
        start_B = self.order.starts(self.windows - (self.step - bad) * per_step, per_step)
        raise DivergedError.at(self.output, bad, self.bins, start_B, self.config.block_size)
