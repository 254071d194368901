"""A model on its device, compiled once and used for any number of runs."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from assay.errors import UsageError
from assay.train.config import TrainConfig
from assay.train.memory import choose_head, free_bytes, largest_divisor, list_micro_batches
from assay.train.model import GPT
from assay.train.tiled import TILE_ROWS, tiled_cross_entropy

# Dense peaks of half precision in FLOP/s with float32 sums, from NVIDIA's data sheets; the first
# name that is found counts.
_PEAKS = {
    **{"B200": 2250e12, "H200": 989e12, "GH200": 989e12, "H100 PCIe": 756e12, "H100": 989e12},
    **{"A100": 312e12, "L40S": 362e12, "L40": 181e12, "L4": 121e12, "V100": 125e12, "T4": 65e12},
    **{"RTX 4090": 165e12, "RTX 3090": 71e12},
}
# Settings that a machine cannot change: they decide its shapes and its compiled code.
_FIXED = (
    *("arch", "n_layer", "n_head", "n_embd", "block_size", "bias", "dropout"),
    *("dtype", "compile", "head", "attention", "deterministic"),
)
_MACHINES = 64  # in one process
_ORDERS = {
    "cudnn": [SDPBackend.CUDNN_ATTENTION, SDPBackend.FLASH_ATTENTION],
    "flash": [SDPBackend.FLASH_ATTENTION],
}


Forward = Callable[[Tensor, Tensor], Tensor]


@dataclass(slots=True)
class Machine:
    """A model, its forward pass (compiled or not), and what its device can do.

    `peak_flops` is FLOP/s in the dtype of the activations; None where it is not known.
    """

    model: GPT
    forward: Forward
    device: torch.device
    dtype: torch.dtype
    peak_flops: float | None
    _chosen: dict[int, int] = field(default_factory=dict)

    @property
    def flops_per_token(self) -> float:
        """FLOPs a trained token: 6 a parameter, and causal attention counted once."""
        config = self.model.config
        attention = 6 * config.n_layer * config.n_embd * config.block_size
        return 6.0 * self.model.num_parameters + attention

    def fits(self, config: TrainConfig) -> bool:
        """Tell whether a run with these settings can be trained here, nothing compiled anew.

        Where is not asked: a run on several devices has one machine on each.
        """
        return all(getattr(config, name) == getattr(self.model.config, name) for name in _FIXED)

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Hold to the kernels that the settings name, while a graph is made or run."""
        config, on_cuda = self.model.config, self.device.type == "cuda"
        backends = _ORDERS.get(config.attention) if on_cuda else None
        with ExitStack() as held:
            if backends is not None:
                held.enter_context(sdpa_kernel(backends, set_priority=True))
            if config.deterministic:
                held.enter_context(_same_bits())
            yield

    def choose_micro_batch(self, config: TrainConfig, windows: int) -> int:
        """Choose how many of a step's `windows` are computed at once; they divide it.

        A number in the settings is kept. `auto` takes on CUDA the most that should fit by
        estimate, tries it with a forward and a backward pass, and takes fewer while that fails;
        elsewhere the most that `batch_size` allows.

        Raises:
            UsageError: Not even one window fits.
        """
        if config.micro_batch != "auto":
            return largest_divisor(windows, config.micro_batch)
        if self.device.type != "cuda":
            return largest_divisor(windows, config.batch_size)
        if windows in self._chosen:  # a second choice could mean a second compilation
            return self._chosen[windows]
        free = free_bytes(self.device)
        for micro in list_micro_batches(self.model, windows, free):
            self.model.head = choose_head(self.model, micro, free)
            if self._try(micro):
                self._chosen[windows] = micro
                return micro
        raise UsageError(
            f"not one window of {config.block_size:,} ids fits into the memory of {self.device}; "
            "lower block_size, n_layer or n_embd"
        )

    def _try(self, micro: int) -> bool:
        """Compute one micro-batch, for its memory alone; whatever it leaves is freed."""
        shape = (micro, self.model.config.block_size)
        # Two tensors, as in training: one that is given twice would be a graph of its own.
        ids_BT = torch.zeros(shape, dtype=torch.int64, device=self.device)
        target_BT = torch.zeros_like(ids_BT)
        try:
            with self.computing():
                self.forward(ids_BT, target_BT).backward()  # type: ignore[no-untyped-call]
            torch.cuda.synchronize(self.device)
        except torch.OutOfMemoryError:
            return False
        finally:
            self.model.zero_grad(set_to_none=True)
            torch.cuda.empty_cache()
        return True


def build_machine(
    config: TrainConfig,
    vocab_size: int,
    *,
    rows: int | None = None,
    backend: str | Callable[..., Any] = "inductor",
    tile_rows: int = TILE_ROWS,
) -> Machine:
    """Put an untrained model on the device that `config` asks for.

    Args:
        config: Of the runs it is for.
        vocab_size: Ids there are; padded to a multiple of 64.
        rows: Rows of the embedding, where a checkpoint has set them.
        backend: torch.compile's.
        tile_rows: Of head tiled.

    Raises:
        UsageError: The device is not there, or cannot do the dtype.
    """
    device = choose_device(config.device)
    dtype = _choose_dtype(config.dtype, device)
    if config.deterministic:  # read by cuBLAS at its first use in a process
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")
    model = GPT(config, rows or vocab_size, dtype, pad=rows is None).to(device)
    model.head = "plain" if config.head == "auto" else config.head
    forward = _make_forward(model, config, device, backend, tile_rows)
    return Machine(model, forward, device, dtype, _find_peak(device, dtype))


@contextmanager
def _same_bits() -> Iterator[None]:
    """Take kernels that give the same bits each time, compiled ones included."""
    inductor: Any = torch._inductor.config  # its own switch: no choice by timing
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        with inductor.patch(deterministic=True):
            yield
    finally:
        torch.use_deterministic_algorithms(before)


def _make_forward(
    model: GPT,
    config: TrainConfig,
    device: torch.device,
    backend: str | Callable[..., Any],
    tile_rows: int,
) -> Forward:
    """Compile what the settings let be compiled: all, or all before a head that is tiled."""
    tiled = config.head == "tiled"
    part: Callable[..., Tensor] = model.hidden if tiled else model
    compiled = device.type == "cuda" if config.compile == "auto" else bool(config.compile)
    if compiled:
        # Every machine of a process counts as one more compilation of the same code, and beyond
        # the limit torch would go on uncompiled.
        limits = torch._dynamo.config
        limits.recompile_limit = max(limits.recompile_limit, _MACHINES)
        options: dict[str, Any] | None = None
        if config.compile == "tuned":
            options = {"coordinate_descent_tuning": True}
        part = torch.compile(part, dynamic=False, backend=backend, options=options)
    if not tiled:
        return part

    def forward(ids_BT: Tensor, target_BT: Tensor) -> Tensor:
        hidden_MD = part(ids_BT).flatten(0, 1)
        return tiled_cross_entropy(hidden_MD, model.wte.weight, target_BT.flatten(), tile_rows)

    return forward


def wait_for(device: torch.device) -> None:
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
        raise UsageError(f"no device {name!r}; there are auto, cpu, cuda, cuda:N and mps")
    if not present[device.type]:
        raise UsageError(f"device {name} is not there; leave device at auto")
    return device


def refuse_mixed(config: TrainConfig, devices: Sequence[str]) -> None:
    """Refuse devices that would train one comparison in several precisions; UsageError."""
    dtypes = {name: _choose_dtype(config.dtype, choose_device(name)) for name in devices}
    if len(set(dtypes.values())) > 1:
        told = ", ".join(f"{name} in {str(each)[6:]}" for name, each in dtypes.items())
        raise UsageError(f"devices would compute differently ({told}); name one --dtype for all")


def _choose_dtype(name: str, device: torch.device) -> torch.dtype:
    named = {
        "float32": torch.float32,
        "bfloat16": torch.bfloat16,
        "float16": torch.float16,
    }
    if name in named:
        return named[name]
    if device.type != "cuda":
        return torch.float32
    if torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.bfloat16
    return torch.float16


def _find_peak(device: torch.device, dtype: torch.dtype) -> float | None:
    if device.type != "cuda" or dtype == torch.float32:
        return None
    name = torch.cuda.get_device_name(device)
    return next((peak for part, peak in _PEAKS.items() if part in name), None)
