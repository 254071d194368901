"""The hits of all batches: in memory, or on disk once they are many."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.spans.hits import Hits, shift_hits
from assay.storage.spill import Spill

MEMORY_BYTES = 1 << 27  # of each of the two columns; what is more lies on disk


class HitTable:
    """Gathers hits of batches, in the order of their documents; 16 bytes a run and 4 an n-gram.

    In memory, or from `MEMORY_BYTES` on in nameless files in `folder`.
    """

    def __init__(self, folder: Path) -> None:
        self._runs = _Column(folder)
        self._chars = _Column(folder)

    def append(self, hits: Hits, first_document: int) -> None:
        """Add the hits of a batch whose first document is number `first_document`.

        Raises:
            SpaceError: The disk is full.
        """
        if hits.run_R4.size:
            self._runs.append(shift_hits(hits, first_document).run_R4)
            self._chars.append(hits.char_H)

    def finish(self) -> Hits:
        """Return all hits; the table takes no more."""
        return Hits(self._runs.finish((-1, 4)), self._chars.finish((-1,)))


class _Column:
    """Values of uint32 that come in parts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts: list[NDArray[np.uint32]] = [np.empty(0, np.uint32)]
        self._spill: Spill | None = None
        self._size = 0

    def append(self, values: NDArray[np.uint32]) -> None:
        values = values.reshape(-1)
        self._size += values.size
        if self._spill is None and 4 * self._size <= MEMORY_BYTES:
            self._parts.append(values)
            return
        if self._spill is None:
            self._spill = Spill(self._folder, "shared n-grams")
            self._spill.append(np.concatenate(self._parts))
            self._parts = []
        self._spill.append(values)

    def finish(self, shape: tuple[int, ...]) -> NDArray[Any]:
        if self._spill is None:
            return np.concatenate(self._parts).reshape(shape)
        return self._spill.map(np.uint32, (self._size,)).reshape(shape)
