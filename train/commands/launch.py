"""What `assay train` asks for, carried out in one process or in several."""

from typing import Any

import msgspec

from assay.errors import AssayError
from assay.formats.bins import open_bins
from assay.formats.run import NANOGPT
from assay.formats.train_config import record_config
from assay.train.checkpoints.checkpoint import find_checkpoint, read_rows
from assay.train.checkpoints.nanogpt_checkpoint import refuse_arch
from assay.train.run.metrics import open_loggers
from assay.train.run.recipe import Launch, tell_again
from assay.train.run.train import Pace, Say, train_on
from assay.train.runtime.compiled_model import build_machine
from assay.train.runtime.distributed import Team, join_team


def launch_run(asked: Launch, say: Say) -> dict[str, Any] | None:
    """Train, and return the run's totals; None in a process that does not lead.

    Raises:
        UsageError: A logger is missing, or nanoGPT cannot hold the model; before training.
    """
    if asked.keep.ckpt_pt:
        refuse_arch(asked.config, asked.output / NANOGPT)
    with join_team(asked.config.device) as (team, device):
        bins = open_bins(asked.bins)
        if team.size > 1:
            finished, totals = _tell_together(asked, team, say)
            if finished:
                return totals
        # The device of this process is not the run's: it would be resumed on one for all.
        config = asked.config
        here = msgspec.structs.replace(config, device=device)
        machine = build_machine(here, bins.vocab_size, rows=_find_rows(asked, bins.vocab_size))
        settings = record_config(config)
        named = asked.loggers if team.leads else ()
        loggers = open_loggers(named, asked.output, settings)
        run = train_on(
            bins,
            asked.output,
            config=config,
            pace=Pace(*asked.pace),
            machine=machine,
            resume=asked.resume,
            team=team,
            loggers=loggers,
            keep=asked.keep,
            resume_from=asked.resume_from,
            start=asked.start,
            say=say,
        )
        return run.manifest.totals if team.leads else None


def _tell_together(asked: Launch, team: Team, say: Say) -> tuple[bool, dict[str, Any] | None]:
    """Have the leader look whether the run is finished; all processes go by what it finds."""
    totals, refusal = None, None
    if team.leads:
        try:
            totals = tell_again(asked, say)
        except AssayError as error:
            refusal = error
    code = team.follow(refusal.exit_code if refusal else int(totals is not None))
    if refusal is not None:
        raise refusal
    if code > 1:  # the leader says why
        raise SystemExit(code)
    return code == 1, totals


def _find_rows(asked: Launch, vocab_size: int) -> int | None:
    """Find how many ids the checkpoint knows that a run begins with, or goes on from."""
    if asked.start is not None:
        return asked.start.fit_rows(vocab_size)
    saved = find_checkpoint(asked.output) or asked.resume_from
    goes_on = asked.resume or asked.resume_from is not None
    return read_rows(saved) if goes_on and saved is not None else None
