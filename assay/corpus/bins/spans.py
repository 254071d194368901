"""Where the documents of a bin lie: between end-of-text ids, or as an index says."""

# T = ids, D = documents, or the end-of-text ids between them

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.corpus.tokenizer import Tokenizer

_BLOCK_IDS = 4_000_000  # of a bin whose documents cannot be told: read at a time
_MOST_IDS = 64  # looked at for one with which a character begins


@dataclass(frozen=True, slots=True)
class Spans:
    """The documents of a bin.

    Attributes:
        ends_D2: int64, shape (documents, 2): where each begins and ends, without end-of-text.
        untold: Why documents cannot be told, so that these are blocks of ids; or "".
        note: What a reader has to know of them, or "".
    """

    ends_D2: NDArray[np.int64]
    untold: str = ""
    note: str = ""


def cut_at_marks(marks_D: NDArray[np.int64], count: int) -> Spans:
    """Cut ids at end-of-text, whichever side of a document it stands on.

    Before each (llm.c), where the first id is one; else after each (nanoGPT), and what lies after
    the last is a document, too. So there are as many documents as marks, or one more. Where each
    has one on both sides, two stand between any two.
    """
    starts_D, ends_D = np.append(0, marks_D + 1), np.append(marks_D, count)
    begins, ends = starts_D[0] == ends_D[0], starts_D[-1] == ends_D[-1]
    if _stand_on_both_sides(marks_D, count):
        keep = slice(1, None, 2)
    else:
        keep = slice(1, None) if begins else slice(0, -1 if ends else None)
    ends_D2 = np.stack([starts_D[keep], ends_D[keep]], axis=1).astype(np.int64)
    note = (
        "neither begins nor ends with end-of-text: what was cut off at an edge, or goes on in "
        "another file, counts as a document"
    )
    return Spans(ends_D2, note="" if begins or ends else note)


def cut_blocks(ids_T: NDArray[Any], tokenizer: Tokenizer, untold: str) -> Spans:
    """Cut ids in which no document can be told, for the reason given, where characters begin."""
    data, starts = tokenizer.pieces
    edges = [0]
    while edges[-1] + _BLOCK_IDS < ids_T.size:
        edge = edges[-1] + _BLOCK_IDS
        near = ids_T[edge : edge + _MOST_IDS].astype(np.int64)
        full = starts[near] < starts[near + 1]
        begins = full & (data[np.minimum(starts[near], data.size - 1)] & 0xC0 != 0x80)
        edges.append(edge + (int(np.argmax(begins)) if begins.any() else 0))
    ends_D2 = np.stack([edges, [*edges[1:], ids_T.size]], axis=1).astype(np.int64)
    return Spans(ends_D2, untold)


def strip_marks(ends_D2: NDArray[np.int64], ids_T: NDArray[Any], end_of_text: int) -> Spans:
    """Leave end-of-text out of documents that an index tells, on the side where each has it.

    Raises:
        ValueError: Some have it and some have not: the index is not that of the ids. The message
            says how many.
    """
    if not len(ends_D2):
        return Spans(ends_D2)
    starts_D, ends_D = ends_D2.T
    full_D = ends_D > starts_D
    firsts = int((ids_T[starts_D[full_D]] == end_of_text).sum())
    lasts = int((ids_T[ends_D[full_D] - 1] == end_of_text).sum())
    after, before = lasts == len(ends_D2), firsts == len(ends_D2)
    if not (after or before) and (firsts or lasts):
        number, side = max((lasts, "end"), (firsts, "begin"))
        raise ValueError(f"{number:,} of {len(ends_D2):,} documents {side} with end-of-text")
    if after and (ends_D - starts_D == 1).any():
        before = False  # one id cannot stand on both sides
    return Spans(np.stack([starts_D + int(before), ends_D - int(after)], axis=1))


def _stand_on_both_sides(marks_D: NDArray[np.int64], count: int) -> bool:
    """Tell whether two stand between any two documents, and one at either end."""
    if marks_D.size < 4 or marks_D.size % 2 or marks_D[0] != 0 or marks_D[-1] != count - 1:
        return False
    inner_D = marks_D[1:-1]
    empty = (marks_D[1::2] == marks_D[::2] + 1).any()
    return not empty and bool((inner_D[1::2] == inner_D[::2] + 1).all())
