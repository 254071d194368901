"""What stands beside a text: ids, addresses and token counts, whatever their type."""

from contextlib import suppress

import numpy as np
import pyarrow as pa

from assay.corpus.readers.documents import as_binary, holds_text, join_chunks, unfold


def read_labels(table: pa.Table, keep_N: np.ndarray, name: str, kind: pa.DataType) -> pa.Array:
    """Return rows of a column as `kind`, or nulls where it is missing or of another kind."""
    array = _cast_labels(table, name, kind)  # first: views cannot be taken from
    return array.take(pa.array(keep_N)) if keep_N.size < len(array) else array


def _cast_labels(table: pa.Table, name: str, kind: pa.DataType) -> pa.Array:
    if name not in table.column_names:
        return pa.nulls(table.num_rows, kind)
    column = table.column(name)
    if pa.types.is_large_string(kind) and holds_text(column.type):
        return _decode_labels(as_binary(column))
    with suppress(pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return join_chunks(unfold(column).cast(kind))
    return pa.nulls(table.num_rows, kind)


def _decode_labels(labels: pa.Array) -> pa.Array:
    """Return large_binary labels as text; what is not UTF-8 in one of them is replaced."""
    texts = labels.view(pa.large_string())
    with suppress(pa.ArrowInvalid):
        texts.validate(full=True)
        return texts
    mended = [raw if raw is None else raw.decode("utf-8", "replace") for raw in labels.to_pylist()]
    return pa.array(mended, pa.large_string())
