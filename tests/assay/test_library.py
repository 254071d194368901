"""Every function of `assay` that takes paths takes them as text, as `Path`, one or in a list."""

import inspect
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import assay
from tests.support import docs_case
from tests.support.bins_fixture import draw_documents, make_bins

pytest.importorskip("torch")

TINY: dict[str, Any] = {
    **{"n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": 16, "batch_size": 8},
    **{"max_iters": 10, "device": "cpu", "schedule": "constant"},
}
NANOGPT = TINY | {"warmup_iters": 0, "lr_decay_iters": 10, "min_lr": 1e-4}
LOG = "".join(
    f"step {step}: train loss {4 - step / 4000:.4f}, val loss {4.1 - step / 4000:.4f}\n"
    for step in range(0, 2001, 250)
)
Form = Callable[[str], Any]

# How each is called, with `form` around every path. What takes many gets one, and a list.
CALLS: dict[str, Callable[[Form], list[Any]]] = {
    "audit_shards": lambda form: [
        assay.audit_shards(form("shards"), form("audit")),
        assay.audit_shards([form("shards")], form("audit")),
        assay.audit_shards((form("shards"),), form("audit-val"), val=[form("one/a.parquet")]),
        assay.audit_shards([form("shards")], form("audit-val"), val=form("one/a.parquet")),
        assay.audit_shards([form("shards")], form("planned"), plan=form("plan.py")),
    ],
    "rejudge_audit": lambda form: [
        assay.rejudge_audit(form("audit"), form("rejudged"), threshold=0.9),
        assay.rejudge_audit(form("audit"), form("replanned"), plan=form("plan.py")),
    ],
    "open_audit": lambda form: [assay.open_audit(form("audit"))],
    "plan_bins": lambda form: [
        assay.plan_bins(form("audit")),
        assay.plan_bins(form("audit"), val=form("shards/a.parquet")),
        assay.plan_bins(form("audit"), val=[form("shards/a.parquet")]),
    ],
    "prepare_bins": lambda form: [
        assay.prepare_bins(form("audit"), form("bins"), val_share=0.2),
        assay.prepare_bins(form("audit"), form("other"), drop="none", val_share=0.2),
    ],
    "open_bins": lambda form: [assay.open_bins(form("bins"))],
    "read_plan": lambda form: [assay.read_plan(form("plan.py"))],
    "train_on": lambda form: [
        assay.train_on(form("old"), form("run"), **TINY),
        assay.train_on(
            form("old"),
            form("nano"),
            arch="nanogpt",
            retention=assay.Retention(ckpt_pt=True),
            **TINY,
        ),
        assay.train_on(form("old"), form("tuned"), config=form("tiny.py")),
        assay.train_on(
            form("old"),
            form("begun"),
            init_from=form("run"),
            max_iters=2,
            batch_size=8,
            device="cpu",
        ),
        assay.train_on(form("old"), form("longer"), resume_from=form("run"), max_iters=12),
    ],
    "open_run": lambda form: [assay.open_run(form("run"))],
    "score_checkpoints": lambda form: [
        assay.score_checkpoints(form("run"), form("old"), device="cpu"),
        assay.score_checkpoints([form("run")], form("old"), trained_on=form("old"), device="cpu"),
        assay.score_checkpoints([form("run")], form("old"), trained_on=[form("old")], device="cpu"),
    ],
    "compare_bins": lambda form: [
        assay.compare_bins(
            [form("old"), form("new")],
            form("against"),
            seeds=2,
            config=form("tiny.py"),
            held_out=form("old"),
            also=form("new"),
        ),
        assay.compare_bins([form("old"), form("new")], form("ab"), seeds=2, **TINY),
        assay.compare_bins(form("old"), form("rates"), vary={"dropout": [0, 0.5]}, seeds=2, **TINY),
        assay.compare_bins(
            [form("old")], form("rates"), vary={"dropout": [0, 0.5]}, seeds=2, **TINY
        ),
    ],
    "open_comparison": lambda form: [assay.open_comparison(form("ab"))],
    "probe_checkpoint": lambda form: [
        assay.probe_checkpoint(
            form("run"),
            form("probe"),
            old=form("old"),
            new=form("new"),
            steps=20,
            device="cpu",
            held_out=form("old"),
        )
    ],
    "open_probe": lambda form: [assay.open_probe(form("probe"))],
    "diagnose_log": lambda form: [
        assay.diagnose_log(form("train.log"), audit=form("audit"), output=form("why")),
        assay.diagnose_log(form("train.log"), bins=form("bins"), config=form("plan.py")),
        assay.diagnose_log(form("train.log"), checkpoint=form("nano/ckpt.pt")),
    ],
    "open_diagnosis": lambda form: [assay.open_diagnosis(form("why"))],
    "write_report": lambda form: [
        assay.write_report(form("audit"), form("a.html")),
        assay.write_report([form("audit"), form("bins"), form("ab"), form("why")], form("b.md")),
    ],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with shards, a second folder of bins, a log and a plan."""
    here, before = tmp_path_factory.mktemp("library"), Path.cwd()
    os.chdir(here)
    docs_case.make_shards()
    val = draw_documents(1, 25)
    make_bins(Path("old"), draw_documents(0, 60), val)
    make_bins(Path("new"), draw_documents(2, 60), val)
    Path("one").mkdir()
    shutil.copy("shards/a.parquet", "one/a.parquet")
    Path("train.log").write_text(LOG)
    Path("tiny.py").write_text("".join(f"{name} = {value!r}\n" for name, value in NANOGPT.items()))
    Path("plan.py").write_text("n_layer = 1\nn_head = 2\nn_embd = 16\nmax_iters = 100\n")
    yield here
    os.chdir(before)


def test_all_functions_are_called_here() -> None:
    assert set(CALLS) == {n for n in assay.__all__ if inspect.isfunction(getattr(assay, n))}


@pytest.mark.parametrize("name", sorted(CALLS))
def test_verbs_have_one_style_of_keywords(name: str) -> None:
    """Two paths by place, all else by name; single settings by name come last, as `changes`."""
    verb = getattr(assay, name)
    given = inspect.signature(verb).parameters.values()
    documented = inspect.getdoc(verb) or ""

    assert 1 <= sum(each.kind is each.POSITIONAL_OR_KEYWORD for each in given) <= 2
    assert not any(each.kind in (each.POSITIONAL_ONLY, each.VAR_POSITIONAL) for each in given)
    assert all(each.name == "changes" for each in given if each.kind is each.VAR_KEYWORD)
    if not name.startswith(("open_", "plan_", "read_")):
        assert all(f"    {each.name}: " in documented.replace("**", "") for each in given)


@pytest.mark.parametrize("form", [str, Path], ids=["text", "Path"])
def test_paths_are_text_or_path_one_or_many(made: Path, form: Form) -> None:
    for name, call in CALLS.items():
        for result in call(form):
            assert "\n" not in str(result), name
            if not isinstance(result, Path):
                assert len(str(result)) < 300, name
                assert result._repr_html_().startswith("<p>"), name


def test_results_stand_for_their_folders(made: Path) -> None:
    audit = assay.audit_shards("shards", "audit")
    bins = assay.prepare_bins(audit, "bins", val_share=0.2)
    run = assay.train_on("old", "run", **TINY)

    assert assay.write_report([audit, bins, run], "all.html") == Path("all.html")
    assert assay.write_report(audit, "one.html") == Path("one.html")
    assert assay.score_checkpoints(run, "old", device="cpu").folder == Path("old")
    kept = assay.diagnose_log("train.log", audit=audit)
    with pytest.raises(assay.AssayError, match="lies in no folder; give it an output first"):
        assay.write_report(kept, "why.html")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: assay.audit_shards("shards", "x", treshold=0.5), "no setting 'treshold'; did you"),
        (lambda: assay.audit_shards("shards", "x", threshold="a"), "threshold must be a number"),
        (
            lambda: assay.audit_shards("shards", "x", trust_token_count="no"),
            "must be True or False",
        ),
        (lambda: assay.audit_shards("shards", "x", threads=0), "threads must be at least 1, got 0"),
        (lambda: assay.audit_shards("shards", "x", signature="md5"), "signature must be one of"),
        (lambda: assay.prepare_bins("audit", "x", val_share="a"), "val_share must be a number"),
        (lambda: assay.prepare_bins("audit", "x", seed=0.5), "seed must be a whole number"),
        (lambda: assay.diagnose_log("train.log", unique_tokens=-4), "unique_tokens must be a"),
        (
            lambda: assay.score_checkpoints("run", "old", held_out_documents=0, device="cpu"),
            "held_out_documents must be a number such as",
        ),
        (lambda: assay.open_audit("audit").map_tokens(9), "shard must be from 0 to 1, got 9"),
        (lambda: assay.open_bins("bins").read_documents("test"), "split must be train or val"),
        (lambda: assay.score_checkpoints([], "old", device="cpu"), "must be one path or more"),
        (lambda: assay.compare_bins(["old", "new"], "x", seeds=0, **TINY), "seeds must be a"),
        (
            lambda: assay.compare_bins(
                ["old", "new"], "x", seeds=2, design=assay.ComparisonDesign(looks=(3, 5)), **TINY
            ),
            "seeds and looks exclude each other",
        ),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(
    made: Path, call: Callable[[], Any], message: str
) -> None:
    assay.prepare_bins(assay.audit_shards("shards", "audit"), "bins", val_share=0.2)
    assay.train_on("old", "run", **TINY)

    with pytest.raises(assay.AssayError, match=message) as error:
        call()

    assert error.value.parameters
    assert not Path("x").exists()


def test_what_is_offered_is_what_completion_lists() -> None:
    assert dir(assay) == sorted(assay.__all__)
