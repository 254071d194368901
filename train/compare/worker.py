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
from assay.formats.train_config import TrainConfig
from assay.train.compare.run_executor import Task, Workshop
from assay.train.run.evaluate import HeldOut, load_held_out
from assay.train.run.train import DivergedError, Pace
from assay.train.runtime.signals import Stopping


class ScoredSet(msgspec.Struct, frozen=True):
    """A set of documents to score: whose val documents, how many, which of them leaked."""

    bins: str
    most: int
    leaked: list[int]


class Setup(msgspec.Struct, frozen=True):
    """What holds for all runs of a process; `pace` is log, evaluate, checkpoint."""

    device: str
    threads: int
    pace: tuple[int, int, int]
    sets: list[ScoredSet]


class Order(msgspec.Struct, frozen=True):
    """One run to train."""

    label: str
    bins: str
    folder: str
    config: TrainConfig
    also: str


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of progress, or the end of a task."""

    say: str | None = None
    done: bool = False
    failed: str | None = None
    diverged: bool = False
    exit_code: int = 5


def work() -> None:
    """Train until the input ends, or until a signal asks to stop.

    Several signals are one wish: a terminal's goes to all processes, and is passed on to this one.
    """
    with Stopping(patient=True) as stopping:
        lines = sys.stdin.buffer
        shop = _open_shop(msgspec.json.decode(lines.readline(), type=Setup), stopping)
        for line in lines:
            if stopping.asked:
                return
            _carry_out(shop, msgspec.json.decode(line, type=Order))


def _open_shop(setup: Setup, stopping: Stopping) -> Workshop:
    torch.set_num_threads(setup.threads)
    documents = [_load(each) for each in setup.sets]
    return Workshop(
        documents[0],
        documents[1] if len(documents) > 1 else None,
        Pace(*setup.pace),
        say=lambda line: _answer(Answer(say=line)),
        device=setup.device,
        stopping=stopping,
    )


def _carry_out(shop: Workshop, order: Order) -> None:
    bins = open_bins(Path(order.bins))
    task = Task(order.label, bins, Path(order.folder), order.config, Path(order.also))
    try:
        shop.carry_out(task)
    except (AssayError, Interrupted) as error:
        _answer(
            Answer(
                failed=str(error),
                diverged=isinstance(error, DivergedError),
                exit_code=error.exit_code,
            )
        )
    else:
        _answer(Answer(done=True))


def _load(setup: ScoredSet) -> HeldOut:
    documents = load_held_out(open_bins(Path(setup.bins)), most=setup.most)
    leaked_J = np.zeros(documents.start_J.size, np.bool_)
    leaked_J[setup.leaked] = True
    return documents.mark_leaked(leaked_J)


def _answer(answer: Answer) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    work()
