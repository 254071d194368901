"""nanoGPT's `ckpt.pt`: read without running what lies in it, written so that nanoGPT reads it.

torch.load unpickles with `weights_only`: tensors, numbers, text, lists and dictionaries, nothing
that could run. Optimizer moments go by the same order in both: matrices first, then vectors.
"""

import io
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from assay.errors import InputError, UsageError
from assay.formats.config_checks import make_config
from assay.formats.train_config import TrainConfig, list_extras, record_config
from assay.storage.publish import publish_bytes
from assay.terminal.text import show_line
from assay.train.model.gpt import GPT

_SHAPE = ("n_layer", "n_head", "n_embd", "block_size", "bias", "vocab_size")
# What torch.compile, DDP and nanoGPT's own model put before a weight's name.
_WRAPPERS = re.compile(r"^(_orig_mod\.|module\.)*(transformer\.)?")
# Settings of a nanoGPT run that mean the same here; device, dtype and compile are the reader's.
_SHARED = (
    *("dropout", "batch_size", "gradient_accumulation_steps", "max_iters", "learning_rate"),
    *("min_lr", "warmup_iters", "lr_decay_iters", "weight_decay", "beta1", "beta2", "grad_clip"),
)


@dataclass(frozen=True, slots=True)
class NanoGPTCheckpoint:
    """A nanoGPT checkpoint under our names.

    `settings` are those of its run that we have too; `optimizer` is AdamW's state, or None.
    """

    settings: dict[str, Any]
    vocab_size: int
    weights: dict[str, Tensor]
    optimizer: dict[str, Any] | None
    step: int

    def make_config(self, changes: Mapping[str, Any]) -> TrainConfig:
        """Return the settings of its run, some changed; UsageError where they do not fit.

        Windows are drawn with replacement: not our default, but what nanoGPT's train.py does.
        """
        return make_config({"sampling": "replacement", **self.settings, **changes})

    def make_model(self, dtype: torch.dtype = torch.float32) -> GPT:
        """Build the model with these weights, its vocabulary exactly as wide as theirs."""
        config = make_config({key: self.settings[key] for key in [*_SHAPE[:-1], "arch"]})
        model = GPT(config, self.vocab_size, dtype, pad=False)
        model.load_state_dict(self.weights)
        return model

    def name_moments(self) -> dict[str, dict[str, Tensor]] | None:
        """Give AdamW's moments the names of their weights; None where the file has none.

        Raises:
            InputError: They are not one a weight, or of other shapes.
        """
        state = (self.optimizer or {}).get("state")
        if not state:
            return None
        names = sorted(self.weights, key=lambda name: self.weights[name].dim() < 2)
        for place, name in enumerate(names):
            kept = state.get(place, {}).get("exp_avg")
            if kept is None or kept.shape != self.weights[name].shape or len(state) != len(names):
                raise InputError(
                    f"the checkpoint's optimizer has {len(state):,} moments for {len(names):,} "
                    f"weights, and none of the shape of {name}; needed are nanoGPT's AdamW's"
                )
        return {name: dict(state[place]) for place, name in enumerate(names)}

    @property
    def learning_rate(self) -> float | None:
        """The optimizer's learning rate when it was saved; None where there is no optimizer."""
        groups = (self.optimizer or {}).get("param_groups")
        return float(groups[0]["lr"]) if groups else None


def read_nanogpt(path: Path) -> NanoGPTCheckpoint:
    """Read a checkpoint that nanoGPT's train.py saved; compiled or not, biases or none.

    Raises:
        UsageError: There is no such file.
        InputError: It is not nanoGPT's, or holds what is not tensors and literals.
    """
    found = _load(path)
    if not isinstance(found, dict) or not {"model", "model_args"} <= set(found):
        raise InputError(f"{path} is not a nanoGPT checkpoint: it needs 'model' and 'model_args'")
    shape, state = found["model_args"], found["model"]
    lacking = [key for key in _SHAPE if key not in shape]
    if lacking:
        raise InputError(f"{path}: model_args has no {', '.join(lacking)}")
    settings = {"arch": "nanogpt"} | {key: shape[key] for key in _SHAPE[:-1]}
    weights = _rename_in(state)
    _check_weights(path, settings, int(shape["vocab_size"]), weights)
    theirs = found.get("config") or {}
    settings |= {key: theirs[key] for key in _SHARED if key in theirs}
    settings["schedule"] = "cosine" if theirs.get("decay_lr", True) else "constant"
    return NanoGPTCheckpoint(
        settings=settings,
        vocab_size=int(shape["vocab_size"]),
        weights=weights,
        optimizer=found.get("optimizer"),
        step=int(found.get("iter_num", 0)),
    )


def write_nanogpt(
    path: Path,
    model: GPT,
    optimizer: torch.optim.Optimizer | None = None,
    *,
    config: TrainConfig | None = None,
    step: int = 0,
    loss_nats: float | None = 1e9,
) -> None:
    """Write what nanoGPT's `init_from = 'resume'` and its sample.py read.

    Raises:
        UsageError: The model is not of arch nanogpt.
    """
    config = config or model.config
    check_exportable(config, path)
    shape = {key: getattr(config, key) for key in _SHAPE[:-1]}
    shape |= {"vocab_size": model.wte.weight.shape[0], "dropout": config.dropout}
    made: dict[str, Any] = {
        "model": _rename_out(model.state_dict()),
        "optimizer": None if optimizer is None else optimizer.state_dict(),
        "model_args": shape,
        "iter_num": step,
        "best_val_loss": torch.tensor(math.nan if loss_nats is None else loss_nats),
        "config": record_config(config),
    }
    place = io.BytesIO()
    torch.save(made, place)
    publish_bytes(path, place.getvalue())


def check_exportable(config: TrainConfig, path: Path) -> None:
    """Refuse to write a model that nanoGPT has no code for; UsageError."""
    if extras := list_extras(config):
        raise UsageError(f"{path}: nanoGPT has no {', '.join(extras)}; arch must be nanogpt")
    if config.arch != "nanogpt":
        raise UsageError(f"{path}: arch must be nanogpt, got {config.arch}")
    if config.optimizer != "adamw":
        raise UsageError(f"{path}: optimizer must be adamw for nanoGPT, got {config.optimizer}")


def _load(path: Path) -> Any:
    if not path.is_file():
        raise UsageError(f"no checkpoint at {path}")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # on broken bytes torch's reader raises a dozen kinds
        # Not torch's own words: they advise to unpickle with weights_only=False.
        asks = re.search(r"GLOBAL ([\w.]+)", str(error))
        found = f"it asks for {show_line(asks[1])}" if asks else type(error).__name__
        raise InputError(
            f"{path} cannot be read as tensors and literals alone ({found}); needed is the "
            "ckpt.pt that nanoGPT's train.py saves"
        ) from error


def _rename_in(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give weights our names; the head, which is the embedding, and old masks are left out."""
    return {
        _WRAPPERS.sub("", name).replace(".mlp.", "."): tensor.float()
        for name, tensor in state.items()
        if not name.endswith(("lm_head.weight", ".attn.bias", ".attn.masked_bias"))
    }


def _rename_out(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give weights nanoGPT's names: it keeps the perceptron's two under `mlp`."""
    weights = {
        "transformer." + re.sub(r"^(h\.\d+)\.(c_fc|c_proj)\.", r"\1.mlp.\2.", name): tensor.cpu()
        for name, tensor in state.items()
    }
    return weights | {"lm_head.weight": weights["transformer.wte.weight"]}


def _check_weights(
    path: Path, settings: dict[str, Any], vocab_size: int, weights: dict[str, Tensor]
) -> None:
    """Compare names and shapes with those that `model_args` promise."""
    with torch.device("meta"):
        model = GPT(make_config(settings), vocab_size, torch.float32, pad=False)
    needed = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    wrong = sorted(name for name in needed | found if needed.get(name) != found.get(name))
    if wrong:
        name = wrong[0]
        raise InputError(
            f"{path}: weight {name} has shape {found.get(name, 'none')}, model_args need "
            f"{needed.get(name, 'none')} ({len(wrong):,} such weights)"
        )
