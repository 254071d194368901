"""Settings of a training run, under nanoGPT's names."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from assay.errors import UsageError
from assay.formats.train_config import DEFAULTS, TrainConfig, list_extras

# Settings of a part that a run may not have: whose they are, and what has to be set.
_OWNED = {
    "matrix_lr": ("Muon's", "optimizer", "muon"),
    "momentum": ("Muon's", "optimizer", "muon"),
    "value_lr": ("the value embeddings'", "value_embeds", True),
    "scalar_lr": ("the residual scalars'", "residual_scalars", True),
}

# Sizes by name: n_layer, n_head (nanogpt), n_head (modern), n_embd, block_size. Parameters with
# GPT-2's vocabulary, as nanoGPT counts them: 5.3M, 29.9M, 40.6M, 123.6M.
SIZES = {
    "5M": (4, 3, 3, 96, 256),
    "30M": (6, 6, 6, 384, 1024),
    "40M-seed": (12, 12, 6, 384, 1024),
    "124M": (12, 12, 12, 768, 1024),
}
# Settings that do not change what is computed, only where and how fast, and the last digits.
FREE_SETTINGS = frozenset(
    {"device", "compile", "eval_batch_size", "micro_batch", "head", "attention"}
)
# Settings that some trainers have and this one must not.
REFUSED = {
    "label_smoothing": "with it the loss is no likelihood any more, and two runs' losses cannot "
    "be compared",
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
    check_names(settings)
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
    _check_parts(config)
    return config


def check_names(settings: Iterable[str], where: str = "") -> None:
    """Refuse names that are no settings, `where` said first; the nearest is told."""
    for name in settings:
        if name in REFUSED:
            raise UsageError(f"{where}there is no {name} here: {REFUSED[name]}")
        if name not in TrainConfig.__struct_fields__:
            raise UsageError(f"{where}no setting {name!r}{_nearest(name)}")


def size_settings(size: str, arch: str) -> dict[str, Any]:
    """Return the settings that a size's name stands for, in an architecture.

    >>> size_settings("40M-seed", "nanogpt")
    {'n_layer': 12, 'n_head': 12, 'n_embd': 384, 'block_size': 1024}
    """
    sizes = {name.lower(): shape for name, shape in SIZES.items()}
    if size.lower() not in sizes:
        raise UsageError(f"no size {size!r}; there are {', '.join(SIZES)}")
    layers, heads, modern_heads, width, block = sizes[size.lower()]
    heads = heads if arch == "nanogpt" else modern_heads
    return {"n_layer": layers, "n_head": heads, "n_embd": width, "block_size": block}


def inherit_settings(old: TrainConfig, given: dict[str, Any]) -> dict[str, Any]:
    """Put settings over those of a run that goes on; another batch keeps the budget of tokens.

    Where the batch changes, the steps that are not `given` are scaled: `max_iters`, and
    `lr_decay_iters` and `warmup_iters` if they were set.

    >>> found = inherit_settings(TrainConfig(batch_size=8, max_iters=100), {"batch_size": "16"})
    >>> found["batch_size"], found["max_iters"]
    ('16', 50)
    """
    found: dict[str, Any] = msgspec.to_builtins(old) | given
    batch = {name: found[name] for name in ("batch_size", "gradient_accumulation_steps")}
    per_step = make_config(batch).windows_per_step
    for name in {"max_iters", "lr_decay_iters", "warmup_iters"} - set(given):
        if found[name] is not None and per_step != old.windows_per_step:
            found[name] = -(-found[name] * old.windows_per_step // per_step)
    return found


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
    if config.dtype == "float16" and config.head not in ("auto", "plain"):
        raise UsageError("head must be plain under float16: its loss scale comes after the head")
    if config.deterministic and config.compile == "tuned":
        raise UsageError(
            "compile tuned takes what runs fastest at the time, which is not the same each time; "
            "set compile to true, or leave deterministic out"
        )
    if isinstance(config.micro_batch, int) and config.windows_per_step % config.micro_batch:
        raise UsageError(
            f"micro_batch {config.micro_batch} does not divide the {config.windows_per_step:,} "
            "windows of a step; choose one that does, or auto"
        )
    if config.min_lr > config.learning_rate:
        raise UsageError(f"min_lr {config.min_lr} is above learning_rate {config.learning_rate}")


def _check_parts(config: TrainConfig) -> None:
    """Refuse settings of parts that the model or its optimizer does not have."""
    extras = list_extras(config)
    if config.arch == "nanogpt" and extras:
        raise UsageError(
            f"arch nanogpt is GPT-2's and has no {', '.join(extras)}; leave that out, or set arch "
            "to modern"
        )
    for name, (owner, part, needed) in _OWNED.items():
        if getattr(config, name) != getattr(DEFAULTS, name) and getattr(config, part) != needed:
            value = str(needed).lower()
            raise UsageError(f"{name} is {owner}; set {part} to {value}, or leave {name} out")


def _nearest(name: str) -> str:
    near = difflib.get_close_matches(name, TrainConfig.__struct_fields__, n=1, cutoff=0.5)
    return f"; the nearest is {near[0]!r}" if near else ""
