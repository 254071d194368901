"""Settings from a file: TOML, or one of nanoGPT's `config/*.py`, parsed and never executed."""

import tomllib
from pathlib import Path
from typing import Any

from assay.errors import UsageError
from assay.laws.nanogpt_config import (
    NANOGPT_DEFAULTS,
    NANOGPT_ELSEWHERE,
    parse_nanogpt,
    refuse_code,
)


def read_config(path: Path) -> tuple[dict[str, Any], list[str]]:
    """Read settings from TOML or from a nanoGPT `config/*.py`; their names are not checked.

    Returns the settings, and the names of those that mean something to nanoGPT alone.

    Raises:
        UsageError: No such file, not TOML, or, in Python, anything but assignments of literals and
            of arithmetic on them (the message has its line).
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise UsageError(f"config {path} does not exist; name TOML, or nanoGPT's .py") from error
    except OSError as error:
        raise UsageError(f"config {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"config {path} cannot be read: {error}") from error
    if path.suffix == ".py":
        return _read_nanogpt(text, path)
    try:
        return tomllib.loads(text), []
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"config {path} is not TOML: {error}") from error


def _read_nanogpt(text: str, path: Path) -> tuple[dict[str, Any], list[str]]:
    found, unread = parse_nanogpt(text, path)
    if unread:
        raise refuse_code(path, unread[0].line)
    elsewhere = sorted(NANOGPT_ELSEWHERE & set(found))
    settings = {"arch": "nanogpt", "schedule": "cosine"} | NANOGPT_DEFAULTS
    settings |= {name: value for name, value in found.items() if name not in elsewhere}
    if settings.pop("decay_lr", True) is False:
        settings["schedule"] = "constant"
    return settings, elsewhere
