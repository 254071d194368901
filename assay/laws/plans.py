"""What a training run is meant to be: its size, its batch, its steps, its learning rate.

Read from a nanoGPT config file, from a TOML file or manifest of ours, or from words such as
`--params 40M --batch-tokens 524288 --iters 20000`. Nothing is executed.
"""

import ast
import json
import math
import os
import re
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.errors import UsageError
from assay.laws.nanogpt_config import (
    NANOGPT_DEFAULTS,
    NANOGPT_ELSEWHERE,
    parse_nanogpt,
    refuse_code,
    size_of_init,
)
from assay.laws.scaling import count_parameters
from assay.options import read_count
from assay.paths import AnyPath
from assay.terminal.notebook import draw_result
from assay.terminal.numbers import number_of
from assay.terminal.text import show_line

# What nanoGPT's train.py says of settings that decide no size and no step.
_DEFAULTS: dict[str, Any] = NANOGPT_DEFAULTS | {
    "vocab_size": 50304,
    "bias": False,
    "dropout": 0.0,
    "beta2": 0.95,
    "decay_lr": True,
    "eval_iters": 200,
    "eval_interval": 2000,
    "dtype": "bfloat16",
}
_SHORT = {"params": "parameters", "batch-tokens": "tokens_per_step", "iters": "max_iters"}
_SHAPE = {"n_layer", "n_embd", "vocab_size", "bias"}  # what parameters are counted from
_COUNTS = {"parameters", "tokens_per_step", "max_iters"}
_CLAIM = re.compile(r"(?<![0-9.])([0-9]+(?:\.[0-9]+)?)([MB])(?![a-zA-Z])", re.IGNORECASE)
_NUMBERS = {name: type(value) for name, value in _DEFAULTS.items() if not isinstance(value, str)}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Plan:
    """A run as its settings say. What they leave open is nanoGPT's default, or None.

    Attributes:
        name: Where the settings came from.
        settings: By nanoGPT's names, defaults included; empty where only sizes were given.
        parameters: As nanoGPT counts them.
        blocks: Those that are no embeddings; None where only a number of parameters was given.
        tokens_per_step: Ids in one optimizer step.
        steps: `max_iters`.
        labels: What the run is called: file, `out_dir`, `wandb_run_name`.
        notes: What was not read, one line each.
    """

    name: str
    settings: Mapping[str, Any]
    parameters: int
    blocks: int | None
    tokens_per_step: int
    steps: int
    labels: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return (
            f"Plan({show_line(self.name, 200)}: {self.parameters / 1e6:.1f}M parameters, "
            f"{number_of(self.steps, 'step')} of {number_of(self.tokens_per_step, 'token')})"
        )

    def _repr_html_(self) -> str:
        return draw_result(
            repr(self), [(name, str(value)) for name, value in self.settings.items()]
        )

    @property
    def tokens(self) -> int:
        """Ids seen by the end of the plan, repeats counted."""
        return self.tokens_per_step * self.steps

    def find_claim(self) -> tuple[str, float] | None:
        """Return a label that claims a number of parameters off by over a quarter, and the claim.

        >>> # "125M-single-parquet" on a model of 40.56M parameters -> ("125M-...", 125e6)
        """
        for label in self.labels:
            for number, unit in _CLAIM.findall(label):
                claimed = float(number) * (1e6 if unit in "mM" else 1e9)
                if not 0.8 <= claimed / self.parameters <= 1.25:
                    return label, claimed
        return None


def read_plan(plan: AnyPath) -> Plan:
    """Read a plan from a file and overrides, e.g. `config/train.py --max_iters=20000`.

    Args:
        plan: A file: nanoGPT's Python, which is parsed and never run, TOML, or the manifest of a
            run. As text it may be followed by `--name=value` or `--name value` words, or be such
            words alone; names are nanoGPT's, and params, batch-tokens, iters.

    Raises:
        UsageError: No such file, an unknown name, a value of the wrong kind, or a setting that only
            running the file would tell.
    """
    text = write_plan(plan)
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"plan {text!r} cannot be read: {error}") from error
    path = Path(words.pop(0)) if words and not words[0].startswith("--") else None
    overrides = _read_words(words)
    if path is None:
        return make_plan(overrides, name="plan", defaults=None)
    settings, notes, defaults = _read_file(path, overrides)
    if overrides.keys() & _SHAPE:
        settings.pop("parameters", None)  # of another shape
    settings |= overrides
    sizes = size_of_init(settings.get("init_from"))
    if sizes:
        notes += (f"init_from {settings['init_from']!r}: the sizes of its weights stand",)
    return make_plan(settings | sizes, name=str(path), defaults=defaults, notes=notes)


def write_plan(plan: AnyPath) -> str:
    """Return a plan as text, which `read_plan` reads as the same: a path is one word of it.

    >>> write_plan(Path("my config.py")), write_plan("config.py --max_iters=20000")
    ("'my config.py'", 'config.py --max_iters=20000')
    """
    return plan if isinstance(plan, str) else shlex.quote(os.fspath(plan))


def make_plan(
    settings: Mapping[str, Any],
    *,
    name: str,
    defaults: Mapping[str, Any] | None = _DEFAULTS,
    notes: tuple[str, ...] = (),
) -> Plan:
    """Make a plan of settings by name.

    Args:
        settings: Those given.
        name: Where they came from, for messages.
        defaults: What stands for those not given; None where each size must be given.
        notes: Carried into the plan.
    """
    known = dict(defaults or {}) | {
        setting: _check(setting, value, name)
        for setting, value in settings.items()
        if value is not None
    }
    blocks: int | None = None
    parameters = known.get("parameters")
    if parameters is None or {"n_layer", "n_embd"} <= known.keys():
        layers, width = _need(known, "n_layer", name), _need(known, "n_embd", name)
        vocabulary = known.get("vocab_size", _DEFAULTS["vocab_size"])
        counted = count_parameters(layers, width, vocabulary, bias=bool(known.get("bias")))
        parameters, blocks = parameters or counted.counted, counted.blocks
    tokens = known.get("tokens_per_step")
    if tokens is None:
        parts = ("batch_size", "gradient_accumulation_steps", "block_size")
        tokens = math.prod(_need(known, part, name) for part in parts)
    labels = [Path(name).stem, *(str(known.get(k, "")) for k in ("out_dir", "wandb_run_name"))]
    return Plan(
        name=name,
        settings=known,
        parameters=parameters,
        blocks=blocks,
        tokens_per_step=tokens,
        steps=_need(known, "max_iters", name),
        labels=tuple(label for label in labels if label),
        notes=notes,
    )


def _need(known: Mapping[str, Any], setting: str, name: str) -> int:
    value = known.get(setting)
    if value is None:
        shorts = {long: short for short, long in _SHORT.items()}
        raise UsageError(
            f"{name} sets no {shorts.get(setting, setting)}; needed: --params N --batch-tokens N "
            "--iters N, or a config file"
        )
    return int(value)


def _check(setting: str, value: Any, name: str) -> Any:
    """Check one value against the kind that its default has."""
    kind = int if setting in _COUNTS else _NUMBERS.get(setting)
    if kind is None or (kind is bool and isinstance(value, bool)):
        return value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value < math.inf or (kind is int and value != int(value)):
        needed = "a whole number" if kind is int else "a number"
        raise UsageError(f"{name}: {setting} is {value!r}, needed {needed} of 0 or more")
    if kind is int and value == 0 and not setting.startswith(("warmup", "lr_decay")):
        raise UsageError(f"{name}: {setting} is 0, needed at least 1")
    return kind(value)


def _read_words(words: list[str]) -> dict[str, Any]:
    """Read `--name=value` and `--name value`."""
    settings: dict[str, Any] = {}
    rest = iter(words)
    for word in rest:
        if not word.startswith("--"):
            raise UsageError(f"plan: {word!r} is not --name=value")
        short, sign, value = word[2:].partition("=")
        if not sign:
            value = next(rest, "")
        setting = _SHORT.get(short, short.replace("-", "_"))
        if setting not in _DEFAULTS.keys() | NANOGPT_ELSEWHERE | _COUNTS:
            raise UsageError(
                f"plan: no setting {short!r}; there are {', '.join(_SHORT)} and nanoGPT's"
            )
        settings[setting] = read_count(value) if setting in _COUNTS else _read_value(value)
        if settings[setting] is None:
            raise UsageError(f"plan: --{short} is {value!r}, needed a number such as 20000 or 40M")
    return settings


def _read_value(value: str) -> Any:
    """Read a literal as nanoGPT does; what is none is a string."""
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return value


def _read_manifest(found: dict[str, Any]) -> dict[str, Any]:
    """Read a run's manifest, which knows its vocabulary and its parameters, or plain settings."""
    settings = found.get("settings", found)
    settings = dict(settings.get("config", settings))
    if found.get("kind") == "run":
        settings["vocab_size"] = (found.get("tokenizer") or {}).get("vocab_size")
        settings["parameters"] = (found.get("totals") or {}).get("parameters")
    return {name: value for name, value in settings.items() if value is not None}


def _read_file(
    path: Path, overrides: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[str, ...], Mapping[str, Any] | None]:
    """Read settings, notes, and the defaults that hold for this kind of file."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise UsageError(f"config {path} does not exist; name a nanoGPT config file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"config {path} cannot be read: {error}") from error
    try:
        if path.suffix == ".toml":
            return tomllib.loads(text), (), None
        if path.suffix == ".json":
            return _read_manifest(json.loads(text)), (), None
    except (ValueError, TypeError, AttributeError) as error:
        raise UsageError(f"config {path} cannot be read: {error}") from error
    settings, unread = parse_nanogpt(text, path)
    notes = []
    for statement in unread:
        # What might set a size or a step must not be guessed; an import or a run's name may pass,
        # and what an override sets anyway.
        if statement.sets is None or (statement.sets & _DEFAULTS.keys()) - overrides.keys():
            raise refuse_code(path, statement.line)
        what = ", ".join(sorted(statement.sets)) or "an import"
        notes.append(f"{path}, line {statement.line}: code, not run; {what} stays unknown")
    return settings, tuple(notes), _DEFAULTS
