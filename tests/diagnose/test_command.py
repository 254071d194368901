"""`assay diagnose`, the verb: what it prints, keeps and refuses."""

import json
from pathlib import Path

import pytest

from assay.cli import run
from assay.diagnose.run import weigh_log
from assay.errors import InputError, UsageError
from assay.storage.manifest import read_manifest
from assay.terminal.text import dump_json
from tests.support.origin import CONFIG, make_log


@pytest.fixture
def origin(here: Path) -> Path:
    (here / "train.log").write_text(make_log())
    (here / "config.py").write_text(CONFIG)
    return here


def test_json_has_the_same_facts(origin: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(
        ["diagnose", "train.log", "--config", "config.py", "--unique-tokens", "0.73B", "--json"]
    )

    found = json.loads(capsys.readouterr().out)
    assert code == 0
    assert found["log"]["last_step"] == 14_500
    assert found["hypotheses"][0]["name"] == "schedule not finished"
    assert len(found["hypotheses"]) == 12
    assert found["forecast"]["step"] == 20_000


def test_a_kept_diagnosis_is_a_sealed_folder(
    origin: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["diagnose", "train.log", "--config", "config.py", "-o", "why"]) == 0

    shown = capsys.readouterr().out
    manifest = read_manifest(Path("why"), "diagnosis")
    assert [entry.name for entry in manifest.outputs] == ["diagnosis.json", "diagnosis.txt"]
    assert [entry.name for entry in manifest.inputs] == ["train.log"]
    assert Path("why/diagnosis.txt").read_text() == shown
    result = weigh_log(Path("train.log"), config="config.py").result
    assert json.loads(Path("why/diagnosis.json").read_text()) == json.loads(dump_json(result))
    assert run(["verify", "why"]) == 0
    assert run(["diagnose", "train.log", "-o", "why"]) == 2


@pytest.mark.parametrize("number", [3, 400, 401, 999])
def test_a_long_curve_is_kept_from_its_first_evaluation_to_its_last(
    here: Path, number: int
) -> None:
    lines = [
        f"step {10 * at}: train loss 3.1, val loss {4 - at / 1000:.4f}" for at in range(number)
    ]
    (here / "long.log").write_text("\n".join(lines))

    curve = weigh_log(here / "long.log").result.curve

    assert curve is not None
    assert (curve.steps[0], curve.steps[-1]) == (0, 10 * (number - 1))
    assert len(curve.steps) == len(curve.losses) == min(number, 400)
    assert sorted(set(curve.steps)) == curve.steps


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["none.log"], 2, "no log at none.log"),
        (["empty.log"], 3, "is empty"),
        (["train.log", "--config", "none.py"], 2, "does not exist"),
        (["train.log", "--config", "bad.py"], 2, "code is never run"),
        (["train.log", "--config", "config.py", "--checkpoint", "x.pt"], 2, "exclude each other"),
        (["train.log", "--unique-tokens", "1B", "--bins", "x"], 2, "exclude each other"),
        (["train.log", "--unique-tokens", "none"], 2, "is not a number"),
        (["train.log", "--checkpoint", "none.pt"], 2, "no checkpoint at none.pt"),
        (["train.log", "--format", "xml"], 2, "--format must be one of nanogpt"),
        (["train.log", "--audit", "none"], 2, "no folder at none"),
    ],
)
def test_what_cannot_be_is_one_line(
    origin: Path,
    arguments: list[str],
    code: int,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("empty.log").write_text("")
    Path("bad.py").write_text("n_layer = open('MARK', 'w')")

    assert run(["diagnose", *arguments]) == code
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err
    assert not Path("MARK").exists()


def test_names_cannot_steer_the_terminal(origin: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("config.py").write_text(CONFIG.replace("125M-single", "125M\x1b[2J-single"))

    assert run(["diagnose", "train.log", "--config", "config.py"]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diagnose", "--help"]) == 0
    assert "the log alone" in capsys.readouterr().out


def test_a_checkpoint_brings_its_settings(origin: Path) -> None:
    torch = pytest.importorskip("torch")
    config = {"batch_size": 16, "gradient_accumulation_steps": 32, "max_iters": 20_000}
    config |= {"learning_rate": 1e-3, "min_lr": 1e-4, "warmup_iters": 500, "lr_decay_iters": 20_000}
    shape = {"n_layer": 12, "n_embd": 384, "vocab_size": 50_304, "block_size": 1024, "bias": False}
    torch.save({"model": {}, "config": config, "model_args": shape}, "ckpt.pt")

    case = weigh_log(Path("train.log"), checkpoint=Path("ckpt.pt")).run

    assert case.plan is not None
    assert (case.plan.parameters, case.plan.tokens_per_step) == (40_560_000, 524_288)
    assert case.forecast is not None


def test_a_checkpoint_with_code_in_it_is_refused(origin: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.save({"config": Path("x"), "model_args": {}}, "ckpt.pt")

    with pytest.raises(InputError, match=r"is not nanoGPT's"):
        weigh_log(Path("train.log"), checkpoint=Path("ckpt.pt"))
    with pytest.raises(UsageError, match="no checkpoint"):
        weigh_log(Path("train.log"), checkpoint=Path("x.pt"))
