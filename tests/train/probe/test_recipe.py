"""`assay probe` given again over what it finished: the table is told, nothing is trained anew."""

import shutil
from pathlib import Path

import pytest
import torch

from assay.cli import run
from assay.formats.bins import open_bins
from assay.formats.config_checks import make_config
from tests.assay.storage.test_recipe import digest
from tests.support.bins_fixture import draw_documents, make_bins
from tests.support.forbid import forbid
from tests.support.probes import make_small, probe
from tests.support.runs import train

PROBE = ["probe", "run", "--old", "old", "--new", "new", "-o", "why", "--steps=20", "--device=cpu"]
HELD = "why already holds this probe; nothing was trained again\n"


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_small(tmp_path_factory.mktemp("made"))
    make_bins(folder / "more", draw_documents(3, 60), draw_documents(4, 30))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run(PROBE) == 0
    return folder


@pytest.fixture
def finished(here: Path, made: Path) -> Path:
    shutil.copytree(made, here, dirs_exist_ok=True)
    return here / "why"


def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    forbid(
        monkeypatch,
        "assay.train.run.executor.run_training",
        "assay.train.run.executor.compile_model",
        "assay.train.probe.branches.plan_probe",
    )


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_finished_probe_is_reopened(
    finished: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    form: list[str],
) -> None:
    assert run([*PROBE[:7], "fresh", *PROBE[8:], *form]) == 0
    fresh = capsys.readouterr()
    before = digest(finished)
    no_training(monkeypatch)

    assert run([*PROBE, "--log-interval=1", "--checkpoint-interval=1", *form]) == 0

    again = capsys.readouterr()
    assert (again.out, again.err) == (fresh.out, HELD)
    assert digest(finished) == before


def test_a_probe_of_nanogpts_checkpoint_is_reopened(
    finished: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["probe", "gpt/ckpt.pt", *PROBE[2:7], "theirs", *PROBE[8:], "--held-out=more"]
    assert run(words) == 0
    first = capsys.readouterr().out
    no_training(monkeypatch)

    assert run([*words[:-2], "--device=auto", words[-1]]) == 0

    assert capsys.readouterr().out == first
    del finished


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--steps=21", "--seeds=3"], "with other settings (steps, seeds)"),
        (["--seed=1", "--learning-rate=0.01"], "with other settings (learning_rate, seed)"),
        (["--held-out-documents=24"], "with other settings (held_out_documents)"),
        (["--held-out=more"], "made from other held-out data"),
        (["--new=more"], "made from other new data"),
        (["--new=renamed"], "whose bins were called old, new, old"),
    ],
)
def test_what_is_asked_for_otherwise_is_refused_by_name(
    finished: Path, capsys: pytest.CaptureFixture[str], words: list[str], what: str
) -> None:
    shutil.copytree("new", "renamed")
    before = digest(finished)

    assert run([*PROBE, *words]) == 2

    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == (
        f"assay: why holds a finished run already, {what}; name another --output, or remove it\n"
    )
    assert digest(finished) == before


def test_another_checkpoint_under_the_same_name_is_refused(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = make_config({"n_layer": 1, "n_embd": 16, "n_head": 2, "block_size": 32,
                          "batch_size": 8, "device": "cpu", "schedule": "constant",
                          "learning_rate": 0.03, "max_iters": 40, "seed": 7})  # fmt: skip
    shutil.rmtree("run")
    train(open_bins(Path("old")), Path("run"), config=config)

    assert run(PROBE) == 2

    assert "with other settings (seed, checkpoint_sha256)" in capsys.readouterr().err
    del finished


def test_a_table_that_was_altered_is_no_result(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = finished / "probe.json"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"schedule", b"scheduls"))

    assert run(PROBE) == 3
    assert "probe.json has sha256" in capsys.readouterr().err
    path.write_bytes(whole)
    (finished / "checkpoint.parquet").unlink()
    assert run(PROBE) == 3
    assert "checkpoint.parquet is missing" in capsys.readouterr().err


def test_the_same_call_opens_what_it_finished(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = finished.parent
    first = probe(here, here / "called")
    no_training(monkeypatch)
    said: list[str] = []

    assert probe(here, here / "called", log=said.append) == first

    assert len(said) == 1
    assert said[0].endswith("called already holds this probe; nothing was trained again")
