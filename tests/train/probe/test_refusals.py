"""Probes of tiny checkpoints: what they refuse, and the verb."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch

from assay.cli import run
from assay.errors import InputError, UsageError
from assay.formats.bins import Bins, open_bins
from assay.formats.probe import UNDETERMINED, ProbeResult
from assay.formats.train_config import Intervals
from assay.train.probe.branch_point import read_branch_point
from assay.train.probe.branches import run_probe
from tests.support.bins_fixture import draw_documents, make_bins
from tests.support.probes import CPU, make_small, probe, train_constant


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Old and new bins and short runs on the old to branch from; not to be changed."""
    return make_small(tmp_path_factory.mktemp("small"))


# ---- what it refuses


def test_what_does_not_fit_is_refused_before_training(small: Path, tmp_path: Path) -> None:
    old, new = open_bins(small / "old"), open_bins(small / "new")
    branch_point = read_branch_point(small / "run", CPU)
    few = make_bins(tmp_path / "few", draw_documents(3, 20), draw_documents(4, 19))
    alien = make_bins(tmp_path / "alien", draw_documents(3, 20), fingerprint="e" * 64)
    refused: list[tuple[Bins, dict[str, Any], str]] = [
        (old, {}, "new must be other data than old"),
        (alien, {}, "must have one tokenizer, got eeee"),
        (new, {"seeds": 1}, "seeds must be at least 2, got 1"),
        (new, {"steps": 19}, "steps must be at least 20, got 19"),
        (new, {"held_out": few}, "19 val documents"),
        (new, {"held_out": alien}, "must have one tokenizer"),
    ]

    for data, changes, message in refused:
        with pytest.raises(UsageError, match=message):
            run_probe(branch_point, old, data, tmp_path / "p", **{"steps": 20, **changes})
    assert not (tmp_path / "p").exists()


def test_a_finished_schedule_is_refused_with_the_way_out(small: Path, tmp_path: Path) -> None:
    old = open_bins(small / "old")
    train_constant(old, tmp_path / "done", 200, schedule="linear")

    with pytest.raises(UsageError, match=r"stands at learning rate .* set learning_rate"):
        read_branch_point(tmp_path / "done", CPU)
    branch_point = read_branch_point(tmp_path / "done", CPU, learning_rate=0.002)

    assert branch_point.learning_rate == 0.002
    assert branch_point.make_branch(cooldown=False, steps=50, seed=0).learning_rate_at(0) == 0.002
    with pytest.raises(UsageError, match="learning_rate must be above 0, got 0"):
        read_branch_point(tmp_path / "done", CPU, learning_rate=0.0)


def test_a_short_decay_is_finished_though_its_last_rate_is_not_nothing(
    small: Path, tmp_path: Path
) -> None:
    old = open_bins(small / "old")
    train_constant(old, tmp_path / "done", 40, schedule="wsd", cooldown_share=0.3)
    train_constant(old, tmp_path / "flat", 40, schedule="linear", min_lr=0.01)

    with pytest.raises(UsageError, match=r"8\.33% of its peak: its schedule is finished"):
        read_branch_point(tmp_path / "done", CPU)

    assert read_branch_point(tmp_path / "flat", CPU).next_rate == 0.01  # as nanoGPT ends, at min_lr


def test_a_probe_whose_finished_branches_are_of_other_lengths_is_refused(
    small: Path, tmp_path: Path
) -> None:
    def stop(line: str) -> None:
        if line.startswith("old cooldown"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        probe(small, tmp_path / "p", log=stop, intervals=Intervals(log=10))

    with pytest.raises(UsageError, match="with max_iters 20, not 30"):
        probe(small, tmp_path / "p", steps=30)


def test_a_checkpoint_that_cannot_be_read_is_one_line(small: Path, tmp_path: Path) -> None:
    (tmp_path / "ckpt.pt").write_bytes(b"no checkpoint")
    (tmp_path / "empty").mkdir()

    with pytest.raises(InputError, match=r"ckpt\.pt cannot be read"):
        read_branch_point(tmp_path / "ckpt.pt")
    with pytest.raises(InputError, match=r"has neither manifest\.json nor state\.json"):
        read_branch_point(tmp_path / "empty")


# ---- the verb


def test_the_verb_prints_the_table_and_its_json(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["probe", str(small / "run"), "--old", str(small / "old"), "--new", str(small / "new")]
    words += ["--steps", "20", "--device", "cpu"]

    assert run([*words, "-o", str(tmp_path / "text")]) == 0
    text = capsys.readouterr()
    assert run([*words, "-o", str(tmp_path / "json"), "--json"]) == 0
    result = msgspec.json.decode(capsys.readouterr().out, type=ProbeResult)

    assert "THE TABLE" in text.out
    assert "old data (old), cooldown" in text.out
    assert all(f"  {cause.state:<6} {cause.name}" in text.out for cause in result.causes)
    assert "old constant, order 1/2" in text.err
    assert UNDETERMINED in {cause.state for cause in result.causes}
    assert any("the loss to expect of this size" in note for note in result.notes)
