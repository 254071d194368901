"""Run tasks on threads, results in order, a bounded number under way."""

import ctypes
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


def count_threads(threads: int | None, *, work: int | None = None) -> int:
    """Return how many threads to use: as asked, or one for each core this process may use.

    Args:
        threads: The number asked for, or None.
        work: How many threads there is work for; where none was asked for, no more are used.
    """
    if threads:
        return threads
    cores = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    return cores if work is None else max(1, min(cores, work))


def map_tasks(
    function: Callable[[Task], Result], tasks: Iterable[Task], threads: int
) -> Generator[Result, None, None]:
    """Yield `function(task)` for each task, in the order of the tasks.

    At most `threads + 2` results wait or are worked on, so memory does not grow with the number
    of tasks. The first error ends the work: tasks not begun are not begun.
    """
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for task in tasks:
                waiting.append(pool.submit(function, task))
                if len(waiting) >= threads + 2:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def give_back_memory() -> None:
    """Return freed memory to the system: arrow and glibc keep what their threads let go."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError):  # not glibc
        ctypes.CDLL(None).malloc_trim(0)
