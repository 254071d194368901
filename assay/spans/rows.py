"""Tables of rows that grow within a kernel."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.kernels import njit


@njit
def make_rows(rows: NDArray[Any], used: int, more: int) -> NDArray[Any]:
    """Return a table, or a column, that holds the first `used` rows and has room for `more`."""
    if used + more <= len(rows):
        return rows
    larger = np.empty((2 * (used + more), *rows.shape[1:]), rows.dtype)
    larger[:used] = rows[:used]
    return larger
