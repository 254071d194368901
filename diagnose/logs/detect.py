"""Tell which program wrote a log, and read it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from assay.diagnose.logs.build_nanogpt import BUILD_NANOGPT
from assay.diagnose.logs.columns import choose_columns
from assay.diagnose.logs.find import find_log, open_log
from assay.diagnose.logs.gather import Gatherer
from assay.diagnose.logs.llmc import LLMC, LLMC_PRINTED
from assay.diagnose.logs.modded import MODDED
from assay.diagnose.logs.nanochat import NANOCHAT
from assay.diagnose.logs.nanogpt import NANOGPT
from assay.diagnose.logs.rows import read_csv, read_json_lines
from assay.diagnose.logs.runlog import RunLog
from assay.diagnose.logs.tensorboard import read_tensorboard
from assay.diagnose.logs.text import TextFormat, read_blocks, read_text
from assay.diagnose.logs.trainer_state import read_trainer_state
from assay.diagnose.logs.wandb import read_wandb
from assay.errors import InputError, UsageError
from assay.terminal.text import show_line

TEXTS = {form.name: form for form in (NANOGPT, LLMC, LLMC_PRINTED, MODDED, NANOCHAT, BUILD_NANOGPT)}
_TABLES: dict[str, Callable[[Path], Gatherer]] = {
    "csv": read_csv,
    "jsonl": read_json_lines,
    "trainer_state": read_trainer_state,
    "tensorboard": read_tensorboard,
    "wandb": read_wandb,
}
FORMATS = (*TEXTS, *_TABLES)


def read_log(path: Path, form: str | None = None) -> RunLog:
    """Read a training log.

    Args:
        path: A file, packed by gzip or not, the folder of a run, or - for standard input.
        form: One of `FORMATS`; None to tell it from the contents.

    Raises:
        UsageError: No such file, an unknown format, or one whose library is not installed.
        InputError: It is empty, binary, of no known format, or holds no finite loss.
    """
    if path.is_dir():
        path = find_log(path)
    with open_log(path) as (file, entry):
        log = _read(file, form)
    return log if entry is None else replace(log, path=path, entry=entry)


def _read(path: Path, form: str | None) -> RunLog:
    form = form or detect_format(path)
    if form in TEXTS:
        return read_text(path, TEXTS[form]).finish()
    if form not in _TABLES:
        raise UsageError(f"no log format {form!r}; there are {', '.join(FORMATS)}")
    return _TABLES[form](path).finish()


def detect_format(path: Path) -> str:
    """Tell the format of a log from its name where that decides, else from its first 4 MB.

    Raises:
        InputError: It is empty, binary, or of no known format.
    """
    if path.suffix == ".wandb":
        return "wandb"
    if "tfevents" in path.name or path.is_dir():
        return "tensorboard"
    head = next(read_blocks(path, 1 << 22))
    hits = {name: _count_lines(head, form) for name, form in TEXTS.items()}
    best = max(hits, key=lambda name: hits[name])
    if hits[best]:
        return best
    start = head.lstrip(b"\xef\xbb\xbf \r\n\t")
    if start.startswith((b"{'loss'", b"{'train_runtime'", b"{'eval_loss'")):
        raise InputError(
            f"log {path} has what a Hugging Face trainer prints, which names no steps; give the "
            "trainer_state.json in its last checkpoint-*"
        )
    if start.startswith((b"{", b"[")):
        whole = start[:1] == b"[" or b'"log_history"' in head or _is_one_object(start)
        return "trainer_state" if whole else "jsonl"
    line = next(iter(start.splitlines()), b"").decode("utf-8", "replace")
    if any(mark in line for mark in ",;\t") or _heads_columns(line.split()):
        return "csv"
    if len(head) >= 1 << 22:
        return _search_further(path)
    raise InputError(
        f"log {path} is of no known format (it begins {show_line(line, 50)!r}); "
        f"there are {', '.join(FORMATS)}"
    )


def _count_lines(head: bytes, form: TextFormat) -> float:
    """Count a format's lines; those that only begin like it count little, as several may."""
    read = sum(len(pattern.regex.findall(head)) for pattern in form.patterns)
    return read + 1e-9 * len(form.begins.findall(head))


def _heads_columns(words: list[str]) -> bool:
    """Tell the header of a table whose columns spaces part."""
    chosen = choose_columns(words)
    return len(words) > 1 and "step" in chosen and bool({"batch", "val"} & chosen.keys())


def _is_one_object(start: bytes) -> bool:
    """Tell an indented JSON file from JSON lines: its first line is no object."""
    return not start.splitlines()[0].rstrip().endswith(b"}")


def _search_further(path: Path) -> str:
    """Look for lines of a text format after a long preamble."""
    for block in read_blocks(path):
        for name, form in TEXTS.items():
            if form.begins.search(block):
                return name
    raise InputError(f"log {path} is of no known format; there are {', '.join(FORMATS)}")
