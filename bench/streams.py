"""Text without end in scripts where nearly every word is new, for memory that grows with words.

GPT-2's rule splits text at white space and marks, so a Korean word with its particles, and a whole
Chinese clause, is one piece to a tokenizer that remembers pieces. Words follow the law of Zipf and
Mandelbrot: that of rank r has a chance like (r + 20)**-1.3, so that new ones come for ever (about
N**0.77 different ones among N). Made from a seed; no language is spoken here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ZIPF = 1.3
ZIPF_SHIFT = 20
DOCUMENT_WORDS = 500
_MIX = np.uint64(0x9E37_79B9_7F4A_7C15)
_FINISH = np.uint64(0xFF51_AFD7_ED55_8CCD)
_COMMA = 0xFF0C


@dataclass(frozen=True, slots=True)
class Script:
    """Characters, how many a word has at most, and how many words stand together in one piece."""

    name: str
    first: int
    num_chars: int
    most_chars: int
    most_words: int
    mark: int


SCRIPTS = {
    "korean": Script("korean", 0xAC00, 11_172, 6, 1, ord(" ")),
    "chinese": Script("chinese", 0x4E00, 3_500, 3, 12, _COMMA),
}


def stream_texts(
    script: Script, batch_bytes: int, num_batches: int, *, seed: int = 1
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
    """Yield batches of documents: UTF-8 one after another, and int64 offsets of N + 1 documents.

    A batch has about `batch_bytes`; takes 0.4 s for 16 MB.
    """
    rng = np.random.default_rng(seed)
    num_words = max(1, 2 * batch_bytes // (3 * (script.most_chars + 1)))
    for _ in range(num_batches):
        drawn_W = ZIPF_SHIFT * (rng.random(num_words) ** (-1 / (ZIPF - 1)) - 1)
        rank_W = np.minimum(drawn_W, 2.0**62).astype(np.uint64)
        apart_W = rng.integers(0, script.most_words, num_words) == 0
        yield _write_words(script, rank_W, apart_W)


def hash_pieces(data: NDArray[np.uint8], mark: int) -> NDArray[np.uint64]:
    """Return the different pieces of a batch, hashed, ascending: what lies between two marks."""
    points = np.frombuffer(data.tobytes().decode().encode("utf-32-le"), "<u4").astype(np.uint64)
    ends = np.flatnonzero(points == mark)
    place = np.arange(points.size, dtype=np.uint64)
    start = np.repeat(np.append(0, ends[:-1] + 1), np.diff(np.append(-1, ends)))
    points, place = points[: start.size], place[: start.size] - start.astype(np.uint64)
    mixed = _mix(points * _MIX ^ place)
    return np.unique(np.add.reduceat(mixed, np.append(0, ends[:-1] + 1)))


def _write_words(
    script: Script, rank_W: NDArray[np.uint64], apart_W: NDArray[np.bool_]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Spell words by their rank, a mark behind those that end a piece."""
    apart_W[DOCUMENT_WORDS - 1 :: DOCUMENT_WORDS] = True
    apart_W[-1] = True
    length_W = 1 + (_mix(rank_W) % np.uint64(script.most_chars)).astype(np.int64)
    width_W = length_W + apart_W
    ends_W = np.cumsum(width_W)
    place = np.arange(ends_W[-1]) - np.repeat(ends_W - width_W, width_W)
    rank = np.repeat(rank_W, width_W)
    points = script.first + (_mix(rank * _MIX + place.astype(np.uint64)) % script.num_chars)
    points = points.astype("<u4")
    points[ends_W[apart_W] - 1] = script.mark
    mark_bytes = len(chr(script.mark).encode())
    bytes_W = 3 * length_W + mark_bytes * apart_W
    cuts = np.append(np.arange(0, rank_W.size, DOCUMENT_WORDS), rank_W.size)
    offsets = np.append(0, np.cumsum(bytes_W))[cuts]
    text = points.tobytes().decode("utf-32-le").encode()
    return np.frombuffer(text, np.uint8), offsets


def _mix(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    value = (value ^ (value >> np.uint64(33))) * _FINISH
    return value ^ (value >> np.uint64(29))
