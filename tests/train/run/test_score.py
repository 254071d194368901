"""`assay score`: ours and nanoGPT's checkpoints on the same documents."""

import re
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from click.testing import CliRunner

from assay.cli import commands, run
from assay.errors import InputError
from assay.formats.bins import Bins
from assay.formats.config_checks import make_config
from assay.formats.run import open_run
from assay.train.checkpoints.load_model import load_model
from assay.train.run.evaluate import load_held_out
from assay.train.settings.retention import Retention
from tests.support.bins_fixture import END_OF_TEXT, draw_documents, make_bins
from tests.support.runs import train
from tests.twins.gpt import gpt2_loss

SETTINGS = {
    **{"arch": "nanogpt", "n_layer": 2, "n_head": 2, "n_embd": 32, "block_size": 24},
    **{"batch_size": 4, "max_iters": 20, "device": "cpu", "schedule": "cosine"},
}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def bins(tmp_path: Path) -> Bins:
    val = [*draw_documents(1, 12, 15), *draw_documents(2, 3, 60)]
    return make_bins(tmp_path / "bins", draw_documents(0, 60), val)


@pytest.fixture
def trained(tmp_path: Path, bins: Bins) -> Path:
    folder = tmp_path / "run"
    train(bins, folder, config=make_config(SETTINGS), retention=Retention(ckpt_pt=True))
    return folder


def score(*words: str | Path) -> str:
    result = CliRunner().invoke(commands, ["score", *map(str, words)])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_run_and_its_ckpt_pt_have_the_losses_that_the_run_wrote(
    bins: Bins, trained: Path
) -> None:
    out = score(trained, trained / "ckpt.pt", "--held-out", bins.folder, "--json")

    ours, theirs = msgspec.json.decode(out)
    written = msgspec.json.decode((trained / "manifest.json").read_bytes())["totals"]["loss_nats"]
    assert ours["loss_nats"] == pytest.approx(written, abs=1e-6)
    assert theirs["documents"] == ours["documents"]
    assert len(ours["documents"]) == 15
    assert ours["bits_per_byte"] == pytest.approx(ours["loss_nats"] / 2 / np.log(2))


def test_each_document_has_the_loss_of_gpt2s_formulae(bins: Bins, trained: Path) -> None:
    out = score(trained / "ckpt.pt", "--held-out", bins.folder, "--json")

    (found,) = msgspec.json.decode(out)
    state = torch.load(trained / "ckpt.pt", weights_only=True)["model"]
    held_out = load_held_out(bins)
    for each, start, end in zip(found["documents"], held_out.start_J, held_out.end_J, strict=True):
        ids = torch.tensor([END_OF_TEXT, *held_out.ids[start:end].tolist()])
        total = sum(
            gpt2_loss(
                state,
                2,
                ids[None, at : at + 24][:, : len(ids) - 1 - at],
                ids[None, at + 1 : at + 25],
            ).item()
            * min(24, len(ids) - 1 - at)
            for at in range(0, len(ids) - 1, 24)
        )
        assert each["nats"] == pytest.approx(total, rel=1e-4)


def test_the_table_shows_differences_to_the_first_with_their_interval(
    tmp_path: Path, bins: Bins, trained: Path
) -> None:
    longer = tmp_path / "longer"
    train(bins, longer, config=make_config({**SETTINGS, "max_iters": 60}))

    lines = score(trained, longer, "--held-out", bins.folder).splitlines()

    assert lines[0].split()[:4] == ["checkpoint", "arch", "parameters", "block"]
    assert lines[0].endswith("  to the first")
    assert lines[5].startswith("to the first: nats/token, with the 95% interval over documents")
    assert lines[1].endswith("-")
    told = re.search(r"  (\S+) \((\S+) to (\S+)\)$", lines[2])
    assert told is not None
    first, other = (open_run(folder).read_losses() for folder in (trained, longer))
    change, tokens = (other["nats"] - first["nats"]).to_numpy(), first["tokens"].to_numpy()
    mean = change.sum() / tokens.sum()
    error = np.std(change - mean * tokens, ddof=1) * 15**0.5 / tokens.sum()
    reach = 2.1448 * error  # Student's t at 97.5% with 14 degrees of freedom
    needed = (mean, mean - reach, mean + reach)
    assert [float(word) for word in told.groups()] == pytest.approx(needed, abs=1e-4)
    assert needed[2] < 0
    assert lines[4] == "15 held-out documents, 360 tokens"


def test_one_checkpoint_has_no_difference(bins: Bins, trained: Path) -> None:
    lines = score(trained, "--held-out", bins.folder).splitlines()

    assert lines[0].endswith("bits/byte")
    assert len(lines[1].split()) == 6


def test_documents_that_a_checkpoint_was_trained_on_are_scored_apart(
    tmp_path: Path, bins: Bins, trained: Path
) -> None:
    leaky = make_bins(tmp_path / "leaky", [*draw_documents(0, 5), *draw_documents(1, 2, 15)])

    words = (trained, "--held-out", bins.folder, "--trained-on", leaky.folder)
    (found,) = msgspec.json.decode(score(*words, "--json"))

    leaked = [each for each in found["documents"] if each["leaked"]]
    assert len(leaked) == 2
    assert found["leaked_loss_nats"] == pytest.approx(sum(d["nats"] for d in leaked) / 30)
    assert "2 that leaked, apart: " in score(*words)


def test_an_unfinished_runs_checkpoint_can_be_scored(
    tmp_path: Path, bins: Bins, trained: Path
) -> None:
    folder = tmp_path / "checkpoint-5"
    folder.mkdir()
    for name in ("state.json", "model.safetensors", "optimizer.safetensors"):
        (folder / name).write_bytes((trained / name).read_bytes())
    with pytest.raises(InputError, match=r"is an unfinished run; name its last checkpoint, .*-5"):
        load_model(tmp_path, torch.device("cpu"))

    found = msgspec.json.decode(score(trained, folder, "--held-out", bins.folder, "--json"))

    assert found[0]["documents"] == found[1]["documents"]


def test_what_cannot_be_scored_is_one_line(
    tmp_path: Path, bins: Bins, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = make_bins(tmp_path / "other", [[1] * 30], [[2] * 9], fingerprint="a" * 64)
    (tmp_path / "empty").mkdir()
    (tmp_path / "no.pt").write_bytes(b"nothing")
    held = ["--held-out", str(bins.folder)]
    cases = [
        ([tmp_path / "gone", *held], 2, "no checkpoint at"),
        ([tmp_path / "empty", *held], 3, "has neither manifest.json nor state.json"),
        ([tmp_path / "no.pt", *held], 3, "cannot be read as tensors"),
        ([trained, "--held-out", other.folder], 2, "was trained on tokenizer ffffffffffff"),
        ([bins.folder, *held], 2, "holds bins, needed a run"),
    ]
    for words, code, message in cases:
        found = run(["score", *map(str, words)])

        error = capsys.readouterr().err
        assert (found, message in error, error.count("\n")) == (code, True, 1), error


def test_a_vocabulary_that_is_too_small_is_refused_with_both_numbers(
    tmp_path: Path, bins: Bins, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = torch.load(trained / "ckpt.pt", weights_only=True)
    saved["model_args"]["vocab_size"] = 40
    for name in ("transformer.wte.weight", "lm_head.weight"):
        saved["model"][name] = saved["model"][name][:40].clone()
    torch.save(saved, tmp_path / "small.pt")

    found = run(["score", str(tmp_path / "small.pt"), "--held-out", str(bins.folder)])

    assert found == 2
    assert "has embeddings of 40 ids, the held-out documents have id 64" in capsys.readouterr().err
