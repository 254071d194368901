"""`assay train`, and what it shares with `assay compare`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from assay.console import align, count, dump_json, show_line
from assay.errors import UsageError
from assay.options import COUNT
from assay.train.config import MEANINGS, TrainConfig, make_config, read_config

Command = Callable[..., Any]


def add_settings(command: Command) -> Command:
    """Give a command an option for each setting of a run, under nanoGPT's name."""
    for name in reversed(TrainConfig.__struct_fields__):
        default = getattr(TrainConfig(), name)
        shown = "" if default is None else f" [default: {str(default).lower()}]"
        command = click.option(
            f"--{name}", name, metavar=_metavar(name), help=MEANINGS[name] + shown
        )(command)
    options = [
        click.option("--config", type=click.Path(path_type=Path), help="TOML, or nanoGPT's .py"),
        click.option("--tokens", type=COUNT, help="Budget of a run: 250k, 100M; sets max_iters"),
        click.option("--log-interval", type=click.IntRange(0), default=20, show_default=True),
        click.option(
            "--eval-interval",
            type=click.IntRange(0),
            default=0,
            show_default=True,
            help="Steps between scorings of the held-out documents; 0: at the end alone.",
        ),
        click.option(
            "--checkpoint-interval", type=click.IntRange(0), default=500, show_default=True
        ),
        click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def _metavar(name: str) -> str:
    kind = str(TrainConfig.__annotations__[name])
    known = {"int": "N", "float": "X", "bool": "BOOL"}
    return next((word for part, word in known.items() if part in kind), "WORD")


@click.command("train")
@click.argument("bins", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Run folder.")
@click.option("--resume", is_flag=True, help="Go on from the folder's checkpoint, or refuse.")
@add_settings
def train_command(
    bins: Path,
    output: Path,
    resume: bool,
    config: Path | None,
    tokens: int | None,
    log_interval: int,
    eval_interval: int,
    checkpoint_interval: int,
    as_json: bool,
    **settings: str | None,
) -> None:
    """Train a small GPT on BINS, a folder that `assay prepare` wrote.

    Every setting has nanoGPT's name. A run that was stopped goes on by the same command.

    \b
    assay train bins/clean -o run --tokens 20M --n_layer 6 --n_head 6 --n_embd 384
    assay train bins/clean -o run --config config/train_gpt2.py --max_iters 2000
    """
    chosen = _choose_config(config, settings, tokens)
    require_torch()
    from assay.bins import open_bins
    from assay.train.loop import Pace, train_on

    run = train_on(
        open_bins(bins),
        output,
        config=chosen,
        pace=Pace(log_interval, eval_interval, checkpoint_interval),
        resume=resume,
        say=say_progress,
    )
    totals = run.manifest.totals
    click.echo(dump_json(totals) if as_json else _describe_run(totals))


def _describe_run(totals: dict[str, Any]) -> str:
    loss = totals["loss_nats"]
    rows = [
        ("tokens seen", f"{count(totals['tokens_seen'])} ({totals['epoch']:.2f} epochs)"),
        ("unique tokens seen", count(totals["unique_tokens_seen"])),
        ("parameters", count(totals["parameters"])),
    ]
    if loss is not None:
        documents = count(totals["held_out_documents"])
        rows.insert(0, ("held-out loss", f"{loss:.4f} nats/token on {documents} documents"))
    return align(rows)


def _choose_config(
    path: Path | None, settings: dict[str, str | None], tokens: int | None
) -> TrainConfig:
    """Put together defaults, then the file, then the command line."""
    return make_config(collect_settings(path, settings), tokens=tokens)


def collect_settings(path: Path | None, settings: dict[str, str | None]) -> dict[str, Any]:
    """Put the command line's settings over those of a file; what neither names is left out."""
    found: dict[str, Any] = {}
    if path is not None:
        found, elsewhere = read_config(path)
        if elsewhere:
            say_progress(f"config {path}: not used here: {', '.join(elsewhere)}")
    return found | {name: value for name, value in settings.items() if value is not None}


def require_torch() -> None:
    """Refuse to go on without torch, in one line."""
    try:
        import safetensors
        import torch  # noqa: F401  # looked for, not used
    except ImportError as error:
        raise UsageError(
            f"training needs torch and safetensors ({error.name} is missing); "
            "pip install 'assay[train]'"
        ) from error
    assert safetensors


def say_progress(line: str) -> None:
    """Print a line of progress to stderr."""
    click.echo(show_line(line, 300), err=True)
