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

pytest.importorskip("torch")

TINY: dict[str, Any] = {
    **{"n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": 16, "batch_size": 8},
    **{"max_iters": 10, "device": "cpu", "schedule": "constant"},
}
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
    ],
    "open_audit": lambda form: [assay.open_audit(form("audit"))],
    "plan_bins": lambda form: [assay.plan_bins(form("audit"))],
    "prepare_bins": lambda form: [
        assay.prepare_bins(form("audit"), form("bins"), val_share=0.2),
        assay.prepare_bins(form("audit"), form("other"), drop="none", val_share=0.2),
    ],
    "open_bins": lambda form: [assay.open_bins(form("bins"))],
    "read_plan": lambda form: [assay.read_plan(form("plan.py"))],
    "train_on": lambda form: [assay.train_on(form("bins"), form("run"), **TINY)],
    "open_run": lambda form: [assay.open_run(form("run"))],
    "score_checkpoints": lambda form: [
        assay.score_checkpoints(form("run"), form("bins"), device="cpu"),
        assay.score_checkpoints([form("run")], form("bins"), trained_on=form("bins"), device="cpu"),
        assay.score_checkpoints(
            [form("run")], form("bins"), trained_on=[form("bins")], device="cpu"
        ),
    ],
    "compare_bins": lambda form: [
        assay.compare_bins([form("bins"), form("other")], form("ab"), seeds=2, **TINY),
        assay.compare_bins(
            form("bins"), form("rates"), vary={"dropout": [0, 0.5]}, seeds=2, **TINY
        ),
        assay.compare_bins(
            [form("bins")], form("rates"), vary={"dropout": [0, 0.5]}, seeds=2, **TINY
        ),
    ],
    "open_comparison": lambda form: [assay.open_comparison(form("ab"))],
    "probe_checkpoint": lambda form: [
        assay.probe_checkpoint(
            form("run"), form("probe"), old=form("bins"), new=form("other"), steps=20, device="cpu"
        )
    ],
    "open_probe": lambda form: [assay.open_probe(form("probe"))],
    "diagnose_log": lambda form: [
        assay.diagnose_log(form("train.log"), audit=form("audit"), output=form("why"))
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
    Path("one").mkdir()
    shutil.copy("shards/a.parquet", "one/a.parquet")
    Path("train.log").write_text(LOG)
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
