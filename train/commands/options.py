"""Options that the verbs of this room share: every setting of a run, and how often it logs."""

from collections.abc import Callable, Iterator
from functools import reduce, wraps
from pathlib import Path
from typing import Any

import click

from assay.formats.config_checks import REFUSED_SETTINGS
from assay.formats.train_config import DEFAULTS, Intervals, TrainConfig
from assay.options import COUNT
from assay.train.settings.help import MEANINGS
from assay.train.settings.settings import SIZES

Command = Callable[..., Any]
# nanoGPT writes --learning_rate, most other programs --learning-rate: both are read.
DASHES = {"token_normalize_func": lambda name: name.replace("-", "_")}
PATH = click.Path(path_type=Path)

_INTERVALS = {
    "log": "Steps between lines of progress and of metrics.jsonl; 0: first and last.",
    "eval": "Steps between scorings of the held-out documents; 0: at the end alone.",
    "checkpoint": "Steps between checkpoints, at which a stopped run is resumed.",
}

output_option = click.option("-o", "--output", type=PATH, required=True, help="Folder.")
device_option = click.option(
    "--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N or mps"
)
held_out_documents_option = click.option(
    "--held-out-documents",
    type=click.IntRange(1),
    default=2000,
    show_default=True,
    help="Score at most this many.",
)


def json_option(what: str = "the result") -> Callable[[Command], Command]:
    """Return the option --json; `what` is printed."""
    return click.option("--json", "as_json", is_flag=True, help=f"Print {what} as JSON.")


def run_options(command: Command) -> Command:
    """Give a command an option for each setting of a run, under nanoGPT's name.

    The command gets them as one argument, `options`: keyword arguments that `train_on` and
    `compare_bins` both take. Its settings are those that the command line names, as it spells them.
    """

    @wraps(command)
    def gather(**given: Any) -> Any:
        names = [*TrainConfig.__struct_fields__, *REFUSED_SETTINGS]
        settings = {name: given.pop(name) for name in names}
        options = {name: given.pop(name) for name in ("config", "size", "tokens")}
        options |= {name: word for name, word in settings.items() if word is not None}
        options["intervals"] = Intervals(*(given.pop(f"{what}_interval") for what in _INTERVALS))
        return command(options=options, **given)

    gathered: Command = gather
    options = reversed([*_list_shared(), *_list_settings()])
    return reduce(lambda made, option: option(made), options, gathered)


def _list_settings() -> Iterator[Callable[[Command], Command]]:
    for name in TrainConfig.__struct_fields__:
        default = getattr(DEFAULTS, name)
        shown = "" if default is None else f" [default: {str(default).lower()}]"
        yield click.option(f"--{name}", name, metavar=_metavar(name), help=MEANINGS[name] + shown)
    for name in REFUSED_SETTINGS:  # read, so that the refusal has its reason
        yield click.option(f"--{name}", name, hidden=True)


def _list_shared() -> Iterator[Callable[[Command], Command]]:
    yield click.option("--config", type=PATH, help="TOML, or nanoGPT's .py")
    yield click.option(
        "--size",
        metavar="|".join(SIZES),
        help="Sets n_layer, n_head, n_embd and block_size; options of those names win.",
    )
    yield click.option("--tokens", type=COUNT, help="Budget of a run, sets max_iters: 250k, 100M")
    for what, meaning in _INTERVALS.items():
        yield interval_option(what, meaning)
    yield json_option()


def interval_option(what: str, meaning: str | None = None) -> Callable[[Command], Command]:
    """Return the option --WHAT-interval, with the default of `Intervals`."""
    return click.option(
        f"--{what}-interval",
        type=click.IntRange(0),
        metavar="N",
        default=getattr(Intervals(), "evaluate" if what == "eval" else what),
        show_default=True,
        help=meaning,
    )


def _metavar(name: str) -> str:
    kind = str(TrainConfig.__annotations__[name])
    if kind.startswith("typing.Literal"):
        return "WORD"
    known = {"int": "N", "float": "X", "bool": "BOOL"}
    return next((word for part, word in known.items() if part in kind), "WORD")
