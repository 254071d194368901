"""The text of a row: a column, a field of a struct (`doc.text`), or the messages of a chat.

Messages are a list of structs with `role` and `content` (or `from` and `value`): each becomes
`role: content`, with a blank line between two; one without role its content alone, a missing
content is empty.
"""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from assay.corpus.readers.documents import as_binary, holds_text, join_chunks
from assay.errors import ShardError

ROLES, CONTENTS = ("role", "from"), ("content", "value")
_USUAL = ("text", "content", "raw_content", "document", "messages", "conversations")
_DEEPEST = 4  # structs within structs that are looked into for a hint


def check_text_column(path: Path, schema: pa.Schema, wanted: str) -> None:
    """Check that a file has a text of this name.

    Raises:
        ShardError: It has none, or several, or one of another type; names what it has.
    """
    if schema.names.count(wanted) > 1:
        raise ShardError(f"{path} has {schema.names.count(wanted)} columns {wanted!r}, needed 1")
    kind = _find_type(schema, wanted)
    if kind is None:
        raise ShardError(_describe_columns(path, schema, wanted))
    if holds_text(kind) or _is_chat(kind):
        return
    inside = [name for name in _list_texts(schema) if name.startswith(f"{wanted}.")]
    hint = f"; did you mean text column {inside[0]!r}?" if inside else ""
    raise ShardError(
        f"{path}: column {wanted!r} is {str(kind)[:80]}, needed text (string, binary) or messages "
        f"(list of role and content){hint}"
    )


def read_text_column(table: pa.Table, wanted: str) -> pa.Array:
    """Return the text of each row as large_binary, null where there is none."""
    names = [wanted] if wanted in table.column_names else wanted.split(".")
    column = table.column(names[0])
    for name in names[1:]:
        column = pc.struct_field(column, [name])
    return _join_chat(join_chunks(column)) if _is_chat(column.type) else as_binary(column)


def join_messages(messages: Iterable[tuple[bytes | None, bytes | None]]) -> bytes:
    """Join the roles and contents of a chat.

    >>> join_messages([(b"user", b"Hi"), (None, b"Hello")])
    b'user: Hi\\n\\nHello'
    """
    return b"\n\n".join(
        role + b": " + (content or b"") if role else content or b"" for role, content in messages
    )


def _join_chat(chats: pa.Array) -> pa.Array:
    values = chats.flatten()
    role, content = (as_binary(_find_field(values, names)) for names in (ROLES, CONTENTS))
    messages = list(zip(role.to_pylist(), content.to_pylist(), strict=True))
    sizes = pc.list_value_length(chats).fill_null(0).to_numpy(zero_copy_only=False)
    ends = np.cumsum(sizes).tolist()
    texts = [
        join_messages(messages[end - size : end]) if valid else None
        for end, size, valid in zip(ends, sizes.tolist(), chats.is_valid().to_pylist(), strict=True)
    ]
    return pa.array(texts, pa.large_binary())


def _find_field(values: pa.Array, names: tuple[str, ...]) -> pa.ChunkedArray:
    there = [field.name for field in values.type]
    name = next(name for name in names if name in there)
    return pa.chunked_array([pc.struct_field(values, [name])])


def _find_type(schema: pa.Schema, wanted: str) -> pa.DataType | None:
    """Return the type of a column, or of a field of a struct; None where there is none."""
    if wanted in schema.names:
        return schema.field(wanted).type
    first, *rest = wanted.split(".")
    if schema.names.count(first) != 1:
        return None
    kind = schema.field(first).type
    for name in rest:
        if not pa.types.is_struct(kind) or kind.get_field_index(name) < 0:
            return None
        kind = kind.field(name).type
    return kind


def _is_chat(kind: pa.DataType) -> bool:
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    if not is_list or not pa.types.is_struct(kind.value_type):
        return False
    held = {field.name for field in kind.value_type if holds_text(field.type)}
    return bool(held & set(ROLES)) and bool(held & set(CONTENTS))


def _describe_columns(path: Path, schema: pa.Schema, wanted: str) -> str:
    names = schema.names
    shown = ", ".join(repr(name) for name in names[:12]) or "none"
    texts = list(_list_texts(schema))
    near = (
        get_close_matches(wanted, names, 1, 0.5)
        or [name for name in texts if name.lower() in _USUAL]
        or [name for name in texts if name.rpartition(".")[2].lower() in _USUAL]
    )
    hint = f"did you mean text column {near[0]!r}?" if near else "name the text column"
    return f"{path} has no column {wanted!r}; it has {shown}; {hint}"


def _list_texts(schema: pa.Schema) -> Iterator[str]:
    """List the names of all that can be read as text, fields of structs after their columns."""
    level = [(field.name, field.type) for field in schema]
    for _ in range(_DEEPEST):
        yield from (name for name, kind in level if holds_text(kind) or _is_chat(kind))
        level = [
            (f"{name}.{field.name}", field.type)
            for name, kind in level
            if pa.types.is_struct(kind)
            for field in kind
        ]
