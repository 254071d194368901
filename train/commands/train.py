"""`assay train`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.terminal.numbers import count
from assay.terminal.text import align, dump_json
from assay.train.commands.options import DASHES, PATH, output_option, run_options
from assay.train.run.environment import is_rank0
from assay.train.settings.retention import make_retention

if TYPE_CHECKING:
    from assay.formats.run import Run


@click.command("train", context_settings=DASHES)
@click.argument("bins", type=PATH)
@output_option
@click.option(
    "--resume",
    is_flag=True,
    help="Resume the folder's checkpoint, or refuse. What is not named stays as it was; batch, "
    "length and learning rate may change: --resume --learning-rate 1e-4 begins a new schedule.",
)
@click.option(
    "--resume-from",
    type=PATH,
    help="The same from a kept checkpoint of another run, or its folder; the run lies in -o.",
)
@click.option(
    "--init-from",
    type=PATH,
    help="Start from the weights alone of a run, a checkpoint or nanoGPT's ckpt.pt; it sets the "
    "shape.",
)
@click.option(
    "--keep-checkpoints",
    metavar="all|STEPS",
    default="",
    help="Keep each checkpoint, or those after STEPS (500,1000), as step-N in the run's folder.",
)
@click.option("--ckpt-pt", is_flag=True, help="Write nanoGPT's ckpt.pt, too (arch nanogpt).")
@click.option("--log-to", default="", metavar="NAMES", help="Also to wandb,tensorboard,trackio.")
@run_options
def train_command(
    bins: Path,
    output: Path,
    resume: bool,
    resume_from: Path | None,
    init_from: Path | None,
    keep_checkpoints: str,
    ckpt_pt: bool,
    log_to: str,
    options: dict[str, Any],
    as_json: bool,
) -> None:
    """Train a small GPT on BINS, a folder that `assay prepare` wrote.

    Settings have nanoGPT's names. Rerun the same command to resume a run that was stopped;
    rerunning a finished one prints its result. Under torchrun, processes share each step; the
    result is that of one process.

    \b
    assay train bins/clean -o run --tokens 20M --size 30M
    assay train bins/clean -o run --config config/train_gpt2.py --max_iters 2000
    assay train bins/clean -o run --resume --learning-rate 1e-4
    torchrun --nproc-per-node 2 -m assay train bins/clean -o run --tokens 1B
    """
    from assay.train.run.train import train_on

    run = train_on(
        bins,
        output,
        init_from=init_from,
        resume=resume,
        resume_from=resume_from,
        retention=make_retention(keep_checkpoints, ckpt_pt=ckpt_pt),
        log_to=[name for name in log_to.split(",") if name],
        quiet=False,
        **options,
    )
    if is_rank0():
        click.echo(dump_json(run.totals) if as_json else describe_run(run))


def describe_run(run: "Run") -> str:
    """Lay out what a run's totals say of its loss and its tokens."""
    totals = run.totals
    rows = [
        ("tokens seen", f"{count(totals.tokens_seen)} ({totals.epoch:.2f} epochs)"),
        ("unique tokens seen", count(totals.unique_tokens_seen)),
        ("parameters", count(totals.parameters)),
    ]
    if totals.left_out_steps:
        left_out = f"{count(totals.left_out_steps)} of {count(totals.steps)}: float16"
        rows.append(("steps left out", left_out))
    if totals.loss_nats is not None:
        documents = count(totals.held_out_documents)
        loss = f"{totals.loss_nats:.4f} nats/token on {documents} documents"
        rows.insert(0, ("held-out loss", loss))
        if totals.bits_per_byte is not None:
            rows.insert(1, ("", f"{totals.bits_per_byte:.4f} bits/byte"))
    return align(rows)
