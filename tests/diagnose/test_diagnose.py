"""`assay diagnose`: little and much to go on, causes planted in made logs."""

import math
from pathlib import Path

import pytest

from assay.diagnose.run import weigh_log
from assay.formats.hypothesis import TITLES, HypothesisName
from tests.support.curves import make_curves
from tests.support.logs import find, levels, sentences, write
from tests.support.origin import CONFIG, make_log


@pytest.fixture
def origin(here: Path) -> Path:
    (here / "train.log").write_text(make_log())
    (here / "config.py").write_text(CONFIG)
    return here


# ---- with less to go on


def test_the_log_alone_is_weighed_and_says_what_is_missing(origin: Path) -> None:
    diagnosis = weigh_log(origin / "train.log")
    text = diagnosis.describe()

    assert levels(diagnosis)[HypothesisName.OVERFITTING] == "refuted"
    assert "no learning rate in the log, so no forecast: give --config" in text
    assert "is unknown until its unique tokens are counted" in " ".join(text.split())
    assert diagnosis.run.seen == 7_602_176_000


def test_a_table_with_rates_needs_no_config(here: Path) -> None:
    rows = ["step,lr,loss"]
    for step in range(100, 20_001, 100):
        rate = 3e-4 * (0.55 + 0.45 * math.cos(math.pi * step / 24_000))
        rows.append(f"{step},{rate},{3.0 + 30 / (step + 100) ** 0.5}")

    diagnosis = weigh_log(write(here, "\n".join(rows)))

    assert diagnosis.run.forecast is not None
    assert diagnosis.run.curve_name == "batches"


@pytest.mark.parametrize(
    "text",
    ["iter 1: loss 3.5", "step 0: train loss 4.0, val loss 4.1", "step,val_loss\n1,3.5\n2,3.4"],
)
def test_next_to_nothing_is_weighed_without_a_crash(here: Path, text: str) -> None:
    found = levels(weigh_log(write(here, text)))

    assert not {"certain", "likely"} & set(found.values())


def test_steps_without_end_are_not_followed(here: Path) -> None:
    (here / "config.py").write_text(CONFIG)
    text = "\n".join(f"step {s * 10**12}: train loss 4, val loss {4 - s / 10}" for s in range(9))

    case = weigh_log(write(here, text), config="config.py").run

    assert case.forecast is None
    assert any("is not followed" in note for note in case.notes)
    assert any("beyond the 20,000" in note for note in case.notes)


# ---- causes


def test_a_healthy_run_has_no_likely_cause(here: Path) -> None:
    found = levels(weigh_log(make_curves(here), config="c.py", unique_tokens=10**8))

    assert not {"certain", "likely"} & set(found.values())
    assert found[HypothesisName.REGULARISATION] == "refuted"
    assert found[HypothesisName.SCHEDULE_NOT_FINISHED] == "refuted"


def test_a_run_that_overfits_small_data_is_told(here: Path) -> None:
    log = make_curves(here, overfits=True)

    diagnosis = weigh_log(log, config="c.py", unique_tokens=100_000)

    assert {each.name for each in diagnosis.result.hypotheses[:2]} == {
        TITLES[HypothesisName.OVERFITTING],
        TITLES[HypothesisName.TOO_LITTLE_UNIQUE_DATA],
    }
    assert levels(diagnosis)[HypothesisName.OVERFITTING] == "certain"
    assert "the amount of data is certainly a cause" in "\n".join(diagnosis.result.conclusions)


def test_a_run_cut_in_its_schedule_is_told(here: Path) -> None:
    diagnosis = weigh_log(make_curves(here, finished=False), config="c.py")

    assert diagnosis.result.hypotheses[0].name == "schedule not finished"
    assert diagnosis.result.hypotheses[0].level == "likely"


def test_a_decay_longer_than_the_run_is_told(here: Path) -> None:
    log = make_curves(here)

    diagnosis = weigh_log(log, config="c.py --lr_decay_iters=600000")

    assert "lr_decay_iters 600,000 is beyond max_iters 2,000" in sentences(
        diagnosis, HypothesisName.SCHEDULE_NOT_FINISHED
    )
    assert levels(diagnosis)[HypothesisName.SCHEDULE_NOT_FINISHED] in ("likely", "certain")


def test_a_rate_far_over_the_rules_is_told(here: Path) -> None:
    found = weigh_log(make_curves(here), config="c.py --learning_rate=0.5 --dropout=0.0")

    assert found.result.hypotheses[0].name == "learning rate too high"
    assert levels(found)[HypothesisName.LEARNING_RATE_TOO_HIGH] == "likely"


def test_a_tiny_validation_set_is_told(here: Path) -> None:
    log = make_curves(here, val_shift=-0.1)
    for name, ids in (("train.bin", 10**6), ("val.bin", 20_000)):
        (here / name).write_bytes(bytes(2 * ids))

    diagnosis = weigh_log(log, config="c.py", bins=here)

    assert diagnosis.result.hypotheses[0].name == "validation set too small or unlike train"
    assert "val has 20,000 tokens" in sentences(diagnosis, HypothesisName.VALIDATION_TOO_SMALL)
    assert "duplicates counted" in sentences(diagnosis, HypothesisName.TOO_LITTLE_UNIQUE_DATA)


@pytest.mark.parametrize(
    ("tokens", "level", "said"),
    [
        (1_500_000, "possible", "by chance (0.8 sd)"),  # a set of 1.5M tokens errs by 0.028
        (50_000_000, "likely", "an easier set"),  # one of 50M by 0.005: no chance
    ],
)
def test_a_val_below_train_is_held_to_what_the_choice_of_the_set_explains(
    here: Path, tokens: int, level: str, said: str
) -> None:
    log = make_curves(here, val_shift=-0.025)
    for name, ids in (("train.bin", 10**9), ("val.bin", tokens)):
        with (here / name).open("wb") as file:
            file.truncate(2 * ids)

    diagnosis = weigh_log(log, config="c.py", bins=here)

    assert levels(diagnosis)[HypothesisName.VALIDATION_TOO_SMALL] == level
    assert said in sentences(diagnosis, HypothesisName.VALIDATION_TOO_SMALL)


def test_nan_speaks_for_precision(here: Path) -> None:
    log = make_curves(here)
    log.write_text(log.read_text() + "\niter 2001: loss nan, time 9.00ms, mfu 9.00%\n")

    assert levels(weigh_log(log, config="c.py"))[HypothesisName.MIXED_PRECISION] == "likely"


# ---- what the first screen says


def test_a_rise_is_called_one(here: Path) -> None:
    said = weigh_log(make_curves(here, overfits=True), config="c.py").result.conclusions[0]

    assert said.startswith("the loss rises: it rose by 0.")
    assert "-0." not in said


def test_more_data_buys_no_more_than_the_gap_it_can_close(here: Path) -> None:
    diagnosis = weigh_log(make_curves(here, overfits=True), config="c.py", unique_tokens=100_000)
    quantity = find(diagnosis, HypothesisName.TOO_LITTLE_UNIQUE_DATA)

    assert quantity.gain is not None
    assert diagnosis.run.gap is not None
    assert quantity.gain[0] <= quantity.gain[1] == diagnosis.run.gap.mean < 2


def test_a_log_of_batches_alone_is_called_by_one_word(here: Path) -> None:
    rows = [f"{s},{1e-3 * (1 - s / 2001)},{3 + 9 / s**0.5}" for s in range(20, 2001, 20)]

    diagnosis = weigh_log(write(here, "\n".join(["step,lr,loss", *rows])))
    text = " ".join(diagnosis.describe().split())

    assert "losses: 0 val, 0 train, 100 batch" in text
    assert " over 31 averages of batches the loss fell" in text
    assert "over the last 31 averages of batches" in text
    assert "one average of batches scatters by" in text
    assert "evaluations the loss" not in text


def test_what_buys_nothing_is_said_to(here: Path) -> None:
    said = weigh_log(make_curves(here), config="c.py", unique_tokens=10**8).result.conclusions

    assert any("twice the unique tokens would buy nothing by" in each for each in said)
    assert not any("forecast" in each for each in said), "the run is at its end"


def test_noise_misleads_and_holds_no_loss(here: Path) -> None:
    log = make_curves(here)
    lines = log.read_text().splitlines()
    for at, line in enumerate(lines):
        if line.startswith("step"):
            head, _, val = line.rpartition(" ")
            lines[at] = f"{head} {float(val) + 0.12 * (-1) ** (at // 11):.4f}"
    log.write_text("\n".join(lines))

    said = weigh_log(log, config="c.py").result.conclusions

    assert any(each.startswith("most likely misleading about the loss") for each in said)
