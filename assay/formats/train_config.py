"""Settings of a training run, under nanoGPT's names, as manifests and checkpoints hold them."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=1)]
Natural = Annotated[int, Meta(ge=0)]
NonNegative = Annotated[float, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0)]
Share = Annotated[float, Meta(ge=0, le=1)]

# What arch modern may have; GPT-2 has none of it.
EXTRAS = ("softcap", "value_embeds", "residual_scalars")
# What the shape of the weights, and how they are used, depend on.
SHAPE_SETTINGS = ("arch", "n_layer", "n_head", "n_embd", "block_size", "bias", *EXTRAS)
# Settings that do not change what is computed, only where and how fast, and the last digits.
RUNTIME_SETTINGS = frozenset(
    {"device", "compile", "eval_batch_size", "micro_batch", "head", "attention"}
)
_LATER = (*EXTRAS, "value_lr", "scalar_lr", "momentum")
_OWN_RATES = ("matrix_lr", "value_lr", "scalar_lr")
_SCALAR_LR = 0.5  # nanochat's


class TrainConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of one run; everything that decides its weights, but for the data.

    `warmup_iters` unset is 5% of the steps; `lr_decay_iters` unset is `max_iters`. What each
    setting means: `assay train --help`.
    """

    arch: Literal["modern", "nanogpt"] = "modern"
    n_layer: Count = 4
    n_head: Count = 4
    n_embd: Count = 128
    block_size: Annotated[int, Meta(ge=2)] = 256
    bias: bool = False
    softcap: NonNegative = 0.0
    value_embeds: bool = False
    residual_scalars: bool = False
    dropout: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    batch_size: Count = 16
    gradient_accumulation_steps: Count = 1
    max_iters: Count = 1000
    learning_rate: Positive = 3e-3
    min_lr: NonNegative = 0.0
    optimizer: Literal["adamw", "muon"] = "adamw"
    matrix_lr: Positive | None = None
    value_lr: Positive | None = None
    scalar_lr: Positive | None = None
    momentum: Annotated[float, Meta(ge=0, lt=1)] = 0.95
    schedule: Literal["cosine", "wsd", "constant", "linear"] = "wsd"
    cooldown_share: Share = 0.3
    warmup_iters: Natural | None = None
    lr_decay_iters: Count | None = None
    weight_decay: NonNegative = 0.1
    beta1: Annotated[float, Meta(ge=0, lt=1)] = 0.9
    beta2: Annotated[float, Meta(ge=0, lt=1)] = 0.95
    grad_clip: NonNegative = 1.0
    seed: Natural = 0
    sampling: Literal["epochs", "replacement"] = "epochs"
    dtype: Literal["auto", "bfloat16", "float32", "float16"] = "auto"
    device: Annotated[str, Meta(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")] = "auto"
    compile: bool | Literal["auto", "tuned"] = "auto"
    micro_batch: Count | Literal["auto"] = "auto"
    head: Literal["auto", "plain", "fused", "chunked", "tiled"] = "auto"  # tiled: see loss_head
    attention: Literal["auto", "cudnn", "flash"] = "auto"
    deterministic: bool = False
    eval_batch_size: Count = 32

    @property
    def windows_per_step(self) -> int:
        """Windows trained on in one step, however many are computed at once."""
        return self.batch_size * self.gradient_accumulation_steps

    @property
    def tokens_per_step(self) -> int:
        """Ids trained on in one step."""
        return self.windows_per_step * self.block_size

    @property
    def tokens(self) -> int:
        """Ids trained on in the whole run, repeats counted."""
        return self.max_iters * self.tokens_per_step

    @property
    def warmup_steps(self) -> int:
        """Steps of warmup, the default worked out."""
        return self.max_iters // 20 if self.warmup_iters is None else self.warmup_iters

    @property
    def decay_steps(self) -> int:
        """The step at which the learning rate has reached `min_lr`."""
        return self.lr_decay_iters or self.max_iters

    @property
    def scalar_rate(self) -> float:
        """Peak learning rate of the residual scalars, the default worked out."""
        return _SCALAR_LR if self.scalar_lr is None else self.scalar_lr

    @property
    def loss_head(self) -> str:
        """How the loss is computed; "tiled", which 0.1 had, is chunked. To go with 0.3."""
        return "chunked" if self.head == "tiled" else self.head

    def steps_after(self, windows: int) -> int:
        """Return how many steps are left of the budget once so many windows were trained on."""
        left = self.max_iters * self.windows_per_step - windows
        return max(0, -(-left // self.windows_per_step))

    def learning_rate_at(self, step: float) -> float:
        """Return the learning rate of a step; the first is step 0, parts of steps are allowed.

        wsd cools down over the last `cooldown_share` of the steps until `decay_steps`.
        """
        import numpy as np  # not at the top: `assay train --help` would wait for it

        from assay.laws.lr_schedule import learning_rates

        rates = learning_rates(
            np.array([step]),
            kind=self.schedule,
            peak=self.learning_rate,
            floor=self.min_lr,
            warmup_steps=self.warmup_steps,
            end_step=self.decay_steps,
            cooldown_steps=round(self.cooldown_share * self.decay_steps),
        )
        return float(rates[0])

    def scale_rates(self, learning_rate: float) -> dict[str, float]:
        """Return the settings that bring every peak learning rate in step with this one."""
        own = {name: getattr(self, name) for name in _OWN_RATES}
        own["scalar_lr"] = self.scalar_rate if self.residual_scalars else None
        return {"learning_rate": learning_rate} | {
            name: learning_rate * (peak / self.learning_rate)
            for name, peak in own.items()
            if peak is not None
        }


class Intervals(msgspec.Struct, frozen=True):
    """How often a run logs, scores held-out documents and saves itself, in steps; 0: never.

    They change no weights and are not recorded. The first and the last step are logged anyway, and
    held-out documents are scored at the end.
    """

    log: Natural = 20
    evaluate: Natural = 0
    checkpoint: Natural = 500


DEFAULTS = TrainConfig()


def record_config(config: TrainConfig) -> dict[str, Any]:
    """Return a config as folders record it.

    Settings that came later stand there where they are set: what is recorded of a run without
    them stays what it was before there were any.
    """
    unset = {name for name in _LATER if getattr(config, name) == getattr(DEFAULTS, name)}
    built: dict[str, Any] = msgspec.to_builtins(config)
    return {name: value for name, value in built.items() if name not in unset}


def list_differences(one: TrainConfig, other: TrainConfig) -> list[str]:
    """List the settings in which two runs differ, those of the runtime aside.

    >>> list_differences(TrainConfig(), TrainConfig(seed=1, device="cpu"))
    ['seed']
    """
    return [
        name
        for name in TrainConfig.__struct_fields__
        if name not in RUNTIME_SETTINGS and getattr(one, name) != getattr(other, name)
    ]


def list_extras(config: TrainConfig) -> list[str]:
    """List what a model has beyond its architecture.

    >>> list_extras(TrainConfig(softcap=15.0))
    ['softcap']
    """
    return [name for name in EXTRAS if getattr(config, name)]
