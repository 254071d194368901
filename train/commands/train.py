"""`assay train`, and what it shares with `assay compare` and `assay score`."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace

from assay.errors import UsageError
from assay.formats.train_config import TrainConfig
from assay.options import COUNT
from assay.storage.manifest import MANIFEST
from assay.terminal.numbers import count
from assay.terminal.text import align, dump_json, show_line
from assay.train.checkpoints.retention import Keep, read_kept
from assay.train.settings.config_file import read_config
from assay.train.settings.help import MEANINGS
from assay.train.settings.settings import (
    REFUSED,
    SIZES,
    inherit_settings,
    make_config,
    size_settings,
)

Command = Callable[..., Any]
# nanoGPT writes --learning_rate, most other programs --learning-rate: both are read.
DASHES = {"token_normalize_func": lambda name: name.replace("-", "_")}
# An option of compare, score and probe.
held_out_documents = click.option(
    "--held-out-documents",
    type=click.IntRange(1),
    default=2000,
    show_default=True,
    help="Score at most this many.",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What `train` and `compare` both ask for: settings, a budget, how often to log and save.

    `settings` are those that the command line names, as it spells them; `pace` is intervals to
    log, evaluate and save, in steps.
    """

    settings: dict[str, str]
    config: Path | None
    tokens: int | None
    pace: tuple[int, int, int]
    as_json: bool


def add_settings(command: Command) -> Command:
    """Give a command an option for each setting of a run, under nanoGPT's name.

    The command gets them as one argument, `asked`.
    """

    @wraps(command)
    def gather(**options: Any) -> Any:
        names = [*TrainConfig.__struct_fields__, "size", *REFUSED]
        given = {name: options.pop(name) for name in names}
        asked = Asked(
            {name: value for name, value in given.items() if value is not None},
            options.pop("config"),
            options.pop("tokens"),
            tuple(options.pop(f"{what}_interval") for what in ("log", "eval", "checkpoint")),
            options.pop("as_json"),
        )
        return command(asked=asked, **options)

    gathered: Command = gather
    for option in reversed([*_shared_options(), *_setting_options()]):
        gathered = option(gathered)
    return gathered


def _setting_options() -> Iterator[Callable[[Command], Command]]:
    for name in TrainConfig.__struct_fields__:
        default = getattr(TrainConfig(), name)
        shown = "" if default is None else f" [default: {str(default).lower()}]"
        yield click.option(f"--{name}", name, metavar=_metavar(name), help=MEANINGS[name] + shown)
    for name in REFUSED:  # read, so that the refusal has its reason
        yield click.option(f"--{name}", name, hidden=True)


def _shared_options() -> Iterator[Callable[[Command], Command]]:
    yield click.option("--config", type=click.Path(path_type=Path), help="TOML, or nanoGPT's .py")
    yield click.option(
        "--size",
        metavar="|".join(SIZES),
        help="Sets n_layer, n_head, n_embd and block_size; options of those names win.",
    )
    yield click.option("--tokens", type=COUNT, help="Budget of a run, sets max_iters: 250k, 100M")
    for name, default, meaning in (
        ("log", 20, "Steps between lines of progress and of metrics.jsonl; 0: first and last."),
        ("eval", 0, "Steps between scorings of the held-out documents; 0: at the end alone."),
        ("checkpoint", 500, "Steps between checkpoints, from which a stopped run goes on."),
    ):
        yield click.option(
            f"--{name}-interval",
            type=click.IntRange(0),
            metavar="N",
            default=default,
            show_default=True,
            help=meaning,
        )
    yield click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


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
    help="Go on from the folder's checkpoint, or refuse. What is not named stays as it was; batch, "
    "length and learning rate may change: --resume --learning-rate 1e-4 begins a new schedule.",
)
@click.option(
    "--resume-from",
    type=click.Path(path_type=Path),
    help="The same from a kept checkpoint of another run, or its folder; the run lies in -o.",
)
@click.option(
    "--init-from",
    type=click.Path(path_type=Path),
    help="Begin with the weights alone of a run, a checkpoint or nanoGPT's ckpt.pt; it sets the "
    "shape.",
)
@click.option(
    "--keep-checkpoints",
    metavar="all|STEPS",
    help="Keep each checkpoint, or those after STEPS (500,1000), as step-N in the run's folder.",
)
@click.option("--ckpt-pt", is_flag=True, help="Write nanoGPT's ckpt.pt, too (arch nanogpt).")
@click.option("--log-to", default="", metavar="NAMES", help="Also to wandb,tensorboard,trackio.")
@add_settings
def train_command(
    bins: Path,
    output: Path,
    resume: bool,
    resume_from: Path | None,
    init_from: Path | None,
    keep_checkpoints: str | None,
    ckpt_pt: bool,
    log_to: str,
    asked: Asked,
) -> None:
    """Train a small GPT on BINS, a folder that `assay prepare` wrote.

    Settings have nanoGPT's names. A run that was stopped goes on by the same command; a finished
    one is told again. Under torchrun, processes share each step; the result is that of one process.

    \b
    assay train bins/clean -o run --tokens 20M --size 30M
    assay train bins/clean -o run --config config/train_gpt2.py --max_iters 2000
    assay train bins/clean -o run --resume --learning-rate 1e-4
    torchrun --nproc-per-node 2 -m assay train bins/clean -o run --tokens 1B
    """
    every, steps = read_kept(keep_checkpoints) if keep_checkpoints else (False, frozenset[int]())
    if resume_from and (resume or init_from):
        raise UsageError("--resume-from goes alone; leave --resume and --init-from out")
    if resume and (output / MANIFEST).exists():
        raise UsageError(
            f"{output} is finished; go on in another folder: --resume-from {output}, and more "
            "--tokens or --max_iters"
        )
    start, old = None, None
    if init_from or resume or resume_from:
        require_torch()
        from assay.train.checkpoints.checkpoint import find_state
        from assay.train.checkpoints.initial_weights import read_start

        start = read_start(init_from) if init_from else None
        old = find_state(output, resume_from) if resume or resume_from else None
    chosen = choose_config(asked, shape=start.shape if start else None, old=old)
    from assay.train.run.recipe import Launch, tell_again

    loggers = tuple(name for name in log_to.split(",") if name)
    keep = Keep(ckpt_pt=ckpt_pt, every=every, steps=steps)
    launch = Launch(bins, output, chosen, asked.pace, resume, loggers, resume_from, keep, start)
    # Several processes have to agree first.
    totals = tell_again(launch, say_progress) if _count_processes() == 1 else None
    if totals is None:
        require_torch()
        from assay.train.commands.launch import launch_run

        totals = launch_run(launch, say_progress)
    if totals is not None:
        click.echo(dump_json(totals) if asked.as_json else _describe_run(totals))


def _describe_run(totals: dict[str, Any]) -> str:
    loss = totals["loss_nats"]
    rows = [
        ("tokens seen", f"{count(totals['tokens_seen'])} ({totals['epoch']:.2f} epochs)"),
        ("unique tokens seen", count(totals["unique_tokens_seen"])),
        ("parameters", count(totals["parameters"])),
    ]
    if left_out := totals.get("left_out_steps"):
        rows.append(("steps left out", f"{count(left_out)} of {count(totals['steps'])}: float16"))
    if loss is not None:
        documents = count(totals["held_out_documents"])
        rows.insert(0, ("held-out loss", f"{loss:.4f} nats/token on {documents} documents"))
        if (bits := totals["bits_per_byte"]) is not None:
            rows.insert(1, ("", f"{bits:.4f} bits/byte"))
    return align(rows)


def choose_config(
    asked: Asked, *, shape: Mapping[str, Any] | None = None, old: TrainConfig | None = None
) -> TrainConfig:
    """Make a run's config of what was asked for.

    Args:
        asked: The command line, and the file it names.
        shape: A checkpoint's, whose weights the run begins with.
        old: Settings of a run that goes on: those that are not named stay.
    """
    found = collect_settings(asked, shape)
    if old is not None:
        if asked.tokens is not None:  # sets max_iters, whatever the old one was
            old = replace(old, lr_decay_iters=None)
        found = inherit_settings(old, found)
    return make_config(found, tokens=asked.tokens)


def collect_settings(asked: Asked, shape: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Put the command line's settings over a size's, a checkpoint's shape and a file's.

    What none of them names is left out; `size`, a name in SIZES, becomes the settings it stands
    for.

    Raises:
        UsageError: The command line names a budget and what it sets; over a file's it wins.
    """
    for name in ("max_iters", "lr_decay_iters"):
        if asked.tokens is not None and name in asked.settings:
            raise UsageError(f"--tokens sets {name}; leave out --tokens or --{name}")
    found: dict[str, Any] = {}
    if asked.config is not None:
        found, elsewhere = read_config(asked.config)
        if elsewhere:
            say_progress(f"config {asked.config}: not used here: {', '.join(elsewhere)}")
    given: dict[str, Any] = dict(asked.settings)
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


def refuse_torchrun(verb: str) -> None:
    """Refuse to be one of torchrun's processes: only `train` shares its steps; UsageError."""
    if _count_processes() > 1:
        raise UsageError(
            f"assay {verb} runs in one process; leave torchrun out (several GPUs: assay compare "
            "--devices cuda:0,cuda:1)"
        )


def _count_processes() -> int:
    """Return how many processes torchrun started; 1 where it did not."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def say_progress(line: str) -> None:
    """Print a line of progress to stderr."""
    click.echo(show_line(line, 300), err=True)
