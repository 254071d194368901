"""What a session of tests does before its first test."""

import os
import subprocess
import sys

import pytest

from tests.structure.tree import ROOT
from tests.support import beginning

ASK = "import signal; print(signal.getsignal(signal.SIGINT).__name__)"
SESSION = f"""
import signal, subprocess, sys
from tests.support.beginning import restore_interrupts
assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
restore_interrupts()
subprocess.run([sys.executable, "-c", {ASK!r}], check=True)
"""


def test_what_a_script_started_in_the_background_can_be_interrupted_nevertheless() -> None:
    script = f'"{sys.executable}" -c "$SESSION" & wait'  # a shell without job control

    done = subprocess.run(
        ["sh", "-c", script], cwd=ROOT, env=os.environ | {"SESSION": SESSION}, capture_output=True,
        text=True,
    )  # fmt: skip

    assert done.stdout == "default_int_handler\n", done.stderr


def test_an_interrupt_that_was_not_ignored_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signal.signal", lambda *_: 1 / 0)
    monkeypatch.setattr("signal.getsignal", lambda _: print)

    beginning.restore_interrupts()


@pytest.mark.parametrize(("cores", "workers", "each"), [(2, 2, "1"), (12, 5, "2"), (2, 8, "1")])
def test_workers_share_the_cores(
    monkeypatch: pytest.MonkeyPatch, cores: int, workers: int, each: str
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    for name in beginning.THREADS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "7")  # what the user said stays

    beginning.share_cores(workers)

    found = {name: os.environ.pop(name) for name in beginning.THREADS}
    assert found == dict.fromkeys(beginning.THREADS, each) | {"OMP_NUM_THREADS": "7"}


def test_without_torch_what_asks_for_it_is_skipped_and_nothing_else() -> None:
    finder = beginning.WithoutTorch()

    assert finder.find_spec("json", None) is None
    with pytest.raises(pytest.skip.Exception, match="needs torch"):
        finder.find_spec("torch.nn", None)
