"""Rows of JSON lines: each an object with a text, and what stands beside it, as columns."""

import json
from collections.abc import Sequence
from typing import Any

import msgspec
import pyarrow as pa

from assay.corpus.readers.table_batches import LABELS
from assay.corpus.readers.text_column import CONTENTS, ROLES, join_messages

_FAST_ERRORS = (msgspec.MsgspecError, UnicodeDecodeError)
_SLOW_ERRORS = (ValueError, RecursionError)


class BadLineError(Exception):
    """A line that is no row: its place among the lines, and the reason, after its number."""

    def __init__(self, place: int, reason: str) -> None:
        super().__init__(reason)
        self.place, self.reason = place, reason


class RowDecoder:
    """Decodes lines to a table of texts and labels; `text_column` may be a field of an object."""

    def __init__(self, text_column: str) -> None:
        self._text = text_column
        self._names = text_column.split(".")
        kept = dict.fromkeys((text_column, self._names[0], *LABELS))
        self._keys = {name: f"f{place}" for place, name in enumerate(kept)}
        fields = [
            (key, Any, msgspec.field(default=None, name=name)) for name, key in self._keys.items()
        ]
        row = msgspec.defstruct("Row", fields, gc=False)
        self._decoder = msgspec.json.Decoder(row)

    def decode(self, lines: Sequence[bytes]) -> pa.Table:
        """Decode lines to a table: the text as large_binary, labels as they are written.

        Raises:
            BadLineError: A line is no object, or its text is no text.
        """
        texts: list[bytes | None] = []
        labels: dict[str, list[str | None]] = {name: [] for name in LABELS}
        for place, line in enumerate(lines):
            row = self._read_row(line, place)
            texts.append(_read_text(self._find_text(row), place))
            for name in LABELS:
                labels[name].append(_write_label(row.get(name)))
        columns = {name: pa.array(values, pa.large_string()) for name, values in labels.items()}
        return pa.table(columns | {self._text: pa.array(texts, pa.large_binary())})

    def _read_row(self, line: bytes, place: int) -> dict[str, Any]:
        """Read what is needed of a line; one that the fast decoder refuses is read leniently."""
        try:
            row = self._decoder.decode(line)
        except _FAST_ERRORS:
            return self.read_object(line, place)
        return {name: getattr(row, key) for name, key in self._keys.items()}

    def read_object(self, line: bytes, place: int) -> dict[str, Any]:
        """Read a whole line as Python's json does: NaN, lone surrogates and stray bytes pass.

        Raises:
            BadLineError: It is no JSON object.
        """
        if place == 0:
            line = line.removeprefix(b"\xef\xbb\xbf")
        try:
            row = json.loads(line.decode("utf-8", "surrogateescape"))
        except _SLOW_ERRORS as error:
            raise BadLineError(place, f"is not JSON ({str(error)[:100]})") from error
        if not isinstance(row, dict):
            raise BadLineError(place, f"is no JSON object, but {_name_type(row)}")
        return row

    def has_text(self, row: dict[str, Any]) -> bool:
        """Tell whether a row has a text."""
        return self._find_text(row) is not None

    def _find_text(self, row: dict[str, Any]) -> Any:
        value = row.get(self._text)
        if value is not None or len(self._names) == 1:
            return value
        value = row
        for name in self._names:
            value = value.get(name) if isinstance(value, dict) else None
        return value


def _read_text(value: Any, place: int) -> bytes | None:
    """Return a text, or the messages of a chat, as bytes."""
    if value is None:
        return None
    if isinstance(value, str):
        return _encode(value)
    if isinstance(value, list) and all(map(_is_message, value)):
        return join_messages((_pick(each, ROLES), _pick(each, CONTENTS)) for each in value)
    raise BadLineError(place, f"has {_name_type(value)} for its text")


def _is_message(value: Any) -> bool:
    if not isinstance(value, dict) or not any(name in value for name in CONTENTS):
        return False
    parts = (value.get(name) for name in (*ROLES, *CONTENTS))
    return all(part is None or isinstance(part, str) for part in parts)


def _pick(message: dict[str, Any], names: Sequence[str]) -> bytes | None:
    value = next((message[name] for name in names if name in message), None)
    return None if value is None else _encode(value)


def _encode(text: str) -> bytes:
    """Encode a text; stray bytes stay as they were, and are no UTF-8."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return b"".join(map(_encode_mark, text))


def _encode_mark(mark: str) -> bytes:
    stray = "\udc80" <= mark <= "\udcff"
    return mark.encode("utf-8", "surrogateescape" if stray else "surrogatepass")


def _write_label(value: Any) -> str | None:
    """Write an id, an address or a count as text; whole numbers without a point."""
    if value is None:
        return None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value)


def _name_type(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", str: "a string", bool: "a truth value"}
    return "null" if value is None else kinds.get(type(value), "a number")
