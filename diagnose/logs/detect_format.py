"""Detect which program wrote a log."""

from pathlib import Path

from assay.diagnose.logs.formats import FORMATS, TABLE_FORMATS, TEXT_FORMATS
from assay.diagnose.logs.text_blocks import read_blocks
from assay.errors import InputError
from assay.terminal.text import show_line

_HEAD = 1 << 22  # bytes from which a format is detected
# What a Hugging Face trainer prints: it names no steps.
_TRAINER_OUTPUT = (b"{'loss'", b"{'train_runtime'", b"{'eval_loss'")


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
