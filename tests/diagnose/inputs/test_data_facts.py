"""What a diagnosis knows of the data: from bins, an audit, or a run of ours."""

import json
import shutil
from pathlib import Path

import pytest

from assay.diagnose.inputs.data_facts import read_data
from assay.diagnose.run import weigh_log
from assay.errors import InputError
from tests.support.bins_fixture import make_bins
from tests.support.curves import make_curves

SEALED = Path(__file__).parent.parent.parent / "data" / "sealed_0_1"


def test_bins_of_ours_bring_unique_tokens(here: Path, audited: Path) -> None:
    from assay.formats.bins import open_bins
    from assay.prepare.run import prepare_bins

    prepare_bins(audited, here / "bins", val_share=0.2)
    bins = open_bins(here / "bins")

    data = read_data(bins=here / "bins")

    assert data.measured
    assert data.unique == bins.manifest.totals["train"]["unique_tokens"]
    assert data.val_tokens == bins.manifest.totals["val"]["ids"]


def test_a_run_of_ours_brings_its_settings(here: Path) -> None:
    folder = here / "a run"
    folder.mkdir()
    rows = [{"step": s, "loss": 3 + 9 / (s + 9) ** 0.5, "lr": 1e-3} for s in range(1, 101)]
    (folder / "metrics.jsonl").write_text("\n".join(map(json.dumps, rows)))
    config = {"n_layer": 2, "n_embd": 8, "block_size": 4, "batch_size": 3, "max_iters": 200}
    config |= {"gradient_accumulation_steps": 2, "schedule": "wsd", "learning_rate": 1e-3}
    config |= {"cooldown_share": 0.3, "warmup_iters": None, "lr_decay_iters": None}
    manifest = {"kind": "run", "tool": "x", "settings": {"config": config}, "inputs": []}
    manifest |= {"outputs": [], "tokenizer": {"vocab_size": 65}}
    manifest["totals"] = {"parameters": 5120, "tokens_seen": 2400, "epoch": 1.5}
    manifest["totals"] |= {"held_out_tokens": 300, "steps": 200, "unique_tokens_seen": 1600}
    (folder / "manifest.json").write_text(json.dumps(manifest))

    case = weigh_log(folder).run

    assert (case.seen, case.plan and case.plan.steps) == (2400, 200)
    assert case.plan is not None
    assert case.plan.parameters == 5120
    assert (case.data.unique, case.data.val_tokens, case.data.measured) == (1600, 300, False)
    assert case.forecast is not None
    assert case.forecast.at_step == 200


def test_leaks_that_an_audit_counted_are_told(here: Path, leaky: Path) -> None:
    diagnosis = weigh_log(make_curves(here, val_shift=-0.1), config="c.py", audit=leaky)

    assert diagnosis.result.hypotheses[0].name == "leaked validation"
    assert diagnosis.result.hypotheses[0].level == "certain"


@pytest.fixture
def leaky(corpus: Path, tmp_path: Path) -> Path:
    from assay.audit.run import audit_shards

    folder = tmp_path / "leaky"
    copy = tmp_path / "val.parquet"
    copy.write_bytes((corpus / "b.parquet").read_bytes())
    audit_shards([corpus], folder, val=[copy], threads=1)
    return folder


def test_bins_without_totals_are_told_by_their_length(here: Path) -> None:
    make_bins(here / "bins", [[1, 2, 3], [4, 5]], [[6, 7]])

    data = read_data(bins=here / "bins")

    assert (data.unique, data.val_tokens, data.measured) == (7, 3, False)
    assert "duplicates counted" in data.source


@pytest.mark.parametrize(
    "missing",
    ["train_unique_tokens", "leaks", "unique_tokens", "leaks.exact", "leaks.near", "val.tokens"],
)
def test_an_audit_of_an_older_version_is_one_line(here: Path, audited: Path, missing: str) -> None:
    shutil.copytree(audited, here / "audit")
    name = _drop_total(here / "audit", missing)

    with pytest.raises(InputError, match=rf"has no total '{name}'; rerun assay audit"):
        weigh_log(make_curves(here), config="c.py", audit=here / "audit")


@pytest.mark.parametrize("missing", ["val.ids", "train.tokens"])
def test_bins_that_lack_a_total_are_one_line(here: Path, missing: str) -> None:
    shutil.copytree(SEALED / "bins", here / "bins")
    name = _drop_total(here / "bins", missing)

    with pytest.raises(InputError, match=rf"has no total '{name}'; rerun assay prepare"):
        read_data(bins=here / "bins")


def _drop_total(folder: Path, path: str) -> str:
    """Take a total out of a manifest; return its name."""
    manifest = json.loads((folder / "manifest.json").read_text())
    *parents, name = path.split(".")
    inside = manifest["totals"]
    for parent in parents:
        inside = inside[parent]
    del inside[name]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return name


@pytest.mark.parametrize("last", ["checkpoint-10", "step-10"])
def test_an_unfinished_run_of_ours_brings_its_settings_and_its_bin(here: Path, last: str) -> None:
    run_folder = here / "run"
    for name in ("checkpoint-9", last):
        (run_folder / name).mkdir(parents=True)
    sizes = {"n_layer": 2, "n_embd": 8, "block_size": 4, "batch_size": 3, "max_iters": 20}
    sizes["gradient_accumulation_steps"] = 2
    state = {"config": {**sizes, "lr_decay_iters": None}}
    (run_folder / "checkpoint-9/state.json").write_text("{")
    (run_folder / last / "state.json").write_text(json.dumps(state))
    header = json.dumps({"wte": {"shape": [65, 8]}, "wpe": {"shape": [4, 8]}}).encode()
    weights = len(header).to_bytes(8, "little") + header
    (run_folder / last / "model.safetensors").write_bytes(weights)
    rows = [
        {"step": s, "loss": 4.0, "lr": 0.1, "tokens_seen": 24 * s, "epoch": 0.1 * s}
        for s in (9, 10)
    ]
    text = "\n".join(map(json.dumps, rows))
    (run_folder / "metrics.jsonl").write_text(text + '\n{"step": 11, "lo')

    case = weigh_log(run_folder).run

    assert case.plan is not None
    assert (case.plan.parameters, case.plan.steps, case.seen) == (520, 20, 240)
    assert case.data.unique == 240


def test_a_broken_checkpoint_of_an_unfinished_run_is_one_line(here: Path) -> None:
    (here / "run/checkpoint-9").mkdir(parents=True)
    (here / "run/checkpoint-9/state.json").write_text("{")
    (here / "run/metrics.jsonl").write_text('{"step": 1, "loss": 4.0}\n')

    with pytest.raises(InputError, match="checkpoint run/checkpoint-9 cannot be read"):
        weigh_log(Path("run"))
