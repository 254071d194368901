"""The case that assay starts from, diagnosed."""

from pathlib import Path

import pytest

from assay.cli import run
from assay.diagnose.conclude import OVERFITTING, QUANTITY
from assay.diagnose.run import diagnose_log
from tests.logs import levels, sentences, write
from tests.origin import CONFIG, make_log


@pytest.fixture
def origin(here: Path) -> Path:
    (here / "train.log").write_text(make_log())
    (here / "config.py").write_text(CONFIG)
    return here


def test_the_origin_log_has_the_losses_of_the_note(origin: Path) -> None:
    log = diagnose_log(origin / "train.log").case.log
    train, val = log.train.since(10_000), log.val.since(10_000)

    assert log.val.value_N[0] == pytest.approx(10.87, abs=5e-3)
    assert (train.value_N.min(), train.value_N.max()) == pytest.approx((3.64, 3.71), abs=5e-3)
    assert (val.value_N.min(), val.value_N.max()) == pytest.approx((3.57, 3.65), abs=5e-3)


@pytest.mark.parametrize(("unique", "epochs"), [("0.73B", "10.4"), ("0.70B", "10.9")])
def test_the_origin_case_is_diagnosed(
    origin: Path, unique: str, epochs: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["diagnose", "train.log", "--config", "config.py", "--unique-tokens", unique])

    out = " ".join(capsys.readouterr().out.split())
    assert code == 0
    assert (
        "calls itself '125M-single-parquet-4070', 125M parameters; its settings make 40.56M" in out
    )
    assert "7,602,176,000 (7.60B)" in out
    assert f"are {epochs} epochs over" in out
    assert "learning rate 0.000265 at step 14,500" in out
    assert "2.65 times its floor" in out
    assert "not finished" in out
    assert "perplexity below 10 (loss 2.30) is out of reach" in out
    assert "the amount of data is not the cause" in out


def test_the_origin_case_is_weighed(origin: Path) -> None:
    diagnosis = diagnose_log(origin / "train.log", config="config.py", unique_tokens=730_000_000)
    found, case = levels(diagnosis), diagnosis.case
    quantity = next(each for each in diagnosis.hypotheses if each.name == QUANTITY)

    assert diagnosis.hypotheses[0].name == "schedule not finished"
    assert found["schedule not finished"] == "likely"
    assert found[OVERFITTING] == "refuted"
    assert "dropout off" in sentences(diagnosis, OVERFITTING)
    assert found[QUANTITY] == "unlikely"
    assert quantity.gain is not None
    assert 0.003 < quantity.gain.low < 0.005
    assert 0.03 < quantity.gain.high < 0.04
    assert found["learning rate too high"] == "unlikely"
    assert "certain" not in found.values()
    assert case.forecast is not None
    assert case.forecast.at_step == 20_000
    assert case.forecast.low < 3.5514 < case.forecast.high  # what the log is made from
    assert case.forecast.high - case.forecast.low < 0.08
    assert case.slope is not None
    assert case.slope.outcome == "still improving as expected"


@pytest.mark.parametrize("seed", range(5))
def test_other_wiggles_give_the_same_diagnosis(here: Path, seed: int) -> None:
    (here / "config.py").write_text(CONFIG)
    path = write(here, make_log(seed))

    found = levels(diagnose_log(path, config="config.py", unique_tokens=730_000_000))

    assert found["schedule not finished"] == "likely"
    assert found[OVERFITTING] == "refuted"
    assert found[QUANTITY] == "unlikely"


@pytest.mark.parametrize(
    ("unique", "level"),
    [(2_000_000_000, "refuted"), (250_000_000, "possible"), (10**8, "possible")],
)
def test_the_measured_unique_tokens_decide(origin: Path, unique: int, level: str) -> None:
    diagnosis = diagnose_log(origin / "train.log", config="config.py", unique_tokens=unique)

    assert levels(diagnosis)[QUANTITY] == level


def test_a_config_of_another_run_is_noticed(origin: Path) -> None:
    said = diagnose_log(origin / "train.log", config="config.py --n_embd=768").conclusions

    assert any("prints 40.56M parameters, the config makes 123.59M" in line for line in said)
