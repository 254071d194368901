"""What `assay compare` prints, and its exit code."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import assay
from assay.cli import run
from assay.storage.manifest import read_manifest
from assay.train.commands.verdict_text import describe_verdict
from assay.train.compare.compare import compare_bins
from tests.support.bins_fixture import draw_documents, make_bins
from tests.support.small_arms import DOCUMENTS, VAL, settings

TINY: dict[str, Any] = {
    **{"n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": 16, "batch_size": 8},
    **{"max_iters": 12, "device": "cpu"},
}
WORDS = [f"--{name}={value}" for name, value in TINY.items()]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def arms(here: Path) -> Path:
    make_bins(here / "whole", DOCUMENTS, VAL)
    make_bins(here / "part", DOCUMENTS[:50], VAL)
    make_bins(here / "leaky", [*DOCUMENTS, *VAL[:7]], VAL)
    make_bins(here / "few", DOCUMENTS, draw_documents(1, 5))
    return here


def test_a_comparison_that_a_gate_refused_exits_with_1_and_says_what_to_do(
    arms: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compare", "whole", "leaky", "-o", "ab", *WORDS]) == 1

    told = capsys.readouterr()
    assert told.out.startswith("invalid: held-out documents in training data: ")
    assert "prepare the arms again with --drop leaked" in told.out
    assert told.err == ""
    assert read_manifest(arms / "ab", "comparison").totals == {"verdict": "invalid"}


def test_too_few_held_out_documents_are_a_gate_too(arms: Path) -> None:
    assert run(["compare", "few", "few", "-o", "ab", *WORDS, "--json"]) == 1


@pytest.mark.parametrize("names", [("bare", "whole"), ("whole", "bare")])
def test_bins_without_val_documents_are_named_with_what_to_do(
    arms: Path, capsys: pytest.CaptureFixture[str], names: tuple[str, str]
) -> None:
    make_bins(arms / "bare", DOCUMENTS, [])

    assert run(["compare", *names, "-o", "ab", *WORDS]) == 2

    assert capsys.readouterr().err == (
        "assay: bare has no val documents; hold some out (assay prepare --val-share), or name "
        "other bins with --held-out\n"
    )


def test_runs_that_diverge_are_a_failed_gate(arms: Path) -> None:
    wild = ["--learning-rate=1e38", "--grad_clip=0", "--warmup_iters=0"]

    assert run(["compare", "whole", "part", "-o", "ab", *WORDS, *wild]) == 1


def test_every_verdict_of_trained_arms_exits_with_0_and_each_figure_has_its_unit(
    arms: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compare", "whole", "part", "-o", "ab", *WORDS, "--seeds=2"]) == 0

    told = capsys.readouterr()
    blocks = told.out.split("\n\n")
    assert "\n" not in blocks[0]  # in a pipe a sentence is a line
    assert blocks[1].splitlines()[0].split("  ")[-3:] == ["SD of seeds", "bits/byte", "leaked"]
    assert "+-" not in told.out
    assert "the minimum detectable effect is 0." in told.out
    assert " nats/token with 3 seeds an arm, 0." in told.out
    assert " nats/token with 2 seeds an arm" in told.err


def test_arms_with_the_same_training_data_are_marked_as_differing_by_chance_alone(
    arms: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_bins(arms / "again", DOCUMENTS, VAL)
    words = ["compare", "whole", "again", "part", "-o", "ab", *WORDS, "--seeds=2"]
    said = "again and whole hold the same train.bin: a difference is chance"

    assert run(words) == 0
    first = capsys.readouterr().out
    assert run(words) == 0

    assert first.count("hold the same train.bin") == 1
    assert said in first
    assert capsys.readouterr().out == first
    noted = json.loads((arms / "ab/verdict.json").read_text())["comparisons"]
    assert [said in each["notes"] for each in noted] == [True, False]


def test_arms_of_settings_share_their_data_by_design(
    arms: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["compare", "whole", "-o", "ab", *WORDS, "--seeds=2", "--vary", "dropout=0,0.1"]
    assert run(words) == 0

    assert "train.bin" not in capsys.readouterr().out


def test_sentences_are_broken_at_the_width_of_a_terminal(arms: Path) -> None:
    del arms
    bins = [make_bins(Path(name), DOCUMENTS, VAL) for name in ("a", "b")]
    verdict = compare_bins(bins, Path("ab"), config=settings(), seeds=2).verdict

    wide, narrow = describe_verdict(verdict), describe_verdict(verdict, 62)

    assert max(map(len, wide.splitlines())) > 100
    table = narrow.split("\n\n")[1]
    assert table == wide.split("\n\n")[1]
    assert max(map(len, narrow.replace(table, "").splitlines())) <= 62
    assert narrow.split() == wide.split()


def test_one_seed_has_no_spread(arms: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", "whole", "part", "-o", "ab", *WORDS, "--seeds=1"]) == 0

    assert "SD of seeds" not in capsys.readouterr().out


def test_manifests_of_all_rooms_name_their_maker_alike(arms: Path) -> None:
    assert run(["compare", "whole", "part", "-o", "ab", *WORDS, "--seeds=1"]) == 0
    train = ["train", "whole", "-o", "run", *WORDS, "--schedule=constant", "--max_iters=40"]
    assert run(train) == 0
    assert run(["probe", "run", "--old", "whole", "--new", "part", "-o", "why",
                "--device=cpu"]) == 0  # fmt: skip

    made = {name: read_manifest(arms / name).tool for name in ("ab", "ab/runs/0-0", "run", "why")}

    assert set(made.values()) == {f"assay {assay.__version__}"}
