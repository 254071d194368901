"""Processes that train for a comparison, and kills of all of it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from assay.errors import AssayError
from assay.formats.train_config import Intervals
from assay.storage.manifest import read_manifest
from assay.train.compare.arms import make_data_arms
from assay.train.compare.compare import compare_arms, compare_bins
from assay.train.compare.design import ComparisonDesign
from tests.support.bins_fixture import draw_documents, make_bins
from tests.support.small_arms import DOCUMENTS, VAL, settings


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def test_two_processes_give_the_verdict_of_one(tmp_path: Path) -> None:
    whole = make_bins(tmp_path / "whole", DOCUMENTS, VAL)
    part = make_bins(tmp_path / "part", DOCUMENTS[:50], VAL)
    target = make_bins(tmp_path / "target", [[1] * 20], draw_documents(7, 24))
    arms, lines = make_data_arms([whole, part], settings()), list[str]()
    design = ComparisonDesign((2,))
    alone = compare_arms(arms, tmp_path / "one", design=design, also=target)

    both = compare_arms(
        arms, tmp_path / "two", design=design, also=target, devices=("cpu", "cpu"), log=lines.append
    )

    assert both.verdict == alone.verdict
    for name in ("runs/0-0", "runs/0-1", "runs/1-0", "runs/1-1"):
        one, two = (folder / name / "losses.parquet" for folder in (alone.folder, both.folder))
        assert one.read_bytes() == two.read_bytes()
    assert any("part, seed 2/2: step 12/12" in line for line in lines)


def test_one_device_that_is_named_is_the_one_that_is_used(tmp_path: Path) -> None:
    bins = [make_bins(tmp_path / name, DOCUMENTS, VAL) for name in "ab"]
    arms, lines = make_data_arms(bins, settings(max_iters=2, device="cuda:7")), list[str]()

    compare_arms(
        arms, tmp_path / "ab", design=ComparisonDesign((1,)), devices=("cpu",), log=lines.append
    )

    assert any("; cpu, float32" in line for line in lines)


def test_a_run_that_diverges_in_a_process_is_reported_as_here(tmp_path: Path) -> None:
    bins = [make_bins(tmp_path / name, DOCUMENTS, VAL) for name in "ab"]
    arms = make_data_arms(bins, settings(learning_rate=1e38, grad_clip=0, warmup_iters=0))

    made = compare_arms(
        arms, tmp_path / "ab", design=ComparisonDesign((1,)), devices=("cpu", "cpu")
    )

    assert made.verdict.verdict == "invalid"
    assert "runs/0-0: loss or gradient is not a finite number" in made.verdict.sentence


def test_a_process_that_cannot_train_is_an_error(tmp_path: Path) -> None:
    bins = [make_bins(tmp_path / name, DOCUMENTS, VAL) for name in "ab"]
    arms = make_data_arms(bins, settings())

    with pytest.raises(AssayError, match="device cuda:77 is not available"):
        compare_arms(
            arms, tmp_path / "ab", design=ComparisonDesign((1,)), devices=("cuda:77", "cuda:77")
        )


SCRIPT = """
import sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from assay.formats.bins import open_bins
from assay.train.compare.compare import compare_bins
from assay.formats.config_checks import make_config
from assay.formats.train_config import Intervals
root = Path(sys.argv[1])
base = {"n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": 16, "batch_size": 8}
compare_bins([open_bins(root / "a"), open_bins(root / "b")], root / "killed", seeds=2,
             config=make_config({**base, "max_iters": 150, "device": "cpu"}),
             also=open_bins(root / "target"), intervals=Intervals(10, 0, 20))
"""


def test_a_comparison_that_was_killed_is_resumed_to_the_bytes_of_one_that_was_not(
    tmp_path: Path,
) -> None:
    for name in "ab":
        make_bins(tmp_path / name, DOCUMENTS, VAL)
    make_bins(tmp_path / "target", [[1] * 20], draw_documents(7, 24))
    generator = np.random.default_rng()
    seed = int(generator.integers(1 << 31))
    generator = np.random.default_rng(seed)
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    for _ in range(2):
        process = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"})
        while process.poll() is None and not (tmp_path / "killed").exists():
            time.sleep(0.02)
        time.sleep(float(generator.uniform(0.05, 0.6)))
        process.send_signal(signal.SIGKILL)
        process.wait()
    finished = subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False)
    if finished.returncode:  # a kill may have come after the end
        assert read_manifest(tmp_path / "killed").kind == "comparison"

    from assay.formats.bins import open_bins

    whole = compare_bins(
        [open_bins(tmp_path / "a"), open_bins(tmp_path / "b")], tmp_path / "whole", seeds=2,
        config=settings(max_iters=150), also=open_bins(tmp_path / "target"),
        intervals=Intervals(10, 0, 20),
    )  # fmt: skip

    for name in ("verdict.json", "also/1-1.parquet", "runs/1-1/losses.parquet"):
        killed = (tmp_path / "killed" / name).read_bytes()
        assert killed == (whole.folder / name).read_bytes(), f"{name}, seed {seed}"
