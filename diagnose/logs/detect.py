"""Tell which program wrote a log, and read it."""

from collections.abc import Callable
from pathlib import Path

from assay.console import show_line
from assay.diagnose.logs.gather import Gatherer
from assay.diagnose.logs.llmc import LLMC
from assay.diagnose.logs.modded import MODDED
from assay.diagnose.logs.nanochat import NANOCHAT
from assay.diagnose.logs.nanogpt import NANOGPT
from assay.diagnose.logs.rows import read_csv, read_json_lines
from assay.diagnose.logs.runlog import RunLog
from assay.diagnose.logs.tensorboard import read_tensorboard
from assay.diagnose.logs.text import read_blocks, read_text
from assay.diagnose.logs.trainer_state import read_trainer_state
from assay.diagnose.logs.wandb import read_wandb
from assay.errors import InputError, UsageError

TEXTS = {form.name: form for form in (NANOGPT, LLMC, MODDED, NANOCHAT)}
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
        path: A file, or the folder of a wandb or TensorBoard run, or of a run of ours.
        form: One of `FORMATS`; None to tell it from the contents.

    Raises:
        UsageError: No such file, an unknown format, or one whose library is not installed.
        InputError: It is empty, binary, of no known format, or holds no finite loss.
    """
    if not path.exists():
        raise UsageError(f"no log at {path}")
    if path.is_dir() and (path / "metrics.jsonl").is_file():
        path = path / "metrics.jsonl"
    form = form or detect_format(path)
    if form in TEXTS:
        return read_text(path, TEXTS[form]).finish()
    if form not in _TABLES:
        raise UsageError(f"no log format {form!r}; there are {', '.join(FORMATS)}")
    return _TABLES[form](path).finish()


def detect_format(path: Path) -> str:
    """Tell the format of a log from its name where that decides, else from its first 4 MB."""
    if path.suffix == ".wandb" or (path.is_dir() and any(path.glob("*.wandb"))):
        return "wandb"
    if "tfevents" in path.name or (path.is_dir() and any(path.glob("*tfevents*"))):
        return "tensorboard"
    if path.is_dir():
        raise UsageError(
            f"log {path} is a folder; needed: a log file, or a wandb or TensorBoard run"
        )
    head = next(read_blocks(path, 1 << 22))
    hits = {name: len(form.begins.findall(head)) for name, form in TEXTS.items()}
    best = max(hits, key=lambda name: hits[name])
    start = head.lstrip(b"\xef\xbb\xbf \r\n\t")
    if start.startswith(b"{"):
        return "trainer_state" if b'"log_history"' in head or _is_one_object(start) else "jsonl"
    if hits[best]:
        return best
    line = next(iter(start.splitlines()), b"").decode("utf-8", "replace")
    if any(mark in line for mark in ",;\t"):
        return "csv"
    if len(head) >= 1 << 22:
        return _search_further(path)
    raise InputError(
        f"log {path} is of no known format (it begins {show_line(line, 50)!r}); "
        f"there are {', '.join(FORMATS)}"
    )


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
