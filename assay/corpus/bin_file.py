"""Bins as assay writes them: uint16 ids, no header, end-of-text after each document."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from assay.errors import InputError, UsageError

DTYPE = np.dtype("<u2")


def map_bin(path: Path) -> np.ndarray:
    """Map a headerless uint16 bin, read-only; shape (ids,).

    Raises:
        UsageError: There is no such file.
        InputError: It is empty, or its size is odd.
    """
    if not path.is_file():
        raise UsageError(f"no bin at {path}")
    size = path.stat().st_size
    if size == 0 or size % DTYPE.itemsize:
        raise InputError(
            f"{path} has {size:,} bytes; a uint16 bin has an even number, two for each id"
        )
    return np.memmap(path, dtype=DTYPE, mode="r")


def cut_ranges(start_N: np.ndarray, end_N: np.ndarray, most: int) -> Iterator[tuple[int, int]]:
    """Cut consecutive documents into ranges [first, last) of at most `most` ids, or bytes.

    A longer document is a range of its own. The same documents are cut alike.

    >>> list(cut_ranges(np.array([0, 3, 5, 9]), np.array([3, 5, 9, 10]), 5))
    [(0, 2), (2, 4)]
    """
    first = 0
    while first < len(end_N):
        limit = start_N[first] + most
        last = max(first + 1, int(np.searchsorted(end_N, limit, side="right")))
        yield first, last
        first = last


def find_documents(ids_T: np.ndarray, end_of_text: int) -> np.ndarray:
    """Find the documents of a bin: int64, shape (documents, 2), start and end without its mark.

    A mark stands after each; an unfinished last document counts. Reads the whole bin once.
    """
    marks_D = np.flatnonzero(ids_T == end_of_text)
    starts_D, ends_D = np.append(0, marks_D + 1), np.append(marks_D, ids_T.size)
    if starts_D[-1] == ids_T.size:
        starts_D, ends_D = starts_D[:-1], ends_D[:-1]
    return np.stack([starts_D, ends_D], axis=1).astype(np.int64)
