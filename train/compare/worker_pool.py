"""Carry out tasks: here, or on several devices at once, a process each.

A process is told by a line of JSON what to train and answers in lines of JSON; runs are handed
over as sealed folders. Each run is computed by one process alone, as it would be here.
"""

import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import msgspec
import torch

from assay.errors import AssayError, Interrupted
from assay.formats.run import Run, open_run
from assay.train.compare.plan import Plan
from assay.train.compare.run_executor import Task, Workshop
from assay.train.compare.worker import Answer, Order, ScoredSet, Setup
from assay.train.run.train import DivergedError
from assay.train.runtime.signals import Stopping


@dataclass(frozen=True, slots=True)
class Crew:
    """Who carries out tasks: the workshop here, or a process on each of several devices."""

    shop: Workshop
    plan: Plan
    devices: list[str]


def train_tasks(tasks: Sequence[Task], crew: Crew) -> list[Run]:
    """Carry out tasks and return their runs in the tasks' order.

    Raises:
        DivergedError: A run diverged: of several the first in the tasks' order.
        Interrupted: A signal asked for it; every run that was under way saved itself.
        AssayError: A process failed otherwise; what was finished stays.
    """
    if len(crew.devices) < 2:
        return [crew.shop.carry_out(task) for task in tasks]
    gang = _Gang(tasks, crew)
    gang.work()
    return [open_run(task.folder) for task in tasks]


class _Gang:
    """Processes that take tasks from one list until it is empty or one of them fails."""

    def __init__(self, tasks: Sequence[Task], crew: Crew) -> None:
        self.tasks, self.crew = tasks, crew
        self.next, self.lock = 0, threading.Lock()
        self.failed: dict[int, AssayError] = {}
        self.processes: list[subprocess.Popen[bytes]] = []
        word = "stopping: each run ends its step and saves itself; a second signal stops at once"
        self.stopping = Stopping(word, pass_on=self._stop_all)

    def work(self) -> None:
        """Start a process and a thread for each device, and wait for all."""
        with self.stopping:
            self._wait_for_all()
        if self.stopping.asked:
            raise Interrupted(
                "interrupted; the runs that were under way are saved, and the same command goes on "
                "from there",
                self.stopping.asked,
            )
        if self.failed:
            raise self.failed[min(self.failed)]

    def _wait_for_all(self) -> None:
        threads = []
        try:
            for device in self.crew.devices[: len(self.tasks)]:
                process = _start()
                self.processes.append(process)
                threads.append(threading.Thread(target=self._serve, args=(process, device)))
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            for process in self.processes:
                process.kill()  # its work is done, or is to end at once
                process.wait()
            for thread in threads:
                if thread.ident is not None:
                    thread.join()
            for process in self.processes:
                _close(process)

    def _stop_all(self) -> None:
        for process in self.processes:
            process.terminate()  # to a worker a word to save its run; harmless where it has ended

    def _serve(self, process: "subprocess.Popen[bytes]", device: str) -> None:
        """Hand tasks to one process, one at a time."""
        place = -1
        try:
            _tell(process, self._set_up(device))
            while (place := self._take()) >= 0:
                _tell(process, _order(self.tasks[place]))
                self._listen(process, place)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            with self.lock:
                self.failed.setdefault(
                    max(place, 0),
                    AssayError(
                        f"the process on {device} ended early ({error}); see above, the "
                        "same command goes on"
                    ),
                )
        finally:
            assert process.stdin is not None
            with suppress(OSError):
                process.stdin.close()  # a process ends with its input

    def _take(self) -> int:
        with self.lock:
            if self.failed or self.stopping.asked or self.next >= len(self.tasks):
                return -1
            self.next += 1
            return self.next - 1

    def _listen(self, process: "subprocess.Popen[bytes]", place: int) -> None:
        """Pass on what a process says until its task is done or has failed."""
        assert process.stdout is not None
        for line in process.stdout:
            answer = msgspec.json.decode(line, type=Answer)
            if answer.say and self.crew.shop.say:
                with self.lock:
                    self.crew.shop.say(answer.say)
            if answer.failed is not None:
                kind = DivergedError if answer.diverged else AssayError
                error = kind(answer.failed)
                error.exit_code = answer.exit_code
                with self.lock:
                    self.failed[place] = error
            if answer.done or answer.failed is not None:
                return
        raise OSError("it closed its output")

    def _set_up(self, device: str) -> Setup:
        shop, plan = self.crew.shop, self.crew.plan
        sets = [each for each in (plan.judged, plan.also) if each is not None]
        return Setup(
            device=device,
            threads=torch.get_num_threads(),
            pace=(shop.pace.log, shop.pace.evaluate, shop.pace.checkpoint),
            sets=[
                ScoredSet(
                    bins=str(each.bins.folder),
                    most=plan.terms.most_held_out,
                    leaked=each.documents.leaked_J.nonzero()[0].tolist(),
                )
                for each in sets
            ],
        )


def _order(task: Task) -> Order:
    return Order(
        label=task.label,
        bins=str(task.bins.folder),
        folder=str(task.folder),
        config=task.config,
        also=str(task.also),
    )


def _start() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "assay.train.compare.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def _close(process: "subprocess.Popen[bytes]") -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()


def _tell(process: "subprocess.Popen[bytes]", message: msgspec.Struct) -> None:
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(message) + b"\n")
    process.stdin.flush()
