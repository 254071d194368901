"""True Jaccard of candidate pairs, computed on the shingle sets of their texts.

Nothing here is estimated: a set is every distinct 64-bit shingle of a document, and of two sets
the shared members are counted one by one.
"""

# N = documents, P = pairs

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_128_digest

from assay.engine import map_tasks
from assay.kernels import njit
from assay.storage.spill import is_mapped, release_pages
from assay.text.buffers import check_offsets, make_room, readable_spans
from assay.text.pieces import Tables, begin_document
from assay.text.shingling import Shingling, read_shingles

_SLICE = 4096  # pairs that a thread takes at a time
# The same where sets are read from disk: each of a pair may bring 64 kB of pages and more.
_MAPPED_SLICE = 256


@dataclass(frozen=True, slots=True)
class ShingleSets:
    """The distinct shingles of N documents, ascending: `values[offsets_N[i]:offsets_N[i + 1]]`.

    `values` may be mapped from disk; kernels see no difference.

    A document that was not chosen has an empty set, so that positions stay those of the corpus.
    """

    values: NDArray[np.uint64]
    offsets_N: NDArray[np.int64]


def make_sets(
    text: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    *,
    chosen_N: NDArray[np.bool_] | None = None,
    shingling: Shingling = Shingling(),  # noqa: B008  # frozen
) -> ShingleSets:
    """Collect the shingle sets of the chosen documents, or of all.

    Runs without the GIL. The result takes 8 bytes a distinct shingle, about 1.3 times the text;
    scratch takes up to 32 bytes a shingle of the longest document. Other arguments and errors as
    for `assay.audit.minhash.sign.sign_texts`.
    """
    offsets = check_offsets(text, offsets)
    if chosen_N is None:
        chosen_N = np.ones(len(offsets) - 1, np.bool_)
    parts = [ShingleSets(np.empty(0, np.uint64), np.zeros(1, np.int64))]
    kind, tables, length = shingling.kind, shingling.tables, shingling.length
    for first, last, span, start in readable_spans(text, offsets):
        base, cut = span.ctypes.data - start, offsets[first : last + 1]
        chosen = np.ascontiguousarray(chosen_N[first:last], np.bool_)
        parts.append(ShingleSets(*_collect_sets(base, cut, chosen, kind, tables, length)))
    return join_sets(parts)


def join_sets(parts: Sequence[ShingleSets]) -> ShingleSets:
    """Put the sets of consecutive documents, from several buffers, one after another."""
    sizes = np.concatenate([np.diff(part.offsets_N) for part in parts])
    values = np.concatenate([part.values for part in parts])
    return ShingleSets(values, np.append(0, np.cumsum(sizes)))


def verify_pairs(
    sets: ShingleSets, pair_P2: NDArray[np.int64], threshold: float, *, threads: int = 1
) -> NDArray[np.float64]:
    """Compute each pair's Jaccard where it is at least `threshold`; NaN where it is below.

    Exact: a reported value is the quotient of two counts, correctly rounded, and compares with
    `threshold` as that does. Sets whose sizes rule the threshold out are not read, and a pair is
    left as soon as too few members remain. About 2 ns a shingle of the pair.

    Raises:
        ValueError: `threshold` is not in (0, 1].
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold must be above 0 and at most 1, got {threshold}")

    def verify(pairs: NDArray[np.int64]) -> NDArray[np.float64]:
        jaccard_P = _verify_slice(sets.values, sets.offsets_N, pairs, threshold)
        release_pages(sets.values)
        return jaccard_P

    pairs = np.ascontiguousarray(pair_P2, np.int64).reshape(-1, 2)
    step = _MAPPED_SLICE if is_mapped(sets.values) else _SLICE
    slices = [pairs[start : start + step] for start in range(0, len(pairs), step)]
    return np.concatenate([np.empty(0, np.float64), *map_tasks(verify, slices, threads)])


def measure_pairs(
    sets: ShingleSets, pair_P2: NDArray[np.int64], *, threads: int = 1
) -> NDArray[np.float64]:
    """Compute each pair's Jaccard, however small."""
    smallest = float(np.finfo(np.float64).tiny)  # below any quotient of two counts but 0
    return np.nan_to_num(verify_pairs(sets, pair_P2, smallest, threads=threads))


def lead_equal(
    sets: ShingleSets, group: NDArray[np.int64], members: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return for each member of a group the first of that group that has the very set.

    Args:
        sets: Shingle sets, by position.
        group: The group of each member.
        members: Positions.
    """
    first: dict[tuple[int, bytes], int] = {}
    leaders = []
    for number, member in zip(group.tolist(), members.tolist(), strict=True):
        values = sets.values[sets.offsets_N[member] : sets.offsets_N[member + 1]]
        leaders.append(first.setdefault((number, xxh3_128_digest(values.tobytes())), member))
    return np.array(leaders, np.int64)


@njit
def compare_sets(
    values: NDArray[np.uint64], a: int, a_end: int, b: int, b_end: int, need: int
) -> int:
    """Count what `values[a:a_end]` and `values[b:b_end]` share, or return -1 if less than `need`.

    Both ascend without repeats. A count below `need` may also be returned as it is.
    """
    shared = 0
    while a < a_end and b < b_end:
        if shared + min(a_end - a, b_end - b) < need:
            return -1
        steps = min(64, min(a_end - a, b_end - b))
        for _ in range(steps):  # neither side can run out within so many steps
            x, y = values[a], values[b]
            shared += x == y
            a += x <= y
            b += y <= x
    return shared


@njit
def jaccard_at_least(
    values: NDArray[np.uint64], offsets: NDArray[np.int64], a: int, b: int, threshold: float
) -> float:
    """Return the Jaccard of sets `a` and `b`, or NaN: below `threshold`, or one is empty."""
    size_a = offsets[a + 1] - offsets[a]
    size_b = offsets[b + 1] - offsets[b]
    # One less than what the threshold asks for: rounding must not drop a pair that just meets it.
    need = int(threshold * (size_a + size_b) / (1.0 + threshold)) - 1
    if min(size_a, size_b) < max(need, 1):
        return np.nan
    shared = compare_sets(values, offsets[a], offsets[a + 1], offsets[b], offsets[b + 1], need)
    if shared < 0:
        return np.nan
    jaccard = shared / (size_a + size_b - shared)
    return jaccard if jaccard >= threshold else np.nan


@njit
def sizes_rule_out(offsets: NDArray[np.int64], a: int, b: int, threshold: float) -> bool:
    """Tell whether the sizes of sets `a` and `b` alone put their Jaccard below `threshold`."""
    size_a = offsets[a + 1] - offsets[a]
    size_b = offsets[b + 1] - offsets[b]
    return bool(min(size_a, size_b) < threshold * max(size_a, size_b) * (1 - 1e-9))


@njit
def _verify_slice(
    values: NDArray[np.uint64],
    offsets: NDArray[np.int64],
    pair_P2: NDArray[np.int64],
    threshold: float,
) -> NDArray[np.float64]:
    """Verify pairs one after another."""
    jaccard_P = np.empty(len(pair_P2), np.float64)
    for pair in range(len(pair_P2)):
        a, b = pair_P2[pair, 0], pair_P2[pair, 1]
        jaccard_P[pair] = jaccard_at_least(values, offsets, a, b, threshold)
    return jaccard_P


@njit
def _insert_sorted(table: NDArray[np.uint64], shift: np.uint64, value: np.uint64) -> int:
    """Insert a value into a hash table whose filled places ascend; return 1 if it was new.

    Its place is given by its upper bits, so that reading the table from start to end yields the
    values in order: sorting shingles, which are spread evenly, in linear time. 0 marks a free
    place.
    """
    place = np.int64(value >> shift)
    while True:
        held = table[place]
        if held == value:
            return 0
        if held == np.uint64(0):
            table[place] = value
            return 1
        if held > value:
            table[place] = value
            value = held
        place += 1


@njit
def _collect_sets(
    base: int,
    offsets: NDArray[np.int64],
    chosen_N: NDArray[np.bool_],
    kind: int,
    tables: Tables,
    length: int,
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Collect sets from a buffer that is readable 64 bytes past the last document."""
    units = np.empty(1 << 15, np.uint64)
    shingles = np.empty(1 << 15, np.uint64)
    found = np.empty(1 << 12, np.uint64)
    hashed = np.zeros(1 << 14, np.uint64)
    values = np.empty(1 << 16, np.uint64)
    ends = np.zeros(offsets.size, np.int64)
    used = 0
    for document in range(offsets.size - 1):
        if chosen_N[document]:
            place, end = begin_document(offsets[document]), offsets[document + 1]
            count = 0
            while place[0] < end:
                place, units, shingles, more = read_shingles(
                    base, place, end, kind, tables, length, units, shingles
                )
                found = make_room(found, count, more, found.size)
                for number in range(more):
                    found[count + number] = shingles[number]
                count += more
            bits = 1
            while (1 << bits) < 2 * count:
                bits += 1
            if (1 << bits) + count > hashed.size:
                hashed = np.zeros(2 * ((1 << bits) + count), np.uint64)
            distinct = 0
            for index in range(count):
                distinct += _insert_sorted(hashed, np.uint64(64 - bits), found[index])
            values = make_room(values, used, distinct + 1, values.size)
            last = used + distinct
            slot = 0
            while used < last:
                held = hashed[slot]
                values[used] = held  # no branch: whether a place is taken cannot be foreseen
                used += held != np.uint64(0)
                hashed[slot] = np.uint64(0)
                slot += 1
        ends[document + 1] = used
    return values[:used].copy(), ends
