"""Untrusted text made safe to print; lines broken and laid out in columns."""

import json
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Sequence

import msgspec

_KEPT = {"\n", "\t"}
_BIDI = set(range(0x202A, 0x202F)) | set(range(0x2066, 0x206A)) | {0x200E, 0x200F, 0x061C}
_SEPARATORS = {0x2028, 0x2029}


def show_text(text: str, limit: int | None = None) -> str:
    r"""Make untrusted text safe to print: control and direction marks become visible.

    >>> show_text("a\x1b[2Jb\u202ec\nd")
    'a\\x1b[2Jb\\u202ec\nd'
    """
    out = "".join(_show_char(char) for char in text[: limit or len(text)])
    return out + "..." if limit is not None and len(text) > limit else out


def show_line(text: str | None, limit: int = 80) -> str:
    """Make untrusted text safe to print on one line, cut at `limit` characters; '-' for None."""
    return "-" if text is None else show_text(" ".join(text.split()), limit)


def printable(name: str) -> str:
    r"""Return a name with each control, direction or separator character replaced by `?`.

    For names that a folder records; what is only shown goes through `show_line`.

    >>> printable("raw\x1b[2J")
    'raw?[2J'
    """
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def _show_char(char: str) -> str:
    code = ord(char)
    hidden = unicodedata.category(char) in ("Cc", "Cs") and char not in _KEPT
    if not hidden and code not in _BIDI and code not in _SEPARATORS:
        return char
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def align(rows: Sequence[tuple[str, ...]], indent: str = "") -> str:
    """Lay rows out in columns two spaces apart; the last column is not padded.

    >>> print(align([("a", "1"), ("bcd", "2")]))
    a    1
    bcd  2
    """
    if not rows:
        return ""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        lines.append(indent + "  ".join([*cells, row[-1]]).rstrip())
    return "\n".join(lines)


def screen_width() -> int | None:
    """Return how many columns stdout's terminal has, at least 60; None where it is no terminal."""
    return max(60, shutil.get_terminal_size().columns) if sys.stdout.isatty() else None


def wrap(text: str, width: int) -> list[str]:
    """Break a text into lines of at most `width`, between words; options stay whole.

    >>> wrap("prepare with --drop exact", 20)
    ['prepare with --drop', 'exact']
    """
    return textwrap.wrap(text, width, break_on_hyphens=False)


def dump_json(value: object, indent: int | None = None) -> str:
    """Encode as JSON for stdout: ASCII alone, so that no text in it can steer a terminal."""
    plain = msgspec.to_builtins(value)
    return json.dumps(plain, indent=indent, ensure_ascii=True).replace("\x7f", "\\u007f")
