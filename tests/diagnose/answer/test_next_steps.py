"""What a diagnosis says first: whether the loss is flat, whose config it is, what to do next."""

from pathlib import Path

import pytest

from assay.diagnose.run import WeighedLog, weigh_log
from assay.formats.diagnosis import NextStep
from tests.support.curves import make_curves
from tests.support.logs import write
from tests.support.origin import CONFIG, make_log


@pytest.fixture
def origin(here: Path) -> Path:
    (here / "config.py").write_text(CONFIG)
    return write(here, make_log())


def diagnose(log: Path, config: str = "config.py", unique: int | None = 730_000_000) -> WeighedLog:
    return weigh_log(log, config=config, unique_tokens=unique)


def flatten(lines: list[str], *, from_step: int, slope: float, noise: tuple[float, ...]) -> str:
    """Write val losses that fall by `slope` nats a step from a step on, with given wiggles."""
    text = [line for line in lines if line.startswith("step ")]
    for place, line in enumerate(text):
        step = int(line.split()[1][:-1])
        if step >= from_step:
            loss = 3.65 - slope * (step - from_step) + noise[place % len(noise)]
            text[place] = f"step {step}: train loss {loss + 0.01:.4f}, val loss {loss:.4f}"
    return "\n".join(text)


@pytest.mark.parametrize(
    ("slope", "noise", "said"),
    [
        (1.2e-5, (0.002, -0.002), "the loss is not flat: it fell by"),
        (0.0, (0.001, -0.001), "the loss is flatter than it should be"),
        (0.6e-5, (0.06, -0.06, 0.05, -0.05), "the evaluations are too noisy to tell whether"),
    ],
)
def test_the_first_sentence_says_whether_the_loss_is_flat(
    origin: Path, slope: float, noise: tuple[float, ...], said: str
) -> None:
    lines = make_log().splitlines()
    log = write(origin.parent, flatten(lines, from_step=10_000, slope=slope, noise=noise))

    first = diagnose(log).result.conclusions[0]

    assert first.startswith(said)
    assert "a healthy run falls by 0.0" in first
    assert ("more would be needed" in first) == ("noisy" in said)


def test_batches_are_not_called_evaluations(origin: Path) -> None:
    lines = [line for line in make_log().splitlines() if line.startswith("iter")]

    assert (
        "averages of batches"
        in diagnose(write(origin.parent, "\n".join(lines))).result.conclusions[0]
    )


def test_a_config_of_another_run_is_said_before_all_else(origin: Path) -> None:
    conclusions = diagnose(origin, "config.py --n_embd=768 --batch_size=12").result.conclusions

    assert "is not this run's config" in conclusions[0]
    assert "prints 524,288 tokens per iteration, the config makes 393,216" in conclusions[1]


def test_a_size_in_words_is_a_round_number(origin: Path) -> None:
    words = "--params 40M --batch-tokens 524288 --iters 20000"

    assert not any(
        "not this run's config" in line for line in diagnose(origin, words).result.conclusions
    )


def test_what_to_do_next_is_the_cheapest_first_with_its_hours(origin: Path) -> None:
    steps = diagnose(origin).result.next_steps

    assert [step.why for step in steps] == [
        "validation set too small or unlike train",
        "dropout",
        "schedule not finished",
        "capacity of the model",
    ]
    assert [step.tokens for step in steps] == sorted(step.tokens or 0 for step in steps)
    assert steps[1].cost == "600M tokens, 1 h 41 min at this run's rate"
    assert "--config config.py" in steps[1].command


def test_what_is_not_known_comes_before_what_would_decide(origin: Path) -> None:
    alone = weigh_log(origin).result.next_steps

    assert [step.command for step in alone][:2] == [
        "--config FILE",
        "assay audit TRAIN --val VAL -o audit, then --audit audit",
    ]
    assert alone[0].cost == "no training"
    assert NextStep("x", "y", None, None).cost == ""


def test_a_healthy_run_has_nothing_to_do(here: Path) -> None:
    diagnosis = weigh_log(make_curves(here), config="c.py", unique_tokens=10**8)

    assert diagnosis.result.next_steps == []
    assert "DO NEXT" not in diagnosis.describe()
    assert "no cause stands out" in " ".join(diagnosis.result.conclusions)


def test_every_hypothesis_says_what_would_decide_it(origin: Path) -> None:
    for diagnosis in (diagnose(origin), weigh_log(origin)):
        assert all(each.experiment for each in diagnosis.result.hypotheses)


def test_files_with_spaces_are_quoted_in_commands(origin: Path) -> None:
    (origin.parent / "my config.py").write_text(CONFIG)

    diagnosis = diagnose(origin, "'my config.py'")

    assert "--config 'my config.py' --tokens" in diagnosis.result.next_steps[1].command


def test_overrides_are_not_put_into_commands(origin: Path) -> None:
    diagnosis = diagnose(origin, "config.py --beta2=0.95")

    assert "--config CONFIG --tokens" in diagnosis.result.next_steps[1].command


def test_short_runs_are_compared_for_no_longer_than_they_are(here: Path) -> None:
    diagnosis = weigh_log(make_curves(here), config="c.py --max_iters=2000")
    command = next(x.experiment for x in diagnosis.result.hypotheses if "rate" in x.name)

    assert f"--tokens {2000 * 16 * 256} " in command


def test_data_that_no_law_reaches_gets_no_number(here: Path) -> None:
    log = make_curves(here)

    diagnosis = weigh_log(log, config="c.py", unique_tokens=2_500_000)

    assert any("do not reach this size" in line for line in diagnosis.result.conclusions)
