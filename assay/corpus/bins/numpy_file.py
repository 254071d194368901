"""NumPy's files of one array, as build-nanogpt writes them: the header read, the ids mapped."""

import ast
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np

from assay.corpus.bins.layout import DTYPES, Layout, fit_layout
from assay.errors import ShardError

MAGIC = b"\x93NUMPY"
# The size of the header's length, by version (numpy.lib.format).
_LENGTHS = {(1, 0): "<H", (2, 0): "<I"}
_MAX_HEADER = 10_000
_KEYS = {"descr", "fortran_order", "shape"}
_DESCR = re.compile(r"[<=|]?([ui])([1248])")


def read_numpy_layout(path: Path, head: bytes) -> Layout:
    """Read the header of a NumPy file of ids.

    Raises:
        ShardError: It is none, is damaged, does not fit the file, or holds something else than one
            row of little-endian whole numbers.
    """
    if not head.startswith(MAGIC):
        raise ShardError(
            f"{path} does not begin as NumPy's files do; if it holds raw ids, as dolma writes "
            "them, rename it to end in .bin"
        )
    descr, shape, offset = _read_header(path, head)
    found = _DESCR.fullmatch(descr) if isinstance(descr, str) else None
    dtype = _find_dtype(*found.groups()) if found else None
    if dtype is None:
        raise ShardError(
            f"{path} holds {str(descr)[:40]!r}, needed little-endian ids: {', '.join(DTYPES)}"
        )
    if len(shape) != 1:
        raise ShardError(
            f"{path} holds an array of shape {shape}, needed one row of ids; sequences cut to a "
            "length have lost where documents end"
        )
    return fit_layout(path, "NumPy", dtype, offset, shape[0], "its NumPy header")


def _find_dtype(kind: str, size: str) -> np.dtype[Any] | None:
    """Return the type of ids of a kind and a size; uint64 is read as int64."""
    kind = "i" if size == "8" else kind
    return next((dtype for dtype in DTYPES.values() if f"{kind}{size}" == dtype.str[1:]), None)


def _read_header(path: Path, head: bytes) -> tuple[object, tuple[int, ...], int]:
    """Return what the header says of the type and the shape, and where the array begins."""
    begins = len(MAGIC) + 2
    length = _LENGTHS.get(tuple(head[len(MAGIC) : begins]))  # type: ignore[arg-type]
    if length is None or len(head) < begins + struct.calcsize(length):
        raise ShardError(f"{path} has a NumPy header of an unknown version; it is damaged")
    begins += struct.calcsize(length)
    (size,) = struct.unpack(length, head[begins - struct.calcsize(length) : begins])
    if size > _MAX_HEADER or begins + size > path.stat().st_size:
        raise ShardError(f"{path} has a NumPy header of {size:,} bytes; it is damaged or cut off")
    with path.open("rb") as file:
        text = file.read(begins + size)[begins:].decode("latin-1")
    try:
        header = ast.literal_eval(text.strip(" \n"))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ShardError(f"{path} has a NumPy header that is damaged: {text[:60]!r}") from error
    if not isinstance(header, dict) or header.keys() != _KEYS:
        raise ShardError(f"{path} has a NumPy header that is damaged: {text[:60]!r}")
    shape = header["shape"]
    if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
        raise ShardError(f"{path} has a NumPy header whose shape is {str(shape)[:40]}")
    return header["descr"], shape, begins + size
