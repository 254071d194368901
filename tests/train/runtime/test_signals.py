"""Runs that a signal stops: they save themselves first, and are resumed to the same bits."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch

from assay.cli import run
from assay.errors import Interrupted
from assay.formats.bins import Bins
from assay.formats.config_checks import make_config
from assay.formats.run import Run, open_run
from assay.formats.train_config import Intervals
from assay.train.run import trainer as training
from assay.train.run.evaluate import score_documents
from assay.train.runtime.signals import StopSignals
from assay.train.settings.retention import Retention
from tests.support.bins_fixture import draw_documents, make_bins
from tests.support.probes import make_small, probe
from tests.support.runs import compare
from tests.support.runs import train as train_run
from tests.support.small_arms import DOCUMENTS, VAL, settings

SMALL: dict[str, Any] = {
    **{"n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": 16, "batch_size": 4},
    **{"max_iters": 30, "device": "cpu", "dropout": 0.1},
}
WORDS = [f"--{name}={value}" for name, value in SMALL.items()]
INTERVALS = Intervals(log=1, evaluate=0, checkpoint=500)
BOTH = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def bins(tmp_path: Path) -> Bins:
    return make_bins(tmp_path / "bins", draw_documents(0, 40), draw_documents(1, 10))


def signal_at(step: int, *numbers: signal.Signals) -> Callable[[str], None]:
    def log(line: str) -> None:
        if f"step {step}/" in line:
            for number in numbers:
                os.kill(os.getpid(), number)

    return log


def train(bins: Bins, folder: Path, **options: Any) -> Run:
    given = {"config": make_config(SMALL), "intervals": INTERVALS} | options
    return train_run(bins, folder, **given)


def content(folder: Path) -> dict[str, Any]:
    """What a run is, but for how fast it was."""
    names = ("model.safetensors", "optimizer.safetensors", "losses.parquet")
    timed = ("tokens_per_second", "mfu")
    lines = map(msgspec.to_builtins, open_run(folder).read_metrics())
    kept = [{name: line[name] for name in line if name not in timed} for line in lines]
    return {"lines": kept} | {name: (folder / name).read_bytes() for name in names}


@pytest.mark.parametrize(("number", "code"), BOTH, ids=["int", "term"])
def test_a_run_that_receives_a_signal_saves_its_step_and_is_resumed_to_the_same_bits(
    tmp_path: Path, bins: Bins, number: signal.Signals, code: int
) -> None:
    train(bins, tmp_path / "whole")
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)

    with pytest.raises(Interrupted) as stop:
        train(bins, tmp_path / "run", log=signal_at(14, number))

    assert stop.value.exit_code == code
    saved = tmp_path / "run" / "checkpoint-14"
    assert str(stop.value).startswith(f"interrupted after step 14 of 30, saved in {saved}; rerun")
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers
    said: list[str] = []
    train(bins, tmp_path / "run", log=said.append)
    assert said[0] == f"{tmp_path / 'run'} resumes at step 14"
    assert content(tmp_path / "run") == content(tmp_path / "whole")


def test_the_second_signal_stops_at_once(tmp_path: Path, bins: Bins) -> None:
    with pytest.raises(KeyboardInterrupt) as stop:
        train(bins, tmp_path / "run", log=signal_at(14, signal.SIGINT, signal.SIGINT))

    assert not isinstance(stop.value, Interrupted)
    assert not list((tmp_path / "run").glob("checkpoint-*"))


def test_a_run_that_is_stopped_while_it_is_scored_has_all_its_steps(
    tmp_path: Path, bins: Bins, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(bins, tmp_path / "whole")
    score = score_documents

    def score_and_stop(*args: Any) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)
        return score(*args)

    with monkeypatch.context() as patched:
        patched.setattr(training, "score_documents", score_and_stop)
        with pytest.raises(Interrupted, match="after step 30 of 30"):
            train(bins, tmp_path / "run")
    said: list[str] = []
    train(bins, tmp_path / "run", resume=True, log=said.append)

    assert not [line for line in said if line.startswith("step ")], "a step was taken again"
    assert content(tmp_path / "run") == content(tmp_path / "whole")
    assert not list((tmp_path / "run").glob("checkpoint-*"))


def test_a_checkpoint_made_by_a_signal_is_none_of_those_that_are_kept(
    tmp_path: Path, bins: Bins
) -> None:
    keep, intervals = Retention(every=True), Intervals(log=1, evaluate=0, checkpoint=10)
    config = make_config(SMALL)
    for step in (14, 20):
        with pytest.raises(Interrupted):
            train(bins, tmp_path / "run", config=config, intervals=intervals, retention=keep,
                     log=signal_at(step, signal.SIGINT))  # fmt: skip

    made = train(bins, tmp_path / "run", config=config, intervals=intervals, retention=keep)

    assert sorted(path.name for path in made.folder.glob("step-*")) == ["step-10", "step-20"]


def test_steps_to_keep_that_have_passed_are_named(tmp_path: Path, bins: Bins) -> None:
    steps = frozenset({10, 12, 20})
    with pytest.raises(Interrupted):
        train(
            bins,
            tmp_path / "run",
            log=signal_at(14, signal.SIGINT),
            retention=Retention(steps=frozenset({10})),
        )
    said: list[str] = []

    made = train(
        bins,
        tmp_path / "run",
        log=said.append,
        retention=Retention(steps=steps),
    )

    assert "checkpoints after step 12 are not kept: the run resumes at step 14" in said
    assert sorted(path.name for path in made.folder.glob("step-*")) == ["step-10", "step-20"]


def start(*words: str, folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "assay", *words],
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for_lines(process: "subprocess.Popen[str]", files: list[Path], lines: int) -> None:
    deadline = time.monotonic() + 60
    while min(file.read_bytes().count(b"\n") if file.exists() else 0 for file in files) < lines:
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize(("number", "code"), BOTH, ids=["int", "term"])
def test_a_stopped_command_says_where_it_can_be_resumed(
    tmp_path: Path, bins: Bins, number: signal.Signals, code: int
) -> None:
    words = ["train", "bins", "-o", "run", *WORDS, "--max_iters", "20000", "--log-interval", "1"]
    process = start(*words, folder=tmp_path)
    wait_for_lines(process, [tmp_path / "run" / "metrics.jsonl"], 20)

    process.send_signal(number)

    _, said = process.communicate(timeout=60)
    assert process.returncode == code
    (saved,) = (tmp_path / "run").glob("checkpoint-*")
    step = int(saved.name.rpartition("-")[2])
    assert step >= 20
    assert "\nstopping after this step, which is saved; a second signal stops at once\n" in said
    assert said.splitlines()[-1] == (
        f"assay: interrupted after step {step:,} of 20,000, saved in run/{saved.name}; rerun "
        "the same command to resume"
    )


def test_a_stopped_comparison_is_resumed_within_its_run(tmp_path: Path) -> None:
    arms = [make_bins(tmp_path / name, DOCUMENTS, VAL) for name in "ab"]
    whole = compare(arms, tmp_path / "whole", config=settings(), seeds=1)
    intervals = Intervals(1, 0, 500)

    told = "after step 7 of 12, saved in .*/0-0/checkpoint-7; rerun the same command to resume$"
    with pytest.raises(Interrupted, match=told):
        compare(arms, tmp_path / "ab", config=settings(), seeds=1, intervals=intervals,
                     log=signal_at(7, signal.SIGINT))  # fmt: skip
    said: list[str] = []
    made = compare(
        arms, tmp_path / "ab", config=settings(), seeds=1, intervals=intervals, log=said.append
    )

    assert any(line.endswith("runs/0-0 resumes at step 7") for line in said)
    assert made.verdict == whole.verdict


def test_a_stopped_probe_is_resumed_within_its_run(here: Path) -> None:
    small = make_small(here / "small")
    whole = probe(small, here / "whole")
    intervals = Intervals(1, 0, 500)

    with pytest.raises(Interrupted, match=r"after step 7 of 20, saved in .*/checkpoint-7;"):
        probe(small, here / "probe", intervals=intervals, log=signal_at(7, signal.SIGINT))

    assert (here / "probe/runs/old-constant-0/checkpoint-7/state.json").exists()
    assert probe(small, here / "probe", intervals=intervals) == whole


def test_a_signal_to_all_processes_of_a_comparison_saves_each_run(here: Path) -> None:
    for name in "ab":
        make_bins(here / name, DOCUMENTS, VAL)
    words = ["compare", "a", "b", "-o", "ab", *WORDS, "--seeds=1", "--devices=cpu,cpu"]
    words += ["--log-interval=1", "--max_iters=20000"]
    process = start(*words, folder=here)
    runs = [here / "ab" / "runs" / name for name in ("0-0", "1-0")]
    wait_for_lines(process, [run / "metrics.jsonl" for run in runs], 5)

    os.killpg(process.pid, signal.SIGINT)  # as a terminal does; it is passed on, too

    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert said.splitlines()[-1].startswith("assay: interrupted; the runs that were under way are")
    assert [len(list(run.glob("checkpoint-*/state.json"))) for run in runs] == [1, 1]


def test_processes_of_one_run_stop_at_one_step(here: Path) -> None:
    make_bins(here / "bins", DOCUMENTS, VAL)
    words = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "assay"]
    words += ["train", "bins", "-o", "run", *WORDS, "--log-interval=5", "--max_iters=20000"]
    process = subprocess.Popen(
        [sys.executable, *words], cwd=here, env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_for_lines(process, [here / "run" / "metrics.jsonl"], 3)

    process.send_signal(signal.SIGTERM)

    _, said = process.communicate(timeout=60)
    (saved,) = (here / "run").glob("checkpoint-*/state.json")
    step = int(saved.parent.name.rpartition("-")[2])
    assert step % 5 == 0
    assert f"interrupted after step {step:,} of 20,000, saved in run/checkpoint-{step};" in said
    assert run(["train", "bins", "-o", "run", *WORDS, "--resume", f"--max_iters={step + 2}"]) == 0
    assert open_run(here / "run").totals.steps == step + 2


def test_signals_are_left_alone_in_other_threads_and_where_they_are_ignored() -> None:
    old = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with StopSignals() as signals:
            os.kill(os.getpid(), signal.SIGINT)
            assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, old)
    assert signals.received == 0


def test_one_that_absorbs_notes_the_first_signal_and_forwards_it() -> None:
    passed: list[int] = []
    with StopSignals(absorb=True, forward=lambda: passed.append(1)) as signals:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
            os.kill(os.getpid(), number)

    assert signals.received == signal.SIGTERM
    assert passed == [1]
