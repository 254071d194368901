"""Buckets: the documents whose keys agree in one band, and the pairs among them."""

# N = documents, B = bands, M = members of buckets

import numpy as np
from numpy.typing import NDArray

from assay.kernels import njit

_HALF = np.uint64(32)
_MIX = np.uint64(0xFF51_AFD7_ED55_8CCD)


@njit
def mix_key(mixed_N: NDArray[np.uint64], key_N: NDArray[np.uint64]) -> None:
    """Take one more band into a hash over all bands of each document."""
    for document in range(mixed_N.size):
        mixed = (mixed_N[document] ^ key_N[document]) * _MIX
        mixed_N[document] = mixed ^ (mixed >> _HALF)


@njit
def group_equal(key_N: NDArray[np.uint64], live_N: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return for each live document the first one of an equal key; -1 for the others."""
    size = 16
    while size < key_N.size + key_N.size // 2:
        size *= 2
    mask = np.uint64(size - 1)
    place_S = np.full(size, -1, np.int64)
    group_N = np.full(key_N.size, -1, np.int64)
    for document in range(key_N.size):
        if not live_N[document]:
            continue
        slot = (key_N[document] >> _HALF) & mask
        while place_S[slot] >= 0 and key_N[place_S[slot]] != key_N[document]:
            slot = (slot + np.uint64(1)) & mask
        if place_S[slot] < 0:
            place_S[slot] = document
        group_N[document] = place_S[slot]
    return group_N


@njit
def fill_buckets(
    key_N: NDArray[np.uint64], live_N: NDArray[np.bool_]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """List the live members, ascending, of each bucket of two or more, and where each starts."""
    count = key_N.size
    size = 16
    while size < count + count // 2:
        size *= 2
    mask = np.uint64(size - 1)
    head_S = np.full(size, -1, np.int32)
    key_S = np.empty(size, np.uint64)
    next_N = np.full(count, -1, np.int32)
    inner_N = np.zeros(count, np.bool_)
    num_members = 0
    for document in range(count - 1, -1, -1):
        if not live_N[document]:
            continue
        key = key_N[document]
        slot = (key >> _HALF) & mask
        while head_S[slot] >= 0 and key_S[slot] != key:
            slot = (slot + np.uint64(1)) & mask
        if head_S[slot] >= 0:
            next_N[document] = head_S[slot]
            inner_N[head_S[slot]] = True
            num_members += 2
        head_S[slot] = document
        key_S[slot] = key
    return _list_chains(next_N, inner_N, num_members)


@njit
def _list_chains(
    next_N: NDArray[np.int32], inner_N: NDArray[np.bool_], most: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """List the chains of two or more that `next_N` links, by their first members."""
    members_M = np.empty(most, np.int32)
    starts = np.empty(most + 1, np.int64)
    starts[0] = 0
    buckets = 0
    at = 0
    for document in range(next_N.size):
        if next_N[document] >= 0 and not inner_N[document]:
            member = document
            while member >= 0:
                members_M[at] = member
                at += 1
                member = next_N[member]
            buckets += 1
            starts[buckets] = at
    return members_M[:at].copy(), starts[: buckets + 1].copy()


@njit
def pair_buckets(
    key_BN: NDArray[np.uint64],
    band: int,
    members_M: NDArray[np.int32],
    starts: NDArray[np.int64],
    cap: int,
) -> NDArray[np.uint64]:
    """Pair the members of each bucket up to the cap, but for pairs that an earlier band has.

    Returns each pair as (smaller << 32 | larger).
    """
    packed = np.empty(max(members_M.size, 16), np.uint64)
    count = 0
    for bucket in range(starts.size - 1):
        first, last = starts[bucket], starts[bucket + 1]
        if last - first > cap:
            continue
        for i in range(first, last):
            for j in range(i + 1, last):
                a, b = members_M[i], members_M[j]
                known = False
                for earlier in range(band):
                    if key_BN[earlier, a] == key_BN[earlier, b]:
                        known = True
                        break
                if known:
                    continue
                if count == packed.size:
                    packed = np.concatenate((packed, np.empty(count, np.uint64)))
                packed[count] = np.uint64(a) << _HALF | np.uint64(b)
                count += 1
    return packed[:count].copy()
