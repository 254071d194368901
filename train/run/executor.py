"""Carry out runs one after the other with models compiled once, as comparisons and probes do."""

from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np

from assay.errors import UsageError
from assay.formats.bins import Bins
from assay.formats.run import LOSS_COLUMNS, Run, open_run
from assay.formats.train_config import Intervals, TrainConfig, list_differences
from assay.storage.manifest import MANIFEST, hash_manifest
from assay.storage.tables import read_table, write_table
from assay.terminal.progress import Log
from assay.train.checkpoints.checkpoint import load_checkpoint
from assay.train.checkpoints.initial_weights import InitialWeights
from assay.train.data.coupled_arms import CoupledArm
from assay.train.data.window_order import make_order
from assay.train.run.evaluate import HeldOut, score_documents
from assay.train.run.launch import run_training
from assay.train.run.recipe import RunRequest
from assay.train.runtime.compiled_model import CompiledModel, compile_model
from assay.train.runtime.signals import StopSignals
from assay.train.settings.retention import Retention


@dataclass(frozen=True, slots=True)
class RunTask:
    """One run to train: its name in messages, its data, and where it and its second scores go.

    `initial` is what it starts from, where weights are not drawn; `coupled` of which arms it is
    one, where they are trained coupled.
    """

    label: str
    bins: Bins
    folder: Path
    config: TrainConfig
    also: Path
    initial: InitialWeights | None = None
    coupled: CoupledArm | None = None


@dataclass(slots=True)
class RunExecutor:
    """Trains runs and scores them on the same documents; a model is compiled once a shape.

    `also` is a second set to score, `device` where to train, None to leave that to the settings.
    `signals` notes what asks runs to stop, where that is not left to each run.
    """

    held_out: HeldOut
    also: HeldOut | None
    intervals: Intervals
    log: Log | None = None
    device: str | None = None
    signals: StopSignals | None = None
    models: list[CompiledModel] = field(default_factory=list)

    def get_model(
        self, config: TrainConfig, vocab_size: int, initial: InitialWeights | None = None
    ) -> CompiledModel:
        """Return a model of the shape that `config` and `initial` need; compiled once."""
        rows = initial.check_vocab_rows(vocab_size) if initial else None
        config = msgspec.structs.replace(config, device=self.device or config.device)
        for compiled in self.models:
            model = compiled.model
            same = rows in (None, len(model.wte.weight)) and model.config.device == config.device
            if same and compiled.fits(config):
                return compiled
        self.models.append(compile_model(config, vocab_size, rows=rows))
        return self.models[-1]

    def execute(self, task: RunTask) -> Run:
        """Train a run, or open it if it is finished already, and score it on the second set.

        Raises:
            DivergedError: The loss or the gradient is not finite.
            UsageError: What lies there was made with other settings, or of other data.
        """
        if (task.folder / MANIFEST).exists():
            run = self._reuse(task)
        else:
            request = RunRequest(
                bins=task.bins,
                output=task.folder,
                config=task.config,
                intervals=self.intervals,
                retention=Retention(optimizer=False),
                initial=task.initial,
                coupled=task.coupled,
            )
            run = run_training(
                request,
                compiled=self.get_model(task.config, task.bins.vocab_size, task.initial),
                held_out=self.held_out,
                signals=self.signals,
                log=_prefix(self.log, f"{task.label}: "),
            )
        if self.also is not None:
            self._score_also(run, task, self.also)
        return run

    def _reuse(self, task: RunTask) -> Run:
        """Open a finished run of an interrupted comparison, if it is the one that is needed."""
        run, folder = open_run(task.folder), task.folder
        if changed := list_differences(run.config, task.config):
            name = changed[0]
            raise _refuse(
                f"{folder} was trained with {name} {getattr(run.config, name)}, not "
                f"{getattr(task.config, name)}"
            )
        found, needed = run.manifest.parents.get("bins", ""), hash_manifest(task.bins.folder)
        if found != needed:
            raise _refuse(f"{folder} was trained on bins {found[:12]}, not {needed[:12]}")
        company = task.coupled.record() if task.coupled else None
        if run.manifest.settings.get("coupled") != company:
            raise _refuse(f"{folder} was not trained coupled with these arms")
        began = run.manifest.parents.get("init", "")
        wanted = task.initial.sha256 if task.initial else ""
        if began != wanted:
            raise _refuse(
                f"{folder} started from weights {began[:12] or 'drawn by seed'}, not "
                f"{wanted[:12] or 'drawn ones'}"
            )
        scored, held_out = run.read_losses(), self.held_out
        needed_J = zip(held_out.document_J.tolist(), held_out.tokens_J.tolist(), strict=True)
        if scored.select("document", "tokens").rows() != list(needed_J):
            raise _refuse(
                f"{folder} was scored on {scored.height:,} held-out documents, not on these "
                f"{len(held_out):,}"
            )
        return run

    def _score_also(self, run: Run, task: RunTask, also: HeldOut) -> None:
        """Score a run on the second set, unless its losses are there, and of these documents."""
        if task.also.exists():
            scored = read_table(task.also)
            if scored["tokens"].to_list() != also.tokens_J.tolist():
                raise _refuse(
                    f"{task.also} has {scored.height:,} documents, not these {len(also):,}"
                )
            return
        compiled = self.get_model(task.config, task.bins.vocab_size, task.initial)
        load_checkpoint(run.folder, compiled.model, None)
        scores = score_documents(compiled.model, also, compiled.device, task.config.eval_batch_size)
        task.also.parent.mkdir(exist_ok=True)
        write_table(task.also, scores.to_table(), LOSS_COLUMNS)


def refuse_small_bin(bins: Bins, config: TrainConfig) -> None:
    """Refuse bins that have no window of these settings, before anything is trained; UsageError."""
    make_order(config, bins.map_ids("train").size)


def derive_seed(root: int, arm: int, seed: int) -> int:
    """Derive the seed of a run from a root seed, the arm's stream and the repetition."""
    return int(np.random.SeedSequence([root, arm, seed]).generate_state(1)[0])


def _refuse(found: str) -> UsageError:
    return UsageError(f"{found}; use the same, or another output")


def _prefix(log: Log | None, prefix: str) -> Log | None:
    return None if log is None else lambda line: log(prefix + line)
