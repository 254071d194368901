import os
import threading
import time

import pytest

from assay.engine import count_threads, map_tasks


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_results_come_in_the_order_of_tasks(threads: int) -> None:
    def late_first(number: int) -> int:
        time.sleep(0.002 * (5 - number % 5))
        return number * number

    assert list(map_tasks(late_first, range(30), threads)) == [n * n for n in range(30)]
    assert list(map_tasks(late_first, [], threads)) == []


def test_few_results_wait() -> None:
    begun = 0
    lock = threading.Lock()

    def begin(number: int) -> int:
        nonlocal begun
        with lock:
            begun += 1
        return number

    results = map_tasks(begin, range(1_000), 2)
    for taken in range(1, 50):
        next(results)
        assert begun <= taken + 4
    results.close()  # type: ignore[attr-defined]
    assert begun < 60


def test_the_first_error_ends_the_work() -> None:
    begun: list[int] = []

    def fail_third(number: int) -> int:
        begun.append(number)
        if number == 3:
            raise ValueError("third")
        return number

    results = map_tasks(fail_third, range(1_000), 2)
    with pytest.raises(ValueError, match="third"):
        list(results)
    assert len(begun) < 20


def test_threads_are_as_asked_or_one_a_core(monkeypatch: pytest.MonkeyPatch) -> None:
    assert count_threads(3) == 3
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 5}, raising=False)
    assert count_threads(None) == 2
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert count_threads(None) == 1
