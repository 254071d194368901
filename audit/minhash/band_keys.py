"""Band keys: of a signature, one number a band, so that only 8 bytes a band need be kept.

Documents agree in a band where its keys are equal. Keys are odd: an even number agrees with none.
"""

# N = documents, B = bands, P = values of a signature

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.kernels import njit
from assay.storage.spill import Spill

MEMORY_BYTES = 1 << 30  # a larger table of keys lies on disk and is read a band at a time

_START = np.uint64(0x9E37_79B9_7F4A_7C15)
_MIX = np.uint64(0xFF51_AFD7_ED55_8CCD)


def make_keys(
    signature_NP: NDArray[np.uint32] | NDArray[np.uint64], bands: int, rows: int
) -> NDArray[np.uint64]:
    """Hash each band of `rows` consecutive values into a key; shape (bands, documents).

    Raises:
        ValueError: The signatures have fewer than `bands * rows` values.
    """
    if bands < 1 or rows < 1 or bands * rows > signature_NP.shape[1]:
        raise ValueError(
            f"{bands} bands of {rows} rows need {bands * rows} values, "
            f"signatures have {signature_NP.shape[1]}"
        )
    key_BN = np.empty((bands, len(signature_NP)), np.uint64)
    _hash_bands(np.ascontiguousarray(signature_NP), rows, key_BN)
    return key_BN


@njit
def _hash_bands(signature_NP: NDArray[np.uint32], rows: int, key_BN: NDArray[np.uint64]) -> None:
    for document in range(len(signature_NP)):
        for band in range(len(key_BN)):
            key = _START
            for place in range(band * rows, (band + 1) * rows):
                key = (key ^ np.uint64(signature_NP[document, place])) * _MIX
                key ^= key >> np.uint64(32)
            key_BN[band, document] = key | np.uint64(1)


class KeyTable:
    """The band keys of documents that come batch by batch.

    The table is made for `capacity` documents at once: in memory, or, where it would take more
    than `MEMORY_BYTES`, on disk (`assay.storage.spill`). `num_documents` has come so far.
    """

    def __init__(self, bands: int, capacity: int, folder: Path) -> None:
        # One place more than needed: always sliced, the table has one layout, and kernels compile
        # once.
        self._shape = (bands, capacity + 1)
        self.num_documents = 0
        self._memory: NDArray[np.uint64] | None = None
        if 8 * bands * capacity <= MEMORY_BYTES:
            self._memory = np.empty(self._shape, np.uint64)
        else:
            self._spill = Spill(folder, f"{8 * bands * capacity:,} bytes of band keys")

    def append(self, key_BN: Iterable[NDArray[np.uint64]], num_documents: int) -> None:
        """Add the keys of the next documents, a band at a time.

        Raises:
            SpaceError: The disk is full.
        """
        first, last = self.num_documents, self.num_documents + num_documents
        assert last < self._shape[1]
        for band, key_N in enumerate(key_BN):
            if self._memory is not None:
                self._memory[band, first:last] = key_N
            else:
                self._spill.write(key_N, self._locate(band, first))
        self.num_documents = last

    def read_bands(self, first: int, last: int) -> Iterator[NDArray[np.uint64]]:
        """Yield the keys of documents [first, last), a band at a time; until `finish`.

        May be called on one thread while another appends.
        """
        for band in range(self._shape[0]):
            if self._memory is not None:
                yield self._memory[band, first:last]
            else:
                yield self._spill.read(np.uint64, self._locate(band, first), last - first)

    def _locate(self, band: int, document: int) -> int:
        return 8 * (band * self._shape[1] + document)

    def finish(self) -> NDArray[np.uint64]:
        """Return the keys, shape (bands, documents)."""
        table = self._spill.map(np.uint64, self._shape) if self._memory is None else self._memory
        return table[:, : self.num_documents]
