"""A run's settings and data: as they were named, else as a run of assay's or the log says."""

from pathlib import Path

from assay.diagnose.inputs.assay_run import (
    add_own_losses,
    is_own_run,
    read_own_data,
    read_own_plan,
)
from assay.diagnose.inputs.data_facts import DataFacts, read_data
from assay.diagnose.inputs.nanogpt_checkpoint import read_checkpoint
from assay.diagnose.logs.run_log import RunLog
from assay.errors import UsageError
from assay.laws.plans import Plan, read_plan


def find_plan(log: RunLog, path: Path, config: str | None, checkpoint: Path | None) -> Plan | None:
    """Find the settings of a run; None where nothing states its sizes.

    Args:
        log: As read.
        path: Where it was said to be: a file, or the folder of a run.
        config: A file and overrides, as `read_plan` reads them.
        checkpoint: A nanoGPT `ckpt.pt`.

    Raises:
        UsageError: Both are given, or one of them cannot be read.
        InputError: A checkpoint holds something else.
    """
    if config is not None and checkpoint is not None:
        raise UsageError(
            "config and checkpoint exclude each other; each gives the settings",
            "config",
            "checkpoint",
        )
    if config is not None:
        return read_plan(config)
    if checkpoint is not None:
        return read_checkpoint(checkpoint)
    return read_own_plan(path) if is_own_run(path) else _plan_from_log(log)


def _plan_from_log(log: RunLog) -> Plan | None:
    """Make a plan of what the log itself states, if it states its sizes."""
    parameters = log.facts.get("parameters", 1e6 * log.facts.get("parameters_millions", 0.0))
    tokens = log.facts.get("tokens_per_step", 0.0)
    if not parameters or not tokens:
        return None
    return Plan(
        name=str(log.path),
        settings={},
        parameters=round(parameters),
        blocks=None,
        tokens_per_step=round(tokens),
        steps=max(1, round(log.facts.get("total_steps", log.last_step))),
    )


def find_data(
    path: Path, audit: Path | None, bins: Path | None, unique_tokens: int | None
) -> DataFacts:
    """Find what is known of a run's data; arguments and errors as in `read_data`.

    Args:
        path: Of the log; the folder of a run of assay's knows its data itself.
        audit: An audit of the data.
        bins: Or the bins.
        unique_tokens: Or its unique tokens.
    """
    data = read_data(audit=audit, bins=bins, unique_tokens=unique_tokens)
    if not is_own_run(path):
        return data
    return read_own_data(path) if data == DataFacts() else add_own_losses(data, path)
