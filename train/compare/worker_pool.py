"""Carry out tasks: here, or on several devices at once, a process each.

A process gets each run to train as a line of JSON and replies in lines of JSON; runs are handed
over as sealed folders. Each run is computed by one process alone, as it would be here.
"""

import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import msgspec
import torch

from assay.errors import AssayError, Interrupted
from assay.formats.run import Run, open_run
from assay.train.compare.plan import ComparisonPlan
from assay.train.compare.worker import WorkerReply, WorkerSet, WorkerSetup, WorkerTask
from assay.train.run.divergence import DivergedError
from assay.train.run.executor import RunExecutor, RunTask
from assay.train.runtime.signals import StopSignals

Process = subprocess.Popen[bytes]


def run_tasks(
    tasks: Sequence[RunTask], executor: RunExecutor, plan: ComparisonPlan, devices: Sequence[str]
) -> list[Run]:
    """Carry out tasks and return their runs in the tasks' order.

    Args:
        tasks: What to train.
        executor: What trains them here, where there are not several devices.
        plan: What is scored.
        devices: Where there are several, a process trains on each.

    Raises:
        DivergedError: A run diverged: of several the first in the tasks' order.
        Interrupted: A signal asked for it; every run under way saved itself.
        AssayError: A process failed otherwise; what was finished stays.
    """
    if len(devices) < 2:
        return [executor.execute(task) for task in tasks]
    WorkerPool(tasks, executor, plan).run(devices)
    return [open_run(task.folder) for task in tasks]


class WorkerPool:
    """Processes that take tasks from one list until it is empty or one of them fails."""

    def __init__(
        self, tasks: Sequence[RunTask], executor: RunExecutor, plan: ComparisonPlan
    ) -> None:
        self.tasks, self.executor, self.plan = tasks, executor, plan
        self.next, self.lock = 0, threading.Lock()
        self.failed: dict[int, AssayError] = {}
        self.processes: list[Process] = []
        message = "stopping: each run ends its step and is saved; a second signal stops at once"
        self.signals = StopSignals(message, forward=self._stop_all)

    def run(self, devices: Sequence[str]) -> None:
        """Start a process and a thread for each device, and wait for all."""
        with self.signals:
            self._wait_for_all(devices)
        if self.signals.received:
            raise Interrupted(
                "interrupted; the runs that were under way are saved, rerun the same command to "
                "resume",
                self.signals.received,
            )
        if self.failed:
            raise self.failed[min(self.failed)]

    def _wait_for_all(self, devices: Sequence[str]) -> None:
        with ThreadPoolExecutor(len(devices)) as pool, ExitStack() as held:
            for _ in devices[: len(self.tasks)]:
                process = held.enter_context(_start())
                held.callback(process.kill)  # its work is done, or is to end at once
                self.processes.append(process)
            for _ in pool.map(self._serve, self.processes, devices):
                pass  # each is waited for

    def _stop_all(self) -> None:
        for process in self.processes:
            process.terminate()  # a worker saves its run then; harmless where it has ended

    def _serve(self, process: Process, device: str) -> None:
        """Hand tasks to one process, one at a time."""
        place = -1
        try:
            _send(process, self._make_setup(device))
            while (place := self._take()) >= 0:
                _send(process, _make_task(self.tasks[place]))
                self._listen(process, place)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            early = AssayError(
                f"the process on {device} ended early ({error}); see above, and rerun the same "
                "command to resume"
            )
            with self.lock:
                self.failed.setdefault(max(place, 0), early)
        finally:
            assert process.stdin is not None
            with suppress(OSError):
                process.stdin.close()  # a process ends with its input

    def _take(self) -> int:
        with self.lock:
            if self.failed or self.signals.received or self.next >= len(self.tasks):
                return -1
            self.next += 1
            return self.next - 1

    def _listen(self, process: Process, place: int) -> None:
        """Pass on a process's lines of progress until its task is done or has failed."""
        assert process.stdout is not None
        for line in process.stdout:
            reply = msgspec.json.decode(line, type=WorkerReply)
            with self.lock:
                if reply.log and self.executor.log:
                    self.executor.log(reply.log)
                if reply.failed is not None:
                    error = (DivergedError if reply.diverged else AssayError)(reply.failed)
                    error.exit_code = reply.exit_code
                    self.failed[place] = error
            if reply.log is None:
                return
        raise OSError("it closed its output")

    def _make_setup(self, device: str) -> WorkerSetup:
        plan = self.plan
        return WorkerSetup(
            device=device,
            threads=torch.get_num_threads(),
            intervals=self.executor.intervals,
            sets=[
                WorkerSet(
                    bins=str(each.bins.folder),
                    max_documents=plan.design.held_out_documents,
                    leaked=each.documents.leaked_J.nonzero()[0].tolist(),
                )
                for each in (plan.primary, plan.also)
                if each is not None
            ],
        )


def _make_task(task: RunTask) -> WorkerTask:
    return WorkerTask(
        label=task.label,
        bins=str(task.bins.folder),
        folder=str(task.folder),
        config=task.config,
        also=str(task.also),
        coupled=[str(each.folder) for each in task.coupled.arms] if task.coupled else [],
        place=task.coupled.place if task.coupled else 0,
    )


def _start() -> Process:
    return subprocess.Popen(
        [sys.executable, "-m", "assay.train.compare.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def _send(process: Process, message: msgspec.Struct) -> None:
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(message) + b"\n")
    process.stdin.flush()
