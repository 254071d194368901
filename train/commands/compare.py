"""`assay compare`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.errors import UsageError
from assay.storage.recipe import say_again
from assay.terminal.text import dump_json, screen_width
from assay.train.commands.train import (
    DASHES,
    Asked,
    add_settings,
    collect_settings,
    held_out_documents,
    refuse_torchrun,
    require_torch,
    say_progress,
)
from assay.train.settings.settings import make_config

if TYPE_CHECKING:
    from assay.formats.bins import Bins
    from assay.formats.comparison import Verdict
    from assay.train.compare.arms import Arm
    from assay.train.compare.design import Terms


class Looks(click.ParamType[tuple[int, ...]]):
    """Numbers of seeds, as 3,5,8."""

    name = "looks"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Read rising numbers of seeds."""
        if isinstance(value, tuple):
            return value
        words = str(value).split(",")
        if not all(word.strip().isdecimal() for word in words):
            self.fail(f"{value!r} is not a list such as 3,5,8", param, ctx)
        return tuple(int(word) for word in words)


@click.command("compare", context_settings=DASHES)
@click.argument("arms", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="ARM...")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder.")
@click.option(
    "--vary",
    help="KEY=V1,V2...: arms that differ in a setting (learning_rate, dropout, n_layer+n_embd), "
    "on one ARM; the baseline's value first.",
)
@click.option("--seeds", type=click.IntRange(1), help="Runs an arm. [default: 3]")
@click.option("--looks", type=Looks(), help="Judge at so many seeds each, as 3,5,8; ends early.")
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
    "--seed-sd", type=float, help="Spread of seeds to expect, nats a token, where one is known."
)
@click.option(
    "--held-out",
    type=click.Path(path_type=Path),
    help="Bins whose val documents to score. [default: those of the arms]",
)
@click.option(
    "--also", type=click.Path(path_type=Path), help="Bins whose val documents to score apart."
)
@held_out_documents
@click.option("--allow-leaked", is_flag=True, help="Score documents that an arm trained on apart.")
@click.option(
    "--devices",
    help="Train on these, as cuda:0,cuda:1; where there are several, a process and a run each.",
)
@add_settings
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
    devices: str | None,
    asked: Asked,
) -> int:
    """Train the same model on each ARM and say which data gives the lower loss.

    The first ARM is the baseline. Each arm is trained with its own seeds, for the same number of
    tokens, and is scored on the same held-out documents. Documents that an arm was trained on
    make the verdict invalid, before anything is trained (exit code 1). A comparison that was
    stopped goes on by the same command, and a finished one is told again. With --vary the arms
    are settings, on the same data; several move together as n_layer+n_embd=12+384,6+256.

    \b
    assay compare bins/raw bins/clean -o ab --tokens 1M
    assay compare bins/raw bins/clean -o ab --tokens 100M --looks 3,5,8
    assay compare bins/clean -o ab --tokens 100M --vary dropout=0,0.1
    """
    if seeds is not None and looks is not None:
        raise UsageError("--seeds and --looks both say how many seeds; name one")
    refuse_torchrun("compare")
    chosen = collect_settings(asked)
    make_config(chosen, tokens=asked.tokens)
    from assay.formats.bins import open_bins
    from assay.train.commands.verdict_text import describe_verdict
    from assay.train.compare.design import Terms
    from assay.train.compare.recipe import find_comparison
    from assay.train.stats.decision_rule import Margins

    made = _make_arms(arms, vary, chosen, asked.tokens)
    margins = Margins(delta, not_worse_by)
    terms = Terms(looks or (seeds or 3,), margins, held_out_documents, allow_leaked, seed_sd)
    judged = open_bins(held_out) if held_out else None
    second = open_bins(also) if also else None
    verdict = find_comparison(
        output, made, terms, held_out=judged, also=second, evaluate=asked.pace[1]
    )
    if verdict is not None:
        say_progress(say_again(output, "comparison", "trained"))
    else:
        named = tuple(devices.split(",")) if devices else ()
        verdict = _compare(made, output, terms, judged, second, asked.pace, named)
    click.echo(dump_json(verdict) if asked.as_json else describe_verdict(verdict, screen_width()))
    return 1 if any(not gate.passed for gate in verdict.gates) else 0


def _compare(
    arms: "list[Arm]",
    output: Path,
    terms: "Terms",
    judged: "Bins | None",
    second: "Bins | None",
    pace: tuple[int, int, int],
    devices: tuple[str, ...],
) -> "Verdict":
    require_torch()
    from assay.train.compare.compare import compare_arms
    from assay.train.run.metrics import Pace

    return compare_arms(
        arms,
        output,
        terms=terms,
        held_out=judged,
        also=second,
        pace=Pace(*pace),
        devices=devices,
        say=say_progress,
    ).verdict


def _make_arms(
    folders: tuple[Path, ...], vary: str | None, settings: dict[str, object], tokens: int | None
) -> "list[Arm]":
    from assay.formats.bins import open_bins
    from assay.train.compare.arms import arms_of_data, arms_of_settings, parse_variation

    bins = [open_bins(folder) for folder in folders]
    if vary is None:
        return arms_of_data(bins, make_config(settings, tokens=tokens))
    if len(bins) != 1:
        raise UsageError(f"--vary compares settings on one folder of bins; {len(bins)} were named")
    return arms_of_settings(bins[0], parse_variation(vary), settings, tokens=tokens)
