"""From pairs of first documents back to pairs of all: what holds for one set holds for its like."""

# N = documents, P = pairs

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GROUP_CAP = 1000


@dataclass(frozen=True, slots=True)
class Expanded:
    """Pairs of documents, smaller first, ascending, and how many were left out."""

    pair_P2: NDArray[np.int64]
    jaccard_P: NDArray[np.float64]
    num_left_out: int


def expand_pairs(
    pair_P2: NDArray[np.int64],
    jaccard_P: NDArray[np.float64],
    group_N: NDArray[np.int64],
    *,
    cap: int = GROUP_CAP,
) -> Expanded:
    """Give each document the pairs of the first one of its group, and pair groups within.

    Members of a group must have equal shingle sets (`bands.release_members` makes it so): then
    every Jaccard holds for all of them, and is 1 within. Because the pairs grow with the square
    of a group, those over `cap` stand for themselves by their first member, to which the others
    are paired; `num_left_out` counts what that omits.

    Args:
        pair_P2: Verified pairs of first documents, each once; none within a group.
        jaccard_P: Their Jaccard.
        group_N: The first document of each one's group, or -1.
        cap: Members of a group at most.
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
    block_jaccard = np.concatenate([jaccard_P, np.ones(len(several))])
    all_P2 = np.concatenate(
        [np.stack([x, y], axis=1)[kept], np.stack([group_N[starred], starred], axis=1)]
    )
    all_jaccard = np.concatenate([block_jaccard[row[kept]], np.ones(len(starred))])
    all_P2 = np.sort(all_P2, axis=1)
    order = np.lexsort((all_P2[:, 1], all_P2[:, 0]))
    num_all = int((size_N[pairs[:, 0]] * size_N[pairs[:, 1]]).sum())
    num_all += int((size_N * (size_N - 1) // 2).sum())
    return Expanded(all_P2[order], all_jaccard[order], num_all - len(order))


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
