"""Train one model on one folder of bins."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import torch

import assay
from assay.artifacts import Manifest, claim_folder, enter_file, hash_manifest, seal_folder
from assay.bins import Bins
from assay.errors import AssayError, UsageError
from assay.publish import publish_bytes
from assay.tables import LOSSES as LOSSES_SCHEMA
from assay.tables import write_table
from assay.train.batches import Batches, WindowOrder
from assay.train.checkpoint import (
    MODEL,
    OPTIMIZER,
    STATE,
    State,
    check_same_run,
    find_checkpoint,
    load_checkpoint,
    name_checkpoint,
    read_state,
    remove_checkpoints,
    save_checkpoint,
)
from assay.train.config import TrainConfig
from assay.train.evaluate import HeldOut, Scores, load_held_out, score_documents
from assay.train.machine import Machine, build_machine, wait_for
from assay.train.optim import learning_rate_at, make_optimizer
from assay.train.runs import LOSSES, METRICS, Run, open_run

Say = Callable[[str], None]


class DivergedError(AssayError):
    """The loss or the gradient became infinite or not a number."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a run logs, scores held-out documents and saves itself, in steps; 0: never."""

    log: int = 20
    evaluate: int = 0
    checkpoint: int = 500


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
        resume: Refuse to begin anew.
        say: Called with a line of progress at each log interval.

    Raises:
        DivergedError: The loss or gradient is no number; the step and its windows are told.
        UsageError: The bins are too small, the folder is taken, or it was begun with other
            settings or data.
        IntegrityError: A bin is not what its manifest says.
    """
    bins.check()
    held_out = load_held_out(bins) if held_out is None else held_out
    machine = build_machine(config, bins.vocab_size) if machine is None else machine
    with claim_folder(output, "run"):
        training = _Training(bins, output, config, pace or Pace(), held_out, machine, say)
        training.begin(resume)
        training.go()
        training.finish(keep_optimizer)
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
        say: Say | None,
    ) -> None:
        ids = bins.map_ids("train")
        self.output, self.config, self.pace = output, config, pace
        self.held_out, self.machine, self.say = held_out, machine, say
        self.bins_hash = hash_manifest(bins.folder)
        self.tokenizer = bins.manifest.tokenizer
        self.order = WindowOrder(config.seed, ids.size, config.block_size)
        self.batches = Batches(ids, self.order, machine.device)
        machine.model.reset(config.seed)
        machine.model.train()
        self.optimizer = make_optimizer(machine.model, config)
        self.step, self.loss_steps = 0, 0
        self.loss_sum = torch.zeros((), device=machine.device)
        self.seconds, self.mark = 0.0, (0, 0.0)

    def begin(self, resume: bool) -> None:
        """Go on from the checkpoint in the folder, if there is one."""
        saved = find_checkpoint(self.output)
        kept = b""
        if saved is not None:
            state = read_state(saved)
            check_same_run(state, self.config, self.bins_hash, self.output)
            load_checkpoint(saved, self.machine.model, self.optimizer)
            self.step, self.loss_steps = state.step, state.loss_steps
            self.loss_sum.fill_(state.loss_sum)
            lines = (self.output / METRICS).read_bytes().splitlines(keepends=True)
            kept = b"".join(line for line in lines if _step_of(line) <= state.step)
            if self.say:
                self.say(f"{self.output} goes on from step {state.step:,}")
        elif resume:
            raise UsageError(f"{self.output} has no checkpoint to resume; leave --resume out")
        publish_bytes(self.output / METRICS, kept)

    def go(self) -> None:
        """Train until the last step."""
        model, config, device = self.machine.model, self.config, self.machine.device
        micro, forward = config.batch_size, self.machine.forward
        limit = config.grad_clip or float("inf")
        bad = torch.full((), -1, dtype=torch.int64, device=device)
        wait_for(device)
        self.mark = (self.step, time.monotonic())

        while self.step < config.max_iters:
            # ---- the learning rate, and dropout's seed, follow from the step alone
            rate = learning_rate_at(self.step, config)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            if config.dropout:
                torch.manual_seed(config.seed * 1_000_003 + self.step)

            # ---- one step; nothing here waits for the device
            loss = torch.zeros((), device=device)
            for part in range(config.gradient_accumulation_steps):
                first = (self.step * config.gradient_accumulation_steps + part) * micro
                inputs_BT, target_BT = self.batches.fetch(first, micro)
                part_loss = forward(inputs_BT, target_BT) / config.gradient_accumulation_steps
                part_loss.backward()  # type: ignore[no-untyped-call]
                loss += part_loss.detach()
            norm = torch.nn.utils.clip_grad_norm_(model.parameters(), limit)
            wrong = ~torch.isfinite(loss + norm) & (bad < 0)
            bad.masked_fill_(wrong, self.step)
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
            self.loss_sum += loss
            self.step, self.loss_steps = self.step + 1, self.loss_steps + 1

            # ---- now and then: look, write, save
            last = self.step == config.max_iters
            if last or self.step == 1 or _due(self.step, self.pace.log):
                self._refuse_divergence(int(bad.item()))
                self._log(rate, float(norm.item()))
            if not last and _due(self.step, self.pace.checkpoint):
                self._refuse_divergence(int(bad.item()))
                saved = name_checkpoint(self.output, self.step)
                self._save(saved)
                remove_checkpoints(self.output, but=saved)

    def finish(self, keep_optimizer: bool) -> None:
        """Score the held-out documents, write the weights, seal."""
        scores = self._score()
        entry = write_table(self.output / LOSSES, scores.to_table(), LOSSES_SCHEMA)
        self._save(self.output, keep_optimizer)
        names = [MODEL, STATE, METRICS] + [OPTIMIZER] * keep_optimizer
        outputs = [entry, *(enter_file(self.output / name, self.output) for name in names)]
        seal_folder(
            self.output,
            Manifest(
                kind="run",
                tool=assay.__version__,
                settings={"config": msgspec.to_builtins(self.config)},
                inputs=[],
                outputs=outputs,
                tokenizer=self.tokenizer,
                totals=self._count(scores),
                parents={"bins": self.bins_hash},
            ),
        )
        remove_checkpoints(self.output)

    def _count(self, scores: Scores) -> dict[str, float | int | None]:
        windows = self._windows()
        loss = scores.loss_nats
        return {
            "steps": self.step,
            "parameters": self.machine.model.num_parameters,
            "tokens_seen": windows * self.config.block_size,
            "unique_tokens_seen": self.order.unique_tokens(windows),
            "epoch": windows * self.config.block_size / self.order.num_ids,
            "held_out_documents": int(scores.nats_J.size),
            "held_out_tokens": int(scores.tokens_J.sum()),
            "loss_nats": loss if loss == loss else None,
        }

    def _windows(self) -> int:
        return self.step * self.config.batch_size * self.config.gradient_accumulation_steps

    def _score(self) -> Scores:
        return score_documents(
            self.machine.model, self.held_out, self.machine.device, self.config.eval_batch_size
        )

    def _log(self, rate: float, norm: float) -> None:
        """Append a line to the metrics; the one place in the loop that waits for the device."""
        loss = float(self.loss_sum.item()) / self.loss_steps
        self.loss_sum.zero_()
        self.loss_steps = 0
        now = time.monotonic()
        steps, seconds = self.step - self.mark[0], now - self.mark[1]
        speed = steps * self.config.tokens_per_step / max(seconds, 1e-9)
        peak = self.machine.peak_flops
        windows = self._windows()
        line: dict[str, float | int | None] = {
            "step": self.step,
            "tokens_seen": windows * self.config.block_size,
            "epoch": windows * self.config.block_size / self.order.num_ids,
            "unique_tokens_seen": self.order.unique_tokens(windows),
            "loss": loss,
            "lr": rate,
            "grad_norm": norm,
            "tokens_per_second": speed,
            "mfu": speed * self.machine.flops_per_token / peak if peak else None,
        }
        if _due(self.step, self.pace.evaluate) and self.held_out.start_J.size:
            line["held_out_loss"] = self._score().loss_nats
        with (self.output / METRICS).open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")
        if self.say:
            left = (self.config.max_iters - self.step) * self.config.tokens_per_step / speed
            self.say(
                f"step {self.step:,}/{self.config.max_iters:,}  loss {loss:.4f}  "
                f"{speed:,.0f} tokens/s  {left:,.0f} s left"
            )
        self.mark = (self.step, time.monotonic())

    def _save(self, folder: Path, keep_optimizer: bool = True) -> None:
        folder.mkdir(exist_ok=True)
        state = State(
            step=self.step,
            config=self.config,
            bins=self.bins_hash,
            loss_sum=float(self.loss_sum.item()),
            loss_steps=self.loss_steps,
            files=[],
        )
        optimizer = self.optimizer if keep_optimizer else None
        save_checkpoint(folder, self.machine.model, optimizer, state)

    def _refuse_divergence(self, bad: int) -> None:
        if bad < 0:
            return
        per_step = self.config.batch_size * self.config.gradient_accumulation_steps
        first = self.order.starts(bad * per_step, 1)[0]
        raise DivergedError(
            f"{self.output}: loss or gradient is not a finite number at step {bad + 1:,} (its "
            f"first window begins at id {first:,} of train.bin); lower learning_rate"
        )


def _due(step: int, interval: int) -> bool:
    return interval > 0 and step % interval == 0


def _step_of(line: bytes) -> int:
    try:
        return int(msgspec.json.decode(line)["step"])
    except (msgspec.DecodeError, KeyError):
        return 1 << 62  # the torn last line of a killed run
