"""A run as it was asked for, and what is said of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from assay.formats.bins import Bins
from assay.formats.train_config import TrainConfig
from assay.train.checkpoints.initial_weights import Start
from assay.train.checkpoints.retention import Keep
from assay.train.run.evaluate import HeldOut, Scores
from assay.train.run.metrics import Line, Pace
from assay.train.run.step import Stepper
from assay.train.runtime.compiled_model import Machine
from assay.train.runtime.distributed import Team

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Job:
    """A run as it was asked for; as `loop.train_on` has it."""

    bins: Bins
    output: Path
    config: TrainConfig
    pace: Pace
    held_out: HeldOut
    machine: Machine
    team: Team
    keep: Keep
    start: Start | None


def announce_run(job: Job, stepper: Stepper, steps: int, ids: int, plan: TrainConfig) -> str:
    """Say what is about to be done, and on what.

    Args:
        job: The run.
        stepper: What takes its steps.
        steps: How many are left.
        ids: Length of the bin.
        plan: The schedule in force.
    """
    config, machine = job.config, job.machine
    tokens = steps * config.tokens_per_step
    several = f" in each of {job.team.size} processes" if job.team.size > 1 else ""
    windows = "window" if stepper.micro_batch == 1 else "windows"
    unfinished = ""
    if plan.schedule != "constant" and plan.decay_steps > plan.max_iters:
        unfinished = f"; the schedule is not finished then: lr_decay_iters is {plan.decay_steps:,}"
    return (
        f"{machine.model.num_parameters:,} parameters; {steps:,} steps of "
        f"{config.tokens_per_step:,} tokens, {tokens / ids:.2f} epochs; "
        f"{machine.device}, {str(machine.dtype).removeprefix('torch.')}, "
        f"{stepper.micro_batch:,} {windows} at once{several}{unfinished}"
    )


def measure_speed(job: Job, steps: int, seconds: float) -> Line:
    """Return the tokens a second over some steps, and what share of the devices' peak that is."""
    speed = steps * job.config.tokens_per_step / max(seconds, 1e-9)
    machine, peak = job.machine, job.machine.peak_flops
    share = speed * machine.flops_per_token / peak / job.team.size if peak else None
    return {"tokens_per_second": speed, "mfu": share}


def count_scores(scores: Scores) -> Line:
    """Count what was scored, and what the loss on it is; None where nothing was."""
    return {
        "held_out_documents": int(scores.nats_J.size),
        "held_out_tokens": int(scores.tokens_J.sum()),
        "loss_nats": _or_none(scores.loss_nats),
        "bits_per_byte": _or_none(scores.bits_per_byte),
    }


def _or_none(value: float) -> float | None:
    return value if value == value else None
