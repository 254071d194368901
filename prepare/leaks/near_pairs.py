"""Near duplicates of validation documents, counted without permutations: none is missed."""

# T = validation texts, K = shingles of all of them, P = pairs

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.kernels import njit
from assay.prepare.leaks.sorted_values import find_places
from assay.text.buffers import check_offsets, make_room, readable_spans
from assay.text.pieces import WORDS, Tables, begin_document
from assay.text.shingling import Shingling, read_shingles


@dataclass(frozen=True, slots=True)
class ShingleTable:
    """The different shingles of texts.

    Attributes:
        length: Words of a shingle.
        value_K: Shingles, ascending.
        text_K: The text of each.
        size_T: How many each text has.
    """

    length: int
    value_K: NDArray[np.uint64]
    text_K: NDArray[np.int64]
    size_T: NDArray[np.int64]

    def find_near(
        self, text: NDArray[np.uint8], offsets: NDArray[np.int64], threshold: float
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Find pairs of a document and a text whose Jaccard is at least `threshold`.

        Returns the document of each pair, its text, and its Jaccard; by documents, then texts.
        """
        parts = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
        for number, own in enumerate(list_shingles(text, offsets, self.length)):
            least_T, most_T = threshold * self.size_T, self.size_T / threshold
            if not np.any((own.size >= least_T - 0.5) & (own.size <= most_T + 0.5)):
                continue  # of two sets so different in size the larger has too much
            places, _ = find_places(self.value_K, own)
            shared_T = np.bincount(self.text_K[places], minlength=self.size_T.size)
            whole_T = own.size + self.size_T - shared_T
            texts = np.flatnonzero((shared_T > 0) & (shared_T >= threshold * whole_T))
            jaccard = shared_T[texts] / whole_T[texts]
            parts.append((np.full(texts.size, number), texts, jaccard))
        documents, texts, values = (np.concatenate(column) for column in zip(*parts, strict=True))
        return documents, texts, values


def tabulate_shingles(
    text: NDArray[np.uint8], offsets: NDArray[np.int64], length: int
) -> ShingleTable:
    """Tabulate the shingles of texts."""
    own = list_shingles(text, offsets, length)
    size_T = np.array([values.size for values in own], np.int64)
    value_K = np.concatenate([np.empty(0, np.uint64), *own])
    text_K = np.repeat(np.arange(size_T.size), size_T)
    order = np.argsort(value_K, kind="stable")
    return ShingleTable(length, value_K[order], text_K[order], size_T)


def list_shingles(
    text: NDArray[np.uint8], offsets: NDArray[np.int64], length: int
) -> list[NDArray[np.uint64]]:
    """Return the different shingles of each text, ascending."""
    offsets = check_offsets(text, offsets)
    found = []
    for first, last, span, start in readable_spans(text, offsets):
        cut = offsets[first : last + 1]
        values, ends = _list_shingles(span.ctypes.data - start, cut, length, Shingling().tables)
        found += [np.unique(part) for part in np.split(values, ends[:-1])]
    return found


@njit
def _list_shingles(
    base: int, offsets: NDArray[np.int64], length: int, tables: Tables
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    units, shingles = np.empty(1 << 15, np.uint64), np.empty(1 << 15, np.uint64)
    values, used = np.empty(1 << 15, np.uint64), 0
    ends = np.zeros(offsets.size - 1, np.int64)
    for text in range(offsets.size - 1):
        place, end = begin_document(offsets[text]), offsets[text + 1]
        while place[0] < end:
            place, units, shingles, count = read_shingles(
                base, place, end, WORDS, tables, length, units, shingles
            )
            values = make_room(values, used, count, used)
            values[used : used + count] = shingles[:count]
            used += count
        ends[text] = used
    return values[:used], ends
