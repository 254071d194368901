"""What stands beside a text: ids and addresses as text, token counts as integers, of any type.

A value that cannot be read is null and counted, and hides no other: each is read by itself where
its column cannot be converted at once, and by the same rule.
"""

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from decimal import Decimal
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from assay.corpus.readers.documents import as_binary, holds_text, join_chunks, unfold

_INTEGER = re.compile(rb"\s*[+-]?[0-9]{1,19}\s*")
_UUID_BYTES = 16


def read_labels(
    table: pa.Table, name: str, keep_N: np.ndarray, read: Callable[[pa.ChunkedArray], pa.Array]
) -> tuple[pa.Array, int]:
    """Read some rows of a column; return them, and how many of them have an unreadable value.

    Args:
        table: May lack the column: then all are null, and none unreadable.
        name: The column; where there are several of that name, none can be read.
        keep_N: The rows, ascending.
        read: `read_texts` or `read_counts`.
    """
    found = [table.column(i) for i, other in enumerate(table.column_names) if other == name]
    if not found:
        return read(pa.chunked_array([pa.nulls(keep_N.size)])), 0
    column = found[0] if len(found) == 1 else pa.chunked_array([pa.nulls(table.num_rows)])
    array = read(column)
    lost_N = pc.and_(pc.is_null(array), pc.is_valid(join_chunks(unfold(found[0]))))
    if keep_N.size == len(array):
        return array, pc.sum(lost_N).as_py() or 0
    rows = pa.array(keep_N)
    return array.take(rows), pc.sum(lost_N.take(rows)).as_py() or 0


def read_texts(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as large_string, null where a value is unreadable.

    Bytes are taken as UTF-8, what is not is replaced. Numbers, dates and truth values are written
    out. Fixed-size binary that is not printable ASCII is a UUID where it has 16 bytes, else hex. Of
    lists, structs and the like no value is readable.
    """
    column = unfold(column)
    if holds_text(column.type):
        return _decode(as_binary(column))
    if pa.types.is_fixed_size_binary(column.type):
        texts = [None if raw is None else _name_bytes(raw) for raw in column.to_pylist()]
        return pa.array(texts, pa.large_string())
    with suppress(pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return join_chunks(column.cast(pa.large_string()))
    return pa.nulls(len(column), pa.large_string())


def read_counts(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as int64, null where a value is unreadable.

    Readable are integers, whole numbers of other types, and texts of digits with a sign, all within
    64 bits.
    """
    column = unfold(column)
    kind = column.type
    if pa.types.is_integer(kind):
        with suppress(pa.ArrowInvalid):  # uint64 over 2^63
            return join_chunks(column.cast(pa.int64()))
    if pa.types.is_floating(kind):
        return _round_whole(join_chunks(column))
    if holds_text(kind):
        return _read_each(as_binary(column).to_pylist())
    if pa.types.is_decimal(kind) or pa.types.is_integer(kind):
        return _read_each(column.to_pylist())
    return pa.nulls(len(column), pa.int64())


def _round_whole(numbers: pa.Array) -> pa.Array:
    """Return floats as int64, null where one is not whole or not within 64 bits."""
    value_N = numbers.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False)
    whole_N = np.isfinite(value_N) & (np.abs(value_N) < 2.0**63)
    whole_N[whole_N] = value_N[whole_N] == np.floor(value_N[whole_N])
    count_N = np.zeros(value_N.size, np.int64)
    count_N[whole_N] = value_N[whole_N].astype(np.int64)
    return pa.array(count_N, pa.int64(), mask=~whole_N)


def _read_each(values: Iterable[object]) -> pa.Array:
    return pa.array([_read_count(value) for value in values], pa.int64())


def _read_count(value: object) -> int | None:
    """Read one count; None where it is none."""
    if isinstance(value, bytes):
        count = int(value) if _INTEGER.fullmatch(value) else None
    elif isinstance(value, Decimal):
        count = int(value) if value.is_finite() and value == value.to_integral_value() else None
    else:
        count = value if isinstance(value, int) else None
    return count if count is not None and -(1 << 63) <= count < 1 << 63 else None


def _name_bytes(raw: bytes) -> str:
    """Name bytes of a fixed size: text if they are printable ASCII, a UUID, or hex."""
    if raw.isascii() and raw.decode("ascii").isprintable():
        return raw.decode("ascii")
    return str(UUID(bytes=raw)) if len(raw) == _UUID_BYTES else raw.hex()


def _decode(labels: pa.Array) -> pa.Array:
    """Return large_binary labels as text; what is not UTF-8 in one of them is replaced."""
    texts = labels.view(pa.large_string())
    with suppress(pa.ArrowInvalid):
        texts.validate(full=True)
        return texts
    mended = [raw if raw is None else raw.decode("utf-8", "replace") for raw in labels.to_pylist()]
    return pa.array(mended, pa.large_string())
