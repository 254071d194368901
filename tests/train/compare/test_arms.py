"""Arms that differ in a setting: how they are named, read, refused and trained."""

import dataclasses
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from click.testing import CliRunner

from assay.cli import commands
from assay.errors import UsageError
from assay.formats.bins import Bins
from assay.formats.config_checks import make_config
from assay.formats.run import open_run
from assay.formats.train_config import TrainConfig
from assay.train.compare.arms import make_setting_arms, make_variation
from assay.train.compare.compare import compare_arms
from assay.train.compare.design import ComparisonDesign
from assay.train.runtime.compiled_model import compile_model
from tests.support.bins_fixture import draw_documents, make_bins

DOCUMENTS = draw_documents(0, 60)
VAL = draw_documents(1, 25)
TINY: dict[str, Any] = {
    **{"n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": 16, "batch_size": 8},
    **{"max_iters": 6, "device": "cpu"},
}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def bins(tmp_path: Path) -> Bins:
    return make_bins(tmp_path / "bins", DOCUMENTS, VAL)


def test_values_are_read_one_arm_each(bins: Bins) -> None:
    arms = make_setting_arms(bins, make_variation("learning_rate=1e-3,3e-3"), TINY, tokens=1000)

    assert [arm.name for arm in arms] == ["learning_rate=1e-3", "learning_rate=3e-3"]
    assert [arm.config.learning_rate for arm in arms] == [1e-3, 3e-3]
    assert [arm.settings for arm in arms] == [{"learning_rate": 1e-3}, {"learning_rate": 3e-3}]
    assert {arm.config.tokens for arm in arms} == {1024}
    assert [arm.stream for arm in arms] == [0, 1]


def test_several_settings_move_together(bins: Bins) -> None:
    arms = make_setting_arms(bins, make_variation("n_layer+n_embd=2+16,1+32"), TINY)

    assert [(arm.config.n_layer, arm.config.n_embd) for arm in arms] == [(2, 16), (1, 32)]
    assert arms[1].name == "n_layer=1, n_embd=32"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("label_smoothing=0,0.1", "no longer a likelihood of the text"),
        ("seed=1,2", "ask for more seeds an arm"),
        ("block_size=16,32", "read in other windows"),
        ("batch_size=8,16", "how many tokens a step has"),
        ("learningrate=1,2", "'learningrate' cannot be varied; these can: "),
        ("dropout", "needs KEY=V1,V2"),
        ("dropout=0.1", "needs KEY=V1,V2 with 2 to 32 values"),
        ("n_layer+n_embd=1+16,2", "has 1 values for 2 settings"),
        ("dropout=0,", "nothing has 1 values"),
        ("dropout+dropout=0+0,1+1", "named twice"),
        ("dropout=0,0.0", "are the same settings"),
        ("dropout=0,2", "dropout must be .*, got '2'"),
        ("n_embd=16,17", "n_embd must be a multiple of n_head, got 17 and 2"),
    ],
)
def test_what_cannot_be_varied_is_refused_with_the_reason(
    bins: Bins, text: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message.replace("+", r"\+")):
        make_setting_arms(bins, make_variation(text), TINY)


def test_a_varied_budget_is_not_set_twice(bins: Bins) -> None:
    with pytest.raises(UsageError, match="leave tokens out"):
        make_setting_arms(bins, make_variation("max_iters=5,10"), TINY, tokens=1000)


def test_a_varied_budget_does_not_keep_the_end_of_one_schedule(bins: Bins) -> None:
    with pytest.raises(UsageError, match="lr_decay_iters 5 would end every arm's schedule"):
        make_setting_arms(bins, make_variation("max_iters=5,9"), {**TINY, "lr_decay_iters": 5})

    both = make_variation("max_iters+lr_decay_iters=5+5,9+9")
    arms = make_setting_arms(bins, both, {**TINY, "lr_decay_iters": 7})
    assert [arm.config.decay_steps for arm in arms] == [5, 9]


def test_dropout_is_put_to_the_test_on_the_same_data(bins: Bins, tmp_path: Path) -> None:
    arms = make_setting_arms(bins, make_variation("dropout=0,0.5"), TINY)

    verdict = compare_arms(arms, tmp_path / "ab", design=ComparisonDesign((2,))).verdict

    assert verdict.varied == ["dropout"]
    assert [arm.settings for arm in verdict.arms] == [{"dropout": 0.0}, {"dropout": 0.5}]
    assert len({arm.parameters for arm in verdict.arms}) == 1
    gate = next(gate for gate in verdict.gates if gate.name == "budget and settings")
    assert gate.passed
    assert gate.found == "one set of bins; arms differ in dropout"
    run = open_run(tmp_path / "ab" / "runs" / "1-0")
    assert run.config.dropout == 0.5
    # The first step drops half the activations: the losses are those of the setting.
    first = [
        open_run(tmp_path / "ab" / "runs" / f"{arm}-0").read_metrics()[0].loss for arm in (0, 1)
    ]
    assert first[0] != first[1]


def test_a_smaller_model_has_its_own_parameters(bins: Bins, tmp_path: Path) -> None:
    arms = make_setting_arms(bins, make_variation("n_layer+n_embd=2+32,1+16"), TINY)

    verdict = compare_arms(arms, tmp_path / "ab", design=ComparisonDesign((2,))).verdict

    large, small = (arm.parameters for arm in verdict.arms)
    assert large is not None
    assert small is not None
    assert small < large
    assert verdict.parameters == large


def test_longer_training_says_that_tokens_differ_by_design(bins: Bins, tmp_path: Path) -> None:
    arms = make_setting_arms(bins, make_variation("max_iters=4,8"), TINY)

    verdict = compare_arms(arms, tmp_path / "ab", design=ComparisonDesign((2,))).verdict

    gate = next(gate for gate in verdict.gates if gate.name == "budget and settings")
    assert gate.passed
    assert gate.found.endswith("arms differ in max_iters; tokens differ by design: 512, 1,024")
    assert [arm.tokens_per_run for arm in verdict.arms] == [512, 1024]
    assert verdict.arms[1].epochs == pytest.approx(2 * verdict.arms[0].epochs)
    assert verdict.comparisons[0].equal_loss is None


def test_settings_that_differ_unasked_are_invalid(bins: Bins, tmp_path: Path) -> None:
    arms = make_setting_arms(bins, make_variation("dropout=0,0.5"), TINY)
    other = msgspec.structs.replace(arms[1].config, learning_rate=1e-5)
    arms[1] = dataclasses.replace(arms[1], config=other)

    verdict = compare_arms(arms, tmp_path / "ab", design=ComparisonDesign((2,))).verdict

    assert verdict.verdict == "invalid"
    assert "arms differ in dropout, learning_rate" in verdict.sentence


def test_a_model_is_compiled_once_more_for_another_shape_alone() -> None:
    base = make_config(TINY)
    compiled = compile_model(base, 64)

    assert compiled.fits(msgspec.structs.replace(base, learning_rate=1.0, max_iters=9, seed=4))
    for name, value in (("n_layer", 2), ("dropout", 0.1), ("n_embd", 32), ("dtype", "bfloat16")):
        assert not compiled.fits(msgspec.structs.replace(base, **{name: value}))


def test_vary_on_the_command_line(bins: Bins, tmp_path: Path) -> None:
    words = ["compare", str(bins.folder), "-o", str(tmp_path / "ab"), "--vary", "beta2=0.9,0.99"]
    tiny = [word for name, value in TINY.items() for word in (f"--{name}", str(value))]

    result = CliRunner().invoke(commands, [*words, "--seeds", "2", *tiny])

    assert result.exit_code == 0, result.output
    assert "beta2=0.99" in result.stdout.splitlines()[0]
    assert "minimum detectable effect at a seed standard deviation of" in result.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["BINS", "BINS", "--vary", "dropout=0,0.1"], "one folder of bins, got 2 folders"),
        (["BINS", "--vary", "label_smoothing=0,0.1"], "no longer a likelihood"),
        (["BINS", "BINS", "--seeds", "3", "--looks", "3,5"], "name one of them"),
        (["BINS", "BINS", "--looks", "5,3"], "must rise"),
        (["BINS", "BINS", "--delta", "0"], "delta must be above 0 nats/token, got 0"),
        (
            ["BINS", "BINS", "--not-worse-by", "-1"],
            "not_worse_by must be above 0",
        ),
        (["BINS", "BINS", "--seed-sd", "0"], "seed_sd must be above 0 nats/token, got 0"),
    ],
)
def test_contradictions_are_refused_before_anything_is_written(
    bins: Bins, tmp_path: Path, words: list[str], message: str
) -> None:
    filled = [str(bins.folder) if word == "BINS" else word for word in words]

    result = CliRunner().invoke(commands, ["compare", *filled, "-o", str(tmp_path / "ab")])

    assert isinstance(result.exception, UsageError)
    assert message in str(result.exception)
    assert not (tmp_path / "ab").exists()


def test_every_setting_that_may_vary_is_one() -> None:
    with pytest.raises(UsageError) as caught:
        make_variation("nothing=1,2")

    named = str(caught.value).partition("these can: ")[2].split(", ")
    assert set(named) <= set(TrainConfig.__struct_fields__)
    assert {"learning_rate", "warmup_iters", "min_lr", "beta2", "weight_decay"} <= set(named)
    assert {"dropout", "grad_clip", "n_layer", "n_embd", "n_head", "max_iters"} <= set(named)
