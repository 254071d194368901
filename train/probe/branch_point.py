"""A checkpoint to branch from: ours or nanoGPT's, with its moments and the learning rate it is at.

A branch goes on where the trunk stood: with its moments, and never above its learning rate.
Rewarmed to the peak, a loss first rises, and everything would look better than not training.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors import SafetensorError

from assay.errors import InputError, UsageError
from assay.formats.run import OPTIMIZER, STATE
from assay.formats.train_config import TrainConfig
from assay.storage.fingerprint import hash_file
from assay.train.checkpoints.checkpoint import load_moments, name_inner, read_state
from assay.train.checkpoints.initial_weights import Start, read_start
from assay.train.checkpoints.load_model import load_model
from assay.train.checkpoints.nanogpt_checkpoint import read_nanogpt
from assay.train.model.optimizer import learning_rate_at
from assay.train.settings.settings import make_config

_FINISHED_SHARE = 0.01  # of the peak: at such a rate no branch moves
_REWARM = 20  # without moments a branch's first 1/20 rises to the trunk's rate
LEAST_STEPS = 20


@dataclass(frozen=True, slots=True)
class Trunk:
    """A checkpoint and where it stands.

    `rate` is the learning rate of its last step, `next_rate` that of the one to come, `peak` its
    schedule's highest; `bins` the sha256 of the manifest of the data it was trained on, "" where
    that is not known.
    """

    path: Path
    start: Start
    config: TrainConfig
    rate: float
    next_rate: float
    peak: float
    step: int
    tokens_seen: int
    bins: str

    def branch(self, *, cooldown: bool, steps: int, seed: int) -> TrainConfig:
        """Return a branch's settings: at the trunk's rate, or from it down to 0 in a line."""
        config = self.config
        return msgspec.structs.replace(
            config,
            schedule="linear" if cooldown else "constant",
            **config.rates_at(self.rate),
            min_lr=0.0,
            max_iters=steps,
            lr_decay_iters=None,
            warmup_iters=0 if self.start.moments else steps // _REWARM,
            seed=seed,
        )

    def default_steps(self) -> int:
        """Return a tenth of the trunk's steps, at least 20."""
        return max(LEAST_STEPS, round(self.step / 10))


def read_trunk(path: Path, changes: dict[str, Any] | None = None) -> Trunk:
    """Read a run's folder, a checkpoint in one, or nanoGPT's `ckpt.pt`.

    Args:
        path: The checkpoint.
        changes: Settings that do not change what is computed, such as `device`; and
            `learning_rate`, where branches are not to begin at the trunk's own.

    Raises:
        UsageError: There is none, or its schedule is finished.
        InputError: It cannot be read.
    """
    changes = dict(changes or {})
    rate = changes.pop("learning_rate", None)
    trunk = _read_theirs(path, changes) if path.is_file() else _read_ours(path, changes)
    if rate is not None:
        return replace(trunk, rate=float(rate), peak=max(trunk.peak, float(rate)))
    # The last step of a short decay may be well above nothing, and its schedule is finished.
    if min(trunk.rate, trunk.next_rate) < _FINISHED_SHARE * trunk.peak:
        raise UsageError(
            f"{path} stands at learning rate {trunk.rate:.3g}, {trunk.rate / trunk.peak:.2%} of "
            "its peak: its schedule is finished, and branches would hardly move; name a "
            "checkpoint from before the decay (assay train --keep-checkpoints keeps some), or "
            "--learning-rate"
        )
    return trunk


def _read_ours(path: Path, changes: dict[str, Any]) -> Trunk:
    if path.is_dir() and not (path / STATE).exists() and (inner := name_inner(path)):
        raise UsageError(inner)
    start = read_start(path)
    state = read_state(path)
    has_moments = (path / OPTIMIZER).exists()
    if has_moments:
        both = start.sha256 + hash_file(path / OPTIMIZER)
        start = Start(
            path, hashlib.sha256(both.encode()).hexdigest(), start.shape, start.weights,
            _load(path),
        )  # fmt: skip
    per_step = state.config.windows_per_step
    position = (state.windows - state.schedule_start) / per_step
    return Trunk(
        path=path,
        start=start,
        config=msgspec.structs.replace(state.config, **changes),
        rate=learning_rate_at(max(0.0, position - 1), state.schedule),
        next_rate=learning_rate_at(position, state.schedule),
        peak=state.schedule.learning_rate,
        step=state.step,
        tokens_seen=state.windows * state.config.block_size,
        bins=state.bins,
    )


def _load(path: Path) -> dict[str, dict[str, torch.Tensor]]:
    try:
        return load_moments(path)
    except (OSError, SafetensorError) as error:
        line = str(error).splitlines()[0]
        raise InputError(f"{path / OPTIMIZER} cannot be read: {line}") from error


def _read_theirs(path: Path, changes: dict[str, Any]) -> Trunk:
    found = read_nanogpt(path)
    # Not the default of our own runs, but what nanoGPT's train.py does.
    settings = {"sampling": "replacement", **found.settings, **changes}
    config = make_config(settings)
    model = load_model(path, torch.device("cpu"))
    start = Start(
        path, hash_file(path), dict(found.settings), model.state_dict(), found.name_moments()
    )
    rate = learning_rate_at(max(0, found.step - 1), config) if found.rate is None else found.rate
    return Trunk(
        path=path,
        start=start,
        config=config,
        rate=rate,
        next_rate=rate,
        peak=max(config.learning_rate, rate),
        step=found.step,
        tokens_seen=found.step * config.tokens_per_step,
        bins="",
    )
