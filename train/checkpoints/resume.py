"""How a run goes on: as it was, at another batch size, or with a new schedule."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from assay.errors import UsageError
from assay.formats.run import STATE
from assay.formats.train_config import TrainConfig
from assay.storage.fingerprint import hash_file
from assay.train.checkpoints.checkpoint import State, read_state
from assay.train.settings.settings import FREE_SETTINGS, inherit_settings, make_config

# What `--resume` may change; the first two keep the schedule where its budget stays the same.
_BATCH = frozenset({"batch_size", "gradient_accumulation_steps"})
_LENGTH = frozenset({"max_iters", "lr_decay_iters", "warmup_iters"})
_RATE = frozenset(
    {"learning_rate", "matrix_lr", "value_lr", "scalar_lr", "min_lr", "schedule", "cooldown_share"}
)


@dataclass(frozen=True, slots=True)
class Leg:
    """A stretch of a run under one schedule.

    The learning rate of a step is that of `schedule` at (windows - `start`) / windows a step.
    `notes` say what changed, for people; `changes` the same, for the manifest.
    """

    schedule: TrainConfig
    start: int
    notes: list[str]
    changes: list[dict[str, Any]]


def begin_leg(config: TrainConfig) -> Leg:
    """Begin a run."""
    return Leg(config, 0, [], [])


def resume_leg(
    state: State, config: TrainConfig, bins_hash: str, init: str, run: Path, asked: bool
) -> Leg:
    """Decide how a run goes on from a checkpoint.

    The order of the data counts windows, so the batch may change: the run goes on with the next
    window. With the same budget of tokens the schedule goes on where it was; with another budget
    or learning rate a new schedule begins here, without warmup unless `warmup_iters` is changed,
    and ends with the budget.

    Args:
        state: Where the run stands.
        config: Its settings from now on.
        bins_hash: The manifest of the data it is to go on with.
        init: The weights it is said to have begun with.
        run: For messages.
        asked: Whether the user asked to resume; without that, settings must be as they were.

    Raises:
        UsageError: The data differ, or a setting that cannot change; both values are told.
    """
    if state.bins != bins_hash:
        raise UsageError(
            f"{run} was trained on bins {state.bins[:12]}, these are {bins_hash[:12]}; "
            "name the same bins, or another -o"
        )
    if state.init != init:
        raise UsageError(
            f"{run} began with weights {state.init[:12] or 'drawn by seed'}, asked for are "
            f"{init[:12] or 'drawn ones'}; use the same --init-from, or another -o"
        )
    old = state.config
    changed = [
        name
        for name in TrainConfig.__struct_fields__
        if name not in FREE_SETTINGS and getattr(old, name) != getattr(config, name)
    ]
    allowed = _BATCH | _LENGTH | _RATE
    for name in changed:
        if not asked or name not in allowed:
            hint = "--resume to change it from here on, " if name in allowed else ""
            raise UsageError(
                f"{run} has {name} {getattr(old, name)}, asked for is {getattr(config, name)}; "
                f"use the same, {hint}or another -o"
            )
    if not changed:
        return Leg(state.schedule, state.schedule_start, [], state.changes)
    return _change(state, config, changed)


def check_origin(leg: Leg, state: State, origin: Path, moved: bool, run: Path) -> Leg:
    """Note that a run went on from another's checkpoint; or, later, check that it was this one.

    Args:
        leg: As `resume_leg` decided.
        state: What the run goes on from: the origin's if `moved`, else its own by now.
        origin: The other run's checkpoint.
        moved: Whether the run begins here.
        run: For messages.

    Raises:
        UsageError: The run began otherwise.
    """
    known = hash_file(origin / STATE)
    if moved:
        entry = {"step": state.step, "tokens_seen": state.windows * state.config.block_size,
                 "from": known, "changed": {}}  # fmt: skip
        return replace(leg, changes=[entry, *leg.changes])
    if known not in [change.get("from") for change in state.changes]:
        raise UsageError(
            f"{run} did not go on from {origin}; leave --resume-from out, or name another -o"
        )
    return leg


def foresee_changes(
    origin: Path, config: TrainConfig, bins_hash: str, run: Path
) -> tuple[str, list[dict[str, Any]]]:
    """Return the weights and the changes of a run that goes on from another's checkpoint.

    As its manifest has them once it is finished; arguments and errors as `resume_leg` has them.
    """
    state = read_state(origin)
    leg = resume_leg(state, config, bins_hash, state.init, origin, True)
    return state.init, check_origin(leg, state, origin, True, run).changes


def _change(state: State, config: TrainConfig, changed: list[str]) -> Leg:
    old, per_step = state.config, config.windows_per_step
    told = ", ".join(
        f"{name} {getattr(config, name)} (was {getattr(old, name)})" for name in changed
    )
    step = state.step
    entry = {
        "step": step,
        "tokens_seen": state.windows * config.block_size,
        "changed": {name: [getattr(old, name), getattr(config, name)] for name in changed},
    }
    changes = [*state.changes, entry]
    drift = abs(config.max_iters * per_step - old.max_iters * old.windows_per_step)
    same_budget = drift < max(per_step, old.windows_per_step)
    names = set(changed)
    if same_budget and _BATCH & names and not _RATE & names:
        note = f"from step {step:,} on: {told}; the schedule goes on by tokens"
        schedule = config if state.schedule_start == 0 else _rescale(state.schedule, config)
        return Leg(schedule, state.schedule_start, [note], changes)
    left = max(1, -(-(config.max_iters * per_step - state.windows) // per_step))
    warmup = config.warmup_iters if "warmup_iters" in names else 0
    end = config.lr_decay_iters if "lr_decay_iters" in names else None
    schedule = msgspec.structs.replace(
        config,
        max_iters=left,
        lr_decay_iters=None if end is None else max(1, end - state.windows // per_step),
        warmup_iters=warmup,
    )
    note = (
        f"from step {step:,} on: {told}; a new schedule begins here: {config.schedule} from "
        f"learning_rate {config.learning_rate:g} over the {left:,} steps that are left"
    )
    return Leg(schedule, state.windows, [note], changes)


def _rescale(schedule: TrainConfig, config: TrainConfig) -> TrainConfig:
    """Return a schedule that began on the way in steps of another batch, by tokens the same."""
    batch = {name: getattr(config, name) for name in _BATCH}
    return make_config(inherit_settings(schedule, batch))
