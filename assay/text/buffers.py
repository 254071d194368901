"""Text as kernels read it: documents one after another in a buffer, and 64 bytes to spare."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from assay.kernels import njit

PADDING = 64  # bytes that a kernel may read after the last one it is asked for


def pad_buffer(text: bytes | NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Copy bytes into a new array of the same length after which 64 more may be read."""
    source = np.frombuffer(text, np.uint8) if isinstance(text, bytes) else text
    padded = np.zeros(source.size + PADDING, np.uint8)
    padded[: source.size] = source
    return padded[: source.size]


@njit
def make_room(
    values: NDArray[np.uint64], used: int, more: int, spare: int = 0
) -> NDArray[np.uint64]:
    """Return an array that holds the first `used` values and has room for `more`.

    A new array has room for `spare` others: as many as there were, and it is seldom copied.
    """
    if used + more <= values.size:
        return values
    larger = np.empty(used + more + spare, np.uint64)
    for place in range(used):  # a slice would take numba two seconds more to compile
        larger[place] = values[place]
    return larger


def check_offsets(text: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return `offsets` as kernels take them, or say why they cannot.

    Raises:
        ValueError: They are empty, descend, or reach beyond `text`; or `text` is not
            contiguous bytes.
    """
    if text.dtype != np.uint8 or not text.flags.c_contiguous:
        raise ValueError(f"text is {text.dtype}, not contiguous uint8")
    offsets = np.ascontiguousarray(offsets, np.int64)
    if len(offsets) == 0 or offsets[0] < 0 or offsets[-1] > text.size:
        raise ValueError(f"offsets do not lie within the {text.size} bytes of text")
    if np.any(offsets[1:] < offsets[:-1]):
        raise ValueError("offsets descend")
    return offsets


def readable_spans(
    text: NDArray[np.uint8], offsets: NDArray[np.int64]
) -> Iterator[tuple[int, int, NDArray[np.uint8], int]]:
    """Cut documents into spans that kernels may read 64 bytes past the end of.

    Yields (first document, last document + 1, array to read from, byte of `text` where that
    array starts). Only the documents that end within 64 bytes of the end of `text` are copied.
    """
    documents = len(offsets) - 1
    safe = int(np.searchsorted(offsets[1:], text.size - PADDING, side="right"))
    if safe:
        yield 0, safe, text, 0
    if safe < documents:
        start = int(offsets[safe])
        yield safe, documents, pad_buffer(text[start : int(offsets[-1])]), start
