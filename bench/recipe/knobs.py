"""What a recipe is made of, and how the settings of a run follow from it and from a size.

The base is the best of the runs in the log so far: Muon at 6e-3, a cooldown of 30 %, a warmup of
5 %, weight decay 0.1, 131,072 tokens a step, 50M tokens at 30M parameters.

Other sizes follow by a rule that was written down before any of their runs, N being parameters
and d width:

- tokens: 50M sqrt(N / 29.9M);
- tokens a step: the recipe's at 30M, times sqrt(tokens / 50M), in multiples of 32 windows. The
  batch that still pays grows about as the root of the tokens ("Power lines", arXiv 2505.13738);
- every rate but the scalars': times sqrt(384 / d), as nanochat scales AdamW's, and as equally
  large changes of each matrix's spectral norm ask of Muon's; and times sqrt(tokens a step / those
  at 30M), as nanochat does;
- shares of the steps (warmup, cooldown), decay, momentum, softcap: as they are.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import msgspec

from assay.formats.config_checks import make_config
from assay.formats.train_config import TrainConfig
from assay.train.settings.settings import size_settings

RATE = 6e-3
STEP_TOKENS = 131_072
TOKENS = 50_000_000
WIDTH = 384
_WINDOWS = 32  # a step's windows are a multiple of it


class Knobs(msgspec.Struct, frozen=True, kw_only=True):
    """A recipe. `rate`, `batch` multiply the base's; `embed` is AdamW's rate over Muon's.

    `value` and `scalar` are rates of value embeddings and residual scalars; None: there are none.
    """

    optimizer: str = "muon"
    rate: float = 1.0
    embed: float = 1.0
    batch: float = 1.0
    warmup: float = 0.05
    decay: float = 0.1
    cooldown: float = 0.3
    momentum: float = 0.95
    softcap: float = 0.0
    value: float | None = None
    scalar: float | None = None

    @property
    def name(self) -> str:
        """What sets the recipe apart from the base."""
        own = {k: v for k, v in msgspec.to_builtins(self).items() if v != getattr(BASE, k)}
        parts = [f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in own.items()]
        return ", ".join(parts) or "base"

    def merge(self, other: "Knobs") -> "Knobs":
        """Add what sets another recipe apart from the base."""
        own = {k: v for k, v in msgspec.to_builtins(other).items() if v != getattr(BASE, k)}
        return msgspec.structs.replace(self, **own)


BASE = Knobs()


@dataclass(frozen=True, slots=True)
class Size:
    """A size of the model: its settings of shape, its tokens, and windows computed at once."""

    name: str
    shape: dict[str, Any]
    tokens: int
    step_tokens: float = STEP_TOKENS
    micro: int | None = None
    more: dict[str, Any] = field(default_factory=dict)


def scale_size(name: str, parameters: float, micro: int | None = None) -> Size:
    """Make a size by the rule above."""
    tokens = TOKENS * math.sqrt(parameters / 29.9e6)
    step_tokens = STEP_TOKENS * math.sqrt(tokens / TOKENS)
    return Size(name, size_settings(name, "modern"), round(tokens), step_tokens, micro)


def make_settings(knobs: Knobs, size: Size, seed: int) -> TrainConfig:
    """Make a run's settings."""
    block, width = size.shape["block_size"], size.shape["n_embd"]
    windows = max(1, round(size.step_tokens * knobs.batch / block / _WINDOWS)) * _WINDOWS
    wider = math.sqrt(WIDTH / width)
    rate = RATE * knobs.rate * wider * math.sqrt(windows * block / STEP_TOKENS)
    settings: dict[str, Any] = {
        **size.shape,
        **size.more,
        "batch_size": windows,
        "learning_rate": rate * knobs.embed,
        "optimizer": knobs.optimizer,
        "weight_decay": knobs.decay,
        "cooldown_share": knobs.cooldown,
        "softcap": knobs.softcap,
        "seed": seed,
    }
    if knobs.optimizer == "muon":
        settings |= {"matrix_lr": rate, "momentum": knobs.momentum}
    if knobs.value is not None:
        settings |= {"value_embeds": True, "value_lr": knobs.value * wider}
    if knobs.scalar is not None:
        settings |= {"residual_scalars": True, "scalar_lr": knobs.scalar}
    if size.micro is not None:
        settings["micro_batch"] = max(n for n in range(1, size.micro + 1) if windows % n == 0)
    config = make_config(settings, tokens=size.tokens)
    warmup = int(knobs.warmup * config.max_iters)
    return msgspec.structs.replace(config, warmup_iters=warmup)
