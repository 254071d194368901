"""Settings of a training run, put together: a config's, a size's, those named by a caller."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from assay.errors import UsageError
from assay.formats.config_checks import check_names
from assay.formats.train_config import DEFAULTS, TrainConfig
from assay.paths import AnyPath, to_path
from assay.train.settings.config_file import read_config

# Sizes by name: n_layer, n_head (nanogpt), n_head (modern), n_embd, block_size. Parameters with
# GPT-2's vocabulary, as nanoGPT counts them: 5.3M, 29.9M, 40.6M, 123.6M.
SIZES = {
    "5M": (4, 3, 3, 96, 256),
    "30M": (6, 6, 6, 384, 1024),
    "40M-seed": (12, 12, 6, 384, 1024),
    "124M": (12, 12, 12, 768, 1024),
}
AnyConfig = TrainConfig | AnyPath | None


def collect_settings(
    config: AnyConfig = None,
    settings: Mapping[str, Any] | None = None,
    *,
    size: str | None = None,
    tokens: int | None = None,
    shape: Mapping[str, Any] | None = None,
    log: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Put settings over each other: a config's, then a checkpoint's shape, a size's, those by name.

    What none of them names is left out.

    Args:
        config: A whole config, or the path of a file: TOML, or nanoGPT's `config/*.py`.
        settings: By name, as a command line or a caller spells them.
        size: A name in SIZES, which stands for layers, heads, width and block.
        tokens: The budget, which some settings contradict.
        shape: That of weights to start from.
        log: Called with what of a file is not used.

    Raises:
        UsageError: A file cannot be read, a name is unknown, or a budget is named beside what it
            sets; over a config's it wins.
    """
    given = dict(settings or {})
    for name in ("max_iters", "lr_decay_iters"):
        if tokens is not None and name in given:
            raise UsageError(f"tokens sets {name}; leave one of them out", "tokens", name)
    found: dict[str, Any] = {}
    if isinstance(config, TrainConfig):
        found = msgspec.to_builtins(config)
    elif config is not None:
        path = to_path(config)
        found, elsewhere = read_config(path)
        check_names(found, f"config {path}: ")
        if elsewhere and log:
            log(f"config {path}: not used here: {', '.join(elsewhere)}")
    found |= shape or {}
    if size is not None:
        found |= size_settings(size, (found | given).get("arch", DEFAULTS.arch))
    return found | given


def size_settings(size: str, arch: str) -> dict[str, Any]:
    """Return the settings that a size's name stands for, in an architecture.

    >>> size_settings("40M-seed", "nanogpt")
    {'n_layer': 12, 'n_head': 12, 'n_embd': 384, 'block_size': 1024}
    """
    sizes = {name.lower(): shape for name, shape in SIZES.items()}
    if size.lower() not in sizes:
        raise UsageError(f"size must be one of {', '.join(SIZES)}, got {size!r}", "size")
    layers, heads, modern_heads, width, block = sizes[size.lower()]
    return {
        "n_layer": layers,
        "n_head": heads if arch == "nanogpt" else modern_heads,
        "n_embd": width,
        "block_size": block,
    }
