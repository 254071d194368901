"""What a file is by its first bytes, where it is not what its name says, and the way out."""

import json
import shlex
from pathlib import Path

from assay.corpus.conversions import advise_conversion, describe_other

_PACKED = {
    b"\x1f\x8b": (".gz", "gunzip"),
    b"\x28\xb5\x2f\xfd": (".zst", "zstd -d"),
    b"BZh": (".bz2", "bunzip2"),
    b"\xfd7zXZ\0": (".xz", "xz -d"),
}
_SHARDS = {b"PAR1": ("parquet", ".parquet"), b"ARROW1": ("Arrow", ".arrow")}
_OTHERS = {
    b"ORC": ("ORC", ".orc"),
    b"Obj\x01": ("Avro", ".avro"),
    b"FEA1": ("Feather of version 1", ".feather"),
    b"PK\x03\x04": ("a zip archive", ".zip"),
}
_LOOKED_AT = 4096  # bytes
_SHOWN = 60


def describe_content(path: Path) -> str:
    """Say in a clause what a file is instead, with the next step; "" where that is not known.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_LOOKED_AT)
    if not head:
        return "it is empty (0 bytes)"
    if head.lstrip()[:1] == b"<":
        return "it is an HTML or XML page; download the file itself"
    if head.startswith(b"version https://git-lfs"):
        return "it is a Git LFS pointer; run git lfs pull"
    for magic, (suffix, command) in _PACKED.items():
        if head.startswith(magic):
            packed = _rename(path, path.name + suffix)
            return f"it is compressed; unpack it: {packed} && {command} {_quote(path, suffix)}"
    for magic, (what, suffix) in _OTHERS.items():
        if head.startswith(magic):
            return _convert(path, what, suffix)
    for magic, (what, suffix) in _SHARDS.items():
        if head.startswith(magic) and path.suffix.lower() != suffix:
            return f"it is {what}; rename it: {_rename(path, path.stem + suffix)}"
    return _describe_text(path, head)


def _describe_text(path: Path, head: bytes) -> str:
    """Tell JSON, CSV and plain text apart."""
    if b"\0" in head:
        return ""
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # not a character that was cut in two
            return ""
        text = head[: error.start].decode("utf-8-sig")
    if path.suffix.lower() != ".parquet" and describe_other(path):
        return _convert(path, describe_other(path), path.suffix.lower())
    if text.lstrip()[:1] == "{":
        return _describe_object(path, text)
    if text.lstrip()[:1] == "[":
        return _convert(path, "a JSON array", ".json")
    first, *rest = text.splitlines()[:3]
    for mark, suffix in ((",", ".csv"), ("\t", ".tsv")):
        if rest and 0 < first.count(mark) <= min(line.count(mark) for line in rest):
            return _convert(path, "CSV", suffix)
    return _convert(path, "plain text", ".txt")


def _describe_object(path: Path, text: str) -> str:
    """Tell JSON lines from a page that says why there is no file."""
    whole = text.strip()
    try:
        keys = set(json.loads(whole))
    except ValueError:
        keys = set()
    if keys & {"error", "errors", "message", "detail"} and len(whole) < _LOOKED_AT // 2:
        shown = whole if len(whole) <= _SHOWN else whole[:_SHOWN] + "..."
        return f"it is an answer of a server ({shown}); download the file itself"
    return f"it is JSON; if an object a line, rename it: {_rename(path, path.stem + '.jsonl')}"


def _convert(path: Path, what: str, suffix: str) -> str:
    return f"it is {what}; convert it: {advise_conversion(path, suffix)}"


def _rename(path: Path, name: str) -> str:
    return f"mv {shlex.quote(str(path))} {shlex.quote(str(path.with_name(name)))}"


def _quote(path: Path, suffix: str) -> str:
    return shlex.quote(str(path) + suffix)
