"""Documents and tokens of bins by a few lines that share nothing with assay's readers.

Each takes the file that is audited, and reads what stands beside it; the type of the ids is known
beforehand, as it is to whoever wrote them.
"""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.fuzz.independent import DeniedError
from tests.support import bin_writers as write
from tests.support.bin_writers import END

VOCABULARY = 50_257
Documents = list[list[int]]


def _check(ids: list[int]) -> list[int]:
    if not ids or min(ids) < 0 or max(ids) >= VOCABULARY:
        raise DeniedError("no ids, or ids beyond the vocabulary")
    return ids


def _unpack(raw: bytes, code: str) -> list[int]:
    width = struct.calcsize(f"<{code}")
    if len(raw) % width:
        raise DeniedError("no whole number of ids")
    return _check(list(struct.unpack(f"<{len(raw) // width}{code}", raw)))


def _split(ids: list[int]) -> Documents:
    parts: Documents = [[]]
    for number in ids:
        if number == END:
            parts.append([])
        else:
            parts[-1].append(number)
    if ids[0] == END:
        return parts[1:]
    return parts if parts[-1] else parts[:-1]


def read_plain(code: str) -> Callable[[Path], Documents]:
    """Read ids without a header, of one type."""
    return lambda path: _split(_unpack(path.read_bytes(), code))


def read_numpy(path: Path) -> Documents:
    """Read a NumPy file by NumPy."""
    try:
        array = np.load(path, allow_pickle=False)
    except Exception as error:  # whatever it is: NumPy denies it
        raise DeniedError(str(error)) from error
    if array.ndim != 1 or array.dtype.kind not in "ui":
        raise DeniedError("no row of ids")
    return _split(_check(array.tolist()))


def _cut(ids: list[int], stops: list[int]) -> Documents:
    if sorted(stops) != stops or stops[-1] != len(ids):
        raise DeniedError("the index is not that of the ids")
    parts = [ids[a:b] for a, b in zip([0, *stops], stops, strict=False)]
    return [part[:-1] if part[-1:] == [END] else part for part in parts]


def read_datatrove(path: Path) -> Documents:
    """Read a `.ds` file by its index."""
    raw = path.with_name(path.name + ".index").read_bytes()
    if not raw or len(raw) % 8:
        raise DeniedError("an index of no whole number of documents")
    return _cut(_unpack(path.read_bytes(), "H"), list(struct.unpack(f"<{len(raw) // 8}Q", raw)))


def read_megatron(path: Path) -> Documents:
    """Read a pair as Megatron does: sequences by their pointers, documents by the last list."""
    raw = path.with_suffix(".idx").read_bytes()
    if raw[:9] != b"MMIDIDX\x00\x00" or len(raw) < 34:
        raise DeniedError("no index")
    version, code, sequences, edges = struct.unpack("<QBQQ", raw[9:34])
    if (version, code) != (1, 8) or len(raw) != 34 + 12 * sequences + 8 * edges or not edges:
        raise DeniedError("no index of version 1 and uint16")
    sizes = struct.unpack_from(f"<{sequences}i", raw, 34)
    pointers = struct.unpack_from(f"<{sequences}q", raw, 34 + 4 * sequences)
    ends = struct.unpack_from(f"<{edges}q", raw, 34 + 12 * sequences)
    stops = [0]
    for size, pointer in zip(sizes, pointers, strict=True):
        if size < 0 or pointer != 2 * stops[-1]:
            raise DeniedError("a pointer is not where the sequences before end")
        stops.append(stops[-1] + size)
    if ends[0] != 0 or not all(0 <= each < len(stops) for each in ends):
        raise DeniedError("a document beyond the sequences")
    return _cut(_unpack(path.read_bytes(), "H"), [stops[each] for each in ends[1:]])


# Name of the file that is audited: how it is written, how read, and what stands beside it.
BINS: dict[str, tuple[Callable[[Path, Documents], object], Callable[[Path], Documents], str]] = {
    "wide.bin": (lambda path, docs: write.write_nanogpt(path, docs, "I"), read_plain("I"), ""),
    "int64.bin": (lambda path, docs: write.write_nanogpt(path, docs, "q"), read_plain("q"), ""),
    "array.npy": (write.write_build_nanogpt, read_numpy, ""),
    "tokens.ds": (write.write_datatrove, read_datatrove, "tokens.ds.index"),
    "pair.bin": (write.write_megatron, read_megatron, "pair.idx"),
}
