"""Train the runs of a comparison, one after the other, and score them on its documents."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from assay.errors import UsageError
from assay.formats.bins import Bins
from assay.formats.run import LOSS_COLUMNS, Run, open_run
from assay.formats.train_config import EXTRAS, TrainConfig
from assay.storage.manifest import MANIFEST, hash_manifest
from assay.storage.tables import read_table, write_table
from assay.train.checkpoints.checkpoint import load_checkpoint, refuse_other_settings
from assay.train.checkpoints.initial_weights import Start
from assay.train.run.evaluate import HeldOut, score_documents
from assay.train.run.train import Keep, Pace, Say, train_on
from assay.train.runtime.compiled_model import Machine, build_machine
from assay.train.runtime.signals import Stopping

# What a model's shape, and the code compiled for it, depend on.
_SHAPE = (
    *("arch", "n_layer", "n_head", "n_embd", "block_size", "bias", "dropout", "dtype", "device"),
    *("compile", "head", "attention", "deterministic"),
    *EXTRAS,
)


@dataclass(frozen=True, slots=True)
class Task:
    """One run to train: whose it is, on what, where it goes, and where its second scores go.

    `start` is what it begins with, where weights are not drawn.
    """

    label: str
    bins: Bins
    folder: Path
    config: TrainConfig
    also: Path
    start: Start | None = None


@dataclass(slots=True)
class Workshop:
    """What tasks are carried out with; a model is built once for each shape and used again.

    `device` is where to train; None leaves it to the settings. `stopping` notes the signals that
    ask runs to stop, where that is not left to each run.
    """

    held_out: HeldOut
    also: HeldOut | None
    pace: Pace
    say: Say | None = None
    device: str | None = None
    stopping: Stopping | None = None
    machines: list[tuple[TrainConfig, Machine]] = field(default_factory=list)

    def find_machine(
        self, config: TrainConfig, vocab_size: int, start: Start | None = None
    ) -> Machine:
        """Return a model of the shape that `config` and `start` ask for, built if there is none."""
        rows = start.fit_rows(vocab_size) if start else None
        if self.device is not None:
            config = msgspec.structs.replace(config, device=self.device)
        for known, machine in self.machines:
            if same_shape(known, config) and rows in (None, len(machine.model.wte.weight)):
                return machine
        machine = build_machine(config, vocab_size, rows=rows)
        self.machines.append((config, machine))
        return machine

    def carry_out(self, task: Task) -> Run:
        """Train a run, or take it if it is there already, and score it on the second set.

        Raises:
            DivergedError: The loss or the gradient is no number.
            UsageError: What lies there was made by other settings, of other data.
        """
        if (task.folder / MANIFEST).exists():
            run = self._reuse(task)
        else:
            run = train_on(
                task.bins,
                task.folder,
                config=task.config,
                pace=self.pace,
                held_out=self.held_out,
                machine=self.find_machine(task.config, task.bins.vocab_size, task.start),
                keep=Keep(optimizer=False),
                start=task.start,
                stopping=self.stopping,
                say=_prefixed(self.say, f"{task.label}: "),
            )
        if self.also is not None and not self._scored(task, self.also):
            self._score_also(run, task, self.also)
        return run

    def _reuse(self, task: Task) -> Run:
        """Take a finished run of an interrupted comparison, if it is the one that is needed."""
        folder = task.folder
        run = open_run(folder)
        refuse_other_settings(run.config, task.config, folder)
        found, needed = run.manifest.parents.get("bins", ""), hash_manifest(task.bins.folder)
        if found != needed:
            raise UsageError(
                f"{folder} was trained on bins {found[:12]}, this arm is {needed[:12]}; "
                "name another -o"
            )
        began, asked = run.manifest.parents.get("init", ""), task.start and task.start.sha256
        if began != (asked or ""):
            raise UsageError(
                f"{folder} began with weights {began[:12] or 'drawn by seed'}, this one is to "
                f"begin with {(asked or 'drawn ones')[:12]}; name another -o"
            )
        scored = run.read_losses()
        same = (
            scored["document"].to_list() == self.held_out.document_J.tolist()
            and scored["tokens"].to_list() == self.held_out.tokens_J.tolist()
        )
        if not same:
            raise UsageError(
                f"{folder} scored {scored.height:,} held-out documents, this comparison has other "
                f"{self.held_out.start_J.size:,}; name the same ones, or another -o"
            )
        return run

    def _scored(self, task: Task, also: HeldOut) -> bool:
        """Say whether the run's losses on the second set are there, and of these documents."""
        if not task.also.exists():
            return False
        scored = read_table(task.also)
        if scored["tokens"].to_list() == also.tokens_J.tolist():
            return True
        raise UsageError(
            f"{task.also} has {scored.height:,} documents, the second set {also.start_J.size:,} "
            "others; name the same set, or another -o"
        )

    def _score_also(self, run: Run, task: Task, also: HeldOut) -> None:
        machine = self.find_machine(task.config, task.bins.vocab_size, task.start)
        load_checkpoint(run.folder, machine.model, None)
        scores = score_documents(machine.model, also, machine.device, task.config.eval_batch_size)
        task.also.parent.mkdir(exist_ok=True)
        write_table(task.also, scores.to_table(), LOSS_COLUMNS)


def same_shape(one: TrainConfig, other: TrainConfig) -> bool:
    """Say whether runs of both settings can be trained with one model, compiled once."""
    names = [name for name in _SHAPE if name in TrainConfig.__struct_fields__]
    return all(getattr(one, name) == getattr(other, name) for name in names)


def _prefixed(say: Say | None, prefix: str) -> Callable[[str], None] | None:
    if say is None:
        return None
    return lambda line: say(prefix + line)
