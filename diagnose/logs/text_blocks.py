"""A log in blocks of whole lines, whatever wrote it: UTF-16, carriage returns, colours."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from assay.errors import InputError, UsageError

_BLOCK = 1 << 24
_COLOUR = re.compile(rb"\x1b\[[0-9;]*m")
_WIDE = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def read_blocks(path: Path, size: int = _BLOCK) -> Iterator[bytes]:
    """Yield a text file in blocks of about `size` bytes that end where a line ends.

    UTF-16 (what PowerShell's `>` writes) becomes UTF-8; a carriage return ends a line; colours go.

    Raises:
        UsageError: There is no such file.
        InputError: It is empty, or binary.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise UsageError(f"log {path} cannot be read: {error.strerror}") from error
    with file:
        block = file.read(size)
        if not block.strip():
            raise InputError(f"log {path} is empty; needed: the lines that a training run printed")
        wide = _WIDE.get(block[:2])
        decode = codecs.getincrementaldecoder(wide)("replace").decode if wide else None
        if decode is None and b"\0" in block:
            raise InputError(
                f"log {path} is binary (a zero byte at {block.index(bytes(1)):,}); needed: text"
            )
        rest = b""
        while block:
            following = file.read(size)
            whole = rest + (decode(block).encode() if decode else block)
            cut = len(whole)
            if following:
                cut = max(whole.rfind(b"\n"), whole.rfind(b"\r")) + 1
            if cut:
                yield _COLOUR.sub(b"", whole[:cut]) if b"\x1b[" in whole else whole[:cut]
            rest, block = whole[cut:], following
