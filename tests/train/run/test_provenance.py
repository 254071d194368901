"""On what runs were computed: written down, told, and one precision asked for."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from assay.errors import UsageError
from assay.formats.bins import Bins
from assay.formats.config_checks import make_config
from assay.formats.run import ComputeSegment
from assay.formats.train_config import Intervals, TrainConfig
from assay.train.commands.verdict_text import describe_verdict
from assay.train.compare.arms import make_data_arms
from assay.train.compare.compare import compare_arms
from assay.train.compare.design import ComparisonDesign
from assay.train.run import trainer
from assay.train.runtime.device import refuse_mixed_precision
from tests.support.bins_fixture import draw_documents, make_bins
from tests.support.runs import train

SMALL = {"n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": 16, "batch_size": 4}
SMALL |= {"max_iters": 8, "device": "cpu"}
HERE = ComputeSegment(
    step=0, device="cpu", dtype="float32", torch=str(torch.__version__), processes=1
)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def bins(tmp_path: Path) -> Bins:
    return make_bins(tmp_path / "bins", draw_documents(0, 40), draw_documents(1, 30))


def settings(**changes: object) -> TrainConfig:
    return make_config({**SMALL, **changes})


def call_devices(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Have each run that begins from now on believe it is on the next of these devices."""
    left = iter(names)
    monkeypatch.setattr(trainer, "name_device", lambda _: next(left))


def test_a_run_says_on_what_it_was_computed(tmp_path: Path, bins: Bins) -> None:
    run = train(bins, tmp_path / "run", config=settings())

    assert run.totals.computed == (HERE,)


def test_a_run_that_is_resumed_elsewhere_says_so_and_one_that_does_not_is_one_segment(
    tmp_path: Path, bins: Bins, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop_at(step: int) -> None:
        def log(line: str) -> None:
            if line.startswith(f"step {step}/"):
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            train(bins, tmp_path / "run", config=settings(), intervals=Intervals(1, 0, 2), log=log)

    call_devices(monkeypatch, "one card", "one card", "another")
    stop_at(4)
    stop_at(6)

    run = train(bins, tmp_path / "run", config=settings(), intervals=Intervals(1, 0, 2))

    assert [(each.step, each.device) for each in run.totals.computed] == [
        (0, "one card"),
        (4, "another"),
    ]


def test_two_cards_in_one_comparison_are_noted_beside_the_difference(
    tmp_path: Path, bins: Bins, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_devices(monkeypatch, *["H200", "H100"] * 2)
    other = make_bins(tmp_path / "other", draw_documents(2, 40), draw_documents(1, 30))

    verdict = compare_arms(
        make_data_arms([bins, other], settings()), tmp_path / "ab", design=ComparisonDesign((2,))
    ).verdict

    gate = next(gate for gate in verdict.gates if gate.name == "precision")
    assert gate.passed
    assert gate.found == "bins: float32 on H200; other: float32 on H100"
    told = (
        "other was computed in float32 on H100, bins in float32 on H200: how these round "
        "is part of the difference"
    )
    assert told in verdict.comparisons[0].notes
    assert told in describe_verdict(verdict)


def test_runs_of_one_comparison_in_two_precisions_give_no_verdict(
    tmp_path: Path, bins: Bins, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_bins(tmp_path / "other", draw_documents(2, 40), draw_documents(1, 30))
    arms = make_data_arms([bins, other], settings())

    def stop(line: str) -> None:
        if line.startswith("run 2/2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare_arms(arms, tmp_path / "ab", design=ComparisonDesign((1,)), log=stop)
    monkeypatch.setattr(
        "assay.train.runtime.compiled_model.choose_dtype", lambda *_: torch.bfloat16
    )

    verdict = compare_arms(arms, tmp_path / "ab", design=ComparisonDesign((1,))).verdict

    assert verdict.verdict == "invalid"
    assert verdict.gates[-1].name == "precision"
    assert not verdict.gates[-1].passed
    assert verdict.sentence == (
        "invalid: computed in several precisions: bins: float32 on cpu; other: bfloat16 on cpu"
    )
    assert "name another -o, and --dtype" in describe_verdict(verdict)


def test_devices_of_two_precisions_are_refused_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.train.runtime.device.choose_device", torch.device)
    majors = {"cuda:0": 8, "cuda:1": 9, "cuda:2": 7}
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda each: SimpleNamespace(major=majors[str(each)])
    )

    with pytest.raises(UsageError, match="cuda:0 in bfloat16, cpu in float32; set one dtype"):
        refuse_mixed_precision(make_config({}), ["cuda:0", "cpu"])
    with pytest.raises(UsageError, match="cuda:0 in bfloat16, cuda:2 in float16"):
        refuse_mixed_precision(make_config({}), ["cuda:0", "cuda:2"])
    refuse_mixed_precision(make_config({"dtype": "float32"}), ["cuda:0", "cpu"])
    refuse_mixed_precision(make_config({}), ["cuda:0", "cuda:1"])
