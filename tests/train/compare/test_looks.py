"""Declared looks, and what is declared and foreseen before anything is trained."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

from assay.errors import UsageError
from assay.formats.comparison import Comparison
from assay.formats.train_config import record_config
from assay.storage.manifest import read_manifest
from assay.train.commands.verdict_text import describe_verdict
from assay.train.compare.arms import make_data_arms
from assay.train.compare.compare import compare_arms
from assay.train.compare.design import ComparisonDesign
from tests.support.bins_fixture import make_bins
from tests.support.small_arms import DOCUMENTS, VAL, settings


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def compare_looks(tmp_path: Path, name: str, few: int, **changes: Any) -> Comparison:
    whole = make_bins(tmp_path / f"{name}-whole", DOCUMENTS, VAL)
    part = make_bins(tmp_path / f"{name}-part", DOCUMENTS[:few], VAL)
    arms = make_data_arms([whole, part], settings(**changes))
    return compare_arms(arms, tmp_path / name, design=ComparisonDesign((2, 3)))


def test_a_look_that_decides_ends_the_comparison(tmp_path: Path) -> None:
    made = compare_looks(tmp_path, "ab", 4, max_iters=250, n_embd=32)

    verdict = made.verdict
    assert verdict.verdict == "worse"
    assert (verdict.seeds, verdict.declared_looks) == (2, [2, 3])
    assert [(look.seeds, look.decided) for look in verdict.looks] == [(2, True)]
    assert verdict.comparisons[0].confidence == pytest.approx(0.975)
    assert not (made.folder / "runs" / "0-2").exists()
    assert "looks declared at 2,3 seeds an arm, taken at 2" in describe_verdict(verdict)


def test_a_look_that_leaves_it_open_takes_more_seeds_and_is_kept(tmp_path: Path) -> None:
    made = compare_looks(tmp_path, "ab", 200)

    verdict = made.verdict
    assert [look.seeds for look in verdict.looks] == [2, 3]
    assert not verdict.looks[0].decided
    assert verdict.seeds == 3
    names = {entry.name for entry in read_manifest(made.folder).outputs}
    assert {"verdict.json", "look-2.json", "look-3.json"} <= names


def test_a_comparison_stopped_between_looks_is_resumed_by_the_same_call(tmp_path: Path) -> None:
    bins = [make_bins(tmp_path / name, DOCUMENTS, VAL) for name in "ab"]
    arms, design = make_data_arms(bins, settings()), ComparisonDesign((2, 3))
    whole = compare_arms(arms, tmp_path / "whole", design=design)

    def stop(line: str) -> None:
        if line.startswith("look at 2 seeds an arm (undecided)"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare_arms(arms, tmp_path / "ab", design=design, log=stop)
    first = (tmp_path / "ab" / "look-2.json").read_bytes()
    again = compare_arms(arms, tmp_path / "ab", design=design)

    assert again.verdict == whole.verdict
    assert (again.folder / "look-2.json").read_bytes() == first


def test_a_look_cannot_be_taken_back(tmp_path: Path) -> None:
    bins = [make_bins(tmp_path / name, DOCUMENTS, VAL) for name in "ab"]
    arms = make_data_arms(bins, settings())

    def stop(line: str) -> None:
        if line.startswith("look at"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare_arms(arms, tmp_path / "ab", design=ComparisonDesign((2, 3)), log=stop)
    other = ComparisonDesign((2, 3), delta=50.0)

    with pytest.raises(UsageError, match=r"look-2\.json has other verdicts"):
        compare_arms(arms, tmp_path / "ab", design=other)


def test_what_was_foreseen_is_kept_with_its_assumptions(tmp_path: Path) -> None:
    bins = [make_bins(tmp_path / name, DOCUMENTS, VAL) for name in "ab"]
    arms = make_data_arms(bins, settings(max_iters=3))
    lines: list[str] = []

    told = compare_arms(
        arms, tmp_path / "told", design=ComparisonDesign((2,), seed_sd=0.002), log=lines.append
    ).verdict.foreseen
    assumed = compare_arms(
        arms, tmp_path / "assumed", design=ComparisonDesign((2,))
    ).verdict.foreseen

    assert told is not None
    assert assumed is not None
    assert (told.seed_sd, assumed.seed_sd) == (0.002, 0.04)
    assert "declared" in told.source
    assert "assumed" in assumed.source
    assert set(told.detectable) == {"2", "3", "5", "8"}
    assert all(told.detectable[n] < assumed.detectable[n] for n in told.detectable)
    assert any(line.startswith("minimum detectable effect at a seed") for line in lines)


def test_arms_with_one_stream_of_seeds_are_refused(tmp_path: Path) -> None:
    bins = [make_bins(tmp_path / name, DOCUMENTS, VAL) for name in "ab"]
    arms = make_data_arms(bins, settings())
    arms[1] = dataclasses.replace(arms[1], stream=0)

    with pytest.raises(UsageError, match="share a stream of seeds"):
        compare_arms(arms, tmp_path / "ab")


def test_the_settings_of_a_comparison_are_in_its_manifest(tmp_path: Path) -> None:
    bins = [make_bins(tmp_path / name, DOCUMENTS, VAL) for name in "ab"]
    design = ComparisonDesign((2,), delta=0.02, not_worse_by=0.05, seed_sd=0.003)

    made = compare_arms(make_data_arms(bins, settings(max_iters=3)), tmp_path / "ab", design=design)

    found = read_manifest(made.folder).settings
    assert (found["looks"], found["delta"], found["not_worse_by"]) == ([2], 0.02, 0.05)
    assert found["config"] == record_config(settings(max_iters=3))
    assert made.verdict.not_worse_by == 0.05
