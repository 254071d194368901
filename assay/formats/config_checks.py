"""Settings of a training run, checked and completed."""

import difflib
import warnings
from collections.abc import Callable, Iterable, Mapping
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
_OLD_HEAD = "tiled"
# Settings that some trainers have and this one must not.
REFUSED_SETTINGS = {
    "label_smoothing": "with it the loss is no longer a likelihood, and two runs' losses cannot "
    "be compared",
}


def make_config(
    settings: Mapping[str, Any],
    *,
    tokens: int | None = None,
    log: Callable[[str], None] | None = None,
) -> TrainConfig:
    """Check settings (strings from a command line included) and make a config of them.

    Args:
        settings: By field name; what is not named has its default.
        tokens: Budget of ids trained on; sets `max_iters` to the fewest steps that reach it, and
            the decay to end there.
        log: Called with what is accepted for this version alone; without it Python warns.

    Raises:
        UsageError: A name is unknown (the nearest is suggested), a value is out of range, or two
            settings contradict each other.
    """
    check_names(settings)
    try:
        config = msgspec.convert(dict(settings), TrainConfig, strict=False)
    except msgspec.ValidationError as error:
        name = str(error).partition(" - at `$.")[2].rstrip("`")
        raise UsageError(
            f"{name} must be {_describe_values(name)}, got {settings.get(name)!r}"
        ) from error
    if config.head != config.loss_head:
        line = f"head {config.head} is no longer there; {config.loss_head} is used instead"
        log(line) if log else warnings.warn(line, FutureWarning, stacklevel=2)
        config = msgspec.structs.replace(config, head=config.loss_head)
    if tokens is not None:
        if tokens < 1:
            raise UsageError(f"tokens must be at least 1, got {tokens:,}", "tokens")
        steps = -(-tokens // config.tokens_per_step)
        config = msgspec.structs.replace(config, max_iters=steps, lr_decay_iters=None)
    _check_together(config)
    _check_parts(config)
    return config


def check_names(settings: Iterable[str], where: str = "") -> None:
    """Refuse names that are no settings; the nearest is suggested. `where` begins the message."""
    for name in settings:
        if name in REFUSED_SETTINGS:
            raise UsageError(f"{where}there is no {name} here: {REFUSED_SETTINGS[name]}")
        if name not in TrainConfig.__struct_fields__:
            raise UsageError(f"{where}no setting {name!r}{_suggest(name)}")


def _check_together(config: TrainConfig) -> None:
    """Refuse settings that are fine alone and not together."""
    modern, micro = config.arch == "modern", config.micro_batch
    contradictions = (
        (
            config.n_embd % config.n_head != 0,
            f"n_embd must be a multiple of n_head, got {config.n_embd} and {config.n_head}",
        ),
        (
            modern and (config.n_embd // config.n_head) % 2 != 0,
            "n_embd / n_head must be even for the rotary embeddings of arch modern, got "
            f"{config.n_embd} / {config.n_head}",
        ),
        (
            modern and config.bias,
            "arch modern has no biases; set bias to false, or arch to nanogpt",
        ),
        (
            config.warmup_steps >= config.max_iters,
            f"warmup_iters must be below max_iters, got {config.warmup_steps:,} of "
            f"{config.max_iters:,}",
        ),
        (
            config.dtype == "float16" and config.head not in ("auto", "plain"),
            "head must be plain under float16: its loss scale comes after the head",
        ),
        (
            config.deterministic and config.compile == "tuned",
            "compile tuned takes what runs fastest at the time, which is not the same each time; "
            "set compile to true, or leave deterministic out",
        ),
        (
            isinstance(micro, int) and config.windows_per_step % micro != 0,
            f"micro_batch must be auto, or divide the {config.windows_per_step:,} windows of a "
            f"step, got {micro}",
        ),
        (
            config.min_lr > config.learning_rate,
            f"min_lr must be at most learning_rate, got {config.min_lr} above "
            f"{config.learning_rate}",
        ),
    )
    for contradict, message in contradictions:
        if contradict:
            raise UsageError(message)


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
            raise UsageError(
                f"{name} is {owner}; set {part} to {str(needed).lower()}, or leave {name} out"
            )


def _describe_values(name: str) -> str:
    """Say which values a setting may have, by its type.

    >>> _describe_values("n_layer"), _describe_values("compile")
    ('a whole number, at least 1', 'true, false, auto or tuned')
    """
    if name == "device":
        return "auto, cpu, mps, cuda or cuda:N"
    import msgspec.inspect as inspect

    described = inspect.type_info(TrainConfig.__annotations__[name])
    kinds = described.types if isinstance(described, inspect.UnionType) else (described,)
    said = []
    for kind in kinds:
        if isinstance(kind, inspect.LiteralType):
            said += [str(value) for value in kind.values if value != _OLD_HEAD]
        elif isinstance(kind, inspect.IntType | inspect.FloatType):
            bounds = {"at least": kind.ge, "above": kind.gt, "at most": kind.le, "below": kind.lt}
            words = ["a whole number" if isinstance(kind, inspect.IntType) else "a number"]
            words += [f"{word} {bound:g}" for word, bound in bounds.items() if bound is not None]
            said.append(", ".join(words))
        elif isinstance(kind, inspect.BoolType):
            said += ["true", "false"]
    return " or ".join(filter(None, [", ".join(said[:-1]), said[-1]]))


def _suggest(name: str) -> str:
    near = difflib.get_close_matches(name, TrainConfig.__struct_fields__, n=1, cutoff=0.5)
    return f"; the nearest is {near[0]!r}" if near else ""
