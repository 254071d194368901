"""The commands that a diagnosis names are commands: parsed as they stand."""

import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest

from assay.cli import commands
from assay.diagnose.run import weigh_log
from assay.formats.config_checks import make_config
from assay.train.compare.arms import make_variation
from assay.train.settings.settings import size_settings
from tests.support.origin import CONFIG, make_log


def test_every_command_that_is_named_can_be_parsed(here: Path) -> None:
    Path("train.log").write_text(make_log())
    Path("config.py").write_text(CONFIG)
    found = weigh_log(
        Path("train.log"), config="config.py", unique_tokens=730_000_000
    ).result.hypotheses

    named = [line for each in found for line in split_commands(each.experiment)]

    assert len(named) >= 13
    assert {line.split()[1] for line in named} == {
        "audit", "prepare", "train", "compare", "score", "probe",
    }  # fmt: skip
    for line in named:
        words = shlex.split(line)
        command = commands.get_command(commands.make_context("assay", ["show", "."]), words[1])
        assert command is not None
        command.make_context(words[1], words[2:])  # raises on an option that is not there
        for before, word in pairwise(words):
            if before == "--vary":
                make_variation(word)


def split_commands(experiment: str) -> list[str]:
    """Return the commands in a sentence: each from `assay` to the words of the sentence."""
    parts = re.split(r"[;:,] |; or |finish the schedule", experiment)
    return [part.strip() for part in parts if part.strip().startswith("assay ")]


@pytest.mark.parametrize("varied", ["dropout=0.1,0", "learning_rate=0.001,0.000333,0.003"])
def test_a_short_comparison_with_the_runs_config_leaves_room_after_its_warmup(
    here: Path, varied: str
) -> None:
    Path("train.log").write_text(make_log())
    Path("config.py").write_text(CONFIG)
    found = weigh_log(Path("train.log"), config="config.py").result.hypotheses
    line = next(each.experiment for each in found if varied in each.experiment)
    warmup = int(line.split("--warmup_iters ")[1].split()[0])
    shape = size_settings("40M-seed", "nanogpt")

    config = make_config(
        {**shape, "batch_size": 16, "gradient_accumulation_steps": 32, "warmup_iters": warmup},
        tokens=100_000_000,
    )

    assert config.max_iters == 191
    assert 0 < config.warmup_steps < 20


def test_the_cheaper_of_probe_and_the_rest_of_the_schedule_comes_first(here: Path) -> None:
    Path("config.py").write_text(CONFIG)
    per_step = 524_288

    for last, first, tokens in (
        (14_500, "assay probe CKPT", 8 * 300 * per_step),
        (18_000, "finish the schedule", 2_000 * per_step),
    ):
        Path("train.log").write_text(make_log(last=last))
        found = weigh_log(Path("train.log"), config="config.py").result.hypotheses
        schedule = next(each for each in found if each.name == "schedule not finished")

        assert schedule.experiment.startswith(first)
        assert schedule.tokens == tokens
