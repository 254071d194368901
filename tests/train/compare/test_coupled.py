from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from assay.errors import Interrupted, UsageError
from assay.formats.bins import Bins
from assay.formats.comparison import Comparison
from assay.formats.run import open_run
from assay.formats.train_config import Intervals
from assay.storage.manifest import hash_manifest
from assay.train.checkpoints.checkpoint import read_state
from assay.train.compare.arms import make_data_arms, make_setting_arms, make_variation
from assay.train.compare.compare import compare_arms
from assay.train.compare.design import ComparisonDesign, couple_arms
from assay.train.data.coupled_arms import CoupledArm, open_windows
from assay.train.runtime.signals import StopSignals
from tests.support.bins_fixture import draw_documents, make_bins
from tests.support.runs import train
from tests.support.small_arms import DOCUMENTS, VAL, settings

OTHERS = draw_documents(2, 200)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def arms(tmp_path: Path) -> list[Bins]:
    """Two arms that share nine documents of ten."""
    return [
        make_bins(tmp_path / "base", DOCUMENTS, VAL),
        make_bins(tmp_path / "other", [*OTHERS[:20], *DOCUMENTS[20:]], VAL),
    ]


def compare(
    bins: list[Bins], output: Path, coupled: str = "on", seeds: int = 3, **asked: object
) -> Comparison:
    design = ComparisonDesign((seeds,), coupled=coupled)
    given: dict[str, object] = {"config": settings(max_iters=30), **asked}
    made = make_data_arms(bins, given.pop("config"))  # type: ignore[arg-type]
    return compare_arms(made, output, design=design, **given)  # type: ignore[arg-type]


def test_coupled_arms_have_one_seed_a_pair_and_are_judged_by_pairs(
    arms: list[Bins], tmp_path: Path
) -> None:
    made = compare(arms, tmp_path / "ab", seeds=4, config=settings(max_iters=60))

    verdict, found = made.verdict, made.verdict.comparisons[0]
    seeds = [[each.seed for each in arm.seeds] for arm in verdict.arms]
    assert seeds[0] == seeds[1]
    assert len(set(seeds[0])) == 4
    losses = [[each.loss for each in arm.seeds] for arm in verdict.arms]
    differences = np.subtract(losses[1], losses[0])
    assert found.pair_sd == pytest.approx(differences.std(ddof=1))
    assert found.difference == pytest.approx(differences.mean())
    assert found.pair_sd is not None
    assert found.pair_sd < 0.7 * min(arm.loss_sd or 0 for arm in verdict.arms)
    assert verdict.arms[1].coupled_share == pytest.approx(0.9, abs=0.03)
    assert "4 coupled pairs" in verdict.sentence
    assert any("the same window at" in note for note in found.notes)


def test_each_coupled_run_names_its_company_and_the_order_it_took(
    arms: list[Bins], tmp_path: Path
) -> None:
    made = compare(arms, tmp_path / "ab", seeds=2)

    runs = [open_run(made.folder / each.run) for arm in made.verdict.arms for each in arm.seeds]
    hashes = [hash_manifest(bins.folder) for bins in arms]
    company = [run.manifest.settings["coupled"] for run in runs]
    assert company == [{"arm": place, "arms": hashes} for place in (0, 0, 1, 1)]
    config = runs[2].config
    windows = open_windows(arms[1], config, CoupledArm(tuple(arms), 1))
    assert runs[2].totals.schedule == windows.digest(config.max_iters * config.windows_per_step)
    assert len({run.totals.schedule for run in runs}) == 4
    unique = windows.order.unique_tokens(config.max_iters * config.windows_per_step)
    assert runs[2].totals.unique_tokens_seen == unique


def test_auto_trains_arms_apart_that_share_less_than_half(tmp_path: Path, arms: list[Bins]) -> None:
    strangers = make_bins(tmp_path / "strangers", [*OTHERS[:120], *DOCUMENTS[120:]], VAL)

    apart = compare([arms[0], strangers], tmp_path / "apart", "auto", seeds=2).verdict
    coupled = compare(arms, tmp_path / "coupled", "auto", seeds=2).verdict

    assert apart.arms[1].coupled_share is None
    assert apart.comparisons[0].pair_sd is None
    assert len({each.seed for arm in apart.arms for each in arm.seeds}) == 4
    assert any("of a run's places, 50% are needed" in note for note in apart.comparisons[0].notes)
    assert coupled.arms[1].coupled_share is not None


def test_what_cannot_be_coupled_is_refused_or_trained_apart(
    arms: list[Bins], tmp_path: Path
) -> None:
    data = make_data_arms([arms[0], arms[0]], settings())
    varied = make_setting_arms(
        arms[0], make_variation("dropout=0,0.1"), {"device": "cpu", "block_size": 16}
    )
    moved = make_bins(tmp_path / "moved", DOCUMENTS[::-1], VAL)
    drawn = make_data_arms(arms, settings(sampling="replacement"))
    permuted = make_data_arms([arms[0], moved], settings())

    for each, reason in (
        (data, "hold the same train.bin"),
        (varied, "differ in settings"),
        (drawn, "sampling is replacement"),
        (permuted, "the same windows at all steps"),
    ):
        with pytest.raises(UsageError, match=reason):
            couple_arms(each, "on")
        assert not couple_arms(each, "auto")
        assert reason in couple_arms(each, "auto").reason
        assert not couple_arms(each, "off").reason
    with pytest.raises(UsageError, match="coupled must be one of auto, on, off, got 'yes'"):
        couple_arms(data, "yes")


def test_a_coupled_run_that_was_stopped_goes_on_to_the_same_bits(
    arms: list[Bins], tmp_path: Path
) -> None:
    config, coupled = settings(max_iters=30), CoupledArm(tuple(arms), 1)

    def stop_at(step: int) -> Callable[[str], None]:
        def stop(line: str) -> None:
            if f"step {step}/" in line or f"step {step} " in line:
                signals.received = 15

        return stop

    whole = train(arms[1], tmp_path / "whole", config=config, coupled=coupled)
    signals = StopSignals("")
    with pytest.raises(Interrupted):
        train(
            arms[1],
            tmp_path / "parts",
            config=config,
            coupled=coupled,
            signals=signals,
            intervals=Intervals(log=7),
            log=stop_at(14),
        )
    with pytest.raises(UsageError, match="was trained coupled with other arms, or alone"):
        train(arms[1], tmp_path / "parts", config=config)
    parts = train(arms[1], tmp_path / "parts", config=config, coupled=coupled)

    weights = [(run.folder / "model.safetensors").read_bytes() for run in (whole, parts)]
    assert weights[0] == weights[1]
    assert parts.totals.schedule == whole.totals.schedule
    alone = train(arms[1], tmp_path / "alone", config=config)
    assert (alone.folder / "model.safetensors").read_bytes() != weights[0]


def test_processes_of_several_devices_train_the_same_coupled_runs(
    arms: list[Bins], tmp_path: Path
) -> None:
    here = compare(arms, tmp_path / "here", seeds=1)
    there = compare(arms, tmp_path / "there", seeds=1, devices=("cpu", "cpu"))

    assert [arm.loss for arm in here.verdict.arms] == [arm.loss for arm in there.verdict.arms]


def test_a_finished_coupled_comparison_is_opened_and_no_other(
    arms: list[Bins], tmp_path: Path
) -> None:
    made = compare(arms, tmp_path / "ab", seeds=1)

    assert compare(arms, tmp_path / "ab", seeds=1).verdict == made.verdict
    with pytest.raises(UsageError, match="coupled"):
        compare(arms, tmp_path / "ab", "off", seeds=1)


def test_the_ids_of_a_window_are_found_in_the_bin(arms: list[Bins]) -> None:
    windows = open_windows(arms[1], settings(), CoupledArm(tuple(arms), 1))
    plain = open_windows(arms[1], settings(), None)

    for data in (windows, plain):
        start_B = data.order.starts(5, 40)
        taken_BT = data.ids_N[(start_B[:, None] + np.arange(17)) % data.ids_N.size]
        assert np.array_equal(arms[1].map_ids("train")[data.positions(5, 40)], taken_BT)


def test_a_coupled_checkpoint_names_its_own_bins_and_is_not_continued_alone(
    arms: list[Bins], tmp_path: Path
) -> None:
    config, coupled = settings(max_iters=12), CoupledArm(tuple(arms), 1)
    run = train(arms[1], tmp_path / "run", config=config, coupled=coupled)

    state = read_state(run.folder)

    assert state.bins == hash_manifest(arms[1].folder)
    assert state.coupled == coupled.sha256
    longer = settings(max_iters=20)
    with pytest.raises(UsageError, match="was trained coupled with other arms, or alone"):
        train(arms[1], tmp_path / "on", config=longer, resume_from=run.folder)
    alone = train(arms[1], tmp_path / "alone", config=config)
    assert "coupled" not in (alone.folder / "state.json").read_text()
