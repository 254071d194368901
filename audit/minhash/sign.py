"""One pass over documents that signs them: any kind of shingle, any scheme of signature."""

# N = documents, P = values of a signature, Q = the same filled up to whole registers

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from assay.audit.minhash.fast_similarity import EMPTY, NUM_SLOTS, Slots, lower_slots
from assay.audit.minhash.permutations import (
    BLOCK,
    MAX_HASH,
    MAX_HASH_64,
    Maps32,
    Maps64,
    Permutations,
    lower_32,
    lower_64,
    make_permutations,
)
from assay.kernels import inline, njit
from assay.text.buffers import check_offsets, readable_spans
from assay.text.pieces import Tables, begin_document
from assay.text.shingling import Shingling, count_shingles, count_units, read_shingles

SchemeName: TypeAlias = Literal["affine32", "affine64", "slots"]
Scheme: TypeAlias = Permutations | Slots
Signature: TypeAlias = NDArray[np.uint32] | NDArray[np.uint64]

_MAX_VALUES = 1 << 14  # of a signature; RefinedWeb's 9,000 are the most in the literature


def max_values(name: SchemeName) -> int:
    """Return how many values a signature of this scheme may have."""
    return NUM_SLOTS if name == "slots" else _MAX_VALUES


def make_scheme(name: SchemeName, num_values: int) -> Scheme:
    """Return what signs documents with at least `num_values` values."""
    if name == "slots":
        return Slots()
    return make_permutations(num_values, bits=int(name.removeprefix("affine")))


@dataclass(frozen=True, slots=True)
class Signed:
    """What one pass over the text of N documents yields.

    Attributes:
        signature_NP: A document without shingles has the highest value throughout; it must not be
            compared.
        words_N: Words, whatever the shingles are made of.
        chars_N: Code points read.
        num_shingles_N: Shingles, repeats included.
        short_N: Whether it has one short shingle, of fewer units than a whole one.
    """

    signature_NP: Signature
    words_N: NDArray[np.int64]
    chars_N: NDArray[np.int64]
    num_shingles_N: NDArray[np.int64]
    short_N: NDArray[np.bool_]


def sign_texts(
    text: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    scheme: Scheme,
    shingling: Shingling = Shingling(),  # noqa: B008  # frozen
) -> Signed:
    """Sign documents that lie one after another in a buffer of valid UTF-8.

    Runs without the GIL: call it from several threads, on one buffer or several. Scratch does not
    grow with a document, except over a stretch of words beyond 64 kB without an ASCII space or
    mark. Words and letters are those of the text in NFC; `chars_N` counts it as it stands.

    Args:
        text: The bytes, contiguous; an Arrow buffer as it is, with no padding.
        offsets: N + 1 ascending positions in `text`; document i is `offsets[i]:offsets[i + 1]`.
        scheme: `make_permutations(...)` for values of uint32 or uint64, `Slots()` for uint32.
        shingling: What the shingles are; by default of 5 words.

    Raises:
        ValueError: `offsets` reach beyond `text` or descend.
    """
    offsets = check_offsets(text, offsets)
    documents = len(offsets) - 1
    maps_32, maps_64, slots, minima_NQ, highest = _begin(scheme, documents)
    units_N = np.zeros(documents, np.int64)
    chars_N = np.zeros(documents, np.int64)
    kind, tables, length = shingling.kind, shingling.tables, shingling.length
    for first, last, span, start in readable_spans(text, offsets):
        base, cut = span.ctypes.data - start, offsets[first : last + 1]
        rows, units, chars = minima_NQ[first:last], units_N[first:last], chars_N[first:last]
        _sign_texts(
            base, cut, kind, tables, length, maps_32, maps_64, slots, highest, rows, units, chars
        )
    short_N = (units_N > 0) & (units_N < length)
    signature_NP = np.ascontiguousarray(minima_NQ[:, : scheme.num_perm])
    words_N = units_N if shingling.unit == "words" else count_units(text, offsets, Shingling())
    return Signed(signature_NP, words_N, chars_N, count_shingles(units_N, length), short_N)


def sign_sets(
    shingles: NDArray[np.uint64], offsets: NDArray[np.int64], scheme: Scheme
) -> Signature:
    """Sign sets of shingles that lie one after another, as `sign_texts` signs their texts.

    Args:
        shingles: 64-bit shingles; repeats change nothing.
        offsets: N + 1 ascending positions: set i is `shingles[offsets[i]:offsets[i + 1]]`.
        scheme: As for `sign_texts`.
    """
    values = np.array(shingles, np.uint64)  # a copy: kernels mix it, or drop repeats, in place
    ends = np.ascontiguousarray(offsets, np.int64)
    maps_32, maps_64, slots, minima_NQ, highest = _begin(scheme, len(ends) - 1)
    _sign_sets(values, ends, maps_32, maps_64, slots, highest, minima_NQ)
    return np.ascontiguousarray(minima_NQ[:, : scheme.num_perm])


def _begin(
    scheme: Scheme, number: int
) -> tuple[Maps32 | None, Maps64 | None, int | None, NDArray[Any], Any]:
    """Return what kernels take of a scheme, room for `number` signatures, and the highest minimum.

    That is maps of 32 bits, or of 64, or the number of slots: what is not None names the scheme.
    numba compiles a kernel anew for each of the three, and leaves out what asks for a None.
    """
    if isinstance(scheme, Slots):
        return None, None, scheme.num_perm, np.empty((number, scheme.num_perm), np.uint32), EMPTY
    a_Q, b_Q = scheme.multipliers_Q, scheme.increments_Q
    minima_NQ = np.empty((number, a_Q.size), a_Q.dtype)
    if a_Q.dtype == np.uint64:
        return None, (a_Q, b_Q), None, minima_NQ, MAX_HASH_64
    return (a_Q, b_Q, np.empty(BLOCK, np.uint32)), None, None, minima_NQ, MAX_HASH


@inline
def _lower(
    shingles: NDArray[np.uint64],
    first: int,
    count: int,
    maps_32: Maps32 | None,
    maps_64: Maps64 | None,
    slots: int | None,
    minima_Q: NDArray[Any],
) -> None:
    """Lower one signature by `shingles[first:first + count]`, which may be altered."""
    if maps_32 is not None:
        lower_32(shingles, first, count, maps_32, minima_Q)
    if maps_64 is not None:
        lower_64(shingles, first, count, maps_64, minima_Q)
    if slots is not None:
        lower_slots(shingles, first, count, minima_Q)


@njit
def _sign_texts(
    base: int,
    offsets: NDArray[np.int64],
    kind: int,
    tables: Tables,
    length: int,
    maps_32: Maps32 | None,
    maps_64: Maps64 | None,
    slots: int | None,
    highest: Any,
    minima_NQ: NDArray[Any],
    units_N: NDArray[np.int64],
    chars_N: NDArray[np.int64],
) -> None:
    """Sign documents, a piece at a time; every minimum begins as `highest`.

    `base` is as for `read_shingles`, maps are as in `_begin`.
    """
    units = np.empty(1 << 15, np.uint64)
    shingles = np.empty(1 << 15, np.uint64)
    for document in range(offsets.size - 1):
        minima_NQ[document] = highest
        place, end = begin_document(offsets[document]), offsets[document + 1]
        while place[0] < end:
            place, units, shingles, count = read_shingles(
                base, place, end, kind, tables, length, units, shingles
            )
            _lower(shingles, 0, count, maps_32, maps_64, slots, minima_NQ[document])
        units_N[document], chars_N[document] = place[3], place[4]


@njit
def _sign_sets(
    shingles: NDArray[np.uint64],
    offsets: NDArray[np.int64],
    maps_32: Maps32 | None,
    maps_64: Maps64 | None,
    slots: int | None,
    highest: Any,
    minima_NQ: NDArray[Any],
) -> None:
    """Sign sets of shingles, which may be altered; maps as in `_begin`."""
    for index in range(offsets.size - 1):
        minima_NQ[index] = highest
        start = offsets[index]
        _lower(
            shingles, start, offsets[index + 1] - start, maps_32, maps_64, slots, minima_NQ[index]
        )
