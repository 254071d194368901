"""Validation documents that have a copy in train, each with the document that gives it away."""

# N = documents, L = leaks

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class LeakedDocuments:
    """Leaked validation documents, in their order, and the train document of each.

    `exact_L` tells those of which train has the very text; the others have a text at or over the
    threshold there. Positions are those of the documents.
    """

    val_L: NDArray[np.int64]
    train_L: NDArray[np.int64]
    exact_L: NDArray[np.bool_]
    jaccard_L: NDArray[np.float64]


def find_leaks(
    val_N: NDArray[np.bool_],
    first_N: NDArray[np.int64],
    pair_P2: NDArray[np.int64],
    jaccard_P: NDArray[np.float64],
) -> LeakedDocuments:
    """Find validation documents that have a copy in train.

    The train document named is the first exact copy, else the nearest one found.

    Args:
        val_N: Which documents are validation documents.
        first_N: The first document with the same text.
        pair_P2: Near pairs of distinct texts, each by its first document.
        jaccard_P: Their true Jaccard.
    """
    none = val_N.size
    train = np.flatnonzero(~val_N)
    copy_N = np.full(none, none)  # of each text, by its first document: the first one in train
    np.minimum.at(copy_N, first_N[train], train)
    near_N, jaccard_N = _find_nearest(pair_P2, jaccard_P, copy_N)

    val = np.flatnonzero(val_N)
    exact = copy_N[first_N[val]] < none
    train_of = np.where(exact, copy_N[first_N[val]], near_N[first_N[val]])
    leaked = train_of < none
    return LeakedDocuments(
        val_L=val[leaked],
        train_L=train_of[leaked],
        exact_L=exact[leaked],
        jaccard_L=np.where(exact, 1.0, jaccard_N[first_N[val]])[leaked],
    )


def _find_nearest(
    pair_P2: NDArray[np.int64], jaccard_P: NDArray[np.float64], copy_N: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return for each text its nearest text in train: the document there, and the Jaccard.

    Among equally near ones the first document; `len(copy_N)` stands where there is none.
    """
    text_P = np.concatenate([pair_P2[:, 0], pair_P2[:, 1]])
    train_P = copy_N[np.concatenate([pair_P2[:, 1], pair_P2[:, 0]])]
    both_P = np.concatenate([jaccard_P, jaccard_P])
    there = train_P < copy_N.size
    text_P, train_P, both_P = text_P[there], train_P[there], both_P[there]
    order = np.lexsort((train_P, -both_P, text_P))
    texts, place = np.unique(text_P[order], return_index=True)
    near_N, jaccard_N = np.full(copy_N.size, copy_N.size), np.zeros(copy_N.size)
    near_N[texts], jaccard_N[texts] = train_P[order][place], both_P[order][place]
    return near_N, jaccard_N
