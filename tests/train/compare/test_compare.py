from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch

from assay.errors import UsageError
from assay.formats.comparison import Comparison, read_verdict
from assay.formats.config_checks import make_config
from assay.formats.run import open_run
from assay.formats.train_config import Intervals, TrainConfig
from assay.storage.manifest import hash_manifest, read_manifest
from assay.train.run.executor import derive_seed
from tests.support.bins_fixture import draw_documents, make_bins
from tests.support.runs import compare

DOCUMENTS = draw_documents(0, 200)
VAL = draw_documents(1, 30)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def settings(**changes: Any) -> TrainConfig:
    base = {"n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": 16, "batch_size": 8}
    return make_config({**base, "max_iters": 40, "device": "cpu", **changes})


def gates(made: Comparison) -> dict[str, bool]:
    return {gate.name: gate.passed for gate in made.verdict.gates}


def test_the_same_data_twice_shows_no_difference_that_is_not_exactly_zero(tmp_path: Path) -> None:
    bins = make_bins(tmp_path / "bins", DOCUMENTS, VAL)

    made = compare([bins, bins], tmp_path / "ab", config=settings())

    assert made.verdict.verdict in ("no detectable difference", "equivalent")
    assert made.verdict.difference != 0
    assert [arm.name for arm in made.verdict.arms] == ["bins (1)", "bins (2)"]
    seeds = [each.seed for arm in made.verdict.arms for each in arm.seeds]
    assert len(set(seeds)) == 6
    assert all(gates(made).values())
    assert read_verdict(tmp_path / "ab") == made.verdict


def test_a_thirty_second_of_the_data_at_equal_tokens_is_worse(tmp_path: Path) -> None:
    whole = make_bins(tmp_path / "whole", DOCUMENTS, VAL)
    little = make_bins(tmp_path / "little", DOCUMENTS[:6], VAL)
    config = settings(max_iters=250, n_embd=32)

    made = compare([whole, little], tmp_path / "ab", config=config, seeds=2)

    verdict = made.verdict
    assert verdict.verdict == "worse"
    assert verdict.difference is not None
    assert verdict.interval is not None
    assert 0 < verdict.interval[0] < verdict.difference < verdict.interval[1]
    assert verdict.sentence.startswith("little is worse than whole: +")
    assert [arm.unique_tokens for arm in verdict.arms] == [200 * 60, 6 * 60]
    assert verdict.arms[1].epochs == pytest.approx(250 * 8 * 16 / (6 * 61))
    means = [arm.loss for arm in verdict.arms]
    assert means[1] - means[0] == pytest.approx(verdict.difference)  # type: ignore[operator]
    run = open_run(tmp_path / "ab" / verdict.arms[1].seeds[0].run)
    assert run.loss_nats == pytest.approx(verdict.arms[1].seeds[0].loss)
    manifest = read_manifest(tmp_path / "ab", "comparison")
    assert manifest.parents["arm 0"] == hash_manifest(whole.folder)
    assert manifest.parents["runs/1-0"] == hash_manifest(run.folder)


def test_held_out_documents_in_the_training_data_make_it_invalid_before_any_training(
    tmp_path: Path,
) -> None:
    clean = make_bins(tmp_path / "clean", DOCUMENTS, VAL)
    leaky = make_bins(tmp_path / "leaky", [*DOCUMENTS, *VAL[:7]], VAL)

    made = compare([clean, leaky], tmp_path / "ab", config=settings())

    assert made.verdict.verdict == "invalid"
    assert "leaky: 7 of 30" in made.verdict.sentence
    assert [arm.leaked_documents for arm in made.verdict.arms] == [0, 7]
    assert gates(made)["held-out documents in training data"] is False
    assert not (tmp_path / "ab" / "runs").exists()
    assert read_verdict(tmp_path / "ab").difference is None


def test_leaked_documents_are_scored_apart_where_that_is_allowed(tmp_path: Path) -> None:
    clean = make_bins(tmp_path / "clean", DOCUMENTS[:20], VAL)
    leaky = make_bins(tmp_path / "leaky", [*DOCUMENTS[:12], *VAL[:8]], VAL)
    config = settings(max_iters=300, n_embd=32)

    made = compare([clean, leaky], tmp_path / "ab", config=config, seeds=2, allow_leaked=True)

    verdict = made.verdict
    assert (verdict.documents, verdict.leaked_documents) == (22, 8)
    assert verdict.verdict != "invalid"
    pairing = verdict.comparisons[0]
    assert pairing.leaked_difference is not None
    assert verdict.difference is not None
    assert pairing.leaked_difference < verdict.difference - 0.05
    table = open_run(tmp_path / "ab" / "runs" / "0-0").read_losses()
    assert table.filter("leaked")["document"].to_list() == list(range(8))


def test_other_held_out_documents_are_refused_with_the_counts(tmp_path: Path) -> None:
    one = make_bins(tmp_path / "one", DOCUMENTS, VAL)
    two = make_bins(tmp_path / "two", DOCUMENTS, VAL[5:])

    with pytest.raises(UsageError, match=r"one has 30, .*two 25, and 25 are the same"):
        compare([one, two], tmp_path / "ab", config=settings())
    assert not (tmp_path / "ab").exists()


def test_held_out_bins_replace_those_of_the_arms(tmp_path: Path) -> None:
    one = make_bins(tmp_path / "one", DOCUMENTS, VAL)
    two = make_bins(tmp_path / "two", DOCUMENTS, VAL[5:])
    judge = make_bins(tmp_path / "judge", [[1] * 20], draw_documents(9, 25))

    made = compare(
        [one, two], tmp_path / "ab", config=settings(max_iters=3), held_out=judge, seeds=2
    )

    assert made.verdict.documents == 25


def test_the_same_documents_in_another_order_will_do(tmp_path: Path) -> None:
    one = make_bins(tmp_path / "one", DOCUMENTS, VAL)
    two = make_bins(tmp_path / "two", DOCUMENTS, VAL[::-1])

    made = compare([one, two], tmp_path / "ab", config=settings(max_iters=3), seeds=2)

    assert gates(made)["held-out documents"]


def test_other_tokenizers_are_invalid(tmp_path: Path) -> None:
    one = make_bins(tmp_path / "one", DOCUMENTS, VAL)
    two = make_bins(tmp_path / "two", DOCUMENTS, VAL, fingerprint="0" * 64)

    made = compare([one, two], tmp_path / "ab", config=settings())

    assert made.verdict.verdict == "invalid"
    assert "tokenizer: 000000000000, ffffffffffff" in made.verdict.sentence


def test_few_held_out_documents_are_inconclusive_before_any_training(tmp_path: Path) -> None:
    bins = make_bins(tmp_path / "bins", DOCUMENTS, VAL[:19])

    made = compare([bins, bins], tmp_path / "ab", config=settings())

    assert made.verdict.verdict == "inconclusive"
    assert not (tmp_path / "ab" / "runs").exists()


def test_divergence_is_invalid(tmp_path: Path) -> None:
    bins = make_bins(tmp_path / "bins", DOCUMENTS, VAL)
    config = settings(learning_rate=1e38, grad_clip=0, warmup_iters=0)

    made = compare([bins, bins], tmp_path / "ab", config=config)

    assert made.verdict.verdict == "invalid"
    assert gates(made)["finite losses"] is False
    assert "not a finite number at step" in made.verdict.sentence


def test_a_comparison_that_was_stopped_is_resumed_to_the_same_verdict(tmp_path: Path) -> None:
    one = make_bins(tmp_path / "one", DOCUMENTS, VAL)
    two = make_bins(tmp_path / "two", DOCUMENTS[:50], VAL)
    intervals = Intervals(log=10, evaluate=0, checkpoint=15)
    whole = compare([one, two], tmp_path / "whole", config=settings(), seeds=2, intervals=intervals)

    def stop(line: str) -> None:
        if "one, seed 2/2: step 30/" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare(
            [one, two], tmp_path / "ab", config=settings(), seeds=2, intervals=intervals, log=stop
        )
    finished = (tmp_path / "ab" / "runs" / "1-0" / "manifest.json").stat().st_mtime_ns
    with pytest.raises(UsageError, match="with max_iters 40, not 41"):
        compare([one, two], tmp_path / "ab", config=settings(max_iters=41), seeds=2)
    with pytest.raises(UsageError, match="was trained on bins"):
        compare([two, one], tmp_path / "ab", config=settings(), seeds=2)

    again = compare([one, two], tmp_path / "ab", config=settings(), seeds=2, intervals=intervals)

    assert again.verdict == whole.verdict
    assert (tmp_path / "ab" / "runs" / "1-0" / "manifest.json").stat().st_mtime_ns == finished


def test_more_arms_are_judged_with_wider_intervals(tmp_path: Path) -> None:
    bins = [make_bins(tmp_path / name, DOCUMENTS, VAL) for name in "abc"]

    made = compare(bins, tmp_path / "ab", config=settings(max_iters=5), seeds=2)

    assert [pairing.arm for pairing in made.verdict.comparisons] == ["b", "c"]
    levels = sorted(pairing.confidence or 0 for pairing in made.verdict.comparisons)
    assert levels[-1] == pytest.approx(0.975)
    assert made.verdict.confidence == 0.95
    assert f"{100 * (made.verdict.comparisons[0].confidence or 0):.4g}% interval" in (
        made.verdict.sentence
    )


@pytest.mark.parametrize("number", [0, 1])
def test_one_arm_is_no_comparison(tmp_path: Path, number: int) -> None:
    arms = [make_bins(tmp_path / "a", DOCUMENTS, VAL)] * number

    with pytest.raises(UsageError, match=f"needs two folders of bins or more, .* got {number}"):
        compare(arms, tmp_path / "ab", config=settings())


def test_runs_never_share_a_seed() -> None:
    seeds = {
        derive_seed(root, arm, seed) for root in (0, 1) for arm in range(5) for seed in range(9)
    }

    assert len(seeds) == 90


def test_one_seed_of_a_short_run_says_nothing_of_a_small_difference(tmp_path: Path) -> None:
    bins = make_bins(tmp_path / "bins", DOCUMENTS, VAL)

    made = compare([bins, bins], tmp_path / "ab", config=settings(), seeds=1)

    assert made.verdict.verdict == "inconclusive"
    assert made.verdict.comparisons[0].provisional
    assert "not beyond 0.1697 nats/token" in made.verdict.sentence


def test_the_verdict_is_plain_json(tmp_path: Path) -> None:
    bins = make_bins(tmp_path / "bins", DOCUMENTS, VAL)
    compare([bins, bins], tmp_path / "ab", config=settings(max_iters=3), seeds=2)

    found = msgspec.json.decode((tmp_path / "ab" / "verdict.json").read_bytes())

    for key in ("verdict", "difference", "interval", "p", "minimum_detectable", "seeds", "arms"):
        assert found[key] is not None
    assert {"gates", "sentence", "bits_per_byte"} <= set(found)
