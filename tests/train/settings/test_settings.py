from pathlib import Path

import pytest
import torch

from assay.errors import UsageError
from assay.formats.config_checks import make_config
from assay.formats.train_config import TrainConfig
from assay.train.model.gpt import GPT
from assay.train.settings.config_file import read_config
from assay.train.settings.help import MEANINGS
from assay.train.settings.settings import collect_settings, size_settings


def test_every_setting_has_a_meaning() -> None:
    assert set(MEANINGS) == set(TrainConfig.__struct_fields__)


def test_a_budget_sets_the_fewest_steps_that_reach_it() -> None:
    settings = {"batch_size": 4, "block_size": 10, "gradient_accumulation_steps": 2}

    assert make_config(settings, tokens=160).max_iters == 2
    assert make_config(settings, tokens=161).max_iters == 3
    assert make_config({**settings, "lr_decay_iters": 99}, tokens=160).decay_steps == 2


def test_strings_of_a_command_line_are_read() -> None:
    config = make_config({"n_layer": "3", "learning_rate": "1e-4", "compile": "false"})

    assert (config.n_layer, config.learning_rate, config.compile) == (3, 1e-4, False)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_layers": 2}, "no setting 'n_layers'; the nearest is 'n_layer'"),
        ({"n_layer": 0}, "n_layer must be .*, got 0"),
        ({"dtype": "float8"}, "dtype must be .*, got 'float8'"),
        ({"n_embd": 130}, "n_embd must be a multiple of n_head, got 130 and 4"),
        ({"n_embd": 12, "n_head": 4}, "n_embd / n_head must be even"),
        ({"bias": True}, "arch modern has no biases"),
        ({"warmup_iters": 1000}, "warmup_iters must be below max_iters, got 1,000 of 1,000"),
        ({"min_lr": 1.0}, "min_lr must be at most learning_rate, got 1.0 above 0.003"),
        ({"device": "rm -rf"}, "device must be auto, cpu, mps, cuda or cuda:N"),
        (
            {"label_smoothing": 0.1},
            "no label_smoothing here: with it the loss is no longer a likelihood",
        ),
        ({"matrix_lr": 0.02}, "matrix_lr is Muon's; set optimizer to muon"),
        ({"micro_batch": 5}, "micro_batch must be auto, or divide the 16 windows of a step, got 5"),
        ({"micro_batch": "some"}, "micro_batch must be .*, got 'some'"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_config(settings)


@pytest.mark.parametrize(
    ("size", "arch", "parameters"),
    [
        ("5M", "modern", 5.27e6),
        ("30M", "modern", 29.9e6),
        ("40M-seed", "nanogpt", 40.6e6),
        ("40M-seed", "modern", 40.6e6),
        ("124M", "nanogpt", 123.7e6),
    ],
)
def test_a_size_has_the_parameters_of_its_name(size: str, arch: str, parameters: float) -> None:
    config = make_config({"arch": arch, **size_settings(size, arch)})
    with torch.device("meta"):
        model = GPT(config, 50_257, torch.float32)

    assert model.num_parameters == pytest.approx(parameters, rel=0.005)


def test_a_size_that_is_none_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="size must be one of 5M, 30M, 40M-seed, 124M, got '7B'"):
        size_settings("7B", "modern")


def test_modern_heads_are_64_wide_and_the_origin_cases_32() -> None:
    for size in ("30M", "40M-seed", "124M"):
        chosen = size_settings(size, "modern")
        assert chosen["n_embd"] // chosen["n_head"] == 64
    assert size_settings("40M-seed", "nanogpt")["n_head"] == 12


def test_a_toml_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_text('n_layer = 2\nschedule = "cosine"\n')

    assert read_config(path) == ({"n_layer": 2, "schedule": "cosine"}, [])


def test_a_nanogpt_file_is_read_as_nanogpt_means_it(tmp_path: Path) -> None:
    path = tmp_path / "train_small.py"
    path.write_text(
        '"""Notes."""\n# a comment\nwandb_log = True\nbatch_size = 12\n'
        "gradient_accumulation_steps = 5 * 8\nn_layer = 6\nwarmup_iters = 100\nmin_lr = -0.0\n"
    )

    settings, elsewhere = read_config(path)

    assert elsewhere == ["wandb_log"]
    assert settings["gradient_accumulation_steps"] == 40
    assert (settings["arch"], settings["n_embd"], settings["n_layer"]) == ("nanogpt", 768, 6)
    assert make_config(settings).schedule == "cosine"


@pytest.mark.parametrize(
    "code",
    [
        "import os",
        "n_layer = int('6')",
        "n_layer = __import__('os').getpid()",
        "a = b = 2",
        "n_layer += 1",
        "n_layer = 1 / 0",
        "n_layer = 9 ** 9 ** 9",
        "n_layer = [1, 2][0]",
        "n_layer: int",
        "n_layer = unknown",
    ],
)
def test_code_in_a_config_is_refused_with_its_line_and_never_run(tmp_path: Path, code: str) -> None:
    path = tmp_path / "config.py"
    path.write_text(f"batch_size = 2\n\n{code}\n")

    with pytest.raises(UsageError, match=r"line 3: .* code is never run"):
        read_config(path)


def test_an_unknown_name_in_a_file_is_refused_with_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("learningrate = 1e-3\n")

    with pytest.raises(UsageError, match=r"c\.toml: no setting .* nearest is 'learning_rate'"):
        collect_settings(path)


def test_no_config_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nothing.toml does not exist"):
        read_config(tmp_path / "nothing.toml")


def test_warmup_rises_to_the_peak_in_every_schedule() -> None:
    for schedule in ("wsd", "cosine", "constant", "linear"):
        config = make_config(
            {"schedule": schedule, "max_iters": 100, "warmup_iters": 9, "learning_rate": 1.0}
        )

        rates = [config.learning_rate_at(step) for step in range(100)]

        assert rates[:9] == pytest.approx([0.1 * k for k in range(1, 10)])
        assert rates[9] == pytest.approx(1.0)


def test_wsd_stays_and_then_falls_in_a_line() -> None:
    config = make_config({"max_iters": 10, "warmup_iters": 0, "learning_rate": 1.0, "min_lr": 0.2})

    rates = [config.learning_rate_at(step) for step in range(11)]

    assert rates[:8] == pytest.approx([1.0] * 8)  # 3 of 10 steps cool down
    assert rates[8:] == pytest.approx([0.2 + 0.8 * 2 / 3, 0.2 + 0.8 / 3, 0.2])


def test_cosine_is_halfway_in_the_middle_and_low_after_the_end() -> None:
    settings = {"schedule": "cosine", "max_iters": 300, "lr_decay_iters": 200, "warmup_iters": 0}
    config = make_config({**settings, "learning_rate": 1.0, "min_lr": 0.1})

    assert config.learning_rate_at(100) == pytest.approx(0.55)
    assert config.learning_rate_at(250) == pytest.approx(0.1)


def test_linear_falls_in_a_line_from_the_peak_to_the_end() -> None:
    settings = {"schedule": "linear", "max_iters": 30, "warmup_iters": 10, "learning_rate": 1.0}
    config = make_config({**settings, "min_lr": 0.2})

    assert config.learning_rate_at(10) == pytest.approx(1.0)
    assert config.learning_rate_at(15) == pytest.approx(0.8)
    assert config.learning_rate_at(20.5) == pytest.approx(0.58)
    assert config.learning_rate_at(30) == pytest.approx(0.2)


def test_constant_stays() -> None:
    config = make_config({"schedule": "constant", "max_iters": 50, "warmup_iters": 0})

    assert {config.learning_rate_at(step) for step in range(50)} == {3e-3}
