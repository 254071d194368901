from pathlib import Path
from typing import Any

import pytest
import torch

from assay.errors import InputError, IntegrityError, UsageError
from assay.formats.bins import Bins
from assay.formats.config_checks import make_config
from assay.formats.run import Run, open_run
from assay.formats.train_config import Intervals, TrainConfig
from assay.storage.manifest import check_file, hash_manifest
from assay.train.checkpoints.checkpoint import find_checkpoint
from assay.train.run.divergence import DivergedError
from tests.support.bins_fixture import draw_documents, make_bins
from tests.support.runs import train

SETTINGS: dict[str, Any] = {
    "n_layer": 1,
    "n_head": 2,
    "n_embd": 16,
    "block_size": 16,
    "batch_size": 4,
    "max_iters": 30,
    "device": "cpu",
}
INTERVALS = Intervals(log=4, evaluate=0, checkpoint=7)


class StoppedError(Exception):
    """What a test raises where a user would pull the plug."""


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def bins(tmp_path: Path) -> Bins:
    return make_bins(tmp_path / "bins", draw_documents(0, 40), draw_documents(1, 10))


def stop_at(step: int) -> Any:
    def log(line: str) -> None:
        if line.startswith(f"step {step}/"):
            raise StoppedError

    return log


def losses(run: Run) -> list[tuple[int, float, float, int]]:
    return [
        (line.step, line.loss, line.grad_norm, line.unique_tokens_seen)
        for line in run.read_metrics()
    ]


def settings(**changes: Any) -> TrainConfig:
    return make_config({**SETTINGS, **changes})


def test_a_run_learns_and_counts(tmp_path: Path, bins: Bins) -> None:
    config = settings(max_iters=300, n_embd=32, batch_size=8)

    run = train(bins, tmp_path / "run", config=config, intervals=Intervals(50, 100, 0))

    lines = run.read_metrics()
    assert [line.step for line in lines] == [1, 50, 100, 150, 200, 250, 300]
    assert lines[0].loss > 4 > 3 > lines[-1].loss
    assert [line.step for line in lines if line.held_out_loss is not None] == [100, 200, 300]
    assert lines[-1].held_out_loss == run.loss_nats
    assert lines[-1].tokens_seen == 300 * 8 * 16
    assert lines[-1].epoch == pytest.approx(300 * 8 * 16 / (40 * 61))
    assert lines[-1].unique_tokens_seen == 40 * 61
    assert lines[-1].mfu is None
    assert run.manifest.parents == {"bins": hash_manifest(bins.folder)}
    for entry in run.manifest.outputs:
        check_file(run.folder, entry)
    table = run.read_losses()
    assert table["nats"].sum() / table["tokens"].sum() == run.loss_nats
    assert table["bytes"].to_list() == [120] * 10


@pytest.mark.parametrize("changes", [{}, {"dropout": 0.2, "gradient_accumulation_steps": 2}])
@pytest.mark.parametrize("stop", [8, 20, 30])
def test_a_run_that_was_stopped_is_resumed_to_bitwise_the_same_losses(
    tmp_path: Path, bins: Bins, changes: dict[str, Any], stop: int
) -> None:
    config = settings(**changes)
    whole = train(bins, tmp_path / "whole", config=config, intervals=INTERVALS)
    with pytest.raises(StoppedError):
        train(bins, tmp_path / "run", config=config, intervals=INTERVALS, log=stop_at(stop))
    with pytest.raises(InputError, match="unfinished"):
        open_run(tmp_path / "run")

    resumed = train(bins, tmp_path / "run", config=config, intervals=INTERVALS, resume=True)

    assert losses(resumed) == losses(whole)
    assert resumed.read_losses().equals(whole.read_losses())
    weights = [(run.folder / "model.safetensors").read_bytes() for run in (whole, resumed)]
    assert weights[0] == weights[1]
    assert find_checkpoint(resumed.folder) is None


def test_held_out_documents_are_scored_as_asked_whatever_is_logged(
    tmp_path: Path, bins: Bins
) -> None:
    lines: list[str] = []

    run = train(
        bins, tmp_path / "run", config=settings(), intervals=Intervals(8, 5, 0), log=lines.append
    )

    scored = [line.step for line in run.read_metrics() if line.held_out_loss is not None]
    assert scored == [5, 10, 15, 20, 25, 30]
    assert [line.step for line in run.read_metrics()] == [1, 5, 8, 10, 15, 16, 20, 24, 25, 30]
    assert lines[0].endswith("; cpu, float32, 4 windows at once")
    assert "nats/token (held-out " in lines[-1]
    train(bins, tmp_path / "cut", config=settings(lr_decay_iters=90, max_iters=2), log=lines.append)
    assert "the schedule does not finish: lr_decay_iters is 90" in lines[-3]


def test_a_checkpoint_without_its_state_counts_for_nothing(tmp_path: Path, bins: Bins) -> None:
    config = settings()
    with pytest.raises(StoppedError):
        train(bins, tmp_path / "run", config=config, intervals=INTERVALS, log=stop_at(16))
    torn = tmp_path / "run" / "checkpoint-21"
    torn.mkdir()
    (torn / "model.safetensors").write_bytes(b"half")
    lines: list[str] = []

    run = train(bins, tmp_path / "run", config=config, intervals=INTERVALS, log=lines.append)

    assert "resumes at step 14" in lines[0]
    assert losses(run) == losses(
        train(bins, tmp_path / "whole", config=config, intervals=INTERVALS)
    )


def test_a_checkpoint_that_was_altered_is_refused(tmp_path: Path, bins: Bins) -> None:
    with pytest.raises(StoppedError):
        train(bins, tmp_path / "run", config=settings(), intervals=INTERVALS, log=stop_at(8))
    path = tmp_path / "run" / "checkpoint-7" / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)

    with pytest.raises(IntegrityError, match="has sha256"):
        train(bins, tmp_path / "run", config=settings(), intervals=INTERVALS)


def test_other_settings_or_data_cannot_resume(tmp_path: Path, bins: Bins) -> None:
    with pytest.raises(StoppedError):
        train(bins, tmp_path / "run", config=settings(), intervals=INTERVALS, log=stop_at(8))
    other = make_bins(tmp_path / "other", draw_documents(5, 40), draw_documents(1, 10))

    with pytest.raises(UsageError, match=r"trained with learning_rate 0\.003, not 0\.1"):
        train(bins, tmp_path / "run", config=settings(learning_rate=0.1))
    found, needed = hash_manifest(bins.folder)[:12], hash_manifest(other.folder)[:12]
    with pytest.raises(UsageError, match=f"bins {found}, these are {needed}"):
        train(other, tmp_path / "run", config=settings())


def test_resume_refuses_to_begin(tmp_path: Path, bins: Bins) -> None:
    with pytest.raises(UsageError, match="has no checkpoint; leave resume out"):
        train(bins, tmp_path / "run", config=settings(), resume=True)


def test_a_finished_run_is_not_written_over(tmp_path: Path, bins: Bins) -> None:
    train(bins, tmp_path / "run", config=settings(max_iters=2))

    with pytest.raises(UsageError, match=r"finished run already, .* \(max_iters\)"):
        train(bins, tmp_path / "run", config=settings(max_iters=3))
    with pytest.raises(UsageError, match="finished run"):
        train(bins, tmp_path / "run", config=settings(max_iters=2), resume=True)


def test_divergence_stops_with_its_step_and_its_place(tmp_path: Path, bins: Bins) -> None:
    config = settings(learning_rate=1e38, grad_clip=0, warmup_iters=0)

    with pytest.raises(
        DivergedError, match=r"at step \d+; .* at id [\d,]+ of train\.bin, hold doc"
    ):
        train(bins, tmp_path / "run", config=config)


def test_bins_that_were_altered_are_refused(tmp_path: Path, bins: Bins) -> None:
    path = bins.folder / "train.bin"
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(data)

    with pytest.raises(IntegrityError, match=r"train\.bin has sha256"):
        train(bins, tmp_path / "run", config=settings())
    assert not (tmp_path / "run").exists()


def test_seeds_differ_and_a_seed_repeats_itself(tmp_path: Path, bins: Bins) -> None:
    runs = [
        train(bins, tmp_path / name, config=settings(seed=seed, max_iters=5))
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]

    assert losses(runs[0]) == losses(runs[1])
    assert losses(runs[0]) != losses(runs[2])
