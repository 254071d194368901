"""A model on its device, compiled once and used for any number of runs."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from assay.errors import UsageError
from assay.formats.train_config import SHAPE_SETTINGS, TrainConfig
from assay.train.model.gpt import GPT
from assay.train.runtime.device import choose_device, choose_dtype, find_peak_flops
from assay.train.runtime.memory import (
    choose_head,
    estimate_bytes,
    free_bytes,
    is_out_of_memory,
    largest_divisor,
    list_micro_batches,
)

# Settings that a compiled model cannot change: they decide its shapes and its code.
_FIXED = (
    *SHAPE_SETTINGS,
    *("dropout", "dtype", "compile", "head", "attention", "deterministic"),
)
_MAX_MODELS = 64  # in one process
_STATE_BYTES = 12  # a parameter: two moments and a gradient, in float32
_ATTENTION_BACKENDS = {
    "cudnn": [SDPBackend.CUDNN_ATTENTION, SDPBackend.FLASH_ATTENTION],
    "flash": [SDPBackend.FLASH_ATTENTION],
}

Forward = Callable[[Tensor, Tensor], Tensor]


@dataclass(slots=True)
class CompiledModel:
    """A model, its forward pass (compiled or not), and what its device can do.

    `peak_flops` is FLOP/s in the dtype of the activations; None where it is not known.
    """

    model: GPT
    forward: Forward
    device: torch.device
    dtype: torch.dtype
    peak_flops: float | None
    _chosen: dict[int, tuple[int, str]] = field(default_factory=dict)  # micro-batch, head

    @property
    def flops_per_token(self) -> float:
        """FLOPs a trained token: 6 a parameter, and causal attention counted once.

        A value embedding is looked up, not multiplied by.
        """
        config, model = self.model.config, self.model
        attention = 6 * config.n_layer * config.n_embd * config.block_size
        looked_up = sum(weight.numel() for weight in model.value_embeds.parameters())
        return 6.0 * (model.num_parameters - looked_up) + attention

    def fits(self, config: TrainConfig) -> bool:
        """Tell whether a run with these settings can be trained with this model as it is compiled.

        The device does not matter: runs on several devices have a model on each.
        """
        return all(getattr(config, name) == getattr(self.model.config, name) for name in _FIXED)

    @contextmanager
    def use_kernels(self) -> Iterator[None]:
        """Keep to the kernels that the settings name, while a graph is made or run."""
        config, on_cuda = self.model.config, self.device.type == "cuda"
        backends = _ATTENTION_BACKENDS.get(config.attention) if on_cuda else None
        with ExitStack() as held:
            if backends is not None:
                held.enter_context(sdpa_kernel(backends, set_priority=True))
                # Neither key of torch's caches of compiled code knows of the kernels.
                caches: Any = torch.compiler.config
                tag = f"attention={config.attention}"
                held.enter_context(caches.patch(cache_key_tag=tag))
            if config.deterministic:
                held.enter_context(_deterministic())
            yield

    def choose_micro_batch(self, config: TrainConfig, windows: int) -> int:
        """Choose how many of a step's `windows` are computed at once: a divisor of them.

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
        free = free_bytes(self.device)
        if windows in self._chosen:  # a second choice could mean a second compilation
            micro, self.model.head = self._chosen[windows]
            if estimate_bytes(self.model, micro, self.model.head) <= free:
                return micro
        for micro in list_micro_batches(self.model, windows, free):
            self.model.head = choose_head(self.model, micro, free)
            if self._fits_memory(micro):
                self._chosen[windows] = micro, self.model.head
                return micro
        raise UsageError(
            f"not one window of {config.block_size:,} ids fits into the memory of {self.device}; "
            "lower block_size, n_layer or n_embd"
        )

    def _fits_memory(self, micro: int) -> bool:
        """Try one micro-batch, for its memory alone; whatever it leaves is freed.

        Reserved beside it is what a step has and a trial has not: moments, and gradients once more.
        """
        weights = sum(weight.numel() for weight in self.model.parameters())
        shape = (micro, self.model.config.block_size)
        # Two tensors, as in training: one that is given twice would be a graph of its own.
        ids_BT = torch.zeros(shape, dtype=torch.int64, device=self.device)
        target_BT = torch.zeros_like(ids_BT)
        reserved = None
        try:
            reserved = torch.empty(_STATE_BYTES * weights, dtype=torch.uint8, device=self.device)
            with self.use_kernels():
                self.forward(ids_BT, target_BT).backward()  # type: ignore[no-untyped-call]
            torch.cuda.synchronize(self.device)
        except RuntimeError as error:
            if is_out_of_memory(error):
                return False
            raise
        finally:
            del reserved
            self.model.zero_grad(set_to_none=True)
            torch.cuda.empty_cache()
        return True


def compile_model(
    config: TrainConfig,
    vocab_size: int,
    *,
    rows: int | None = None,
    backend: str | Callable[..., Any] = "inductor",
) -> CompiledModel:
    """Put a model on the device that `config` asks for, to be compiled at its first use.

    Its weights are not drawn yet: a run does that, or loads others.

    Args:
        config: Of the runs it is for.
        vocab_size: Ids there are; padded to a multiple of 64.
        rows: Rows of the embedding, where a checkpoint has set them.
        backend: torch.compile's.

    Raises:
        UsageError: The device is not there, or cannot do the dtype.
    """
    device = choose_device(config.device)
    dtype = choose_dtype(config.dtype, device)
    if config.deterministic:  # read by cuBLAS at its first use in a process
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")
    model = GPT(config, rows or vocab_size, dtype, pad=rows is None).to(device)
    model.head = "plain" if config.head == "auto" else config.loss_head
    forward = _make_forward(model, config, device, backend)
    return CompiledModel(model, forward, device, dtype, find_peak_flops(device, dtype))


@contextmanager
def _deterministic() -> Iterator[None]:
    """Take kernels that give the same bits each time, compiled ones included."""
    inductor: Any = torch._inductor.config  # its own switch: no choice by timing
    filling: Any = torch.utils.deterministic
    before = torch.are_deterministic_algorithms_enabled(), filling.fill_uninitialized_memory
    warns = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True)
    filling.fill_uninitialized_memory = False  # nothing here reads what it did not write
    try:
        with inductor.patch(deterministic=True):
            yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=warns)
        filling.fill_uninitialized_memory = before[1]


def count_parameters(config: TrainConfig, vocab_size: int) -> int:
    """Count the parameters of a model as nanoGPT does; it takes no memory of any device."""
    with torch.device("meta"):
        return GPT(config, vocab_size, torch.float32).num_parameters


def _make_forward(
    model: GPT,
    config: TrainConfig,
    device: torch.device,
    backend: str | Callable[..., Any],
) -> Forward:
    """Compile the model where the settings say so."""
    if not (device.type == "cuda" if config.compile == "auto" else config.compile):
        return model
    # Every model of a process counts as one more compilation of the same code, and beyond the limit
    # torch would run them uncompiled.
    limits = torch._dynamo.config
    limits.recompile_limit = max(limits.recompile_limit, _MAX_MODELS)
    options: dict[str, Any] | None = None
    if config.compile == "tuned":
        options = {"coordinate_descent_tuning": True}
    elif config.deterministic and backend == "inductor":
        # The backward graph is compiled later, by a thread that knows of no context held here.
        options = {"deterministic": True}
    return torch.compile(model, dynamic=False, backend=backend, options=options)
