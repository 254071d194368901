"""How a run is resumed: as it was, at another batch size, or with a new schedule."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from assay.errors import UsageError
from assay.formats.config_checks import make_config
from assay.formats.run import STATE, SettingsChange
from assay.formats.train_config import TrainConfig, list_differences
from assay.storage.fingerprint import hash_file
from assay.train.checkpoints.checkpoint import TrainState, read_state

# What may change where a run is resumed; the first two keep the schedule where its budget stays
# the same.
_BATCH = frozenset({"batch_size", "gradient_accumulation_steps"})
_LENGTH = frozenset({"max_iters", "lr_decay_iters", "warmup_iters"})
_RATE = frozenset(
    {"learning_rate", "matrix_lr", "value_lr", "scalar_lr", "min_lr", "schedule", "cooldown_share"}
)


@dataclass(frozen=True, slots=True)
class ScheduleSegment:
    """Steps of a run under one schedule.

    The learning rate of a step is that of `schedule` at (windows - `start`) / windows a step.
    `notes` are lines of progress that name what changed, `changes` the same for the manifest.
    """

    schedule: TrainConfig
    start: int
    notes: list[str]
    changes: list[SettingsChange]


def resume_segment(
    state: TrainState,
    config: TrainConfig,
    bins_hash: str,
    init: str,
    run: Path,
    may_change: bool,
    coupled: str = "",
) -> ScheduleSegment:
    """Decide how a run continues from a checkpoint.

    The order of the data counts windows, so the batch may change: training continues with the next
    window. With the same budget of tokens the schedule continues where it was; with another budget
    or learning rate a new schedule begins here, without warmup unless `warmup_iters` is changed,
    and ends with the budget.

    Args:
        state: Where the run stands.
        config: Its settings from now on.
        bins_hash: The manifest of the data it is to continue with.
        init: The sha256 of the weights that it should have started from.
        run: For messages.
        may_change: Whether resuming was asked for; without that, settings must be as they were.
        coupled: What names the arms that it is coupled with; "" for a run alone.

    Raises:
        UsageError: The data differ, or a setting that cannot change; the message has both values.
    """
    if state.bins != bins_hash:
        raise UsageError(
            f"{run} was trained on bins {state.bins[:12]}, these are {bins_hash[:12]}; name the "
            "same bins, or another output"
        )
    if (state.coupled or "") != coupled:
        raise UsageError(
            f"{run} was trained coupled with other arms, or alone: its windows come in another "
            "order; resume it in its comparison, or name another output"
        )
    if state.init != init:
        raise UsageError(
            f"{run} started from weights {state.init[:12] or 'drawn by seed'}, not "
            f"{init[:12] or 'drawn ones'}; name the same init_from, or another output",
            "init_from",
        )
    changed = list_differences(state.config, config)
    allowed = _BATCH | _LENGTH | _RATE
    for name in changed:
        if not may_change or name not in allowed:
            hint = "resume to change it from here on, " if name in allowed else ""
            raise UsageError(
                f"{run} was trained with {name} {getattr(state.config, name)}, not "
                f"{getattr(config, name)}; use the same, {hint}or another output",
                *(["resume"] if hint else []),
            )
    if not changed:
        return ScheduleSegment(state.schedule, state.schedule_start, [], state.changes)
    return _change_settings(state, config, changed)


def check_origin(
    segment: ScheduleSegment, state: TrainState, origin: Path, moved: bool, run: Path
) -> ScheduleSegment:
    """Record that a run was resumed from another's checkpoint; or, later, check that it was.

    Args:
        segment: As `resume_segment` decided.
        state: What the run continues from: the origin's if `moved`, else its own by now.
        origin: The other run's checkpoint.
        moved: Whether the run begins here.
        run: For messages.

    Raises:
        UsageError: The run began otherwise.
    """
    known = hash_file(origin / STATE)
    if moved:
        entry = SettingsChange(
            step=state.step,
            tokens_seen=state.windows * state.config.block_size,
            origin=known,
            changed={},
        )
        return replace(segment, changes=[entry, *segment.changes])
    if known not in [change.origin for change in state.changes]:
        raise UsageError(
            f"{run} was not resumed from {origin}; leave resume_from out, or name another output",
            "resume_from",
        )
    return segment


def foresee_changes(
    origin: Path, config: TrainConfig, bins_hash: str, run: Path
) -> tuple[str, list[SettingsChange]]:
    """Return initial weights and changes of a run that is resumed from another's checkpoint.

    As its manifest has them once it is finished; arguments and errors as `resume_segment` has them.
    """
    state = read_state(origin)
    segment = resume_segment(state, config, bins_hash, state.init, origin, True)
    return state.init, check_origin(segment, state, origin, True, run).changes


def inherit_settings(old: TrainConfig, given: dict[str, Any]) -> dict[str, Any]:
    """Put settings over those of a run that is resumed; another batch keeps the budget of tokens.

    Where the batch changes, the steps that are not `given` are scaled: `max_iters`, and
    `lr_decay_iters` and `warmup_iters` if they were set.

    >>> found = inherit_settings(TrainConfig(batch_size=8, max_iters=100), {"batch_size": "16"})
    >>> found["batch_size"], found["max_iters"]
    ('16', 50)
    """
    found: dict[str, Any] = msgspec.to_builtins(old) | given
    per_step = make_config({name: found[name] for name in _BATCH}).windows_per_step
    for name in {"max_iters", "lr_decay_iters", "warmup_iters"} - set(given):
        if found[name] is not None and per_step != old.windows_per_step:
            found[name] = -(-found[name] * old.windows_per_step // per_step)
    return found


def _change_settings(state: TrainState, config: TrainConfig, changed: list[str]) -> ScheduleSegment:
    old, per_step = state.config, config.windows_per_step
    pairs = {name: (getattr(old, name), getattr(config, name)) for name in changed}
    entry = SettingsChange(
        step=state.step, tokens_seen=state.windows * config.block_size, changed=pairs
    )
    changes = [*state.changes, entry]
    shown = ", ".join(f"{name} {now} (was {before})" for name, (before, now) in pairs.items())
    drift = abs(config.max_iters * per_step - old.max_iters * old.windows_per_step)
    same_budget = drift < max(per_step, old.windows_per_step)
    if same_budget and not _BATCH.isdisjoint(pairs) and _RATE.isdisjoint(pairs):
        note = f"from step {state.step:,} on: {shown}; the schedule continues by tokens"
        schedule = config
        if state.schedule_start:  # it began on the way: by tokens the same, in steps of this batch
            schedule = make_config(
                inherit_settings(state.schedule, {name: getattr(config, name) for name in _BATCH})
            )
        return ScheduleSegment(schedule, state.schedule_start, [note], changes)
    left = max(1, config.steps_after(state.windows))
    end = config.lr_decay_iters if "lr_decay_iters" in pairs else None
    schedule = msgspec.structs.replace(
        config,
        max_iters=left,
        lr_decay_iters=None if end is None else max(1, end - state.windows // per_step),
        warmup_iters=config.warmup_iters if "warmup_iters" in pairs else 0,
    )
    note = (
        f"from step {state.step:,} on: {shown}; a new schedule begins here: {config.schedule} from "
        f"learning_rate {config.learning_rate:g} over the {left:,} remaining steps"
    )
    return ScheduleSegment(schedule, state.windows, [note], changes)
