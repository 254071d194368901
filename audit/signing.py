"""One pass over documents that signs them: any kind of shingle, any scheme of signature."""

# N = documents, P = values of a signature, Q = permutations filled up to whole registers

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from assay.audit.shingling import Counts, Shingling, begin_document, count_units, read_shingles
from assay.audit.signatures import MAX_HASH, Permutations, lower_minima, premix_32
from assay.audit.slots import EMPTY, Slots, lower_slots
from assay.audit.spans import check_offsets, readable_spans
from assay.audit.wide import WIDE_MAX_HASH, WidePermutations, lower_wide_minima, premix_all
from assay.kernels import njit

Scheme: TypeAlias = Permutations | WidePermutations | Slots
Signature: TypeAlias = NDArray[np.uint32] | NDArray[np.uint64]

_BLOCK = 1024  # shingles permuted at a time: they stay in the fastest cache


def sign_texts(
    text: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    scheme: Scheme,
    shingling: Shingling,
) -> tuple[Signature, Counts]:
    """Sign documents that lie one after another in a buffer of valid UTF-8.

    Runs without the GIL: call it from several threads, on one buffer or several. Scratch does not
    grow with a document, except over a stretch of words beyond 64 kB without an ASCII space or
    mark. A document without shingles has a signature of the highest value throughout and must
    not be compared (`Counts.eligible_N`).

    Args:
        text: The bytes, contiguous; an Arrow buffer as it is, with no padding.
        offsets: N + 1 ascending positions in `text`; document i is `offsets[i]:offsets[i + 1]`.
        scheme: `make_permutations(...)` for uint32 values, `make_wide_permutations(...)` for
            uint64, `Slots()` for uint32.
        shingling: What the shingles are.

    Raises:
        ValueError: `offsets` reach beyond `text` or descend.
    """
    offsets = check_offsets(text, offsets)
    documents = len(offsets) - 1
    wide = isinstance(scheme, WidePermutations)
    signature_NP = np.empty((documents, scheme.num_perm), np.uint64 if wide else np.uint32)
    units_N = np.zeros(documents, np.int64)
    chars_N = np.zeros(documents, np.int64)
    kind, table, length = shingling.kind, shingling.table, shingling.length
    for first, last, span, start in readable_spans(text, offsets):
        base = span.ctypes.data - start
        cut = offsets[first : last + 1]
        rows, units, chars = signature_NP[first:last], units_N[first:last], chars_N[first:last]
        if isinstance(scheme, Slots):
            _sign_slots(base, cut, kind, table, length, rows, units, chars)
        elif isinstance(scheme, WidePermutations):
            a, b = scheme.multipliers_Q, scheme.increments_Q
            _sign_wide(base, cut, kind, table, length, a, b, rows, units, chars)
        else:
            _sign_narrow(
                base, cut, kind, table, length,
                scheme.multipliers_Q, scheme.increments_Q, rows, units, chars,
            )  # fmt: skip
    return signature_NP, count_units(units_N, chars_N, shingling.length)


@njit
def _sign_narrow(
    base: int,
    offsets: NDArray[np.int64],
    kind: int,
    table: NDArray[np.uint32],
    length: int,
    a_Q: NDArray[np.uint32],
    b_Q: NDArray[np.uint32],
    signature_NP: NDArray[np.uint32],
    units_N: NDArray[np.int64],
    chars_N: NDArray[np.int64],
) -> None:
    """Sign by 32-bit permutations."""
    units = np.empty(1 << 15, np.uint64)
    shingles = np.empty(1 << 15, np.uint64)
    hashes = np.empty(_BLOCK, np.uint32)
    minima_Q = np.empty(a_Q.size, np.uint32)
    for document in range(offsets.size - 1):
        minima_Q[:] = MAX_HASH
        place, end = begin_document(offsets[document]), offsets[document + 1]
        while place[0] < end:
            place, units, shingles, count = read_shingles(
                base, place, end, kind, table, length, units, shingles
            )
            for first in range(0, count, _BLOCK):
                size = min(_BLOCK, count - first)
                for at in range(size):
                    hashes[at] = premix_32(shingles[first + at])
                lower_minima(hashes, size, a_Q, b_Q, minima_Q)
        units_N[document], chars_N[document] = place[3], place[4]
        signature_NP[document] = minima_Q[: signature_NP.shape[1]]


@njit
def _sign_wide(
    base: int,
    offsets: NDArray[np.int64],
    kind: int,
    table: NDArray[np.uint32],
    length: int,
    a_Q: NDArray[np.uint64],
    b_Q: NDArray[np.uint64],
    signature_NP: NDArray[np.uint64],
    units_N: NDArray[np.int64],
    chars_N: NDArray[np.int64],
) -> None:
    """Sign by 64-bit permutations."""
    units = np.empty(1 << 15, np.uint64)
    shingles = np.empty(1 << 15, np.uint64)
    minima_Q = np.empty(a_Q.size, np.uint64)
    for document in range(offsets.size - 1):
        minima_Q[:] = WIDE_MAX_HASH
        place, end = begin_document(offsets[document]), offsets[document + 1]
        while place[0] < end:
            place, units, shingles, count = read_shingles(
                base, place, end, kind, table, length, units, shingles
            )
            premix_all(shingles, count)
            for first in range(0, count, _BLOCK):
                size = min(_BLOCK, count - first)
                lower_wide_minima(shingles, first, size, a_Q, b_Q, minima_Q)
        units_N[document], chars_N[document] = place[3], place[4]
        signature_NP[document] = minima_Q[: signature_NP.shape[1]]


@njit
def _sign_slots(
    base: int,
    offsets: NDArray[np.int64],
    kind: int,
    table: NDArray[np.uint32],
    length: int,
    signature_NP: NDArray[np.uint32],
    units_N: NDArray[np.int64],
    chars_N: NDArray[np.int64],
) -> None:
    """Sign by slots."""
    units = np.empty(1 << 15, np.uint64)
    shingles = np.empty(1 << 15, np.uint64)
    for document in range(offsets.size - 1):
        slots = signature_NP[document]
        slots[:] = EMPTY
        place, end = begin_document(offsets[document]), offsets[document + 1]
        while place[0] < end:
            place, units, shingles, count = read_shingles(
                base, place, end, kind, table, length, units, shingles
            )
            lower_slots(shingles, 0, count, slots)
        units_N[document], chars_N[document] = place[3], place[4]
