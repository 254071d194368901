"""Indexes of n-grams, and texts as kernels read them."""

from collections.abc import Sequence

import numpy as np

from assay.spans.index import IndexBuilder, NgramIndex
from assay.text.buffers import pad_buffer


def flatten(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return texts one after another, and where each begins."""
    parts = [text.encode() for text in texts]
    offsets = np.append(0, np.cumsum([len(part) for part in parts])).astype(np.int64)
    return pad_buffer(b"".join(parts)), offsets


def build_index(texts: Sequence[str], length: int) -> NgramIndex:
    """Build the index of different texts."""
    builder = IndexBuilder()
    builder.add(*flatten(texts))
    return builder.build(length)
