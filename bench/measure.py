"""Run a command as a user would, in a new process, and measure the whole tree that it starts.

The watcher must not slow what it watches, with two cores for both. Five times a second it reads
the kernel's own high-water mark of each process (`VmHWM`, 0.02 ms). Where there are several
processes, which share pages, it also sums their PSS, for which the kernel walks page tables: never
for more than half a percent of the time. `watch_seconds` says what all this took.
"""

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_INTERVAL = 0.2  # seconds between looks
_PSS_SHARE = 0.005  # of the time, at most, goes into summing PSS
_TAIL = 4_000  # bytes of a failed command's output that are shown


@dataclass(frozen=True, slots=True)
class Measurement:
    """One run of one command.

    `cpu_seconds` are of the process and all descendants that were waited for. `peak_mb` (10^6
    bytes) is, for a command that is one process, its high-water mark of resident memory; for a
    tree, the largest sum seen of PSS (pages that several share counted once), or the largest
    process's mark where that is more. `peak_pss_mb` is the sum of PSS by
    itself, 0 where it was not looked at. `watch_seconds` of CPU went into looking.
    """

    name: str
    command: tuple[str, ...]
    seconds: float
    cpu_seconds: float
    peak_mb: float
    peak_pss_mb: float
    num_processes: int
    watch_seconds: float
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
    name: str,
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    always_pss: bool = False,
    good_exits: Sequence[int] = (0,),
) -> Measurement:
    """Run `command` in `folder` and return what it took; its output goes to `folder`/NAME.log.

    Args:
        name: What to call it.
        command: Program and arguments.
        folder: Where it runs.
        environment: All it sees of the environment.
        always_pss: Sum PSS of a single process, too.
        good_exits: Exit codes that are no failure.

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
        watch = _Watch(process.pid, always_pss)
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
    watch.stop()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in good_exits:
        tail = log.read_bytes()[-_TAIL:].decode(errors="replace")
        raise RuntimeError(f"{name} ended with {process.returncode}: {' '.join(command)}\n{tail}")
    return Measurement(
        name=name,
        command=tuple(command),
        seconds=seconds,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_mb=max(watch.peak_pss, watch.peak_process) / 1e6,
        peak_pss_mb=watch.peak_pss / 1e6,
        num_processes=watch.num_processes,
        watch_seconds=watch.seconds,
        log=str(log),
    )


def list_tree(pid: int) -> list[int]:
    """Return a process and its descendants, those that are there at the moment."""
    found = [pid]
    for parent in found:
        try:
            for task in os.listdir(f"/proc/{parent}/task"):
                with open(f"/proc/{parent}/task/{task}/children") as file:
                    found += map(int, file.read().split())
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
    return found


def read_memory(pid: int, name: str, *, file: str = "status") -> int:
    """Return a value of `/proc/PID/FILE` in bytes; 0 once the process is gone.

    `VmHWM` of `status` is the high-water mark of resident memory, `Pss` of `smaps_rollup` the
    resident memory with each shared page counted in part.
    """
    try:
        with open(f"/proc/{pid}/{file}") as lines:
            for line in lines:
                if line.startswith(f"{name}:"):
                    return int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        pass
    return 0


class _Watch(threading.Thread):
    """Looks at the memory of a process tree until it is told to stop."""

    def __init__(self, pid: int, always_pss: bool) -> None:
        super().__init__(daemon=True)
        self.peak_pss = 0
        self.peak_process = 0
        self.num_processes = 1
        self.seconds = 0.0
        self._pid = pid
        self._fewest = 1 if always_pss else 2
        self._next_sum = 0.0
        self._done = threading.Event()

    def run(self) -> None:
        """Keep the largest values seen."""
        while not self._done.wait(_INTERVAL if self.peak_process else 0.01):
            tree = list_tree(self._pid)
            self.num_processes = max(self.num_processes, len(tree))
            marks = [read_memory(pid, "VmHWM") for pid in tree]
            self.peak_process = max(self.peak_process, *marks)
            if len(tree) >= self._fewest and time.perf_counter() >= self._next_sum:
                self._sum_pss(tree)
            self.seconds = time.thread_time()

    def stop(self) -> None:
        """Look no more, and wait for the last look to end."""
        self._done.set()
        self.join()

    def _sum_pss(self, tree: Sequence[int]) -> None:
        began = time.perf_counter()
        total = sum(read_memory(pid, "Pss", file="smaps_rollup") for pid in tree)
        self.peak_pss = max(self.peak_pss, total)
        ended = time.perf_counter()
        self._next_sum = ended + (ended - began) / _PSS_SHARE
