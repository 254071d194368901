"""Candidate pairs: documents whose signatures agree in all rows of at least one band.

Bands propose, verification decides (`assay.audit.pairs.jaccard`). Documents that agree in all
bands form a group, and only its first stands in the buckets; pairs that bucket by bucket would
grow with the square of a large bucket are left to `assay.audit.pairs.large_buckets`.
"""

# N = documents, P = pairs, B = bands

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.audit.pairs.buckets import fill_buckets, group_equal, mix_key, pair_buckets
from assay.engine import map_tasks

BUCKET_CAP = 256
GROUP_CAP = 1000


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pairs worth verifying, and what was kept out of them.

    `group_N` is the first document of the same keys, or -1 for documents that take no part.
    `pair_P2` pairs first documents, each pair once, smaller index first, in ascending order.
    `large` lists the members of each bucket over the cap, first documents too, ascending.
    """

    pair_P2: NDArray[np.int64]
    group_N: NDArray[np.int64]
    large: tuple[NDArray[np.int64], ...]


def propose_pairs(
    key_BN: NDArray[np.uint64],
    eligible_N: NDArray[np.bool_],
    *,
    cap: int = BUCKET_CAP,
    threads: int = 1,
) -> Candidates:
    """Find the pairs of documents that share a bucket of at most `cap` members.

    The result is the same for any number of threads. Beside the keys, of which only one band a
    thread is read at a time, takes about 40 bytes a document and thread, and 16 bytes a pair: a
    corpus whose buckets all stand just under the cap has up to `bands * (cap - 1) / 2` pairs a
    document. Keys of buckets over the cap are changed.
    """
    mixed_N = np.zeros(key_BN.shape[1], np.uint64)
    for key_N in key_BN:
        mix_key(mixed_N, key_N)
    group_N = group_equal(mixed_N, np.ascontiguousarray(eligible_N, np.bool_))
    first_N = group_N == np.arange(len(group_N))

    def bucket(key_N: NDArray[np.uint64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        return fill_buckets(key_N, first_N)

    buckets = list(map_tasks(bucket, key_BN, threads))
    large = _set_aside(key_BN, buckets, cap)
    packed = [pair_buckets(key_BN, band, *buckets[band], cap) for band in range(len(key_BN))]
    sorted_P = np.sort(np.concatenate([np.empty(0, np.uint64), *packed]))
    pair_P2 = np.stack([sorted_P >> np.uint64(32), sorted_P & np.uint64(0xFFFF_FFFF)], axis=1)
    return Candidates(pair_P2.astype(np.int64), group_N, _join_large(large))


def pair_groups(group_N: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pair each document with the first of its signature group, itself excepted; ascending."""
    member = np.flatnonzero((group_N >= 0) & (group_N != np.arange(len(group_N))))
    pair_P2 = np.stack([group_N[member], member], axis=1)
    return pair_P2[np.lexsort((pair_P2[:, 1], pair_P2[:, 0]))]


def release_members(candidates: Candidates, odd: NDArray[np.int64]) -> Candidates:
    """Let documents that share their group's keys, but not its shingle set, stand alone.

    Each takes over the pairs and large buckets of its group's first document, and is paired with
    that document and with the group's other odd ones. Pairs of which one side would be a group of
    more than `BUCKET_CAP` are left to a large bucket.
    """
    if len(odd) == 0:
        return candidates
    first_of, pair_P2 = candidates.group_N, candidates.pair_P2
    size_N = np.bincount(first_of[odd], minlength=len(first_of)) + 1
    big_P = size_N[pair_P2].max(axis=1, initial=1) > BUCKET_CAP
    released_N = np.where(first_of == np.arange(len(first_of)), first_of, -1)
    released_N[odd] = first_of[odd]
    released_N[(size_N > BUCKET_CAP)[released_N] & (released_N >= 0)] = -1
    expanded_P2, _ = expand_pairs(pair_P2[~big_P], released_N)

    crowded = [np.array([first]) for first in np.flatnonzero(size_N > BUCKET_CAP).tolist()]
    buckets = [*candidates.large, *crowded, *pair_P2[big_P]]
    large = [np.sort(np.append(own, odd[np.isin(first_of[odd], own)])) for own in buckets]
    group_N = first_of.copy()
    group_N[odd] = odd
    return Candidates(expanded_P2, group_N, tuple(large))


def expand_pairs(
    pair_P2: NDArray[np.int64], group_N: NDArray[np.int64], *, cap: int = GROUP_CAP
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give each document the pairs of the first one of its group, and pair groups within.

    Members of a group must have equal shingle sets (`release_members` makes it so): then what is
    true of a pair holds for all of them, and the Jaccard within is 1. Because the pairs grow with
    the square of a group, those over `cap` stand for themselves by their first member, to which
    the others are paired.

    Args:
        pair_P2: Verified pairs of first documents, each once; none within a group.
        group_N: The first document of each one's group, or -1.
        cap: Members of a group at most.

    Returns:
        The pairs of documents, smaller first, ascending, and the place of the pair that each was
        made of; -1 within a group.
    """
    grouped = np.flatnonzero(group_N >= 0)
    members = grouped[np.argsort(group_N[grouped], kind="stable")]
    size_N = np.bincount(group_N[grouped], minlength=len(group_N))
    start_N = np.cumsum(size_N) - size_N
    taken_N = np.where(size_N > cap, 1, size_N)
    several = np.flatnonzero(taken_N > 1)
    starred = np.flatnonzero((group_N >= 0) & (size_N[group_N] > cap))
    starred = starred[group_N[starred] != starred]

    pairs = np.asarray(pair_P2, np.int64).reshape(-1, 2)
    blocks = np.concatenate([pairs, np.stack([several, several], axis=1)])
    row, left, right = _multiply(blocks, taken_N)
    x, y = members[start_N[blocks[row, 0]] + left], members[start_N[blocks[row, 1]] + right]
    kept = (row < len(pairs)) | (x < y)  # a group with itself has each pair twice
    star_P2 = np.stack([group_N[starred], starred], axis=1)
    all_P2 = np.sort(np.concatenate([np.stack([x, y], axis=1)[kept], star_P2]), axis=1)
    made_of = np.concatenate([row[kept], np.full(len(starred), len(pairs))])
    order = np.lexsort((all_P2[:, 1], all_P2[:, 0]))
    made_of_P = np.where(made_of < len(pairs), made_of, -1)[order]
    return all_P2[order], made_of_P


def _set_aside(
    key_BN: NDArray[np.uint64],
    buckets: list[tuple[NDArray[np.int32], NDArray[np.int64]]],
    cap: int,
) -> list[NDArray[np.int32]]:
    """List the buckets over the cap, and give their members keys that agree with nothing.

    The new keys are even and distinct, so that `pair_buckets` sees a pair as found by an
    earlier band only where that band did pair it.
    """
    large = []
    for key_N, (members, starts) in zip(key_BN, buckets, strict=True):
        for bucket in np.flatnonzero(np.diff(starts) > cap):
            inside = members[starts[bucket] : starts[bucket + 1]]
            large.append(inside)
            key_N[inside] = 2 * inside.astype(np.uint64)
    return large


def _join_large(large: list[NDArray[np.int32]]) -> tuple[NDArray[np.int64], ...]:
    """Drop buckets that several bands have alike, and order the others."""
    distinct = {members.tobytes(): members for members in large}
    ordered = sorted(distinct.values(), key=lambda members: (members[0], len(members)))
    return tuple(members.astype(np.int64) for members in ordered)


def _multiply(
    blocks: NDArray[np.int64], taken_N: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """List, block by block, each member of the left group with each of the right one.

    Returns the block, and the places within both groups.
    """
    right_size = taken_N[blocks[:, 1]]
    num_pairs = taken_N[blocks[:, 0]] * right_size
    row = np.repeat(np.arange(len(blocks)), num_pairs)
    place = np.arange(len(row)) - np.repeat(np.cumsum(num_pairs) - num_pairs, num_pairs)
    return row, place // right_size[row], place % right_size[row]
