"""`assay compare`."""

from pathlib import Path
from typing import Any

import click

from assay.errors import UsageError
from assay.terminal.text import dump_json, screen_width
from assay.train.commands.options import (
    DASHES,
    PATH,
    held_out_documents_option,
    output_option,
    run_options,
)


def read_looks(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[int, ...] | None:
    """Read numbers of seeds, as 3,5,8."""
    words = [] if value is None else value.split(",")
    if not all(word.strip().isdecimal() for word in words):
        raise click.BadParameter(f"{value!r} is not a list such as 3,5,8")
    return tuple(map(int, words)) or None


@click.command("compare", context_settings=DASHES)
@click.argument("arms", type=PATH, nargs=-1, required=True, metavar="ARM...")
@output_option
@click.option(
    "--vary",
    help="KEY=V1,V2...: arms that differ in a setting (learning_rate, dropout, n_layer+n_embd), "
    "on one ARM; the baseline's value first.",
)
@click.option("--seeds", type=click.IntRange(1), help="Runs an arm. [default: 3]")
@click.option(
    "--looks",
    metavar="LOOKS",
    callback=read_looks,
    help="Judge at so many seeds each, as 3,5,8; ends early.",
)
@click.option(
    "--delta",
    type=float,
    default=0.01,
    show_default=True,
    help="Nats a token below which a difference does not matter.",
)
@click.option(
    "--not-worse-by",
    type=float,
    help="Nats a token: call an arm not worse if it surely is less than this worse.",
)
@click.option(
    "--seed-sd",
    type=float,
    help="Seed standard deviation to expect, nats a token, where one is known.",
)
@click.option(
    "--held-out",
    type=PATH,
    help="Bins whose val documents to score. [default: those of the arms]",
)
@click.option("--also", type=PATH, help="Bins whose val documents to score separately.")
@held_out_documents_option
@click.option(
    "--allow-leaked", is_flag=True, help="Score documents that an arm trained on separately."
)
@click.option(
    "--coupled",
    type=click.Choice(["auto", "on", "off"]),
    default="off",
    show_default=True,
    help="Train run k of each arm from the same weights, windows that arms share at the same "
    "steps, and judge pairs; auto: where arms share at least half.",
)
@click.option(
    "--devices",
    default="",
    help="Train on these, as cuda:0,cuda:1; where there are several, a process and a run each.",
)
@run_options
def compare_command(
    arms: tuple[Path, ...],
    output: Path,
    vary: str | None,
    seeds: int | None,
    looks: tuple[int, ...] | None,
    delta: float,
    not_worse_by: float | None,
    seed_sd: float | None,
    held_out: Path | None,
    also: Path | None,
    held_out_documents: int,
    allow_leaked: bool,
    coupled: str,
    devices: str,
    options: dict[str, Any],
    as_json: bool,
) -> int:
    """Train the same model on each ARM and say which data gives the lower loss.

    The first ARM is the baseline. Each arm is trained with its own seeds, for the same number of
    tokens, and is scored on the same held-out documents. Documents that an arm was trained on
    make the verdict invalid, before anything is trained (exit code 1). Rerun the same command to
    resume a comparison that was stopped; rerunning a finished one prints its verdict. With --vary
    the arms are settings, on the same data; several move together as n_layer+n_embd=12+384,6+256.

    \b
    assay compare bins/raw bins/clean -o ab --tokens 1M
    assay compare bins/raw bins/clean -o ab --tokens 100M --looks 3,5,8
    assay compare bins/clean -o ab --tokens 100M --vary dropout=0,0.1
    """
    if seeds is not None and looks is not None:
        raise UsageError("seeds and looks exclude each other; name one of them", "seeds", "looks")
    from assay.train.commands.verdict_text import describe_verdict
    from assay.train.compare.compare import compare_bins
    from assay.train.compare.design import ComparisonDesign

    design = ComparisonDesign(
        looks=looks or (seeds or 3,),
        delta=delta,
        not_worse_by=not_worse_by,
        seed_sd=seed_sd,
        held_out_documents=held_out_documents,
        allow_leaked=allow_leaked,
        coupled=coupled,
    )
    verdict = compare_bins(
        arms,
        output,
        vary=vary,
        design=design,
        held_out=held_out,
        also=also,
        devices=devices.split(",") if devices else (),
        quiet=False,
        **options,
    ).verdict
    click.echo(dump_json(verdict) if as_json else describe_verdict(verdict, screen_width()))
    return 1 if any(not gate.passed for gate in verdict.gates) else 0
