"""A process that trains runs on one device: lines of JSON in, lines of JSON out.

The first line sets it up, each further line is a run to train; it ends with its input.
"""

import sys
from pathlib import Path

import msgspec
import numpy as np
import torch

from assay.errors import AssayError, Interrupted
from assay.formats.bins import open_bins
from assay.formats.train_config import Intervals, TrainConfig
from assay.train.data.coupled_arms import CoupledArm
from assay.train.run.divergence import DivergedError
from assay.train.run.evaluate import HeldOut, load_held_out
from assay.train.run.executor import RunExecutor, RunTask
from assay.train.runtime.signals import StopSignals


class WorkerSet(msgspec.Struct, frozen=True):
    """A set of documents to score: whose val documents, how many, which of them leaked."""

    bins: str
    max_documents: int
    leaked: list[int]


class WorkerSetup(msgspec.Struct, frozen=True):
    """What holds for all runs of a process; `sets` are the held-out documents, the second set."""

    device: str
    threads: int
    intervals: Intervals
    sets: list[WorkerSet]


class WorkerTask(msgspec.Struct, frozen=True):
    """One run to train: a `RunTask` with its paths as text; coupled, also those of all arms."""

    label: str
    bins: str
    folder: str
    config: TrainConfig
    also: str
    coupled: list[str] = []
    place: int = 0


class WorkerReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of progress, or without `log` the end of a task, with what it failed of if it did."""

    log: str | None = None
    failed: str | None = None
    diverged: bool = False
    exit_code: int = 5


def serve_tasks() -> None:
    """Train until the input ends, or until a signal asks to stop.

    Several signals count as one: a terminal's goes to all processes, and is forwarded to this one.
    """
    with StopSignals(absorb=True) as signals:
        lines = sys.stdin.buffer
        executor = _open_executor(msgspec.json.decode(lines.readline(), type=WorkerSetup), signals)
        for line in lines:
            if signals.received:
                return
            _execute(executor, msgspec.json.decode(line, type=WorkerTask))


def _open_executor(setup: WorkerSetup, signals: StopSignals) -> RunExecutor:
    torch.set_num_threads(setup.threads)
    documents = [_load(each) for each in setup.sets]
    return RunExecutor(
        documents[0],
        documents[1] if len(documents) > 1 else None,
        setup.intervals,
        log=lambda line: _reply(WorkerReply(log=line)),
        device=setup.device,
        signals=signals,
    )


def _execute(executor: RunExecutor, task: WorkerTask) -> None:
    bins, folder, also = open_bins(Path(task.bins)), Path(task.folder), Path(task.also)
    arms = tuple(open_bins(Path(each)) for each in task.coupled)
    coupled = CoupledArm(arms, task.place) if arms else None
    try:
        executor.execute(RunTask(task.label, bins, folder, task.config, also, coupled=coupled))
    except (AssayError, Interrupted) as error:
        diverged = isinstance(error, DivergedError)
        _reply(WorkerReply(failed=str(error), diverged=diverged, exit_code=error.exit_code))
    else:
        _reply(WorkerReply())


def _load(setup: WorkerSet) -> HeldOut:
    documents = load_held_out(open_bins(Path(setup.bins)), max_documents=setup.max_documents)
    leaked_J = np.zeros(len(documents), np.bool_)
    leaked_J[setup.leaked] = True
    return documents.mark_leaked(leaked_J)


def _reply(reply: WorkerReply) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(reply) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    serve_tasks()
