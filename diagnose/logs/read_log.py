"""Detect which program wrote a log, and read it."""

from dataclasses import replace
from pathlib import Path

from assay.diagnose.logs.formats import FORMATS, TABLE_FORMATS, TEXT_FORMATS
from assay.diagnose.logs.log_file import find_log, open_log
from assay.diagnose.logs.run_log import RunLog
from assay.diagnose.logs.text_blocks import read_blocks
from assay.errors import InputError, UsageError
from assay.terminal.text import show_line

_HEAD = 1 << 22  # bytes from which a format is detected
# What a Hugging Face trainer prints: it names no steps.
_TRAINER_OUTPUT = (b"{'loss'", b"{'train_runtime'", b"{'eval_loss'")


def read_log(path: Path, format: str | None = None) -> RunLog:
    """Read a training log.

    Args:
        path: A file, packed by gzip or not, the folder of a run, or - for standard input.
        format: A name in `FORMATS`; None to detect it.

    Raises:
        UsageError: No such file, an unknown format, or one whose library is not installed.
        InputError: It is empty, binary, of no known format, or holds no finite loss.
    """
    if path.is_dir():
        path = find_log(path)
    with open_log(path) as (file, entry):
        if format is not None and format not in FORMATS:
            raise UsageError(
                f"format must be one of {', '.join(FORMATS)}, got {format!r}", "format"
            )
        log = FORMATS[format or detect_format(file)].read(file).finish()
    return log if entry is None else replace(log, path=path, entry=entry)


def detect_format(path: Path) -> str:
    """Detect the format of a log by its name where that decides, else by its first 4 MB.

    Raises:
        InputError: It is empty, binary, or of no known format.
    """
    for table in TABLE_FORMATS:
        if table.is_named(path):
            return table.name
    head = next(read_blocks(path, _HEAD))
    best = max(TEXT_FORMATS, key=lambda text: text.count_lines(head))
    if best.count_lines(head):
        return best.name
    start = head.lstrip(b"\xef\xbb\xbf \r\n\t")
    if start.startswith(_TRAINER_OUTPUT):
        raise InputError(
            f"log {path} is the stdout of a Hugging Face trainer, which prints no steps; use the "
            "trainer_state.json in its last checkpoint-* folder"
        )
    for table in TABLE_FORMATS:
        if table.begins(start):
            return table.name
    if len(head) >= _HEAD:
        return _search_further(path)
    line = next(iter(start.splitlines()), b"").decode("utf-8", "replace")
    raise InputError(
        f"log {path} is in no known format (it begins {show_line(line, 50)!r}); "
        f"known formats are {', '.join(FORMATS)}"
    )


def _search_further(path: Path) -> str:
    """Look for lines of a text format after a long preamble."""
    for block in read_blocks(path):
        for text in TEXT_FORMATS:
            if text.begins.search(block):
                return text.name
    raise InputError(f"log {path} is in no known format; known formats are {', '.join(FORMATS)}")
