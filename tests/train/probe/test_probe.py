"""Probes of tiny checkpoints: what they name, and how they branch."""

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
import torch

from assay.cli import run
from assay.formats.bins import open_bins
from assay.formats.config_checks import make_config
from assay.formats.probe import CONFIRMED, read_probe
from assay.formats.run import open_run
from assay.formats.train_config import Intervals
from assay.storage.manifest import read_manifest
from assay.train.checkpoints.checkpoint import load_moments
from assay.train.commands.probe_text import describe_probe
from assay.train.model.optimizer import make_optimizer
from assay.train.probe.branch_point import read_branch_point
from assay.train.probe.branches import run_probe
from assay.train.probe.decision_table import BUG, CAPACITY, REPETITION, SCHEDULE, VALIDATION
from assay.train.probe.outcome import exceed_expected
from assay.train.runtime.compiled_model import compile_model
from tests.support.bins_fixture import VOCAB_SIZE, draw_documents, make_bins
from tests.support.probes import BASE, CPU, make_data, make_small, named, probe, train_constant


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Old and new bins and short runs on the old to branch from; not to be changed."""
    return make_small(tmp_path_factory.mktemp("small"))


# ---- what it names


@pytest.mark.parametrize("seed", range(3))
def test_a_run_at_a_constant_rate_is_held_by_its_schedule(here: Path, seed: int) -> None:
    old, new = make_data(seed, "old")
    branch_point = read_branch_point(train_constant(old, here / "run", seed=seed), CPU)

    result = run_probe(branch_point, old, new, here / "probe", steps=60).result

    assert named(result) == [SCHEDULE]
    assert result.sentence.startswith("schedule: cooling down on the same data: -0.0")
    assert result.cooldown.interval[1] < 0
    assert result.learning_rate == 0.03


@pytest.mark.parametrize("seed", range(3))
def test_a_run_on_a_sixteenth_of_the_data_is_held_by_its_data(here: Path, seed: int) -> None:
    little, new = make_data(seed, "little")
    branch_point = read_branch_point(train_constant(little, here / "run", seed=seed), CPU)

    result = run_probe(branch_point, little, new, here / "probe", steps=60).result

    assert named(result) == [REPETITION]
    assert result.data.interval[1] < -0.2
    assert result.gap.interval[0] > 0.5


# ---- how it branches


def test_branches_share_start_order_and_documents(small: Path, tmp_path: Path) -> None:
    result = probe(small, tmp_path / "p")

    assert read_probe(tmp_path / "p") == result
    assert any("a branch passes the new data 1.4 times" in note for note in result.notes)
    runs = [open_run(tmp_path / "p" / branch.runs[0]) for branch in result.branches]
    assert len({run.config.seed for run in runs}) == 1
    assert {run.manifest.parents["init"] for run in runs} == {result.checkpoint_sha256}
    assert [run.config.schedule for run in runs] == ["constant", "linear"] * 2
    assert {run.config.learning_rate_at(0) for run in runs} == {0.03}
    assert runs[1].config.learning_rate_at(20) == 0.0
    assert [r.manifest.parents["bins"] for r in runs] == [
        read_manifest(tmp_path / "p").parents[name] for name in ("old", "old", "new", "new")
    ]
    second = open_run(tmp_path / "p" / result.branches[0].runs[1])
    assert second.config.seed != runs[0].config.seed
    assert result.branches[0].loss == pytest.approx(sum(result.branches[0].losses) / 2)
    assert result.cooldown.value == pytest.approx(result.branches[1].loss - result.branches[0].loss)
    assert result.data.value == pytest.approx(result.branches[2].loss - result.branches[0].loss)
    assert run_verify(tmp_path / "p") == 0


def run_verify(folder: Path) -> int:
    return run(["verify", str(folder), "--deep"])


def test_a_branch_continues_with_the_moments_of_its_checkpoint(small: Path) -> None:
    branch_point = read_branch_point(small / "run", CPU)
    compiled = compile_model(branch_point.config, VOCAB_SIZE)
    optimizer = make_optimizer(compiled.model, branch_point.config)

    branch_point.initial.load_into(compiled.model, optimizer)

    kept = load_moments(small / "run")
    for name, weight in compiled.model.named_parameters():
        state = optimizer.get_state(weight)
        assert torch.equal(state["exp_avg_sq"], kept[name]["exp_avg_sq"])
        assert float(state["step"]) == 40
        assert float(state["exp_avg_sq"].sum()) > 0


def test_nanogpts_checkpoint_gives_the_branches_of_the_run_it_is_of(
    small: Path, tmp_path: Path
) -> None:
    ours = probe(small, tmp_path / "ours", "gpt")
    theirs = read_branch_point(small / "gpt" / "ckpt.pt", {**CPU, "sampling": "epochs"})
    old, new = open_bins(small / "old"), open_bins(small / "new")

    result = run_probe(theirs, old, new, tmp_path / "theirs", steps=20).result

    assert theirs.learning_rate == 0.03
    assert theirs.tokens_seen == ours.checkpoint_tokens == 40 * 8 * 32
    assert [branch.losses for branch in result.branches] == [
        branch.losses for branch in ours.branches
    ]


def test_without_moments_branches_warm_up_and_say_so(small: Path, tmp_path: Path) -> None:
    shutil.copytree(small / "run", tmp_path / "run")
    state = msgspec.json.decode((tmp_path / "run" / "state.json").read_bytes())
    state["files"] = [each for each in state["files"] if each["name"] != "optimizer.safetensors"]
    (tmp_path / "run" / "state.json").write_bytes(msgspec.json.encode(state))
    (tmp_path / "run" / "optimizer.safetensors").unlink()
    old, new = open_bins(small / "old"), open_bins(small / "new")

    branch_point = read_branch_point(tmp_path / "run", CPU)
    result = run_probe(branch_point, old, new, tmp_path / "p", steps=20).result

    assert branch_point.make_branch(cooldown=False, steps=40, seed=0).warmup_iters == 2
    assert any("no optimizer moments" in note for note in result.notes)


def test_a_probe_that_was_stopped_is_resumed_branch_by_branch(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = probe(small, tmp_path / "whole")
    said: list[str] = []

    def stop(line: str) -> None:
        said.append(line)
        if line.startswith("new constant, order 1"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        probe(small, tmp_path / "p", log=stop, intervals=Intervals(log=10))
    done = sorted(path.parent.name for path in tmp_path.glob("p/runs/*/manifest.json"))
    again: list[str] = []
    result = probe(small, tmp_path / "p", log=again.append)

    assert done == ["old-constant-0", "old-cooldown-0"]
    assert not any(line.startswith("old constant, order 1") for line in again)
    assert result == whole
    for name in ("probe.json", "checkpoint.parquet", "manifest.json"):
        same = (tmp_path / "p" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
        # The trainer's metrics have speeds in them, so the manifests of its runs differ.
        assert same or name == "manifest.json"


def test_text_of_another_kind_is_scored_beside_the_old(small: Path, tmp_path: Path) -> None:
    other = [[7] * 30 for _ in range(5)] + draw_documents(9, 30)
    target = make_bins(tmp_path / "target", draw_documents(8, 5), other[5:])

    result = probe(small, tmp_path / "p", held_out=target)

    assert result.home is not None
    assert result.documents == 30
    assert result.held_out == "target"
    assert result.home != result.data
    assert run_verify(tmp_path / "p") == 0


def test_leaked_documents_are_left_out_and_name_the_validation_set(
    small: Path, tmp_path: Path
) -> None:
    val = draw_documents(1, 25)
    leaky = make_bins(tmp_path / "leaky", [*draw_documents(0, 60), *val[:4]], val)
    branch_point = read_branch_point(small / "run", CPU)

    result = run_probe(
        branch_point, leaky, open_bins(small / "new"), tmp_path / "p", steps=20
    ).result

    assert (result.documents, result.leaked_documents) == (21, 4)
    causes = {cause.name: cause for cause in result.causes}
    assert causes[VALIDATION].state == CONFIRMED
    assert "16.0% of val documents stand in the training data" in causes[VALIDATION].reason
    assert any("trained on other data" in note for note in result.notes)


def test_terminal_and_show_have_one_word_for_a_state_and_say_what_parentheses_are(
    here: Path, small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = probe(small, here / "probe")
    assert {cause.state for cause in result.causes} >= {"open"}

    told = describe_probe(result)
    assert run(["show", "probe"]) == 0

    shown = capsys.readouterr().out
    for text in (told, shown):
        assert "in parentheses stand 95% intervals" in text
    for cause in result.causes:
        for text in (told, shown):
            words = [cause.state, *cause.name.split()]
            assert any(line.split()[: len(words)] == words for line in text.splitlines())
    (bound,) = [note for note in result.notes if "never named here" in note]
    assert all(cause.state in ("open", "no") for cause in result.causes
               if cause.name in (CAPACITY, BUG)), bound  # fmt: skip


def test_the_loss_to_expect_is_set_beside_a_gpt2_of_known_size_alone(small: Path) -> None:
    shape = {"n_layer": 12, "n_embd": 384, "n_head": 12, "dropout": 0.1, "max_iters": 20_000}
    config = make_config({**BASE, **shape, "batch_size": 512, "block_size": 1024})
    branch_point = SimpleNamespace(config=config, tokens_seen=19_000 * 524_288)
    old = SimpleNamespace(manifest=SimpleNamespace(tokenizer={"name": "gpt2"}))
    plan: Any = SimpleNamespace(branch_point=branch_point, old=old, steps=1_000)

    excess, caveats = exceed_expected(plan, 40_560_000, 3.66)
    too_small, why = exceed_expected(plan, 5_000_000, 3.66)
    old.manifest.tokenizer = {"name": "integers"}

    assert excess is not None
    assert -0.05 < excess.low < excess.high < 0.05  # docs/origin-case.md: 3.64 to 3.68
    assert caveats == [
        "the loss to expect is good to 0.1 nats/token at best: four laws, led through one run "
        "(llm.c's 124M on FineWeb, 3.272)"
    ]
    assert too_small is None
    assert why[0].endswith("they are open, or no where something else lowers the loss")
    assert exceed_expected(plan, 40_560_000, 3.66)[0] is None
