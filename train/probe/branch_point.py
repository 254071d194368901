"""A checkpoint to branch from: ours or nanoGPT's, with its moments and its learning rate.

A branch continues where the checkpoint stood: with its moments, and never above its learning rate.
Rewarmed to the peak, a loss first rises, and everything would look better than not training.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from assay.errors import UsageError
from assay.formats.run import OPTIMIZER, STATE
from assay.formats.train_config import TrainConfig
from assay.storage.fingerprint import hash_file
from assay.train.checkpoints.checkpoint import load_moments, read_state, suggest_checkpoint
from assay.train.checkpoints.initial_weights import InitialWeights, read_initial_weights
from assay.train.checkpoints.nanogpt_checkpoint import read_nanogpt

_FINISHED_SHARE = 0.01  # of the peak: at such a rate no branch moves
_REWARM = 20  # without moments a branch's first 1/20 rises to the checkpoint's rate
MIN_STEPS = 20


@dataclass(frozen=True, slots=True)
class BranchPoint:
    """A checkpoint and where it stands.

    `learning_rate` is that of its last step, `next_rate` that of the one to come, `peak` its
    schedule's highest; `bins` the sha256 of the manifest of the data it was trained on, "" where
    that is not known.
    """

    path: Path
    initial: InitialWeights
    config: TrainConfig
    learning_rate: float
    next_rate: float
    peak: float
    step: int
    tokens_seen: int
    bins: str

    def make_branch(self, *, cooldown: bool, steps: int, seed: int) -> TrainConfig:
        """Return a branch's settings: at the checkpoint's rate, or from it down to 0 in a line."""
        return msgspec.structs.replace(
            self.config,
            schedule="linear" if cooldown else "constant",
            **self.config.scale_rates(self.learning_rate),
            min_lr=0.0,
            max_iters=steps,
            lr_decay_iters=None,
            warmup_iters=0 if self.initial.moments else steps // _REWARM,
            seed=seed,
        )


def read_branch_point(
    path: Path, settings: Mapping[str, Any] | None = None, *, learning_rate: float | None = None
) -> BranchPoint:
    """Read a run's folder, a checkpoint in one, or nanoGPT's `ckpt.pt`.

    Args:
        path: The checkpoint.
        settings: Those that do not change what is computed, such as `device`.
        learning_rate: Where branches begin, if not at the checkpoint's own.

    Raises:
        UsageError: There is none, its schedule is finished, or the learning rate is not above 0.
        InputError: It cannot be read.
    """
    if learning_rate is not None and not learning_rate > 0:
        raise UsageError(f"learning_rate must be above 0, got {learning_rate:g}", "learning_rate")
    read = _read_nanogpt if path.is_file() else _read_ours
    found = read(path, settings or {})
    if learning_rate is not None:
        return replace(found, learning_rate=learning_rate, peak=max(found.peak, learning_rate))
    # The last step of a short decay may be well above nothing, and its schedule is finished.
    if min(found.learning_rate, found.next_rate) < _FINISHED_SHARE * found.peak:
        raise UsageError(
            f"{path} stands at learning rate {found.learning_rate:.3g}, "
            f"{found.learning_rate / found.peak:.2%} of its peak: its schedule is finished, and "
            "branches would hardly move; name a checkpoint from before the decay (assay train "
            "--keep-checkpoints keeps some), or set learning_rate",
            "learning_rate",
        )
    return found


def _read_ours(path: Path, settings: Mapping[str, Any]) -> BranchPoint:
    if path.is_dir() and not (path / STATE).exists() and (inner := suggest_checkpoint(path)):
        raise UsageError(inner)
    initial, state = read_initial_weights(path), read_state(path)
    if (path / OPTIMIZER).exists():
        both = initial.sha256 + hash_file(path / OPTIMIZER)
        sha256 = hashlib.sha256(both.encode()).hexdigest()
        initial = replace(initial, sha256=sha256, moments=load_moments(path))
    position = (state.windows - state.schedule_start) / state.config.windows_per_step
    return BranchPoint(
        path=path,
        initial=initial,
        config=msgspec.structs.replace(state.config, **settings),
        learning_rate=state.schedule.learning_rate_at(max(0.0, position - 1)),
        next_rate=state.schedule.learning_rate_at(position),
        peak=state.schedule.learning_rate,
        step=state.step,
        tokens_seen=state.windows * state.config.block_size,
        bins=state.bins,
    )


def _read_nanogpt(path: Path, settings: Mapping[str, Any]) -> BranchPoint:
    found = read_nanogpt(path)
    config, moments = found.make_config(settings), found.name_moments()
    rate = found.learning_rate
    if rate is None:
        rate = config.learning_rate_at(max(0, found.step - 1))
    return BranchPoint(
        path=path,
        initial=InitialWeights(path, hash_file(path), dict(found.settings), found.weights, moments),
        config=config,
        learning_rate=rate,
        next_rate=rate,
        peak=max(config.learning_rate, rate),
        step=found.step,
        tokens_seen=found.step * config.tokens_per_step,
        bins="",
    )
