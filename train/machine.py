"""A model on its device, compiled once and used for any number of runs."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from assay.errors import UsageError
from assay.train.config import TrainConfig
from assay.train.model import GPT

# Dense bfloat16 peaks in FLOP/s, from NVIDIA's data sheets.
_PEAKS = {"H200": 989e12, "H100": 989e12, "A100": 312e12}


@dataclass(frozen=True, slots=True)
class Machine:
    """A model, its forward pass (compiled or not), and what its device can do.

    `peak_flops` is FLOP/s in the dtype of the activations; None where it is not known.
    """

    model: GPT
    forward: Callable[[Tensor, Tensor], Tensor]
    device: torch.device
    dtype: torch.dtype
    peak_flops: float | None

    @property
    def flops_per_token(self) -> float:
        """FLOPs a trained token: 6 a parameter, and causal attention counted once."""
        config = self.model.config
        attention = 6 * config.n_layer * config.n_embd * config.block_size
        return 6.0 * self.model.num_parameters + attention


def build_machine(config: TrainConfig, vocab_size: int) -> Machine:
    """Put an untrained model on the device that `config` asks for.

    Raises:
        UsageError: The device is not there, or cannot do the dtype.
    """
    device = _choose_device(config.device)
    dtype = _choose_dtype(config.dtype, device)
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")
    model = GPT(config, vocab_size, dtype).to(device)
    compiled = device.type == "cuda" if config.compile == "auto" else config.compile
    forward = torch.compile(model, dynamic=False) if compiled else model
    return Machine(model, forward, device, dtype, _find_peak(device, dtype))


def wait_for(device: torch.device) -> None:
    """Wait until the device has done what it was asked to."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _choose_device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(name)
    present = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not present[device.type]:
        raise UsageError(f"device {name} is not there; leave device at auto")
    return device


def _choose_dtype(name: str, device: torch.device) -> torch.dtype:
    if name == "float32":
        return torch.float32
    if name == "bfloat16":
        return torch.bfloat16
    fast = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if fast else torch.float32


def _find_peak(device: torch.device, dtype: torch.dtype) -> float | None:
    if device.type != "cuda" or dtype != torch.bfloat16:
        return None
    name = torch.cuda.get_device_name(device)
    return next((peak for part, peak in _PEAKS.items() if part in name), None)
