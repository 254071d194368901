"""The case that assay starts from, diagnosed."""

from pathlib import Path

import pytest

from assay.cli import run
from assay.diagnose.run import weigh_log
from assay.formats.hypothesis import HypothesisName
from tests.support.logs import find, levels, sentences, write
from tests.support.origin import CONFIG, make_log

PAGE = Path(__file__).parent.parent.parent / "docs" / "origin-case.md"


@pytest.fixture
def origin(here: Path) -> Path:
    (here / "train.log").write_text(make_log())
    (here / "config.py").write_text(CONFIG)
    return here


def test_the_origin_log_has_the_losses_of_the_note(origin: Path) -> None:
    log = weigh_log(origin / "train.log").run.log
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
    diagnosis = weigh_log(origin / "train.log", config="config.py", unique_tokens=730_000_000)
    found, case = levels(diagnosis), diagnosis.run
    quantity = find(diagnosis, HypothesisName.TOO_LITTLE_UNIQUE_DATA)

    assert diagnosis.result.hypotheses[0].name == "schedule not finished"
    assert found[HypothesisName.SCHEDULE_NOT_FINISHED] == "likely"
    assert found[HypothesisName.OVERFITTING] == "refuted"
    assert "dropout off" in sentences(diagnosis, HypothesisName.OVERFITTING)
    assert found[HypothesisName.TOO_LITTLE_UNIQUE_DATA] == "unlikely"
    assert quantity.gain is not None
    assert 0.003 < quantity.gain[0] < 0.005
    assert 0.03 < quantity.gain[1] < 0.04
    assert found[HypothesisName.LEARNING_RATE_TOO_HIGH] == "unlikely"
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

    found = levels(weigh_log(path, config="config.py", unique_tokens=730_000_000))

    assert found[HypothesisName.SCHEDULE_NOT_FINISHED] == "likely"
    assert found[HypothesisName.OVERFITTING] == "refuted"
    assert found[HypothesisName.TOO_LITTLE_UNIQUE_DATA] == "unlikely"


def read_table() -> list[tuple[int, str, float, float]]:
    """Read the page's table: unique tokens, level of data as the cause, the range it would buy."""
    rows = [
        line.strip("| ").split(" | ") for line in PAGE.read_text().splitlines() if "B |" in line
    ]
    return [
        (round(1e9 * float(row[0][:-1])), row[2], *map(float, row[3].split(" to "))) for row in rows
    ]


@pytest.mark.parametrize(("unique", "level", "low", "high"), read_table())
def test_the_measured_unique_tokens_decide(
    origin: Path, unique: int, level: str, low: float, high: float
) -> None:
    diagnosis = weigh_log(origin / "train.log", config="config.py", unique_tokens=unique)
    quantity = find(diagnosis, HypothesisName.TOO_LITTLE_UNIQUE_DATA)

    assert quantity.level == level
    assert quantity.gain is not None
    assert quantity.gain == pytest.approx((low, high), abs=5.1e-4)


def test_a_config_of_another_run_is_noticed(origin: Path) -> None:
    said = weigh_log(origin / "train.log", config="config.py --n_embd=768").result.conclusions

    assert any("prints 40.56M parameters, the config makes 123.59M" in line for line in said)


def test_the_page_quotes_what_the_verb_prints(
    origin: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quoted = [block.split("```")[0] for block in PAGE.read_text().split("```text\n")[1:]]

    run(["diagnose", "train.log", "--config", "config.py", "--unique-tokens", "0.73B"])

    out = capsys.readouterr().out
    assert len(quoted) == 8
    for block in quoted:
        assert block in out
