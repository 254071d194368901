"""wandb's offline runs (`run-*.wandb`): LevelDB's frames, and in them wandb's messages."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assay.diagnose.logs.gatherer import Gatherer
from assay.diagnose.logs.tables import TableFormat, gather_rows
from assay.errors import InputError, UsageError
from assay.terminal.numbers import number_of

_MAGIC = b":W&B\xe1\xbe"
_FILE_HEADER, _BLOCK = 7, 32_768  # bytes
_HEADER = 7  # of a record: checksum 4, length 2, kind 1
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4


def read_wandb(path: Path) -> Gatherer:
    """Read the history of an offline run: its .wandb file, or the folder that holds it.

    Raises:
        UsageError: wandb is not installed.
        InputError: There is no .wandb file, or it has no history.
    """
    try:
        from google.protobuf.message import DecodeError
        from wandb.proto import wandb_internal_pb2
    except ImportError as error:
        raise UsageError(
            f"log {path} is a wandb run; reading it needs wandb: pip install 'assay[wandb]'"
        ) from error
    file = path if path.is_file() else next(iter(sorted(path.glob("*.wandb"))), None)
    if file is None:
        raise InputError(f"log {path} has no .wandb file; needed: a folder offline-run-*")
    rows, broken = [], 0
    for message in read_records(file.read_bytes(), file):
        record = wandb_internal_pb2.Record()
        try:
            record.ParseFromString(message)
            if record.WhichOneof("record_type") == "history":
                rows.append(_read_history(record.history))
        except (DecodeError, ValueError):
            broken += 1
    if not rows:
        raise InputError(f"log {path} has no history ({broken:,} records cannot be read)")
    gathered = gather_rows(path, "wandb", rows)
    if broken:
        gathered.notes.append(f"{number_of(broken, 'record')} unreadable; ignored")
    return gathered


def read_records(data: bytes, file: Path) -> Iterator[bytes]:
    """Yield the records of a .wandb file, up to where it breaks off.

    Blocks of 32,768 bytes; a record that does not fit goes on in the next block.

    Raises:
        InputError: The file does not begin as wandb's do.
    """
    if not data.startswith(_MAGIC):
        raise InputError(f"log {file} is not a .wandb file: it begins with other bytes")
    at, parts = _FILE_HEADER, b""
    while at + _HEADER <= len(data):
        left = _BLOCK - at % _BLOCK
        if left < _HEADER:
            at += left
            continue
        length, kind = int.from_bytes(data[at + 4 : at + 6], "little"), data[at + 6]
        body = data[at + _HEADER : at + _HEADER + length]
        if len(body) < length or kind not in (_FULL, _FIRST, _MIDDLE, _LAST):
            return
        parts = body if kind in (_FULL, _FIRST) else parts + body
        if kind in (_FULL, _LAST):
            yield parts
        at += _HEADER + length


def _read_history(history: Any) -> dict[str, Any]:
    return {"_step": history.step.num} | {
        item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in history.item
    }


WANDB = TableFormat("wandb", read_wandb, is_named=lambda path: path.suffix == ".wandb")
