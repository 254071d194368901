"""`assay diagnose`: little and much to go on, causes planted in made logs, the verb."""

import json
import math
from pathlib import Path
from random import Random

import pytest

from assay.artifacts import read_manifest
from assay.cli import run
from assay.diagnose.conclude import OVERFITTING, QUANTITY
from assay.diagnose.run import diagnose_log, show_diagnosis, summarise
from assay.errors import InputError, UsageError
from tests.logs import levels, sentences, write
from tests.origin import CONFIG, make_log


@pytest.fixture
def origin(here: Path) -> Path:
    (here / "train.log").write_text(make_log())
    (here / "config.py").write_text(CONFIG)
    return here


# ---- with less to go on


def test_the_log_alone_is_weighed_and_says_what_is_missing(origin: Path) -> None:
    diagnosis = diagnose_log(origin / "train.log")
    text = show_diagnosis(diagnosis)

    assert levels(diagnosis)[OVERFITTING] == "refuted"
    assert "no learning rate in the log: no forecast; name --config" in text
    assert "cannot be told before its unique tokens are counted" in " ".join(text.split())
    assert diagnosis.case.seen == 7_602_176_000


def test_a_table_with_rates_needs_no_config(here: Path) -> None:
    rows = ["step,lr,loss"]
    for step in range(100, 20_001, 100):
        rate = 3e-4 * (0.55 + 0.45 * math.cos(math.pi * step / 24_000))
        rows.append(f"{step},{rate},{3.0 + 30 / (step + 100) ** 0.5}")

    diagnosis = diagnose_log(write(here, "\n".join(rows)))

    assert diagnosis.case.forecast is not None
    assert diagnosis.case.curve_name == "batches"


@pytest.mark.parametrize(
    "text",
    ["iter 1: loss 3.5", "step 0: train loss 4.0, val loss 4.1", "step,val_loss\n1,3.5\n2,3.4"],
)
def test_next_to_nothing_is_weighed_without_a_crash(here: Path, text: str) -> None:
    found = levels(diagnose_log(write(here, text)))

    assert not {"certain", "likely"} & set(found.values())


def test_steps_without_end_are_not_followed(here: Path) -> None:
    (here / "config.py").write_text(CONFIG)
    text = "\n".join(f"step {s * 10**12}: train loss 4, val loss {4 - s / 10}" for s in range(9))

    case = diagnose_log(write(here, text), config="config.py").case

    assert case.forecast is None
    assert any("is not followed" in note for note in case.notes)
    assert any("beyond the 20,000" in note for note in case.notes)


# ---- causes


def make_curves(
    folder: Path,
    *,
    val_shift: float = 0.0,
    overfits: bool = False,
    finished: bool = True,
    settings: str = "",
) -> Path:
    """Write a log and a config of a run of 2,000 steps; returns the log."""
    random = Random(7)
    last = 2_000 if finished else 1_300
    (folder / "c.py").write_text(
        "batch_size = 16\nblock_size = 256\ngradient_accumulation_steps = 1\nn_layer = 4\n"
        "n_head = 4\nn_embd = 128\nmax_iters = 2000\nlr_decay_iters = 2000\nwarmup_iters = 100\n"
        "learning_rate = 1e-3\nmin_lr = 0.0\ndropout = 0.0\n" + settings
    )
    lines = []
    for step in range(0, last + 1, 50):
        loss = 3.0 + 7.8 / (1 + step / 20) ** 0.55
        train, val = loss, loss + val_shift
        if overfits and step > 800:
            train, val = loss - (step - 800) / 2000, loss + (step - 800) / 1500
        noise = (random.gauss(0, 0.005) for _ in range(2))
        train, val = train + next(noise), val + next(noise)
        lines.append(f"step {step}: train loss {train:.4f}, val loss {val:.4f}")
        lines += [
            f"iter {step + k}: loss {loss + random.gauss(0, 0.05):.4f}, time 9.00ms, mfu 9.00%"
            for k in range(0, 50, 5)
        ]
    return write(folder, "\n".join(lines))


def test_a_healthy_run_has_no_likely_cause(here: Path) -> None:
    found = levels(diagnose_log(make_curves(here), config="c.py", unique_tokens=10**8))

    assert not {"certain", "likely"} & set(found.values())
    assert found["dropout"] == "refuted"
    assert found["schedule not finished"] == "refuted"


def test_a_run_that_overfits_small_data_is_told(here: Path) -> None:
    log = make_curves(here, overfits=True)

    diagnosis = diagnose_log(log, config="c.py", unique_tokens=100_000)

    assert {each.name for each in diagnosis.hypotheses[:2]} == {OVERFITTING, QUANTITY}
    assert levels(diagnosis)[OVERFITTING] == "certain"
    assert "the amount of data is certainly a cause" in "\n".join(diagnosis.conclusions)


def test_a_run_cut_in_its_schedule_is_told(here: Path) -> None:
    diagnosis = diagnose_log(make_curves(here, finished=False), config="c.py")

    assert diagnosis.hypotheses[0].name == "schedule not finished"
    assert diagnosis.hypotheses[0].level == "likely"


def test_a_decay_longer_than_the_run_is_told(here: Path) -> None:
    log = make_curves(here)

    diagnosis = diagnose_log(log, config="c.py --lr_decay_iters=600000")

    assert "lr_decay_iters 600,000 is beyond max_iters 2,000" in sentences(
        diagnosis, "schedule not finished"
    )
    assert levels(diagnosis)["schedule not finished"] in ("likely", "certain")


def test_a_rate_far_over_the_rules_is_told(here: Path) -> None:
    found = diagnose_log(make_curves(here), config="c.py --learning_rate=0.5 --dropout=0.0")

    assert found.hypotheses[0].name == "learning rate too high"
    assert levels(found)["learning rate too high"] == "likely"


def test_a_tiny_validation_set_is_told(here: Path) -> None:
    log = make_curves(here, val_shift=-0.1)
    for name, ids in (("train.bin", 10**6), ("val.bin", 20_000)):
        (here / name).write_bytes(bytes(2 * ids))

    diagnosis = diagnose_log(log, config="c.py", bins=here)

    assert diagnosis.hypotheses[0].name == "validation set too small or unlike train"
    assert "val has 20,000 tokens" in sentences(diagnosis, diagnosis.hypotheses[0].name)
    assert "duplicates counted" in sentences(diagnosis, QUANTITY)


def test_bins_of_ours_bring_unique_tokens(here: Path, audited: Path) -> None:
    from assay.bins import open_bins
    from assay.prepare.run import prepare_bins

    log = make_curves(here)
    prepare_bins(audited, here / "bins", val_share=0.2)
    bins = open_bins(here / "bins")

    data = diagnose_log(log, config="c.py", bins=here / "bins").case.data

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
    manifest["totals"] |= {"held_out_tokens": 300}
    (folder / "manifest.json").write_text(json.dumps(manifest))

    case = diagnose_log(folder).case

    assert (case.seen, case.plan and case.plan.steps) == (2400, 200)
    assert case.plan is not None
    assert case.plan.parameters == 5120
    assert (case.data.unique, case.data.val_tokens, case.data.measured) == (1600, 300, False)
    assert case.forecast is not None
    assert case.forecast.at_step == 200


def test_leaks_that_an_audit_counted_are_told(here: Path, leaky: Path) -> None:
    diagnosis = diagnose_log(make_curves(here, val_shift=-0.1), config="c.py", audit=leaky)

    assert diagnosis.hypotheses[0].name == "leaked validation"
    assert diagnosis.hypotheses[0].level == "certain"


@pytest.fixture
def leaky(corpus: Path, tmp_path: Path) -> Path:
    from assay.audit.run import Settings, audit_shards

    folder = tmp_path / "leaky"
    copy = tmp_path / "val.parquet"
    copy.write_bytes((corpus / "b.parquet").read_bytes())
    audit_shards([corpus], folder, val=[copy], settings=Settings(threads=1))
    return folder


def test_nan_speaks_for_precision(here: Path) -> None:
    log = make_curves(here)
    log.write_text(log.read_text() + "\niter 2001: loss nan, time 9.00ms, mfu 9.00%\n")

    assert levels(diagnose_log(log, config="c.py"))["mixed precision"] == "likely"


# ---- the verb


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
    assert json.loads(Path("why/diagnosis.json").read_text()) == json.loads(
        json.dumps(summarise(diagnose_log(Path("train.log"), config="config.py")))
    )
    assert run(["verify", "why"]) == 0
    assert run(["diagnose", "train.log", "-o", "why"]) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["none.log"], 2, "no log at none.log"),
        (["empty.log"], 3, "is empty"),
        (["train.log", "--config", "none.py"], 2, "cannot be read"),
        (["train.log", "--config", "bad.py"], 2, "code is never run"),
        (["train.log", "--config", "config.py", "--checkpoint", "x.pt"], 2, "exclude each other"),
        (["train.log", "--unique-tokens", "1B", "--bins", "x"], 2, "exclude each other"),
        (["train.log", "--unique-tokens", "none"], 2, "is not a number"),
        (["train.log", "--checkpoint", "none.pt"], 2, "no checkpoint at none.pt"),
        (["train.log", "--format", "xml"], 2, "no log format 'xml'"),
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

    case = diagnose_log(Path("train.log"), checkpoint=Path("ckpt.pt")).case

    assert case.plan is not None
    assert (case.plan.parameters, case.plan.tokens_per_step) == (40_560_000, 524_288)
    assert case.forecast is not None


def test_a_checkpoint_with_code_in_it_is_refused(origin: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.save({"config": Path("x"), "model_args": {}}, "ckpt.pt")

    with pytest.raises(InputError, match=r"is none of nanoGPT's"):
        diagnose_log(Path("train.log"), checkpoint=Path("ckpt.pt"))
    with pytest.raises(UsageError, match="no checkpoint"):
        diagnose_log(Path("train.log"), checkpoint=Path("x.pt"))
