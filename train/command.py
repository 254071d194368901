"""`assay train`, and what it shares with `assay compare` and `assay score`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from assay.console import align, count, dump_json, show_line
from assay.errors import UsageError
from assay.options import COUNT
from assay.train.config import MEANINGS, SIZES, TrainConfig, make_config, size_settings
from assay.train.config_file import read_config

Command = Callable[..., Any]
# nanoGPT writes --learning_rate, most other programs --learning-rate: both are read.
DASHES = {"token_normalize_func": lambda name: name.replace("-", "_")}


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
        click.option(
            "--size",
            metavar="|".join(SIZES),
            help="Sets n_layer, n_head, n_embd and block_size; options of those names win.",
        ),
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
    if kind.startswith("typing.Literal"):
        return "WORD"
    known = {"int": "N", "float": "X", "bool": "BOOL"}
    return next((word for part, word in known.items() if part in kind), "WORD")


@click.command("train", context_settings=DASHES)
@click.argument("bins", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Run folder.")
@click.option(
    "--resume",
    is_flag=True,
    help="Go on from the folder's checkpoint, or refuse; batch, length and learning rate may then "
    "be others: --resume --learning-rate 1e-4 begins a new schedule there.",
)
@click.option("--log-to", default="", metavar="NAMES", help="Also to wandb,tensorboard,trackio.")
@click.option(
    "--init-from",
    type=click.Path(path_type=Path),
    help="Begin with the weights of a run, a checkpoint or nanoGPT's ckpt.pt; it sets the shape.",
)
@click.option("--ckpt-pt", is_flag=True, help="Write nanoGPT's ckpt.pt, too (arch nanogpt).")
@add_settings
def train_command(
    bins: Path,
    output: Path,
    resume: bool,
    log_to: str,
    init_from: Path | None,
    ckpt_pt: bool,
    config: Path | None,
    tokens: int | None,
    log_interval: int,
    eval_interval: int,
    checkpoint_interval: int,
    as_json: bool,
    **settings: str | None,
) -> None:
    """Train a small GPT on BINS, a folder that `assay prepare` wrote.

    Every setting has nanoGPT's name. A run that was stopped goes on by the same command. Under
    torchrun, processes share each step; the result is that of one process.

    \b
    assay train bins/clean -o run --tokens 20M --size 30M
    assay train bins/clean -o run --config config/train_gpt2.py --max_iters 2000
    assay train bins/clean -o run --resume --learning-rate 1e-4
    torchrun --nproc-per-node 2 -m assay train bins/clean -o run --tokens 1B --size 124M
    """
    start = None
    if init_from is not None:
        require_torch()
        from assay.train.start import read_start

        start = read_start(init_from)
    shape = start.shape if start else {}
    chosen = make_config(collect_settings(config, settings, shape), tokens=tokens)
    require_torch()
    from assay.train.launch import Launch, launch_run

    pace = log_interval, eval_interval, checkpoint_interval
    loggers = tuple(name for name in log_to.split(",") if name)
    totals = launch_run(
        Launch(bins, output, chosen, pace, resume, loggers, ckpt_pt, start), say_progress
    )
    if totals is not None:
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


def collect_settings(
    path: Path | None, settings: Mapping[str, str | None], shape: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Put the command line's settings over a size's, a checkpoint's shape and a file's.

    What none of them names is left out; `size`, a name in SIZES, becomes the settings it stands
    for.
    """
    found: dict[str, Any] = {}
    if path is not None:
        found, elsewhere = read_config(path)
        if elsewhere:
            say_progress(f"config {path}: not used here: {', '.join(elsewhere)}")
    given = {name: value for name, value in settings.items() if value is not None}
    size = given.pop("size", None)
    found |= shape or {}
    if size is not None:
        found |= size_settings(size, (found | given).get("arch", TrainConfig().arch))
    return found | given


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
