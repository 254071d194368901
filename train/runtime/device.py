"""What there is to compute on: devices, the precision of each, its peak."""

from collections.abc import Sequence

import torch

from assay.errors import UsageError
from assay.formats.train_config import TrainConfig

# Dense peaks of half precision in FLOP/s with float32 sums, from NVIDIA's data sheets; the first
# name that is found counts.
_PEAKS = {
    **{"B200": 2250e12, "H200": 989e12, "GH200": 989e12, "H100 PCIe": 756e12, "H100": 989e12},
    **{"A100": 312e12, "L40S": 362e12, "L40": 181e12, "L4": 121e12, "V100": 125e12, "T4": 65e12},
    **{"RTX 4090": 165e12, "RTX 3090": 71e12},
}


def synchronize(device: torch.device) -> None:
    """Wait until the device has done what it was asked to."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def choose_device(name: str) -> torch.device:
    """Return the device of a name; auto is CUDA where there is one, else the CPU."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = torch.device("meta")
    present = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if device.type not in present:
        raise UsageError(f"device must be auto, cpu, cuda, cuda:N or mps, got {name!r}")
    if not present[device.type]:
        raise UsageError(f"device {name} is not available here; auto takes what is")
    return device


def refuse_mixed_precision(config: TrainConfig, devices: Sequence[str]) -> None:
    """Refuse devices that would train one comparison in several precisions; UsageError."""
    dtypes = {name: choose_dtype(config.dtype, choose_device(name)) for name in devices}
    if len(set(dtypes.values())) > 1:
        shown = ", ".join(f"{name} in {name_dtype(each)}" for name, each in dtypes.items())
        raise UsageError(
            f"devices must compute in one precision, got {shown}; set one dtype for all",
            "devices",
            "dtype",
        )


def choose_dtype(name: str, device: torch.device) -> torch.dtype:
    """Return the dtype of activations; auto is the quickest that the device has for itself."""
    named = {
        "float32": torch.float32,
        "bfloat16": torch.bfloat16,
        "float16": torch.float16,
    }
    if name in named:
        return named[name]
    if device.type != "cuda":
        return torch.float32
    # Asked of this device: torch.cuda.is_bf16_supported answers for the current one.
    able = torch.version.hip or torch.cuda.get_device_properties(device).major >= 8
    return torch.bfloat16 if able else torch.float16


def name_dtype(dtype: torch.dtype) -> str:
    """Name a dtype as settings do.

    >>> name_dtype(torch.bfloat16)
    'bfloat16'
    """
    return str(dtype).removeprefix("torch.")


def find_peak_flops(device: torch.device, dtype: torch.dtype) -> float | None:
    """Return a card's dense FLOP/s in half precision; None where they are not known."""
    if device.type != "cuda" or dtype == torch.float32:
        return None
    name = torch.cuda.get_device_name(device)
    return next((peak for part, peak in _PEAKS.items() if part in name), None)


def name_device(device: torch.device) -> str:
    """Name a device by what computes: the card, without its number."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
