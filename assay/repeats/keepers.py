"""The documents that stay, and for each other document the one among them that it repeats most.

`near="keeper"`: in the keeping order a document goes if it repeats one that stays, and stays if it
repeats none. `near="component"`: each cluster keeps its first, whether or not the others repeat it.
"""

# N = documents, P = pairs, C = classes (documents of equal shingle sets), E = ends of pairs

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.kernels import njit
from assay.repeats.clusters import connect_texts

NEAR = ("keeper", "component")


@dataclass(frozen=True, slots=True)
class Keepers:
    """What each of N documents stays or goes for.

    `keeper_of_N` is the document that stays and that it repeats most; its own position where it
    stays itself, -1 where it took no part. `jaccard_N` is its Jaccard to that one, 1 to itself.
    """

    keeper_of_N: NDArray[np.int64]
    jaccard_N: NDArray[np.float64]


def rank_documents(
    tokens_N: NDArray[np.int64], content_hash_N: NDArray[np.void], val_N: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return each document's place in the keeping order.

    Training documents come before validation documents: what train has of its own is judged among
    its own. Then the document of most tokens comes first, of those the one of smallest content
    hash (16 bytes that compare as big-endian numbers do), and of equal texts the first.
    """
    halves = np.ascontiguousarray(content_hash_N).view(">u8").reshape(-1, 2).astype(np.uint64)
    # From the last key to the first; what is equal in all of them stays in its order.
    order = np.lexsort((halves[:, 1], halves[:, 0], -tokens_N.astype(np.int64), val_N))
    return invert(order)


def invert(order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place of each position in an order of all positions."""
    rank_N = np.empty(order.size, np.int64)
    rank_N[order] = np.arange(order.size)
    return rank_N


def choose_first(
    label_N: NDArray[np.int64], rank_N: NDArray[np.int64], here_N: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """Return for each document the first in the keeping order of those with its label.

    With `here_N` only those are chosen from, and -1 stands where a label has none.
    """
    chosen = np.arange(label_N.size) if here_N is None else np.flatnonzero(here_N)
    chosen = chosen[np.argsort(-rank_N[chosen], kind="stable")]  # the first is written last
    first_N = np.full(int(label_N.max(initial=-1)) + 1, -1, np.int64)
    first_N[label_N[chosen]] = chosen
    return first_N[label_N]


def label_equal(
    first_N: NDArray[np.int64], pair_P2: NDArray[np.int64], jaccard_P: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Number documents of equal shingle sets alike, by the first of them.

    Args:
        first_N: The first document with the same text.
        pair_P2: Near pairs of distinct texts, each by its first document.
        jaccard_P: Their true Jaccard: 1 where their sets are equal.
    """
    equal_P = jaccard_P == 1
    return connect_texts(first_N, pair_P2[equal_P], jaccard_P[equal_P]).label_N


def find_chained(
    first_N: NDArray[np.int64],
    pair_P2: NDArray[np.int64],
    jaccard_P: NDArray[np.float64],
    label_N: NDArray[np.int64],
    rank_N: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Tell the documents that no pair links to the first of their cluster in the keeping order.

    Args:
        first_N: The first document with the same text.
        pair_P2: Near pairs of distinct texts, each by its first document: all with that first one.
        jaccard_P: Their true Jaccard.
        label_N: The cluster of each document.
        rank_N: Each document's place in the keeping order.
    """
    class_N = label_equal(first_N, pair_P2, jaccard_P)
    head_N = class_N[choose_first(label_N, rank_N)]
    linked_N = class_N == head_N  # by class: what is told of its first document holds for all
    for one, other in ((0, 1), (1, 0)):
        near_P = class_N[pair_P2[:, other]] == head_N[pair_P2[:, one]]
        linked_N[class_N[pair_P2[near_P, one]]] = True
    chained_N: NDArray[np.bool_] = ~linked_N[class_N]
    return chained_N


def choose_keepers(
    first_N: NDArray[np.int64],
    pair_P2: NDArray[np.int64],
    jaccard_P: NDArray[np.float64],
    rank_N: NDArray[np.int64],
    val_N: NDArray[np.bool_],
    here_N: NDArray[np.bool_] | None = None,
) -> Keepers:
    """Go through documents in the keeping order: each stays unless it repeats one that stays.

    A training document goes for one of train: those of val come later, and do not count.

    Args:
        first_N: The first document with the same text.
        pair_P2: Near pairs of distinct texts, each by its first document.
        jaccard_P: Their true Jaccard.
        rank_N: Each document's place in the keeping order, train before val.
        val_N: The validation documents.
        here_N: The documents that take part, as if there were no others; None for all.
    """
    class_N = label_equal(first_N, pair_P2, jaccard_P)
    best_N = choose_first(class_N, rank_N, here_N)  # of its class
    pair_P2, jaccard_P = _pair_classes(class_N, pair_P2, jaccard_P)
    there_P = (best_N[pair_P2] >= 0).all(axis=1)
    pair_P2, jaccard_P = pair_P2[there_P], jaccard_P[there_P]
    classes, flat = np.unique(pair_P2, return_inverse=True)
    place_P2 = flat.reshape(-1, 2)

    end_E = np.concatenate([place_P2[:, 0], place_P2[:, 1]])
    other_E = np.concatenate([place_P2[:, 1], place_P2[:, 0]])
    jaccard_E = np.concatenate([jaccard_P, jaccard_P])
    order_E = np.argsort(end_E, kind="stable")
    start_C = np.searchsorted(end_E[order_E], np.arange(classes.size + 1))
    rank_C, val_C = rank_N[best_N[classes]], val_N[best_N[classes]]
    stays_for_C = _choose(
        np.argsort(rank_C), rank_C, val_C, start_C, other_E[order_E], jaccard_E[order_E]
    )
    keeper_of_N, jaccard_N = best_N.copy(), np.ones(first_N.size)
    place_of_N = np.full(first_N.size, -1, np.int64)
    place_of_N[classes] = np.arange(classes.size)
    place = place_of_N[class_N]
    goes = np.flatnonzero((place >= 0) & (best_N >= 0))
    goes = goes[stays_for_C[place[goes]] >= 0]
    edge = stays_for_C[place[goes]]
    keeper_of_N[goes] = best_N[classes[other_E[order_E][edge]]]
    jaccard_N[goes] = jaccard_E[order_E][edge]
    if here_N is not None:
        keeper_of_N[~here_N] = -1
    return Keepers(keeper_of_N, jaccard_N)


def choose_component_keepers(
    first_N: NDArray[np.int64],
    pair_P2: NDArray[np.int64],
    label_N: NDArray[np.int64],
    rank_N: NDArray[np.int64],
    val_N: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Return the first document of each one's cluster in the keeping order.

    Train's clusters are those of its own pairs: what only validation documents link is not one.

    Args:
        first_N: The first document with the same text; of train where any of that text is.
        pair_P2: Near pairs of distinct texts, each by its first document.
        label_N: The cluster of each document, validation documents among them.
        rank_N: Each document's place in the keeping order, train first.
        val_N: The validation documents.
    """
    own_P2 = pair_P2[~val_N[pair_P2].any(axis=1)]
    own_N = connect_texts(first_N, own_P2, np.ones(len(own_P2))).label_N
    return np.where(val_N, choose_first(label_N, rank_N), choose_first(own_N, rank_N))


def _pair_classes(
    class_N: NDArray[np.int64], pair_P2: NDArray[np.int64], jaccard_P: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return each pair of two classes once; the Jaccard of their members is the same for all."""
    both_P2 = np.sort(class_N[pair_P2[jaccard_P < 1]], axis=1).reshape(-1, 2)
    both_P2, place = np.unique(both_P2, axis=0, return_index=True)
    return both_P2, jaccard_P[jaccard_P < 1][place]


@njit
def _choose(
    order_C: NDArray[np.int64],
    rank_C: NDArray[np.int64],
    val_C: NDArray[np.bool_],
    start_C: NDArray[np.int64],
    other_E: NDArray[np.int64],
    jaccard_E: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Return for each class the pair by which it repeats most one that stays; -1 where it stays."""
    stays_C = np.zeros(order_C.size, np.bool_)
    for each in order_C:
        stays = True
        for pair in range(start_C[each], start_C[each + 1]):
            if stays_C[other_E[pair]]:
                stays = False
                break
        stays_C[each] = stays
    best_C = np.full(order_C.size, -1, np.int64)
    for each in range(order_C.size):
        if stays_C[each]:
            continue
        best = -1
        for pair in range(start_C[each], start_C[each + 1]):
            other = other_E[pair]
            if not stays_C[other] or val_C[other] > val_C[each]:
                continue
            if (
                best < 0
                or jaccard_E[pair] > jaccard_E[best]
                or (jaccard_E[pair] == jaccard_E[best] and rank_C[other] < rank_C[other_E[best]])
            ):
                best = pair
        best_C[each] = best
    return best_C
