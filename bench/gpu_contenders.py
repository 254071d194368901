"""Who is timed on the GPU: the plain loop, and our presets with what may be changed in them.

Needs torch, numpy and msgspec alone. A contender is named by a base and any number of changes:
`modern+fused`, `nanogpt-dropout+cudnn`, `modern+h3+muon`.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from assay.formats.config_checks import make_config
from assay.formats.train_config import TrainConfig
from assay.train.data.batches import Batches
from assay.train.data.window_order import make_order
from assay.train.run.step import Stepper
from assay.train.runtime.compiled_model import CompiledModel, compile_model
from assay.train.runtime.memory import fits_resident
from bench.plain_gpt import PlainLoop

VOCABULARY = 50_257  # padded to 50,304
SMALL_PLAIN: dict[str, Any] = {
    **{"layers": 1, "width": 48, "batch": 1, "accumulate": 2, "block": 64, "compiled": False}
}
ORIGIN: dict[str, Any] = {
    **{"n_layer": 12, "n_embd": 384, "block_size": 1024},
    **{"batch_size": 16, "gradient_accumulation_steps": 32, "max_iters": 400},
    **{"learning_rate": 1e-3, "min_lr": 1e-4, "warmup_iters": 20},
}
BASES: dict[str, dict[str, Any]] = {
    "nanogpt-dropout": {"arch": "nanogpt", "n_head": 12, "dropout": 0.1, "schedule": "cosine"},
    "nanogpt": {"arch": "nanogpt", "n_head": 12, "dropout": 0.0, "schedule": "cosine"},
    "modern": {"arch": "modern", "n_head": 6, "schedule": "wsd", "min_lr": 0.0},
}
CHANGES: dict[str, dict[str, Any]] = {
    **{name: {"head": name} for name in ("plain", "fused", "chunked")},
    **{name: {"attention": name} for name in ("cudnn", "flash")},
    **{f"h{n}": {"n_head": n} for n in (3, 6, 12)},
    **{f"micro{n}": {"micro_batch": n} for n in (16, 32, 64, 128, 256)},
    "muon": {"optimizer": "muon"},
    "tuned": {"compile": "tuned"},
    # Beside others in one process: with CUBLAS_WORKSPACE_CONFIG=:4096:8 set from the start.
    "deterministic": {"deterministic": True},
}
DEFAULT = "plain,nanogpt-dropout,nanogpt,modern,modern+fused,modern+chunked,nanogpt-dropout+cudnn"


@dataclass
class Contender:
    """One loop: `take` makes a step, whatever is behind it."""

    name: str
    take: Callable[[int], None]
    compiled: CompiledModel | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)


def make_contender(name: str, ids_N: np.ndarray, device: torch.device, small: bool) -> Contender:
    """Build a contender by name; `small` is for trying the benchmark out on a CPU."""
    if name == "plain":
        loop = PlainLoop(ids_N, device, **(SMALL_PLAIN if small else {}))
        facts = {"micro_batch": loop.batch, "head": "F.cross_entropy"}
        facts["tokens_a_step"] = loop.batch * loop.accumulate * loop.block
        return Contender(name, lambda step: loop.take(step, 1e-4), None, facts)
    config = name_settings(name, device, small)
    compiled = compile_model(config, VOCABULARY)
    compiled.model.init_weights(config.seed)
    resident = fits_resident(device, ids_N.size)
    batches = Batches(ids_N, make_order(config, ids_N.size), device, resident=resident)
    stepper = Stepper(compiled, config, batches.fetch)
    per_step = config.windows_per_step

    def take(step: int) -> None:
        stepper.take(step, step * per_step, 1e-4)

    facts = {"micro_batch": stepper.micro_batch, "head": compiled.model.head}
    facts["tokens_a_step"] = config.tokens_per_step
    return Contender(name, take, compiled, facts)


def name_settings(name: str, device: torch.device, small: bool = False, **more: Any) -> TrainConfig:
    """Return the settings that a contender's name stands for."""
    base, *changes = name.split("+")
    settings = ORIGIN | BASES[base] | {"device": device.type}
    for change in changes:
        settings |= CHANGES[change]
    if small:
        settings |= {"n_layer": 1, "n_embd": 48, "n_head": 3, "block_size": 64}
        settings |= {"batch_size": 1, "gradient_accumulation_steps": 2}
    return make_config(settings | more)


def time_steps(contender: Contender, first: int, count: int, device: torch.device) -> list[float]:
    """Take steps and return the seconds of each, by the device's own clock where it has one."""
    if device.type != "cuda":
        found = []
        for step in range(first, first + count):
            start = time.perf_counter()
            contender.take(step)
            found.append(time.perf_counter() - start)
        return found
    marks = [torch.cuda.Event(enable_timing=True) for _ in range(count + 1)]
    torch.cuda.synchronize()
    marks[0].record()
    for place in range(count):
        contender.take(first + place)
        marks[place + 1].record()
    torch.cuda.synchronize()
    return [a.elapsed_time(b) / 1000 for a, b in pairwise(marks)]


def median(values: Sequence[float]) -> float:
    """Return the middle value."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
