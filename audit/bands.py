"""Candidate pairs: documents whose signatures agree in all rows of at least one band.

Bands propose, verification decides (`assay.audit.verify`). Documents of equal signatures form a
group, and only its first stands in the buckets; pairs that bucket by bucket would grow with the
square of a large bucket are left to `assay.audit.clusters.compare_guarded`.
"""

# N = documents, P = permutations (in `signature_NP`) or pairs, B = bands, R = representatives

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.kernels import njit

BUCKET_CAP = 256

_ONE = np.uint64(1)
_START = np.uint64(0x9E37_79B9_7F4A_7C15)
_MIX = np.uint64(0xFF51_AFD7_ED55_8CCD)
_HALF = np.uint64(32)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pairs worth verifying, and what was kept out of them.

    `group_N` is the first document of the same signature, or -1 for documents without one.
    `pair_P2` pairs first documents, each pair once, smaller index first, in ascending order.
    `large` lists the members of each bucket over the cap, first documents too, ascending.
    """

    pair_P2: NDArray[np.int64]
    group_N: NDArray[np.int64]
    large: tuple[NDArray[np.int64], ...]


def detection(jaccard: float, bands: int, rows: int) -> float:
    """Return the chance that a pair of this Jaccard similarity agrees in some band.

    >>> round(detection(0.8, 16, 8), 3)
    0.947
    """
    return float(1 - (1 - jaccard**rows) ** bands)


def propose_pairs(
    signature_NP: NDArray[np.uint32],
    bands: int,
    rows: int,
    eligible_N: NDArray[np.bool_],
    *,
    cap: int = BUCKET_CAP,
    threads: int = 1,
) -> Candidates:
    """Find the pairs of documents that share a bucket of at most `cap` members.

    The result is the same for any number of threads. Takes `8 * bands` bytes a document, and 16
    a pair: a corpus whose buckets all stand just under the cap has up to
    `bands * (cap - 1) / 2` pairs a document.

    Raises:
        ValueError: The signatures have fewer than `bands * rows` values.
    """
    if bands < 1 or rows < 1 or bands * rows > signature_NP.shape[1]:
        raise ValueError(
            f"{bands} bands of {rows} rows need {bands * rows} values, "
            f"signatures have {signature_NP.shape[1]}"
        )
    signature_NP = np.ascontiguousarray(signature_NP)
    group_N = _group_rows(signature_NP, np.ascontiguousarray(eligible_N, np.bool_))
    first_R = np.flatnonzero(group_N == np.arange(len(group_N)))
    key_BR = np.empty((bands, len(first_R)), np.uint64)

    def bucket(band: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        _key_band(signature_NP, first_R, band, rows, key_BR[band])
        return _fill_buckets(key_BR[band])

    if threads > 1:
        with ThreadPoolExecutor(threads) as pool:
            buckets = list(pool.map(bucket, range(bands)))
    else:
        buckets = [bucket(band) for band in range(bands)]
    large = _set_aside(key_BR, buckets, cap)
    packed = [_pair_buckets(key_BR, band, *buckets[band], cap) for band in range(bands)]
    sorted_P = np.sort(np.concatenate(packed))
    pair_P2 = np.stack([sorted_P >> _HALF, sorted_P & np.uint64(0xFFFF_FFFF)], axis=1)
    return Candidates(first_R[pair_P2.astype(np.int64)], group_N, _join_large(large, first_R))


def pair_groups(group_N: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pair each document with the first of its signature group, itself excepted; ascending."""
    member = np.flatnonzero((group_N >= 0) & (group_N != np.arange(len(group_N))))
    pair_P2 = np.stack([group_N[member], member], axis=1)
    return pair_P2[np.lexsort((pair_P2[:, 1], pair_P2[:, 0]))]


def release_members(candidates: Candidates, odd: NDArray[np.int64]) -> Candidates:
    """Let documents that share their group's signature, but not its shingle set, stand alone.

    Each takes over the pairs and large buckets of its group's first document, and is paired with
    that document and with the group's other odd ones.
    """
    if len(odd) == 0:
        return candidates
    first_of = candidates.group_N
    by_first: dict[int, list[int]] = {}
    for document in odd.tolist():
        by_first.setdefault(int(first_of[document]), []).append(document)
    pairs = set(map(tuple, candidates.pair_P2.tolist()))
    for a, b in list(pairs):
        ours, theirs = [a, *by_first.get(a, [])], [b, *by_first.get(b, [])]
        pairs.update((min(x, y), max(x, y)) for x in ours for y in theirs)
    for first, members in by_first.items():
        same = sorted([first, *members])
        pairs.update((x, y) for place, x in enumerate(same) for y in same[place + 1 :])
    large = tuple(
        np.array(sorted([*bucket, *(x for d in bucket for x in by_first.get(d, []))]), np.int64)
        for bucket in (members.tolist() for members in candidates.large)
    )
    group_N = first_of.copy()
    group_N[odd] = odd
    return Candidates(np.array(sorted(pairs), np.int64).reshape(-1, 2), group_N, large)


@njit
def _group_rows(
    signature_NP: NDArray[np.uint32], eligible_N: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return for each eligible document the first of equal signature; -1 for the others."""
    documents, values = signature_NP.shape
    size = 16
    while size < documents + documents // 2:
        size *= 2
    mask = np.uint64(size - 1)
    place_S = np.full(size, -1, np.int64)
    key_S = np.empty(size, np.uint64)
    group_N = np.full(documents, -1, np.int64)
    for document in range(documents):
        if not eligible_N[document]:
            continue
        key = _START  # a sum of products, so that lanes work side by side
        for place in range(values):
            key += np.uint64(signature_NP[document, place]) * (_MIX * np.uint64(2 * place + 1))
        slot = (key >> _HALF) & mask
        group_N[document] = document
        while place_S[slot] >= 0:
            other = place_S[slot]
            if key_S[slot] == key and np.all(signature_NP[other] == signature_NP[document]):
                group_N[document] = other
                break
            slot = (slot + _ONE) & mask
        if group_N[document] == document:
            place_S[slot] = document
            key_S[slot] = key
    return group_N


@njit
def _key_band(
    signature_NP: NDArray[np.uint32],
    first_R: NDArray[np.int64],
    band: int,
    rows: int,
    key_R: NDArray[np.uint64],
) -> None:
    """Hash one band of each signature into an odd key."""
    for index in range(first_R.size):
        document = first_R[index]
        key = _START
        for place in range(band * rows, (band + 1) * rows):
            key = (key ^ np.uint64(signature_NP[document, place])) * _MIX
            key ^= key >> _HALF
        key_R[index] = key | _ONE


@njit
def _fill_buckets(key_R: NDArray[np.uint64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """List the members, ascending, of each bucket of two or more, and where each one starts."""
    count = key_R.size
    size = 16
    while size < count + count // 2:
        size *= 2
    mask = np.uint64(size - 1)
    head_S = np.full(size, -1, np.int32)
    key_S = np.empty(size, np.uint64)
    next_R = np.full(count, -1, np.int32)
    inner_R = np.zeros(count, np.bool_)
    num_members = 0
    for index in range(count - 1, -1, -1):
        key = key_R[index]
        slot = (key >> _HALF) & mask
        while head_S[slot] >= 0 and key_S[slot] != key:
            slot = (slot + _ONE) & mask
        if head_S[slot] >= 0:
            next_R[index] = head_S[slot]
            inner_R[head_S[slot]] = True
            num_members += 2
        head_S[slot] = index
        key_S[slot] = key
    members = np.empty(num_members, np.int32)
    starts = np.empty(num_members + 1, np.int64)
    starts[0] = 0
    buckets = 0
    at = 0
    for index in range(count):
        if next_R[index] >= 0 and not inner_R[index]:
            member = index
            while member >= 0:
                members[at] = member
                at += 1
                member = next_R[member]
            buckets += 1
            starts[buckets] = at
    return members[:at].copy(), starts[: buckets + 1].copy()


def _set_aside(
    key_BR: NDArray[np.uint64],
    buckets: list[tuple[NDArray[np.int32], NDArray[np.int64]]],
    cap: int,
) -> list[NDArray[np.int32]]:
    """List the buckets over the cap, and give their members keys that agree with nothing.

    The new keys are even and distinct, so that `_pair_buckets` sees a pair as found by an
    earlier band only where that band did pair it.
    """
    large = []
    for key_R, (members, starts) in zip(key_BR, buckets, strict=True):
        for bucket in np.flatnonzero(np.diff(starts) > cap):
            inside = members[starts[bucket] : starts[bucket + 1]]
            large.append(inside)
            key_R[inside] = 2 * inside.astype(np.uint64)
    return large


def _join_large(
    large: list[NDArray[np.int32]], first_R: NDArray[np.int64]
) -> tuple[NDArray[np.int64], ...]:
    """Drop buckets that several bands have alike, and order the others."""
    distinct = {members.tobytes(): members for members in large}
    ordered = sorted(distinct.values(), key=lambda members: (members[0], len(members)))
    return tuple(first_R[members] for members in ordered)


@njit
def _pair_buckets(
    key_BR: NDArray[np.uint64],
    band: int,
    members: NDArray[np.int32],
    starts: NDArray[np.int64],
    cap: int,
) -> NDArray[np.uint64]:
    """Pair the members of each bucket up to the cap, but for pairs that an earlier band has."""
    packed = np.empty(max(members.size, 16), np.uint64)
    count = 0
    for bucket in range(starts.size - 1):
        first, last = starts[bucket], starts[bucket + 1]
        if last - first > cap:
            continue
        for i in range(first, last):
            for j in range(i + 1, last):
                a, b = members[i], members[j]
                known = False
                for earlier in range(band):
                    if key_BR[earlier, a] == key_BR[earlier, b]:
                        known = True
                        break
                if known:
                    continue
                if count == packed.size:
                    packed = np.concatenate((packed, np.empty(count, np.uint64)))
                packed[count] = np.uint64(a) << _HALF | np.uint64(b)
                count += 1
    return packed[:count].copy()
