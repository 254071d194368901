"""Settings of a training run, under nanoGPT's names, and where they may come from.

A file is TOML, or one of nanoGPT's `config/*.py`: that one is parsed, never executed.
"""

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from assay.errors import UsageError
from assay.nanogpt_config import (
    NANOGPT_DEFAULTS,
    NANOGPT_ELSEWHERE,
    parse_nanogpt,
    refuse_code,
)

Count = Annotated[int, Meta(ge=1)]
Natural = Annotated[int, Meta(ge=0)]
NonNegative = Annotated[float, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]


class TrainConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of one run; everything that decides its weights, but for the data.

    `warmup_iters` unset is 5% of the steps; `lr_decay_iters` unset is `max_iters`.
    """

    arch: Literal["modern", "nanogpt"] = "modern"
    n_layer: Count = 4
    n_head: Count = 4
    n_embd: Count = 128
    block_size: Annotated[int, Meta(ge=2)] = 256
    bias: bool = False
    dropout: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    batch_size: Count = 16
    gradient_accumulation_steps: Count = 1
    max_iters: Count = 1000
    learning_rate: Annotated[float, Meta(gt=0)] = 3e-3
    min_lr: NonNegative = 0.0
    schedule: Literal["cosine", "wsd", "constant"] = "wsd"
    cooldown_share: Share = 0.3
    warmup_iters: Natural | None = None
    lr_decay_iters: Count | None = None
    weight_decay: NonNegative = 0.1
    beta1: Annotated[float, Meta(ge=0, lt=1)] = 0.9
    beta2: Annotated[float, Meta(ge=0, lt=1)] = 0.95
    grad_clip: NonNegative = 1.0
    seed: Natural = 0
    dtype: Literal["auto", "bfloat16", "float32"] = "auto"
    device: Annotated[str, Meta(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")] = "auto"
    compile: bool | Literal["auto"] = "auto"
    eval_batch_size: Count = 32

    @property
    def tokens_per_step(self) -> int:
        """Ids trained on in one step."""
        return self.batch_size * self.gradient_accumulation_steps * self.block_size

    @property
    def warmup_steps(self) -> int:
        """Steps of warmup, the default worked out."""
        return self.max_iters // 20 if self.warmup_iters is None else self.warmup_iters

    @property
    def decay_steps(self) -> int:
        """The step at which the learning rate has reached `min_lr`."""
        return self.lr_decay_iters or self.max_iters


# What each setting is, for --help.
MEANINGS = {
    "arch": "modern (RoPE, QK-norm, ReLU^2, RMSNorm) or nanogpt (GPT-2's)",
    "n_layer": "blocks",
    "n_head": "attention heads",
    "n_embd": "width",
    "block_size": "context length in tokens",
    "bias": "biases in linear and norm layers (arch nanogpt)",
    "dropout": "share of activations dropped",
    "batch_size": "windows in a micro-batch",
    "gradient_accumulation_steps": "micro-batches in a step",
    "max_iters": "steps; --tokens sets them from a budget",
    "learning_rate": "peak learning rate",
    "min_lr": "learning rate at the end of the decay",
    "schedule": "wsd (flat, then a linear cooldown), cosine or constant",
    "cooldown_share": "share of the steps that cool down (wsd)",
    "warmup_iters": "steps of warmup; unset: 5% of the steps",
    "lr_decay_iters": "step at which min_lr is reached; unset: max_iters",
    "weight_decay": "AdamW's decay, on matrices alone",
    "beta1": "AdamW's first moment",
    "beta2": "AdamW's second moment",
    "grad_clip": "largest gradient norm; 0: no clipping",
    "seed": "decides weights, order of the data, dropout",
    "dtype": "of activations: auto, bfloat16 or float32; weights are float32",
    "device": "auto, cpu, cuda, cuda:N or mps",
    "compile": "auto (on CUDA), true or false",
    "eval_batch_size": "windows scored at once",
}


def make_config(settings: Mapping[str, Any], *, tokens: int | None = None) -> TrainConfig:
    """Check settings (strings from a command line included) and make a config of them.

    Args:
        settings: By field name; what is not named has its default.
        tokens: Budget of ids trained on; sets `max_iters` to the fewest steps that reach it, and
            the decay to end there.

    Raises:
        UsageError: A name is unknown (the nearest is told), a value is out of range, or two
            settings contradict each other.
    """
    for name in settings:
        if name not in TrainConfig.__struct_fields__:
            raise UsageError(f"no setting {name!r}{_nearest(name)}")
    try:
        config = msgspec.convert(dict(settings), TrainConfig, strict=False)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$.")
        name = where.rstrip("`")
        raise UsageError(f"setting {name} is {settings.get(name)!r}: {what}") from error
    if tokens is not None:
        if tokens < 1:
            raise UsageError(f"a budget of {tokens:,} tokens trains nothing; name at least one")
        steps = -(-tokens // config.tokens_per_step)
        config = msgspec.structs.replace(config, max_iters=steps, lr_decay_iters=None)
    _check_together(config)
    return config


def _check_together(config: TrainConfig) -> None:
    """Refuse settings that are fine alone and not together."""
    if config.n_embd % config.n_head:
        raise UsageError(
            f"n_embd {config.n_embd} is not a multiple of n_head {config.n_head}; change one"
        )
    if config.arch == "modern" and (config.n_embd // config.n_head) % 2:
        raise UsageError(
            f"heads of width {config.n_embd // config.n_head} cannot be rotated; arch modern "
            "needs an even n_embd / n_head"
        )
    if config.arch == "modern" and config.bias:
        raise UsageError("arch modern has no biases; set bias to false, or arch to nanogpt")
    if config.warmup_iters is not None and config.warmup_iters >= config.max_iters:
        raise UsageError(
            f"warmup_iters {config.warmup_iters:,} leaves nothing of {config.max_iters:,} steps; "
            "lower it"
        )
    if config.min_lr > config.learning_rate:
        raise UsageError(f"min_lr {config.min_lr} is above learning_rate {config.learning_rate}")


def read_config(path: Path) -> tuple[dict[str, Any], list[str]]:
    """Read settings from TOML or from a nanoGPT `config/*.py`.

    Returns the settings, and the names of those that mean something to nanoGPT alone.

    Raises:
        UsageError: No such file, not TOML, an unknown name, or, in Python, anything but
            assignments of literals and of arithmetic on them (its line is told).
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"config {path} cannot be read: {error}") from error
    if path.suffix == ".py":
        found, unread = parse_nanogpt(text, path)
        if unread:
            raise refuse_code(path, unread[0].line)
        elsewhere = sorted(NANOGPT_ELSEWHERE & set(found))
        settings = {"arch": "nanogpt", "schedule": "cosine"} | NANOGPT_DEFAULTS
        settings |= {name: value for name, value in found.items() if name not in elsewhere}
        if settings.pop("decay_lr", True) is False:
            settings["schedule"] = "constant"
    else:
        elsewhere = []
        try:
            settings = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"config {path} is not TOML: {error}") from error
    for name in settings:
        if name not in TrainConfig.__struct_fields__:
            raise UsageError(f"config {path}: no setting {name!r}{_nearest(name)}")
    return settings, elsewhere


def _nearest(name: str) -> str:
    near = difflib.get_close_matches(name, TrainConfig.__struct_fields__, n=1, cutoff=0.5)
    return f"; the nearest is {near[0]!r}" if near else ""
