"""Run a command as a user would, in a new process, and measure the whole tree that it starts."""

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_INTERVAL = 0.2  # seconds between looks at memory; a shorter one takes time from the two cores
_TAIL = 4_000  # bytes of a failed command's output that are shown


@dataclass(frozen=True, slots=True)
class Measurement:
    """One run of one command.

    `cpu_seconds` are of the process and all descendants that were waited for; `peak_pss_mb` is the
    largest sum seen over the tree of memory, shared pages counted once, in 10^6 bytes.
    """

    name: str
    command: tuple[str, ...]
    seconds: float
    cpu_seconds: float
    peak_pss_mb: float
    largest_process_mb: float
    looks: int
    log: str


def pin_cores(num_cores: int) -> list[int]:
    """Keep this process and what it starts on the first `num_cores` cores; empty if it cannot.

    Raises:
        RuntimeError: Fewer cores than asked for may be used.
    """
    if not hasattr(os, "sched_setaffinity"):
        return []
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < num_cores:
        raise RuntimeError(f"the benchmark is for {num_cores} cores, this process has {len(cores)}")
    os.sched_setaffinity(0, cores[:num_cores])
    return cores[:num_cores]


def measure_command(
    name: str, command: Sequence[str], *, folder: Path, environment: Mapping[str, str]
) -> Measurement:
    """Run `command` in `folder` and return what it took; its output goes to `folder`/NAME.log.

    Raises:
        RuntimeError: The command failed; the end of its output is in the message.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            list(command), cwd=folder, env=dict(environment), stdout=output, stderr=output
        )
        watch = _Watch(process.pid)
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
    watch.stop()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        tail = log.read_bytes()[-_TAIL:].decode(errors="replace")
        raise RuntimeError(f"{name} ended with {process.returncode}: {' '.join(command)}\n{tail}")
    return Measurement(
        name=name,
        command=tuple(command),
        seconds=seconds,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_pss_mb=watch.peak / 1e6,
        largest_process_mb=usage.ru_maxrss * 1024 / 1e6,
        looks=watch.looks,
        log=str(log),
    )


class _Watch(threading.Thread):
    """Looks at the memory of a process tree until it is told to stop."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak = 0.0
        self.looks = 0
        self._root = psutil.Process(pid)
        self._done = threading.Event()

    def run(self) -> None:
        """Keep the largest sum over the tree; a process that is gone counts nothing."""
        while True:
            total = 0
            try:
                for process in [self._root, *self._root.children(recursive=True)]:
                    try:
                        total += process.memory_full_info().pss
                    except (psutil.NoSuchProcess, psutil.ZombieProcess, ProcessLookupError):
                        continue  # it ended between the listing and the look
            except psutil.NoSuchProcess:
                return
            self.peak, self.looks = max(self.peak, total), self.looks + 1
            if self._done.wait(_INTERVAL):
                return

    def stop(self) -> None:
        """Look no more, and wait for the last look to end."""
        self._done.set()
        self.join()
