"""`metrics.jsonl`, and the loggers that get the same scalars."""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, redirect_stdout
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from assay.errors import UsageError
from assay.formats.run import METRICS, MetricsLine
from assay.storage.publish import publish_bytes
from assay.terminal.numbers import duration, number_of
from assay.terminal.text import show_line

LOGGERS = ("wandb", "tensorboard", "trackio")
Scalars = dict[str, float]


@dataclass(frozen=True, slots=True)
class Logger:
    """What gets the numbers of each line of the metrics, and its step; `finish` closes it."""

    log: Callable[[Scalars, int], None]
    finish: Callable[[], None]


class MetricsWriter:
    """The lines of one run: appended to `metrics.jsonl`, and passed on to loggers."""

    def __init__(self, folder: Path, loggers: Sequence[Logger] = ()) -> None:
        self._path, self._loggers = folder / METRICS, loggers

    def truncate_after(self, step: int) -> None:
        """Remove the lines after `step`, of a run that was killed and is resumed there."""
        lines = self._path.read_bytes().splitlines(keepends=True) if self._path.exists() else []
        publish_bytes(self._path, b"".join(line for line in lines if _step_of(line) <= step))

    def write(self, line: MetricsLine) -> None:
        """Write one line; loggers get what of it is a number."""
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")
        scalars = {k: v for k, v in msgspec.to_builtins(line).items() if v is not None}
        for logger in self._loggers:
            logger.log(scalars, line.step)


def describe_line(line: MetricsLine, steps_left: int, seconds_left: float) -> str:
    """Write a line of the metrics as a line of progress."""
    scored = "" if line.held_out_loss is None else f" (held-out {line.held_out_loss:.4f})"
    left_out = line.left_out_steps or 0
    overflowed = f", {number_of(left_out, 'step')} left out (float16 overflow)" if left_out else ""
    return (
        f"step {line.step:,}/{line.step + steps_left:,}: loss {line.loss:.4f} nats/token{scored}, "
        f"lr {line.lr:.3g}, {line.tokens_seen:,} tokens ({line.epoch:.2f} epochs), "
        f"{line.unique_tokens_seen:,} unique, {line.tokens_per_second:,.0f} tokens/s, "
        f"{duration(seconds_left)} left{overflowed}"
    )


def open_loggers(names: Iterable[str], folder: Path, settings: dict[str, Any]) -> list[Logger]:
    """Open loggers by name: wandb, tensorboard or trackio; they get numbers alone.

    wandb works offline too, by its own WANDB_MODE=offline; its files and trackio's lie where
    those programs put them, tensorboard's in `tensorboard/` beside the run's folder.

    Raises:
        UsageError: A name is unknown, its package is not installed, or it cannot begin.
    """
    names = [names] if isinstance(names, str) else list(names)
    for name in names:
        if name not in LOGGERS:
            raise UsageError(f"log_to must be some of {', '.join(LOGGERS)}, got {name!r}", "log_to")
    with ExitStack() as opened:
        loggers = []
        for name in names:
            loggers.append(_try_open(name, folder, settings))
            opened.callback(loggers[-1].finish)
        opened.pop_all()  # all began: whoever asked for them closes them
    return loggers


def _try_open(name: str, folder: Path, settings: dict[str, Any]) -> Logger:
    begin = _open_tensorboard if name == "tensorboard" else partial(_open_tracker, name)
    try:
        return begin(folder, settings)
    except ImportError as error:
        raise UsageError(
            f"logging to {name} needs a package that is missing ({error.name}); "
            f"pip install 'assay[{name}]'"
        ) from error
    except Exception as error:  # of another program: no login, no network, ...
        said = show_line(str(error).strip().partition("\n")[0], 200).rstrip(".")
        offline = "; WANDB_MODE=offline needs no login" if name == "wandb" else ""
        raise UsageError(f"logging to {name} could not begin: {said}{offline}") from error


def _open_tensorboard(folder: Path, settings: dict[str, Any]) -> Logger:
    from torch.utils.tensorboard import SummaryWriter

    writer: Any = SummaryWriter(str(folder.parent / "tensorboard" / folder.name))
    writer.add_text("settings", json.dumps(settings, indent=2))

    def log(scalars: Scalars, step: int) -> None:
        for name, value in scalars.items():
            writer.add_scalar(name, value, step)

    return Logger(log, writer.close)


def _open_tracker(name: str, folder: Path, settings: dict[str, Any]) -> Logger:
    """Open wandb, or trackio, which has the same three calls; what they print goes to stderr."""
    module = import_module(name)

    def call(function: str, *given: Any, **named: Any) -> None:
        with redirect_stdout(sys.stderr):
            getattr(module, function)(*given, **named)

    def log(scalars: Scalars, step: int) -> None:
        # The step goes apart: trackio warns of a value of that name.
        call("log", {key: value for key, value in scalars.items() if key != "step"}, step=step)

    call("init", project="assay", name=folder.name, config=settings)
    return Logger(log, partial(call, "finish"))


def _step_of(line: bytes) -> int:
    try:
        return int(msgspec.json.decode(line)["step"])
    except (msgspec.DecodeError, KeyError):
        return 1 << 62  # the torn last line of a killed run
