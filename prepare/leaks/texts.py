"""The texts of an audit's documents, decoded from its token ids."""

# N = documents, T = token ids

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assay.corpus.bin_file import cut_ranges
from assay.formats.audit import locate_documents
from assay.kernels import njit
from assay.prepare.leaks.token_words import Vocabulary
from assay.text.buffers import PADDING

_BATCH_IDS = 1 << 19  # some 2 MB of text


@dataclass(frozen=True, slots=True)
class DocumentIds:
    """Where the ids of N documents lie.

    Attributes:
        sources: Arrays of ids.
        source_N: Which of them holds each document.
        start_N: Where it begins there.
        end_N: Where it ends, its end-of-text id left out.
        vocabulary: Of the ids.
    """

    sources: Sequence[NDArray[np.uint16]]
    source_N: NDArray[np.int64]
    start_N: NDArray[np.int64]
    end_N: NDArray[np.int64]
    vocabulary: Vocabulary

    def cut(
        self, positions: NDArray[np.int64], most: int = _BATCH_IDS
    ) -> Iterator[NDArray[np.int64]]:
        """Cut documents into batches of one source and some `most` ids each, in their order."""
        for source in range(len(self.sources)):
            own = positions[self.source_N[positions] == source]
            length = self.end_N[own] - self.start_N[own]
            ends = np.cumsum(length)
            for first, last in cut_ranges(ends - length, ends, most):
                yield own[first:last]

    def decode(self, positions: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Return the texts of documents of one source as valid UTF-8, and where each begins.

        Bytes that are not UTF-8 become U+FFFD. After the texts 64 bytes may be read.
        """
        ids_T = self.sources[self.source_N[positions[0]]] if positions.size else np.zeros(0, "<u2")
        text, offsets = _decode(ids_T, self.start_N[positions], self.end_N[positions], PADDING,
                                self.vocabulary.byte_B, self.vocabulary.start_V)  # fmt: skip
        text = text[: offsets[-1]]
        if not _is_valid(text, offsets):
            parts = [
                text[first:last].tobytes().decode("utf-8", "replace").encode()
                for first, last in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
            ]
            offsets = np.append(0, np.cumsum([len(part) for part in parts])).astype(np.int64)
            padded = np.frombuffer(b"".join(parts) + bytes(PADDING), np.uint8)
            text = padded[: offsets[-1]]
        return text, offsets


def locate_ids(
    documents: pl.DataFrame, sources: Sequence[NDArray[np.uint16]], vocabulary: Vocabulary
) -> DocumentIds:
    """Locate the ids of an audit's documents in those of its shards."""
    start_N = locate_documents(documents)
    return DocumentIds(
        sources=sources,
        source_N=documents["shard"].to_numpy().astype(np.int64),
        start_N=start_N,
        end_N=start_N + documents["tokens"].to_numpy().astype(np.int64),
        vocabulary=vocabulary,
    )


def _is_valid(text: NDArray[np.uint8], offsets: NDArray[np.int64]) -> bool:
    """Tell whether each text is UTF-8: all are, and none begins within a code point."""
    begins = text[offsets[:-1][offsets[:-1] < text.size]]
    if np.any(begins & 0xC0 == 0x80):
        return False
    try:
        text.tobytes().decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


@njit
def _decode(
    ids_T: NDArray[np.uint16],
    start_D: NDArray[np.int64],
    end_D: NDArray[np.int64],
    spare: int,
    byte_B: NDArray[np.uint8],
    start_V: NDArray[np.int64],
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    offsets = np.zeros(start_D.size + 1, np.int64)
    for document in range(start_D.size):
        size = offsets[document]
        for at in range(start_D[document], end_D[document]):
            token = np.int64(ids_T[at])
            if token + 1 < start_V.size:
                size += start_V[token + 1] - start_V[token]
        offsets[document + 1] = size
    text = np.zeros(offsets[-1] + spare, np.uint8)
    place = 0
    for document in range(start_D.size):
        for at in range(start_D[document], end_D[document]):
            token = np.int64(ids_T[at])
            if token + 1 < start_V.size:
                for byte in range(start_V[token], start_V[token + 1]):
                    text[place] = byte_B[byte]
                    place += 1
    return text, offsets
