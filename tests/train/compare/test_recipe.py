"""`assay compare` given again over what it finished: the verdict is told, nothing is trained."""

import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import torch

import assay
from assay.cli import run
from assay.errors import UsageError
from assay.formats.bins import open_bins
from assay.formats.train_config import Intervals
from assay.train.compare.arms import make_data_arms
from assay.train.compare.compare import compare_arms
from assay.train.compare.design import ComparisonDesign
from tests.assay.storage.test_recipe import digest
from tests.support.bins_fixture import draw_documents, make_bins
from tests.support.forbid import forbid
from tests.support.runs import compare
from tests.support.small_arms import DOCUMENTS, VAL, settings
from tests.train.run.test_recipe import TINY, WITHOUT_TORCH

HELD = "ab already holds this comparison; nothing was trained again\n"


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bins, a comparison `ab` of two of them, and what it printed in `out`."""
    folder = tmp_path_factory.mktemp("made")
    make_bins(folder / "whole", DOCUMENTS, VAL)
    make_bins(folder / "part", DOCUMENTS[:50], VAL)
    make_bins(folder / "half", DOCUMENTS[:100], VAL)
    make_bins(folder / "leaky", [*DOCUMENTS, *VAL[:7]], VAL)
    make_bins(folder / "other", DOCUMENTS, draw_documents(9, 40))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        torch.set_num_threads(1)
        made = compare_arms(
            make_data_arms([open_bins(Path(name)) for name in ("whole", "part")], settings()),
            Path("ab"),
            design=ComparisonDesign((2,)),
            intervals=Intervals(log=5, evaluate=4),
        )
    assert made.verdict.comparisons[0].equal_loss is not None
    return folder


@pytest.fixture
def finished(here: Path, made: Path) -> Path:
    shutil.copytree(made, here, dirs_exist_ok=True)
    return here / "ab"


COMPARE = ["compare", "whole", "part", "-o", "ab", *TINY, "--seeds=2", "--eval-interval=4"]


def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    forbid(
        monkeypatch,
        "assay.train.run.executor.run_training",
        "assay.train.compare.looks.make_plan",
    )


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_finished_comparison_is_reopened_without_torch(
    finished: Path, capsys: pytest.CaptureFixture[str], form: list[str]
) -> None:
    assert run([*COMPARE[:4], "fresh", *COMPARE[5:], *form]) == 0
    fresh = capsys.readouterr()
    before = digest(finished)

    words = [sys.executable, "-c", WITHOUT_TORCH, *COMPARE, *form]
    again = subprocess.run(words, capture_output=True, text=True, check=False)

    assert (again.returncode, again.stdout, again.stderr) == (0, fresh.out, HELD)
    assert digest(finished) == before


def test_where_and_how_fast_it_is_trained_may_differ(
    finished: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    no_training(monkeypatch)
    free = ["--device=cuda", "--devices=cuda:0,cuda:1", "--micro_batch=2", "--log-interval=1"]

    assert run([*COMPARE, *free, "--checkpoint-interval=3"]) == 0

    assert capsys.readouterr().err == HELD
    del finished


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--seeds=3"], "with other settings (seeds, looks)"),
        (["--delta=0.02", "--not-worse-by=0.1"], "with other settings (delta, not_worse_by)"),
        (["--seed-sd=0.01", "--allow-leaked"], "with other settings (allow_leaked, seed_sd)"),
        (["--held-out-documents=25"], "with other settings (held_out_documents)"),
        (["--dropout=0.1", "--seed=4"], "with other settings (dropout, seed)"),
        (["--eval-interval=6"], "with other settings (eval-interval)"),
        (["--held-out=other"], "made from other held-out data"),
        (["--also=other"], "made from another second set"),
    ],
)
def test_other_terms_are_refused_by_name(
    finished: Path, capsys: pytest.CaptureFixture[str], words: list[str], what: str
) -> None:
    before = digest(finished)

    assert run([*COMPARE, *words]) == 2

    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == (
        f"assay: ab holds a finished run already, {what}; name another --output, or remove it\n"
    )
    assert digest(finished) == before


@pytest.mark.parametrize(
    ("arms", "what"),
    [
        (["whole", "half"], "made from another arm 1"),
        (["part", "whole"], "made from another arm 0 and another arm 1 and other held-out data"),
        (["whole", "part", "half"], "with other settings (arms), made from another arm 2"),
        (["whole", "renamed"], "whose bins were called whole, part"),
        (
            ["whole", "--vary=dropout=0,0.1"],
            "with other settings (arms), made from another arm 1",
        ),
    ],
)
def test_other_arms_are_refused_by_name(
    finished: Path, capsys: pytest.CaptureFixture[str], arms: list[str], what: str
) -> None:
    shutil.copytree("part", "renamed")
    words = [word if word.startswith("--") else str(finished.parent / word) for word in arms]

    assert run(["compare", *words, *COMPARE[3:]]) == 2

    assert f"ab holds a finished run already, {what}; name" in capsys.readouterr().err


def test_another_version_and_another_kind_are_refused(
    finished: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run([*COMPARE[:4], "whole", *COMPARE[5:]]) == 2
    assert "whole holds a finished run already, of kind bins" in capsys.readouterr().err
    made_by = f"by assay {assay.__version__}"
    monkeypatch.setattr("assay.__version__", "9.9.9")
    assert run(COMPARE) == 2
    assert f"ab holds a finished run already, {made_by}" in capsys.readouterr().err
    del finished


@pytest.mark.parametrize("name", ["verdict.json", "runs/1-0/manifest.json"])
def test_a_file_that_was_altered_is_no_result(
    finished: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    path = finished / name
    path.write_bytes(path.read_bytes().replace(b"assay", b"essay").replace(b'"p"', b'"q"'))
    assert run(COMPARE) == 3
    assert f"{name} has sha256" in capsys.readouterr().err

    path.unlink()
    assert run(COMPARE) == 3
    told = capsys.readouterr()
    assert f"{name} is missing" in told.err
    assert told.out == ""


@pytest.mark.parametrize(
    ("arms", "words"),
    [
        (["whole", "leaky"], []),
        (["whole", "part"], ["--learning-rate=1e38", "--grad_clip=0", "--warmup_iters=0"]),
    ],
)
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_gate_that_refused_exits_with_1_when_rerun(
    finished: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arms: list[str],
    words: list[str],
    form: list[str],
) -> None:
    command = ["compare", *arms, "-o", "refused", *COMPARE[5:], *words]
    assert run([*command, *form]) == 1
    first = capsys.readouterr()
    no_training(monkeypatch)

    assert run([*command, *form]) == 1

    again = capsys.readouterr()
    assert again.out == first.out
    assert again.err == HELD.replace("ab", "refused")
    del finished


@pytest.mark.parametrize(
    ("arms", "words"),
    [
        (["whole", "part"], ["--looks=1,2", "--also=other", "--eval-interval=5"]),
        (["whole"], ["--vary=n_layer+n_embd=1+16,2+32", "--seeds=1"]),
        (["whole"], ["--vary=max_iters=6,12", "--seeds=2"]),
        (["whole", "leaky", "part"], ["--allow-leaked", "--seeds=2", "--held-out=other"]),
    ],
)
def test_every_kind_of_comparison_is_reopened(
    finished: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arms: list[str],
    words: list[str],
) -> None:
    command = ["compare", *arms, "-o", "new", *TINY, *words]
    assert run(command) == 0
    first = capsys.readouterr()
    no_training(monkeypatch)

    assert run(command) == 0

    assert capsys.readouterr().out == first.out
    assert msgspec.json.decode((finished.parent / "new/verdict.json").read_bytes())


def test_the_same_call_opens_what_it_finished(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bins = [open_bins(Path(name)) for name in ("whole", "part")]
    first = compare(bins, Path("new"), config=settings(max_iters=3), seeds=2)
    said: list[str] = []
    with monkeypatch.context() as patch:
        no_training(patch)
        again = compare(bins, Path("new"), config=settings(max_iters=3), seeds=2, log=said.append)

    assert again == first
    assert said == [HELD.replace("ab", "new").strip()]
    alien = make_data_arms(bins[::-1], settings(max_iters=3))[::-1]  # seeds of the other's stream
    with pytest.raises(UsageError, match="new holds a finished run already; name"):
        compare_arms(alien, Path("new"), design=ComparisonDesign((2,)))
    del finished
