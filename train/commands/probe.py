"""`assay probe`."""

from pathlib import Path

import click

from assay.formats.train_config import Intervals
from assay.terminal.text import dump_json
from assay.train.commands.options import (
    DASHES,
    PATH,
    device_option,
    held_out_documents_option,
    interval_option,
    json_option,
    output_option,
)


@click.command("probe", context_settings=DASHES)
@click.argument("checkpoint", type=PATH)
@click.option("--old", type=PATH, required=True, help="Bins it was trained on.")
@click.option("--new", type=PATH, required=True, help="Bins of other data.")
@output_option
@click.option(
    "--steps", type=click.IntRange(1), help="Of a branch. [default: a tenth of the checkpoint's]"
)
@click.option(
    "--seeds", type=click.IntRange(2), default=2, show_default=True, help="Orders of the data."
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Root of their seeds."
)
@click.option(
    "--learning-rate", type=float, help="Where branches begin. [default: the checkpoint's]"
)
@click.option(
    "--held-out",
    type=PATH,
    help="Bins of the text you want: their val documents are scored, beside those of --old.",
)
@held_out_documents_option
@device_option
@interval_option("log")
@interval_option("checkpoint")
@json_option()
def probe_command(
    checkpoint: Path,
    old: Path,
    new: Path,
    output: Path,
    steps: int | None,
    seeds: int,
    seed: int,
    learning_rate: float | None,
    held_out: Path | None,
    held_out_documents: int,
    device: str,
    log_interval: int,
    checkpoint_interval: int,
    as_json: bool,
) -> None:
    """Branch CHECKPOINT four ways and say what holds its loss: schedule, data, or neither.

    CHECKPOINT is a run's folder, a checkpoint in one (assay train --keep-checkpoints), or
    nanoGPT's ckpt.pt. From it four branches are trained in each of several orders of the data: on
    the old data and on the new, at the learning rate where it stands and with that rate brought
    down to 0. All are scored on the same held-out documents. Rerun the same command to resume a
    probe that was stopped; rerunning a finished one prints its result.

    \b
    assay probe run/step-500 --old bins/old --new bins/new -o why
    assay probe out/ckpt.pt --old bins/old --new bins/new -o why --steps 500
    """
    from assay.train.commands.probe_text import describe_probe
    from assay.train.probe.probe import probe_checkpoint

    result = probe_checkpoint(
        checkpoint,
        output,
        old=old,
        new=new,
        steps=steps,
        seeds=seeds,
        seed=seed,
        learning_rate=learning_rate,
        held_out=held_out,
        held_out_documents=held_out_documents,
        device=device,
        intervals=Intervals(log_interval, 0, checkpoint_interval),
        quiet=False,
    ).result
    click.echo(dump_json(result) if as_json else describe_probe(result))
