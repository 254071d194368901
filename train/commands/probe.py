"""`assay probe`."""

from pathlib import Path

import click

from assay.terminal.text import dump_json
from assay.train.commands.train import (
    DASHES,
    held_out_documents,
    refuse_torchrun,
    require_torch,
    say_progress,
)


@click.command("probe", context_settings=DASHES)
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option(
    "--old", type=click.Path(path_type=Path), required=True, help="Bins it was trained on."
)
@click.option("--new", type=click.Path(path_type=Path), required=True, help="Bins of other data.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder.")
@click.option(
    "--steps", type=click.IntRange(1), help="Of a branch. [default: a tenth of the checkpoint's]"
)
@click.option(
    "--seeds", type=click.IntRange(2), default=2, show_default=True, help="Orders of the data."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Their root.")
@click.option(
    "--learning-rate", type=float, help="Begin there. [default: where the checkpoint stands]"
)
@click.option(
    "--held-out",
    type=click.Path(path_type=Path),
    help="Bins of the text you want: their val documents are scored, beside those of --old.",
)
@held_out_documents
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N or mps")
@click.option("--log-interval", type=click.IntRange(0), default=20, show_default=True)
@click.option("--checkpoint-interval", type=click.IntRange(0), default=500, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
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
    down to 0. All are scored on the same held-out documents. A probe that was stopped goes on by
    the same command; a finished one is told again.

    \b
    assay probe run/step-500 --old bins/old --new bins/new -o why
    assay probe out/ckpt.pt --old bins/old --new bins/new -o why --steps 500
    """
    refuse_torchrun("probe")
    require_torch()
    from assay.formats.bins import open_bins
    from assay.train.commands.probe_text import describe_probe
    from assay.train.probe.branch_point import read_trunk
    from assay.train.probe.probe import probe_checkpoint
    from assay.train.run.train import Pace

    changes: dict[str, object] = {"device": device}
    if learning_rate is not None:
        changes["learning_rate"] = learning_rate
    result = probe_checkpoint(
        read_trunk(checkpoint, changes),
        open_bins(old),
        open_bins(new),
        output,
        steps=steps,
        seeds=seeds,
        seed=seed,
        held_out=open_bins(held_out) if held_out else None,
        most_held_out=held_out_documents,
        pace=Pace(log_interval, 0, checkpoint_interval),
        say=say_progress,
    )
    click.echo(dump_json(result) if as_json else describe_probe(result))
