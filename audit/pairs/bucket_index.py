"""Which large buckets each document stands in: so that a pair that shares several counts once."""

# N = documents, P = pairs, E = (document, bucket) entries

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.kernels import njit
from assay.repeats.clusters import count_within

_MAX_ENTRIES = 1 << 31  # to go through when pairs are counted: some 3 s on one core


@dataclass(frozen=True, slots=True)
class BucketIndex:
    """The buckets of each document, ascending: `bucket_E[offsets_N[i]:offsets_N[i + 1]]`."""

    buckets: tuple[NDArray[np.int64], ...]
    offsets_N: NDArray[np.int64]
    bucket_E: NDArray[np.int64]

    @property
    def inside_N(self) -> NDArray[np.bool_]:
        """Tell the documents that stand in a bucket."""
        return np.asarray(np.diff(self.offsets_N) > 0)

    def share(self, pair_P2: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell the pairs whose documents stand in one bucket."""
        return _share_any(self.offsets_N, self.bucket_E, np.asarray(pair_P2, np.int64))

    def count_pairs(self) -> int | None:
        """Count the pairs that share a bucket, each once; None where that takes too long."""
        if sum(bucket.size**2 for bucket in self.buckets) > 2 * _MAX_ENTRIES:
            return None
        members = np.concatenate([np.empty(0, np.int64), *self.buckets])
        starts = np.cumsum([0, *(bucket.size for bucket in self.buckets)])
        return int(_count_pairs(self.offsets_N, self.bucket_E, members, starts))

    def count_joined(self, label_N: NDArray[np.int64], pair_P2: NDArray[np.int64]) -> int:
        """Count pairs of members of buckets that are of one cluster and not listed, each once.

        Args:
            label_N: The cluster of each document.
            pair_P2: The pairs that are listed, each once.
        """
        inside_N = self.inside_N
        _, count_K = np.unique(label_N[inside_N], return_counts=True)
        listed = inside_N[pair_P2].all(axis=1)
        return count_within(count_K) - int(listed.sum())


def index_buckets(num_documents: int, buckets: Sequence[NDArray[np.int64]]) -> BucketIndex:
    """Index buckets by their members."""
    members = np.concatenate([np.empty(0, np.int64), *buckets])
    number_E = np.repeat(np.arange(len(buckets)), [len(bucket) for bucket in buckets])
    order = np.lexsort((number_E, members))
    offsets_N = np.append(0, np.cumsum(np.bincount(members, minlength=num_documents)))
    return BucketIndex(tuple(buckets), offsets_N, number_E[order])


@njit
def share_before(
    offsets: NDArray[np.int64], bucket_E: NDArray[np.int64], a: int, b: int, before: int
) -> bool:
    """Tell whether two documents stand in one bucket of those numbered below `before`."""
    at, end = offsets[a], offsets[a + 1]
    other, other_end = offsets[b], offsets[b + 1]
    while at < end and other < other_end:
        x, y = bucket_E[at], bucket_E[other]
        if min(x, y) >= before:
            return False
        if x == y:
            return True
        at += x < y
        other += y < x
    return False


@njit
def _share_any(
    offsets: NDArray[np.int64], bucket_E: NDArray[np.int64], pair_P2: NDArray[np.int64]
) -> NDArray[np.bool_]:
    share_P = np.empty(len(pair_P2), np.bool_)
    most = bucket_E.size  # over every bucket's number
    for pair in range(len(pair_P2)):
        share_P[pair] = share_before(offsets, bucket_E, pair_P2[pair, 0], pair_P2[pair, 1], most)
    return share_P


@njit
def _count_pairs(
    offsets: NDArray[np.int64],
    bucket_E: NDArray[np.int64],
    members: NDArray[np.int64],
    starts: NDArray[np.int64],
) -> int:
    """Count, document by document, the larger ones in its buckets, each once."""
    seen_N = np.full(offsets.size - 1, -1, np.int64)
    count = 0
    for document in range(offsets.size - 1):
        for entry in range(offsets[document], offsets[document + 1]):
            bucket = bucket_E[entry]
            for at in range(starts[bucket], starts[bucket + 1]):
                other = members[at]
                if other > document and seen_N[other] != document:
                    seen_N[other] = document
                    count += 1
    return count
