"""All places at which values stand in a sorted array."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def find_places(
    value_K: NDArray[Any], wanted: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the places of each of the wanted values, one after another, and whose each is.

    >>> find_places(np.array([3, 3, 5, 8]), np.array([8, 4, 3]))
    (array([3, 0, 1]), array([0, 2, 2]))
    """
    first = np.searchsorted(value_K, wanted, "left")
    count = np.searchsorted(value_K, wanted, "right") - first
    whose = np.repeat(np.arange(wanted.size), count)
    places = np.repeat(first - np.cumsum(count) + count, count) + np.arange(whose.size)
    return places, whose
