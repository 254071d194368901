"""One pass over the ids of a bin: their bounds, where end-of-text stands, the longest run of zeros.

In steps of some megabytes, so that a bin of any size takes little memory: 8 bytes a document.
"""

# T = ids, D = end-of-text ids

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

CHUNK_IDS = 1 << 22


@dataclass(frozen=True, slots=True)
class Survey:
    """What a pass over ids found.

    Attributes:
        count: How many there are.
        smallest: The smallest, and `largest` the largest; 0 where there are none.
        beyond: How many are not in the vocabulary, and `first_beyond` where the first stands.
        num_zeros: How many are 0.
        zeros: The longest run of id 0, and `zeros_at` where it begins (the first of equals).
        tail: How many ids at the end are 0.
        marks_D: Where end-of-text stands, int64, ascending.
    """

    count: int
    smallest: int
    largest: int
    beyond: int
    first_beyond: int
    num_zeros: int
    zeros: int
    zeros_at: int
    tail: int
    marks_D: NDArray[np.int64]


def survey_ids(ids_T: NDArray[Any], vocab_size: int, end_of_text: int) -> Survey:
    """Survey ids; those under 0 count as beyond the vocabulary."""
    smallest, largest, beyond, first_beyond = 0, 0, 0, -1
    marks, runs = [np.zeros(0, np.int64)], _Runs()
    for first in range(0, ids_T.size, CHUNK_IDS):
        chunk_T = ids_T[first : first + CHUNK_IDS]
        low, high = int(chunk_T.min()), int(chunk_T.max())
        smallest, largest = (low, high) if not first else (min(smallest, low), max(largest, high))
        if low < 0 or high >= vocab_size:
            odd = np.flatnonzero((chunk_T < 0) | (chunk_T >= vocab_size))
            first_beyond = first + int(odd[0]) if not beyond else first_beyond
            beyond += odd.size
        marks.append(first + np.flatnonzero(chunk_T == end_of_text))
        runs.add(chunk_T == 0, first)
    return Survey(
        count=int(ids_T.size),
        smallest=smallest,
        largest=largest,
        beyond=beyond,
        first_beyond=first_beyond,
        num_zeros=runs.count,
        zeros=runs.longest,
        zeros_at=runs.longest_at,
        tail=runs.open,
        marks_D=np.concatenate(marks),
    )


class _Runs:
    """The longest run of what is true, over chunks one after another."""

    def __init__(self) -> None:
        self.count, self.longest, self.longest_at, self.open = 0, 0, -1, 0

    def add(self, true_T: NDArray[np.bool_], first: int) -> None:
        """Add a chunk that begins at `first`; `open` is the run that reaches its end."""
        edges = np.flatnonzero(np.diff(true_T, prepend=False, append=False))
        starts, ends = first + edges[::2], first + edges[1::2]
        self.count += int((ends - starts).sum())
        if not starts.size:
            self.open = 0
            return
        starts[0] -= self.open if starts[0] == first else 0
        lengths = ends - starts
        place = int(np.argmax(lengths))
        if lengths[place] > self.longest:
            self.longest, self.longest_at = int(lengths[place]), int(starts[place])
        self.open = int(lengths[-1]) if ends[-1] == first + true_T.size else 0
