"""`assay train` given again over what it finished: the result is told, nothing is trained anew."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import assay
from assay.cli import run
from assay.errors import UsageError
from assay.formats.bins import open_bins
from assay.formats.config_checks import make_config
from assay.formats.train_config import Intervals
from assay.storage.manifest import read_manifest
from assay.train.run.evaluate import load_held_out
from assay.train.run.train import train_on
from tests.assay.storage.test_recipe import digest
from tests.support.bins_fixture import make_bins
from tests.support.forbid import forbid
from tests.support.runs import train
from tests.support.small_arms import DOCUMENTS, VAL

SHAPE = ["--n_layer=1", "--n_head=2", "--n_embd=16", "--block_size=16", "--batch_size=8"]
TINY = [*SHAPE, "--device=cpu", "--max_iters=12"]
TRAIN = ["train", "bins", "-o", "run", *TINY]
WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
from assay.cli import run
sys.exit(run(sys.argv[1:]))
"""


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def bins(here: Path) -> Path:
    make_bins(here / "bins", DOCUMENTS, VAL)
    return here


def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    forbid(
        monkeypatch, "assay.train.run.launch.run_training", "assay.train.run.launch.compile_model"
    )


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_finished_run_is_reopened_without_torch(
    bins: Path, capsys: pytest.CaptureFixture[str], form: list[str]
) -> None:
    assert run([*TRAIN, *form]) == 0
    first = capsys.readouterr()
    before = digest(bins / "run")

    words = [sys.executable, "-c", WITHOUT_TORCH, *TRAIN, *form]
    again = subprocess.run(words, cwd=bins, capture_output=True, text=True, check=False)

    assert (again.returncode, again.stdout) == (0, first.out)
    assert again.stderr == "run already holds this run; nothing was trained again\n"
    assert digest(bins / "run") == before


def test_where_and_how_fast_it_is_trained_may_differ(
    bins: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(TRAIN) == 0
    first = capsys.readouterr().out
    no_training(monkeypatch)
    free = ["--device=cuda", "--micro_batch=2", "--compile=true", "--eval_batch_size=3"]
    free += ["--log-interval=3", "--eval-interval=5", "--checkpoint-interval=1", "--log-to=wandb"]

    assert run([*TRAIN, *free]) == 0

    assert capsys.readouterr().out == first


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--seed=1", "--max_iters=16"], "with other settings (max_iters, seed)"),
        (["--warmup_iters=0"], "with other settings (warmup_iters)"),
        (["--ckpt-pt"], "without ckpt.pt"),
        (["--keep-checkpoints=4,8"], "without step-4"),
        (["--keep-checkpoints=all", "--checkpoint-interval=5"], "without step-5"),
    ],
)
def test_other_settings_are_refused_by_name(
    bins: Path, capsys: pytest.CaptureFixture[str], words: list[str], what: str
) -> None:
    assert run(TRAIN) == 0
    before = digest(bins / "run")
    capsys.readouterr()

    assert run([*TRAIN, *words]) == 2

    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == (
        f"assay: run holds a finished run already, {what}; name another --output, or remove it\n"
    )
    assert digest(bins / "run") == before


def test_other_bins_and_another_version_are_refused(
    bins: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(TRAIN) == 0
    make_bins(bins / "others", DOCUMENTS[:90], VAL)
    capsys.readouterr()

    assert run(["train", "others", *TRAIN[2:]]) == 2
    assert "run holds a finished run already, made from other bins;" in capsys.readouterr().err
    made_by = f"by assay {assay.__version__}"
    monkeypatch.setattr("assay.__version__", "9.9.9")
    assert run(TRAIN) == 2
    assert f"{made_by}, this is assay 9.9.9" in capsys.readouterr().err


def test_a_file_that_was_damaged_is_no_result(
    bins: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(TRAIN) == 0
    losses, weights = bins / "run/losses.parquet", bins / "run/model.safetensors"
    data = losses.read_bytes()

    losses.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    assert run(TRAIN) == 3
    assert "losses.parquet has sha256" in capsys.readouterr().err
    losses.write_bytes(data)
    weights.write_bytes(weights.read_bytes()[:-1])
    assert run(TRAIN) == 3
    assert "model.safetensors has" in capsys.readouterr().err
    weights.unlink()
    assert run(TRAIN) == 3
    assert "model.safetensors is missing" in capsys.readouterr().err


def test_a_run_killed_just_after_it_was_sealed_is_finished(
    bins: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [*TRAIN, "--checkpoint-interval=4"]

    def kill(folder: Path, *, but: Path | None = None) -> None:
        if but is None:  # all of them, at the end
            raise SystemExit(137)

    with monkeypatch.context() as patch:
        patch.setattr("assay.train.checkpoints.checkpoint.remove_checkpoints", kill)
        with pytest.raises(SystemExit):
            run(words)
    (bins / "run/.unfinished").write_text("run\n")
    capsys.readouterr()
    assert run([*TRAIN[:3], "whole", *TRAIN[4:]]) == 0
    whole = capsys.readouterr().out
    no_training(monkeypatch)

    assert run(["verify", "run"]) == 3
    capsys.readouterr()

    assert run(words) == 0

    assert capsys.readouterr().out == whole
    assert run(["verify", "run"]) == 0


def test_what_was_kept_has_to_be_there_and_more_may(
    bins: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [*TRAIN, "--arch=nanogpt", "--checkpoint-interval=5"]
    assert run([*words, "--keep-checkpoints=all", "--ckpt-pt"]) == 0
    first = capsys.readouterr().out
    no_training(monkeypatch)

    for fewer in (["--keep-checkpoints=all"], ["--keep-checkpoints=10", "--ckpt-pt"], []):
        assert run([*words, *fewer]) == 0
        assert capsys.readouterr().out == first


def test_a_run_resumed_from_another_is_reopened_by_the_same_command_alone(
    bins: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = ["--keep-checkpoints=all", "--checkpoint-interval=4"]
    assert run([*TRAIN, *kept]) == 0
    on = ["train", "bins", "-o", "on", "--resume-from", "run/step-4", "--device=cpu"]
    changed = [*on, "--learning-rate=1e-3", *kept]
    capsys.readouterr()
    assert run(changed) == 0
    first = capsys.readouterr().out
    no_training(monkeypatch)

    assert run(changed) == 0

    assert capsys.readouterr().out == first
    refused = [
        (on, "with other settings (learning_rate, changes)"),
        ([*changed[:5], "run/step-8", *changed[6:]], "with other settings (changes)"),
        ([*changed, "--max_iters=20"], "with other settings (max_iters, changes)"),
        (["train", "bins", "-o", "on", *TINY, "--learning-rate=1e-3"], "settings (changes)"),
        ([*on[:4], "--resume"], "on is finished; to train on, name it with --resume-from"),
    ]
    for words, what in refused:
        assert run(words) == 2
        assert what in capsys.readouterr().err


def test_the_weights_it_began_with_count(
    bins: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(TRAIN) == 0
    assert run([*TRAIN[:3], "other", *TINY, "--seed=1"]) == 0
    tuned = ["train", "bins", "-o", "tuned", "--batch_size=8", "--max_iters=6", "--device=cpu"]
    capsys.readouterr()
    assert run([*tuned, "--init-from", "run"]) == 0
    first = capsys.readouterr().out
    no_training(monkeypatch)

    assert run([*tuned, "--init-from", "run"]) == 0

    assert capsys.readouterr().out == first
    for words in ([*tuned, "--init-from", "other"], [*tuned, *SHAPE]):
        assert run(words) == 2
        assert "tuned holds a finished run already, made from other weights" in (
            capsys.readouterr().err
        )


def test_processes_of_torchrun_end_together(bins: Path) -> None:
    words = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "assay"]

    def start(*more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, *words, *TRAIN, *more], cwd=bins, capture_output=True, text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"}, timeout=120, check=False,
        )  # fmt: skip

    first = start()
    again = start()
    other = start("--seed=1")

    assert first.returncode == 0, first.stderr
    assert (again.returncode, again.stdout) == (0, first.stdout)
    assert again.stderr.count("run already holds this run; nothing was trained again") == 1
    assert other.returncode != 0
    assert other.stderr.count("with other settings (seed)") == 1
    assert "Traceback" not in other.stderr.partition("run holds a finished run")[0]


def test_the_same_call_opens_what_it_finished(
    bins: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """But with documents of the caller's own: the folder does not tell which they were."""
    data, config = open_bins(bins / "bins"), make_config({"max_iters": 5, "n_embd": 16})
    made = train_on(data, "run", config=config)
    assert capsys.readouterr() == ("", "")

    again = train_on(data, "run", config=config, intervals=Intervals(1), quiet=False)

    assert again == made
    assert capsys.readouterr().err == "run already holds this run; nothing was trained again\n"
    with pytest.raises(UsageError, match="finished run already"):
        train(data, Path("run"), config=config, held_out=load_held_out(data))


def test_a_run_that_scored_other_documents_is_another(
    bins: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = open_bins(bins / "bins")
    names = dict(word.removeprefix("--").split("=") for word in TINY)
    train(
        data, Path("run"), config=make_config(names), held_out=load_held_out(data, max_documents=20)
    )

    assert run(TRAIN) == 2

    assert "with other documents scored" in capsys.readouterr().err
    assert read_manifest(bins / "run").totals["held_out_documents"] == 20
