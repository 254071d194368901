"""Texts as measurements read them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class TextBatch:
    """N texts of a batch: valid UTF-8 one after another, and what was counted of them.

    Text i is `data[offsets_N[i]:offsets_N[i + 1]]`; N + 1 offsets. Nothing in it may be changed.
    """

    data: NDArray[np.uint8]
    offsets_N: NDArray[np.int64]
    words_N: NDArray[np.int64]
    tokens_N: NDArray[np.int64]

    def read(self, index: int) -> bytes:
        """Return the bytes of one text."""
        return self.data[self.offsets_N[index] : self.offsets_N[index + 1]].tobytes()
