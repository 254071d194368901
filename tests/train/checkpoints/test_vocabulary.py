"""Runs that begin with a checkpoint of an unpadded vocabulary, as GPT-2's 50,257 ids are."""

import os
import signal
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from assay.cli import run
from assay.errors import Interrupted, UsageError
from assay.formats.bins import open_bins
from assay.formats.run import open_run
from assay.formats.train_config import Intervals
from assay.train.checkpoints.checkpoint import read_vocab_rows
from assay.train.checkpoints.initial_weights import read_initial_weights
from assay.train.checkpoints.nanogpt_checkpoint import read_nanogpt
from assay.train.data.window_order import EpochOrder
from assay.train.probe.branch_point import read_branch_point
from assay.train.probe.branches import run_probe
from tests.support.bins_fixture import VOCAB_SIZE, draw_documents, make_bins
from tests.support.runs import train
from tests.train.model.test_nanogpt_parity import draw_nanogpt, make_checkpoint
from tests.twins.gpt import gpt2_loss

BASE = ["--max_iters=8", "--batch_size=4", "--device=cpu", "--log-interval=1"]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _folders(here: Path) -> None:
    val = draw_documents(1, 25)
    make_bins(here / "bins", draw_documents(0, 60), val)
    make_bins(here / "new", draw_documents(2, 60), val)
    save(VOCAB_SIZE)


def save(rows: int) -> None:
    made = make_checkpoint(draw_nanogpt(0, rows))
    made["model_args"]["vocab_size"] = rows
    torch.save(made, f"{rows}.pt")


def begin(*words: str) -> int:
    return run(["train", "bins", "--init-from", f"{VOCAB_SIZE}.pt", *BASE, *words])


def test_the_model_has_the_checkpoints_rows_and_loss_and_gives_them_back() -> None:
    assert begin("-o", "run", "--ckpt-pt") == 0

    made = open_run(Path("run"))
    ids = np.fromfile("bins/train.bin", "<u2")
    window = EpochOrder(0, ids.size, 24).starts(0, 4)[:, None] + np.arange(25)
    ids_BT = torch.from_numpy(ids[window % ids.size].astype(int))
    expected = gpt2_loss(draw_nanogpt(0, VOCAB_SIZE), 2, ids_BT[:, :-1], ids_BT[:, 1:]).item()
    assert made.read_metrics()[0].loss == pytest.approx(expected, abs=1e-5)
    assert read_vocab_rows(Path("run")) == VOCAB_SIZE
    assert read_nanogpt(Path("run/ckpt.pt")).vocab_size == VOCAB_SIZE
    assert run(["score", "run", f"{VOCAB_SIZE}.pt", "--held-out", "bins", "--device", "cpu"]) == 0


@pytest.mark.parametrize("words", [["--init-from", f"{VOCAB_SIZE}.pt", *BASE], ["--resume"]])
def test_a_run_that_was_stopped_is_resumed_with_the_same_rows(words: list[str]) -> None:
    assert begin("-o", "whole") == 0
    whole = open_run(Path("whole"))
    start = read_initial_weights(Path(f"{VOCAB_SIZE}.pt"))

    def log(line: str) -> None:
        if line.startswith("step 3/"):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted):
        train(open_bins(Path("bins")), Path("run"), config=whole.config, initial=start,
                 intervals=Intervals(1, 0, 500), log=log)  # fmt: skip

    assert run(["train", "bins", "-o", "run", *words]) == 0

    made = open_run(Path("run"))
    assert made.manifest.parents == whole.manifest.parents
    for name in ("model.safetensors", "optimizer.safetensors", "losses.parquet"):
        assert (Path("run") / name).read_bytes() == (Path("whole") / name).read_bytes()


def test_a_run_that_started_from_weights_is_resumed_in_another_folder() -> None:
    assert begin("-o", "run", "--keep-checkpoints", "4") == 0

    assert run(["train", "bins", "-o", "on", "--resume-from", "run/step-4"]) == 0
    assert run(["train", "bins", "-o", "more", "--resume-from", "run", "--max_iters=10"]) == 0

    whole, part, more = (open_run(Path(name)) for name in ("run", "on", "more"))
    model = "model.safetensors"
    assert (part.folder / model).read_bytes() == (whole.folder / model).read_bytes()
    assert part.manifest.parents == whole.manifest.parents
    assert more.manifest.totals["steps"] == 10


def test_it_can_be_probed() -> None:
    branch_point = read_branch_point(
        Path(f"{VOCAB_SIZE}.pt"), {"device": "cpu"}, learning_rate=1e-3
    )

    result = run_probe(
        branch_point, open_bins(Path("bins")), open_bins(Path("new")), Path("why"), steps=20
    ).result

    assert [len(branch.losses) for branch in result.branches] == [2, 2, 2, 2]
    assert read_vocab_rows(Path("why/runs/old-constant-0")) == VOCAB_SIZE
    assert msgspec.json.decode(Path("why/manifest.json").read_bytes())["kind"] == "probe"


@pytest.mark.parametrize("rows", [VOCAB_SIZE - 1, 129])
def test_too_few_ids_or_too_many_are_refused(rows: int, capsys: pytest.CaptureFixture[str]) -> None:
    save(rows)

    assert run(["train", "bins", "-o", "run", "--init-from", f"{rows}.pt", *BASE]) == 2

    assert capsys.readouterr().err.splitlines()[-1] == (
        f"assay: {rows}.pt has embeddings of {rows} ids, these bins have 65; needed is a "
        "checkpoint with as many, or padded to 128"
    )
    with pytest.raises(UsageError):
        read_initial_weights(Path(f"{rows}.pt")).check_vocab_rows(VOCAB_SIZE)
