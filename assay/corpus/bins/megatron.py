"""Megatron's pair: raw ids in `.bin`, their type and where documents lie in `.idx`."""

# S = sequences, D = documents

import struct
from pathlib import Path

import numpy as np

from assay.corpus.bins.layout import DTYPES, Located, fit_layout
from assay.errors import ShardError

FORM = "Megatron"
MAGIC = b"MMIDIDX\x00\x00"
# Megatron-LM, megatron/core/datasets/indexed_dataset.py: version, type, sequences, documents + 1.
_HEADER = struct.Struct("<QBQQ")
_VERSION = 1
_CODES = {1: "uint8", 4: "int32", 5: "int64", 8: "uint16"}


def find_index(path: Path) -> Path | None:
    """Return the `.idx` beside a bin, or None."""
    index = path.with_suffix(".idx")
    return index if index.is_file() else None


def read_megatron(path: Path, index: Path) -> Located:
    """Read the index of a bin.

    Raises:
        ShardError: It is no index of Megatron's, is damaged or cut off, or does not fit the bin.
    """
    dtype, data, num_sequences, num_ends = _read_header(index)
    lengths_S = np.frombuffer(data, "<i4", num_sequences).astype(np.int64)
    rest = data[4 * num_sequences :]
    pointers_S = np.frombuffer(rest, "<i8", num_sequences)
    edges_D = np.frombuffer(rest, "<i8", num_ends, 8 * num_sequences)
    stops_S = np.append(0, np.cumsum(lengths_S))
    wrong = np.flatnonzero((lengths_S < 0) | (pointers_S != stops_S[:-1] * DTYPES[dtype].itemsize))
    if wrong.size:
        place = int(wrong[0])
        due = int(stops_S[place]) * DTYPES[dtype].itemsize
        raise ShardError(
            f"{index}: sequence {place:,} has {int(lengths_S[place]):,} ids at byte "
            f"{int(pointers_S[place]):,}, needed byte {due:,}; it is damaged"
        )
    if edges_D[0] != 0 or edges_D[-1] != num_sequences or (np.diff(edges_D) < 1).any():
        raise ShardError(
            f"{index}: its documents do not divide its {num_sequences:,} sequences; it is damaged"
        )
    count = int(stops_S[-1])
    layout = fit_layout(path, FORM, DTYPES[dtype], 0, count, f"{index.name}")
    return Located(layout, stops_S[edges_D[1:]], beside=(index,))


def _read_header(index: Path) -> tuple[str, bytes, int, int]:
    """Return the type of the ids, what follows the header, and how many of each list there are."""
    data = index.read_bytes()
    begins = len(MAGIC) + _HEADER.size
    if not data.startswith(MAGIC):
        raise ShardError(
            f"{index} beside its bin does not begin as Megatron's index does; mend it, or move it "
            "away, if it belongs to something else"
        )
    if len(data) < begins:
        raise ShardError(f"{index} has {len(data)} bytes; it is cut off")
    version, code, num_sequences, num_ends = _HEADER.unpack(data[len(MAGIC) : begins])
    if version != _VERSION or code not in _CODES:
        raise ShardError(
            f"{index} has version {version}, type {code}; needed version {_VERSION} and a type "
            f"of {', '.join(f'{each} ({name})' for each, name in _CODES.items())}"
        )
    needed = begins + 12 * num_sequences + 8 * num_ends
    if num_ends < 1 or len(data) != needed:
        more = "sequences of several kinds are not read" if len(data) > needed else "it is cut off"
        raise ShardError(
            f"{index} has {len(data):,} bytes, needed {needed:,} for {num_sequences:,} sequences "
            f"and {num_ends - 1:,} documents; {more}, or it is damaged"
        )
    return _CODES[code], data[begins:], num_sequences, num_ends
