"""Write bins: the ids of chosen documents, in order, as a stream."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from assay.corpus.bin_file import DTYPE, cut_ranges
from assay.errors import IntegrityError
from assay.storage.manifest import FileEntry
from assay.storage.publish import publish

_CHUNK_IDS = 8_000_000  # 16 MB at a time


def write_bin(
    path: Path,
    sources: Sequence[np.ndarray],
    source_N: np.ndarray,
    start_N: np.ndarray,
    length_N: np.ndarray,
    vocab_size: int,
    advance: Callable[[int], None],
) -> FileEntry:
    """Write documents to a headerless uint16 bin; it appears whole or not at all.

    Args:
        path: The bin.
        sources: Arrays of ids, end-of-text after each document.
        source_N: Which source holds each document, in the order of the bin.
        start_N: Where the document begins there.
        length_N: How many ids it has, its end-of-text included.
        vocab_size: Every id must be below it.
        advance: Called with the number of ids written.

    Raises:
        IntegrityError: An id is not in the vocabulary.
        SpaceError: The disk is full.
    """
    ends_N = np.cumsum(length_N)
    total = int(ends_N[-1]) if ends_N.size else 0
    with publish(path) as file:
        for first, last in cut_ranges(ends_N - length_N, ends_N, _CHUNK_IDS):
            chunk = _gather(sources, source_N, start_N, length_N, first, last)
            if chunk.size and int(chunk.max()) >= vocab_size:
                raise IntegrityError(
                    f"{path}: the kept ids hold {int(chunk.max())}, the vocabulary has "
                    f"{vocab_size:,}; run the audit again"
                )
            file.write(chunk.tobytes())
            advance(chunk.size)
    assert file.size == total * DTYPE.itemsize, (file.size, total)
    return FileEntry(name=path.name, size=file.size, sha256=file.sha256, rows=total)


def _gather(
    sources: Sequence[np.ndarray],
    source_N: np.ndarray,
    start_N: np.ndarray,
    length_N: np.ndarray,
    first: int,
    last: int,
) -> np.ndarray:
    chunk = np.empty(int(length_N[first:last].sum()), DTYPE)
    at = 0
    columns = (column[first:last].tolist() for column in (source_N, start_N, length_N))
    for source, start, length in zip(*columns, strict=True):
        chunk[at : at + length] = sources[source][start : start + length]
        at += length
    return chunk
