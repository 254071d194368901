"""Tables too large for memory: written to a file without a name, then mapped to be read.

Written, not mapped, while they grow: on a full disk a map is a bus error, not an exception.
"""

import errno
import mmap
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.errors import SpaceError
from assay.storage.publish import TEMPORARY


class Spill:
    """A file in `folder` that has no name, and is gone when nothing refers to it any more."""

    def __init__(self, folder: Path, what: str) -> None:
        self._folder, self._what = folder, what
        self._file = tempfile.TemporaryFile(dir=folder, prefix=TEMPORARY)  # noqa: SIM115
        self.size = 0

    def __del__(self) -> None:
        self._file.close()

    def append(self, values: NDArray[Any]) -> None:
        """Write values behind those that are there. Raises SpaceError where the disk is full."""
        self.write(values, self.size)

    def write(self, values: NDArray[Any], at: int) -> None:
        """Write values at byte `at`. Raises SpaceError where the disk is full."""
        rest = np.ascontiguousarray(values).reshape(-1).view(np.uint8).data
        try:
            while rest.nbytes:
                written = os.pwrite(self._file.fileno(), rest, at)
                rest, at = rest[written:], at + written
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise SpaceError(
                f"{self._folder}: no space left for {self._what}; free some and run the same "
                "command"
            ) from error
        self.size = max(self.size, at)

    def read(self, dtype: Any, at: int, items: int) -> NDArray[Any]:
        """Read values that were written at byte `at`, before they are mapped."""
        values = np.empty(items, dtype)
        rest = values.view(np.uint8).data
        while rest.nbytes and (done := os.preadv(self._file.fileno(), [rest], at)):
            rest, at = rest[done:], at + done
        return values

    def map(self, dtype: Any, shape: tuple[int, ...]) -> NDArray[Any]:
        """Map the file as an array; changes to it stay in memory. The file takes no more."""
        items = int(np.prod(shape, dtype=np.int64))
        if items == 0:
            return np.empty(shape, dtype)
        self._file.truncate(items * np.dtype(dtype).itemsize)
        mapped = np.memmap(self._file, dtype, "c", shape=shape)
        self._file.close()
        return mapped.view(np.ndarray)


def is_mapped(values: NDArray[Any]) -> bool:
    """Tell whether an array is read from disk."""
    return _find_map(values) is not None


def release_pages(values: NDArray[Any]) -> None:
    """Give back the memory in which a mapped array was read; it is read from disk again.

    Does nothing to an array in memory. Unsuitable where the array was changed.
    """
    found = _find_map(values)
    if found is not None and hasattr(mmap, "MADV_DONTNEED"):
        found.madvise(mmap.MADV_DONTNEED)


def _find_map(values: NDArray[Any]) -> mmap.mmap | None:
    base: Any = values
    while isinstance(base, np.ndarray):
        base = base.base
    return base if isinstance(base, mmap.mmap) else None
