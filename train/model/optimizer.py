"""What changes the weights: AdamW, or Muon and AdamW."""

from typing import Any

import torch
from torch import Tensor, nn

from assay.formats.train_config import TrainConfig
from assay.train.model.muon import Muon

_STREAM_SHARE = 0.01  # of the residual scalars' rate, for those that multiply the stream: nanochat


class Optimizer:
    """One or two of torch's optimizers that move together, each at its share of the rate."""

    def __init__(self, parts: list[torch.optim.Optimizer]) -> None:
        self.parts = parts

    @property
    def adamw(self) -> torch.optim.AdamW:
        """The part that is AdamW; there always is one."""
        last = self.parts[-1]
        assert isinstance(last, torch.optim.AdamW)
        return last

    def set_learning_rate(self, rate: float) -> None:
        """Set the learning rate of the next step; a group's `share` multiplies it."""
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = rate * group.get("share", 1.0)

    def step(self) -> None:
        """Change the weights by their gradients."""
        for part in self.parts:
            part.step()

    def zero_grad(self) -> None:
        """Free the gradients."""
        for part in self.parts:
            part.zero_grad(set_to_none=True)

    def get_state(self, weight: Tensor) -> dict[str, Tensor]:
        """Return what is kept of one weight; of AdamW or of Muon, empty before the first step."""
        for part in self.parts:
            if weight in part.state:
                found: dict[str, Tensor] = part.state[weight]
                return found
        return {}

    def set_state(self, weight: Tensor, kept: dict[str, Tensor]) -> None:
        """Put back what `get_state` rematrices."""
        owner = self.adamw if "exp_avg" in kept else self.parts[0]
        # AdamW keeps its count of steps beside the weight when it is fused, else in main memory.
        fused = bool(owner.defaults.get("fused"))
        places = {"step": weight.device if fused else torch.device("cpu")}
        owner.state[weight] = {
            key: tensor.to(places.get(key, weight.device), copy=True)
            for key, tensor in kept.items()
        }


def make_optimizer(model: nn.Module, config: TrainConfig) -> Optimizer:
    """Make AdamW, fused on CUDA and the CPU, and for `muon` also Muon for the blocks' matrices.

    Only matrices decay. The embedding, which is the head too, and vectors stay with AdamW; so do
    the gates of value embeddings. Value embeddings and residual scalars have rates of their own
    and do not decay.
    """
    named = dict(model.named_parameters())
    matrices: list[Tensor] = [
        weight
        for name, weight in named.items()
        if config.optimizer == "muon"
        and name.startswith("h.")
        and weight.dim() == 2
        and not name.endswith("value_gate.weight")
    ]
    own = _list_scaled_groups(named, config)
    taken = {id(w) for w in matrices} | {id(w) for group in own for w in group["params"]}
    rest = [w for w in named.values() if id(w) not in taken]
    groups: list[dict[str, Any]] = [
        {"params": [w for w in rest if w.dim() >= 2], "weight_decay": config.weight_decay},
        {"params": [w for w in rest if w.dim() < 2], "weight_decay": 0.0},
        *own,
    ]
    adamw = torch.optim.AdamW(
        [group for group in groups if group["params"]],
        lr=config.learning_rate,
        betas=(config.beta1, config.beta2),
        fused=rest[0].device.type in ("cuda", "cpu"),
    )
    return Optimizer([_make_muon(named, matrices, config), adamw] if matrices else [adamw])


def _list_scaled_groups(
    named: dict[str, nn.Parameter], config: TrainConfig
) -> list[dict[str, Any]]:
    """List AdamW's groups of other rates: value embeddings and residual scalars."""
    rates = {
        "value_embeds.": config.value_lr or config.learning_rate,
        "first_scalars": config.scalar_rate,
        "stream_scalars": config.scalar_rate * _STREAM_SHARE,
    }
    return [
        {
            "params": [weight for name, weight in named.items() if name.startswith(start)],
            "weight_decay": 0.0,
            "share": rate / config.learning_rate,
        }
        for start, rate in rates.items()
    ]


def _make_muon(named: dict[str, nn.Parameter], matrices: list[Tensor], config: TrainConfig) -> Muon:
    """Make Muon; queries, keys and values, which lie in one weight, turn each by itself."""
    share = (config.matrix_lr or config.learning_rate) / config.learning_rate
    return Muon(
        [{"params": matrices, "share": share}],
        lr=config.learning_rate,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
        splits={weight: 3 for name, weight in named.items() if name.endswith("c_attn.weight")},
    )
