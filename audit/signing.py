"""One pass over documents that signs them: any kind of shingle, any scheme of signature."""

# N = documents, P = values of a signature, Q = permutations filled up to whole registers

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from assay.audit.shingles import count_shingles
from assay.audit.shingling import Shingling, begin_document, read_shingles
from assay.audit.signatures import MAX_HASH, Permutations, lower_minima, premix_32
from assay.audit.slots import EMPTY, Slots, lower_slots
from assay.audit.spans import check_offsets, readable_spans
from assay.audit.wide import WIDE_MAX_HASH, WidePermutations, lower_wide_minima, premix_all
from assay.kernels import njit

Scheme: TypeAlias = Permutations | WidePermutations | Slots
Signature: TypeAlias = NDArray[np.uint32] | NDArray[np.uint64]

_BLOCK = 1024  # shingles permuted at a time: they stay in the fastest cache


@dataclass(frozen=True, slots=True)
class Signed:
    """What one pass over the text of N documents yields.

    Attributes:
        signature_NP: A document without shingles has the highest value throughout; it must not be
            compared.
        units_N: Units of the shingling read: words, letters or characters.
        chars_N: Code points read.
        num_shingles_N: Shingles, repeats included.
        short_N: Whether it has one short shingle, of fewer units than a whole one.
    """

    signature_NP: Signature
    units_N: NDArray[np.int64]
    chars_N: NDArray[np.int64]
    num_shingles_N: NDArray[np.int64]
    short_N: NDArray[np.bool_]

    @property
    def eligible_N(self) -> NDArray[np.bool_]:
        """Whether a document has a shingle, and so can be a duplicate."""
        return self.num_shingles_N > 0


def sign_texts(
    text: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    scheme: Scheme,
    shingling: Shingling | None = None,
) -> Signed:
    """Sign documents that lie one after another in a buffer of valid UTF-8.

    Runs without the GIL: call it from several threads, on one buffer or several. Scratch does not
    grow with a document, except over a stretch of words beyond 64 kB without an ASCII space or
    mark.

    Args:
        text: The bytes, contiguous; an Arrow buffer as it is, with no padding.
        offsets: N + 1 ascending positions in `text`; document i is `offsets[i]:offsets[i + 1]`.
        scheme: `make_permutations(...)` for uint32 values, `make_wide_permutations(...)` for
            uint64, `Slots()` for uint32.
        shingling: What the shingles are; by default of 5 words.

    Raises:
        ValueError: `offsets` reach beyond `text` or descend.
    """
    shingling = shingling or Shingling()
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
    short_N = (units_N > 0) & (units_N < length)
    return Signed(signature_NP, units_N, chars_N, count_shingles(units_N, length), short_N)


def sign_sets(
    shingles: NDArray[np.uint64], offsets: NDArray[np.int64], scheme: Scheme
) -> Signature:
    """Sign sets of shingles that lie one after another, as `sign_texts` signs their texts.

    Args:
        shingles: 64-bit shingles; repeats change nothing.
        offsets: N + 1 ascending positions: set i is `shingles[offsets[i]:offsets[i + 1]]`.
        scheme: As for `sign_texts`.
    """
    wide = isinstance(scheme, WidePermutations)
    values = np.array(shingles, np.uint64)  # a copy: scheme affine64 mixes in place
    ends = np.ascontiguousarray(offsets, np.int64)
    signature_NP = np.empty((len(ends) - 1, scheme.num_perm), np.uint64 if wide else np.uint32)
    if isinstance(scheme, Slots):
        _sign_slot_sets(values, ends, signature_NP)
    elif isinstance(scheme, WidePermutations):
        a, b = scheme.multipliers_Q, scheme.increments_Q
        _sign_wide_sets(values, ends, a, b, signature_NP)
    else:
        _sign_narrow_sets(values, ends, scheme.multipliers_Q, scheme.increments_Q, signature_NP)
    return signature_NP


@njit
def _lower_narrow(
    shingles: NDArray[np.uint64],
    start: int,
    end: int,
    hashes: NDArray[np.uint32],
    a_Q: NDArray[np.uint32],
    b_Q: NDArray[np.uint32],
    minima_Q: NDArray[np.uint32],
) -> None:
    """Lower minima by shingles, a block at a time; `hashes` has room for a block."""
    for first in range(start, end, _BLOCK):
        size = min(_BLOCK, end - first)
        for at in range(size):
            hashes[at] = premix_32(shingles[first + at])
        lower_minima(hashes, size, a_Q, b_Q, minima_Q)


@njit
def _lower_wide(
    shingles: NDArray[np.uint64],
    start: int,
    end: int,
    a_Q: NDArray[np.uint64],
    b_Q: NDArray[np.uint64],
    minima_Q: NDArray[np.uint64],
) -> None:
    """Lower minima by shingles, which are mixed in place, a block at a time."""
    for first in range(start, end, _BLOCK):
        size = min(_BLOCK, end - first)
        premix_all(shingles, first, size)
        lower_wide_minima(shingles, first, size, a_Q, b_Q, minima_Q)


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
            _lower_narrow(shingles, 0, count, hashes, a_Q, b_Q, minima_Q)
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
            _lower_wide(shingles, 0, count, a_Q, b_Q, minima_Q)
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


@njit
def _sign_narrow_sets(
    shingles: NDArray[np.uint64],
    offsets: NDArray[np.int64],
    a_Q: NDArray[np.uint32],
    b_Q: NDArray[np.uint32],
    signature_NP: NDArray[np.uint32],
) -> None:
    """Sign sets by 32-bit permutations."""
    hashes = np.empty(_BLOCK, np.uint32)
    minima_Q = np.empty(a_Q.size, np.uint32)
    for index in range(offsets.size - 1):
        minima_Q[:] = MAX_HASH
        _lower_narrow(shingles, offsets[index], offsets[index + 1], hashes, a_Q, b_Q, minima_Q)
        signature_NP[index] = minima_Q[: signature_NP.shape[1]]


@njit
def _sign_wide_sets(
    shingles: NDArray[np.uint64],
    offsets: NDArray[np.int64],
    a_Q: NDArray[np.uint64],
    b_Q: NDArray[np.uint64],
    signature_NP: NDArray[np.uint64],
) -> None:
    """Sign sets by 64-bit permutations; mixes the shingles in place."""
    minima_Q = np.empty(a_Q.size, np.uint64)
    for index in range(offsets.size - 1):
        minima_Q[:] = WIDE_MAX_HASH
        _lower_wide(shingles, offsets[index], offsets[index + 1], a_Q, b_Q, minima_Q)
        signature_NP[index] = minima_Q[: signature_NP.shape[1]]


@njit
def _sign_slot_sets(
    shingles: NDArray[np.uint64], offsets: NDArray[np.int64], signature_NP: NDArray[np.uint32]
) -> None:
    """Sign sets by slots."""
    for index in range(offsets.size - 1):
        signature_NP[index] = EMPTY
        start = offsets[index]
        lower_slots(shingles, start, offsets[index + 1] - start, signature_NP[index])
