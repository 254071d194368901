import sys
from pathlib import Path

import msgspec
import pytest
import torch
from click.testing import CliRunner

from assay.cli import commands, run
from assay.formats.train_config import TrainConfig
from assay.options import COUNT
from assay.train.commands.compare import compare_command
from assay.train.commands.train import train_command
from tests.support.bins_fixture import draw_documents, make_bins

TINY = [
    *("--n_layer", "1", "--n_head", "2", "--n_embd", "16"),
    *("--block_size", "16", "--batch_size", "8", "--device", "cpu"),
]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def arms(tmp_path: Path) -> list[str]:
    val = draw_documents(1, 25)
    for name, count in (("raw", 60), ("clean", 50)):
        make_bins(tmp_path / name, draw_documents(0, count), val)
    return [str(tmp_path / "raw"), str(tmp_path / "clean")]


def test_help_names_every_setting_with_its_default() -> None:
    for command in (train_command, compare_command):
        text = CliRunner().invoke(command, ["--help"]).output

        assert all(f"--{name} " in text or f"--{name}\n" in text for name in field_names())
        assert "[default: 128]" in text
        assert "\\b" not in text


def field_names() -> tuple[str, ...]:
    return TrainConfig.__struct_fields__


def test_a_budget_wins_over_the_steps_of_a_file(tmp_path: Path, arms: list[str]) -> None:
    file = tmp_path / "steps.toml"
    file.write_text("max_iters = 3\nlr_decay_iters = 3\n")
    words = ["train", arms[0], "-o", str(tmp_path / "run"), "--tokens", "2k", *TINY]

    result = CliRunner().invoke(commands, [*words, "--config", str(file)])

    assert result.exit_code == 0, result.output
    assert "step 16/16" in result.stderr


def test_train_prints_the_result_on_stdout_and_progress_on_stderr(
    tmp_path: Path, arms: list[str]
) -> None:
    out = str(tmp_path / "run")

    result = CliRunner().invoke(commands, ["train", arms[0], "-o", out, "--tokens", "2k", *TINY])

    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("held-out loss")
    assert "tokens seen         2,048 (0.56 epochs)" in result.stdout
    assert "step 16/16" in result.stderr
    assert "tokens/s" in result.stderr


def test_a_size_by_name_and_dashes_are_read_and_options_win(
    tmp_path: Path, arms: list[str]
) -> None:
    out = tmp_path / "run"
    words = ["--size", "5m", "--n-layer", "1", "--block-size", "32", "--max-iters", "1"]

    result = CliRunner().invoke(
        commands, ["train", arms[0], "-o", str(out), *words, "--batch-size", "2", "--device", "cpu"]
    )

    assert result.exit_code == 0, result.output
    config = msgspec.json.decode((out / "manifest.json").read_bytes())["settings"]["config"]
    shape = (config["n_layer"], config["n_head"], config["n_embd"], config["block_size"])
    assert shape == (1, 3, 96, 32)


def test_ckpt_pt_is_written_for_nanogpt_and_refused_for_modern(
    tmp_path: Path, arms: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", arms[0], *TINY, "--max_iters", "1", "--ckpt-pt"]

    assert run([*words, "-o", str(tmp_path / "theirs"), "--arch", "nanogpt"]) == 0
    capsys.readouterr()
    assert run([*words, "-o", str(tmp_path / "ours")]) == 2

    manifest = msgspec.json.decode((tmp_path / "theirs" / "manifest.json").read_bytes())
    assert "ckpt.pt" in [entry["name"] for entry in manifest["outputs"]]
    assert "arch must be nanogpt, got modern" in capsys.readouterr().err
    assert not (tmp_path / "ours").exists()


def test_a_logger_that_is_missing_stops_before_anything_is_trained(
    tmp_path: Path,
    arms: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["train", arms[0], *TINY, "-o", str(tmp_path / "run"), "--log-to"]
    monkeypatch.setitem(sys.modules, "wandb", None)

    assert run([*words, "wandb"]) == 2
    assert run([*words, "wandb,mlflow"]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert "pip install 'assay[wandb]'" in errors[0]
    assert "--log-to must be some of wandb, tensorboard, trackio, got 'mlflow'" in errors[1]
    assert not (tmp_path / "run").exists()


def test_compare_prints_the_verdict_first(tmp_path: Path, arms: list[str]) -> None:
    out = str(tmp_path / "ab")

    result = CliRunner().invoke(
        commands, ["compare", *arms, "-o", out, "--tokens", "1k", "--seeds", "2", *TINY]
    )

    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert "clean" in lines[0]
    assert "nats/token" in lines[0]
    assert lines[2].split() == [
        *("arm", "unique", "tokens", "epochs", "nats/token", "SD", "of", "seeds", "bits/byte"),
        "leaked",
    ]
    assert lines[3].startswith("raw    3,600")
    assert result.stdout.isascii()
    assert "4 runs of 1,024 tokens (8 steps)" in result.stderr


def test_compare_prints_the_same_as_json(tmp_path: Path, arms: list[str]) -> None:
    out = tmp_path / "ab"

    result = CliRunner().invoke(
        commands,
        ["compare", *arms, "-o", str(out), "--max_iters", "2", "--seeds", "2", "--json", *TINY],
    )

    assert msgspec.json.decode(result.stdout) == msgspec.json.decode(
        (out / "verdict.json").read_bytes()
    )


def test_an_invalid_comparison_says_which_gate_failed_and_ends_well(
    tmp_path: Path, arms: list[str]
) -> None:
    val = draw_documents(1, 25)
    make_bins(tmp_path / "leaky", [*draw_documents(0, 50), *val[:3]], val)
    words = ["compare", arms[0], str(tmp_path / "leaky"), "-o", str(tmp_path / "ab"), *TINY]

    result = CliRunner().invoke(commands, words)

    assert result.exit_code == 0
    assert result.stdout.startswith("invalid: held-out documents in training data")
    lines = result.stdout.splitlines()
    assert lines[-3].startswith("failed  held-out documents in training")
    assert "--drop leaked" in lines[-1]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["train", "nothing", "-o", "run"], 2, "no folder at nothing"),
        (["train", "BINS", "-o", "run", "--n_layer", "many"], 2, "at least 1, got 'many'"),
        (["train", "BINS", "-o", "run", "--tokens", "lots"], 2, "is not a number"),
        (["train", "BINS", "-o", "run", "--block_size", "9000"], 2, "below the 3,660 ids"),
        (["train", "BINS", "-o", "run", "--config", "no.py"], 2, "config no.py does not exist; na"),
        (["train", "BINS", "-o", "run", "--config", "BINS"], 2, "cannot be read: Is a directory\n"),
        (["train", "BINS", "-o", "BINS"], 2, "finished run"),
        (["train", "BINS"], 2, "Missing option '-o'"),
        (
            ["train", "BINS", "-o", "run", "--label-smoothing", "0.1"],
            2,
            "the loss is no longer a likelihood",
        ),
        (
            ["compare", "BINS", "BINS", "-o", "ab", "--label_smoothing=1"],
            2,
            "is no longer a likelihood",
        ),
        (["compare", "BINS", "BINS", "-o", "ab", "--devices", "gpu"], 2, "got 'gpu'"),
        (["score", "BINS", "--held-out", "BINS", "--device", "gpu"], 2, "got 'gpu'"),
        (
            ["train", "BINS", "-o", "run", "--tokens", "1M", "--max-iters", "5"],
            2,
            "--tokens sets --max_iters; leave one of them out",
        ),
        (
            ["compare", "BINS", "BINS", "-o", "ab", "--tokens", "1M", "--lr_decay_iters=5"],
            2,
            "--tokens sets --lr_decay_iters; leave one of them out",
        ),
        (["compare", "BINS", "-o", "ab"], 2, "needs two folders of bins or more, or --vary KEY="),
    ],
)
def test_what_cannot_be_done_is_one_line_and_leaves_nothing(
    tmp_path: Path,
    arms: list[str],
    words: list[str],
    code: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)

    found = run([arms[0] if word == "BINS" else word for word in words])

    error = capsys.readouterr().err
    assert found == code
    assert message in error
    assert error.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} == {"raw", "clean"}


@pytest.mark.parametrize("verb", ["compare", "probe", "score"])
def test_torchrun_is_for_train_alone(
    verb: str, arms: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    words = {
        "compare": [*arms, "-o", "ab"],
        "probe": ["run", "--old", arms[0], "--new", arms[1], "-o", "why"],
        "score": ["run", "--held-out", arms[0]],
    }

    assert run([verb, *words[verb]]) == 2
    assert f"assay {verb} runs in one process; leave torchrun out" in capsys.readouterr().err


def test_without_torch_there_is_one_line(
    tmp_path: Path, arms: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch", None)

    result = CliRunner().invoke(commands, ["train", arms[0], "-o", str(tmp_path / "run")])

    assert "pip install 'assay[train]'" in str(result.exception)


def test_a_nanogpt_file_says_what_of_it_is_not_used(tmp_path: Path, arms: list[str]) -> None:
    path = tmp_path / "config.py"
    path.write_text("wandb_log = True\nwarmup_iters = 0\nmin_lr = 0.0\nn_layer = 1\n")
    words = ["train", arms[0], "-o", str(tmp_path / "run"), "--config", str(path), *TINY]

    result = CliRunner().invoke(
        commands, [*words, "--gradient_accumulation_steps", "1", "--max_iters", "2"]
    )

    assert result.exit_code == 0, result.output
    assert "not used here: wandb_log" in result.stderr


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("250000", 250_000), ("1.5B", 1_500_000_000), ("2k", 2000), ("1_0M", 10**7)],
)
def test_budgets_are_read(text: str, tokens: int) -> None:
    assert COUNT.convert(text, None, None) == tokens
