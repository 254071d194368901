"""The verbs of this room as Python functions: paths in any form, settings, results, errors."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import assay
from assay.errors import UsageError
from assay.formats.bins import open_bins
from assay.formats.train_config import Intervals, TrainConfig
from tests.support.bins_fixture import draw_documents, make_bins

TINY: dict[str, Any] = {
    **{"n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": 16, "batch_size": 8},
    **{"max_iters": 40, "device": "cpu", "schedule": "constant"},
}
CONFIG = TrainConfig(**TINY)


class Named(os.PathLike[str]):
    """A path of neither text nor `Path`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __fspath__(self) -> str:
        return self.name


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Two folders of bins, a run, a comparison and a probe, in the working folder."""
    torch.set_num_threads(1)
    here, before = tmp_path_factory.mktemp("library"), Path.cwd()
    val = draw_documents(1, 25)
    os.chdir(here)
    make_bins(Path("old"), draw_documents(0, 60), val)
    make_bins(Path("new"), draw_documents(2, 60), val)
    assay.train_on("old", "run", config=CONFIG)
    assay.compare_bins(["old", "new"], "ab", config=CONFIG, tokens=640, seeds=2)
    assay.probe_checkpoint("run", "why", old="old", new="new", steps=20, device="cpu")
    yield here
    os.chdir(before)


@pytest.mark.parametrize("form", [str, Path, Named], ids=["text", "Path", "PathLike"])
def test_paths_are_text_or_anything_that_names_a_path(
    made: Path, form: Callable[[str], Any]
) -> None:
    old, new = form("old"), form("new")

    run = assay.train_on(old, form("run"), config=CONFIG)
    ab = assay.compare_bins([old, new], form("ab"), config=CONFIG, tokens=640, seeds=2)
    why = assay.probe_checkpoint(form("run"), form("why"), old=old, new=new, steps=20, device="cpu")
    scores = assay.score_checkpoints(form("run"), old, trained_on=new, device="cpu")

    assert run == assay.open_run(form("run"))
    assert ab == assay.open_comparison(form("ab"))
    assert why == assay.open_probe(form("why"))
    assert scores.checkpoints[0].loss_nats == pytest.approx(run.loss_nats, abs=1e-6)
    many = assay.score_checkpoints(
        [form("run")], form("old"), trained_on=[form("new")], device="cpu"
    )
    assert many == scores


def test_bins_that_are_open_already_will_do(made: Path) -> None:
    old, new = open_bins(Path("old")), open_bins(Path("new"))

    assert assay.train_on(old, "run", config=CONFIG) == assay.open_run("run")
    found = assay.compare_bins([old, "new"], "ab", config=CONFIG, tokens=640, seeds=2)
    assert found.folder == Path("ab")
    assert assay.score_checkpoints("run", old, trained_on=new, device="cpu").folder == Path("old")


def test_settings_come_whole_by_name_by_size_or_from_a_file(made: Path) -> None:
    Path("tiny.toml").write_text("n_layer = 1\nn_head = 2\nn_embd = 16\nmax_iters = 9\n")
    small = {"batch_size": 2, "block_size": 16, "device": "cpu"}

    whole = assay.train_on("old", "whole", config=TrainConfig(**{**TINY, "max_iters": 3}))
    named = assay.train_on("old", "named", **{**TINY, "max_iters": "3"})
    sized = assay.train_on("old", "sized", size="5m", tokens=32, n_layer=1, **small)
    read = assay.train_on("old", "read", config="tiny.toml", tokens="64", **small)

    assert whole.config == named.config
    assert (sized.config.n_embd, sized.config.n_layer, sized.config.max_iters) == (96, 1, 1)
    assert (read.config.n_embd, read.config.max_iters) == (16, 2)


def test_a_run_is_resumed_from_python(made: Path) -> None:
    retention = assay.Retention(steps=frozenset({20}))
    kept = assay.train_on("old", "kept", config=CONFIG, retention=retention)

    rest = assay.train_on("old", "rest", resume_from="kept/step-20", device="cpu")
    tuned = assay.train_on(
        "new", "tuned", init_from="kept", max_iters=2, batch_size=8, device="cpu"
    )

    assert rest.loss_nats == kept.loss_nats
    assert tuned.config.n_embd == 16
    with pytest.raises(UsageError, match="kept is finished; to train on, name it with resume_from"):
        assay.train_on("old", "kept", resume=True)


@pytest.mark.parametrize("name", ["run", "ab", "why", "scores"])
def test_a_result_prints_as_one_line_and_shows_in_a_notebook(made: Path, name: str) -> None:
    found: Any = {
        "run": lambda: assay.open_run("run"),
        "ab": lambda: assay.open_comparison("ab"),
        "why": lambda: assay.open_probe("why"),
        "scores": lambda: assay.score_checkpoints("run", "old", device="cpu"),
    }[name]()

    line, page = repr(found), found._repr_html_()

    assert line == str(found)
    assert "\n" not in line
    assert 30 < len(line) < 500
    assert page.startswith("<p>")
    assert "<th>" in page


def test_html_of_a_result_is_escaped(made: Path) -> None:
    Path("<b>").symlink_to("run")

    assert "<b>" not in assay.open_run("<b>")._repr_html_()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: assay.train_on("old", "x", tokens=0), "tokens must be a number such as"),
        (lambda: assay.train_on("old", "x", tokens="many"), "tokens must be a number such as"),
        (lambda: assay.train_on("old", "x", size="7B"), "size must be one of 5M, 30M"),
        (
            lambda: assay.train_on("old", "x", tokens=9, **{"max_iters": 2}),
            "tokens sets max_iters; leave one of them out",
        ),
        (lambda: assay.train_on("old", "x", log_to=["mlflow"], **TINY), "log_to must be"),
        (
            lambda: assay.train_on("old", "x", resume=True, resume_from="run"),
            "resume_from excludes resume",
        ),
        (
            lambda: assay.compare_bins("old", "x", **TINY),
            "needs two folders of bins or more, or vary KEY=V1,V2 on one, got 1",
        ),
        (
            lambda: assay.compare_bins(["old", "new"], "x", vary="dropout=0,1", **TINY),
            "vary compares settings on one folder of bins, got 2",
        ),
        (
            lambda: assay.compare_bins(
                ["old", "new"], "x", design=assay.ComparisonDesign(delta=0), **TINY
            ),
            "delta must be above 0",
        ),
        (
            lambda: assay.probe_checkpoint("run", "x", old="old", new="new", steps=2, device="cpu"),
            "steps must be at least 20, got 2",
        ),
    ],
)
def test_errors_name_parameters(made: Path, call: Callable[[], object], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        call()

    assert message in str(caught.value)
    assert "--" not in str(caught.value)
    assert caught.value.parameters
    assert all(name in str(caught.value) for name in caught.value.parameters)
    assert not Path("x").exists()


def test_a_head_that_is_no_longer_there_is_computed_in_chunks_with_a_warning(made: Path) -> None:
    with pytest.warns(FutureWarning, match="head tiled is no longer there; chunked is used"):
        run = assay.train_on("old", "tiled", **{**TINY, "max_iters": 1, "head": "tiled"})

    assert run.config.head == "chunked"
    assert TrainConfig(head="tiled").loss_head == "chunked"  # as an old folder has it


def test_progress_is_quiet_unless_it_is_asked_for(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = {**TINY, "max_iters": 1}
    assay.train_on("old", "quiet", **small)
    assert capsys.readouterr() == ("", "")

    assay.train_on("old", "loud", **small, intervals=Intervals(log=1), quiet=False)

    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines()[-1].startswith("step 1/1: loss ")
