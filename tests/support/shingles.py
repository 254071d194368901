"""The shingles of one document, in their order, by the kernels that the audit uses."""

import numpy as np
from numpy.typing import NDArray

from assay.text.buffers import pad_buffer
from assay.text.pieces import begin_document
from assay.text.shingling import Shingling, read_shingles


def list_document(text: bytes, shingling: Shingling) -> NDArray[np.uint64]:
    """Return the shingles of a document in their order, repeats included."""
    padded = pad_buffer(text)
    units, shingles = np.empty(1 << 10, np.uint64), np.empty(1 << 10, np.uint64)
    kind, tables, length = shingling.kind, shingling.tables, shingling.length
    found = [np.empty(0, np.uint64)]
    place = begin_document(0)
    while place[0] < len(text):
        place, units, shingles, count = read_shingles(
            padded.ctypes.data, place, len(text), kind, tables, length, units, shingles
        )
        found.append(shingles[:count].copy())
    return np.concatenate(found)
