"""What training documents share with validation documents, found once: n-grams, and near pairs."""

# N = documents, T = texts of validation documents, C = candidates, P = near pairs

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.engine import map_tasks
from assay.prepare.leaks.candidates import NEAR, SPANS, find_candidates, seek_texts
from assay.prepare.leaks.measures import Measures
from assay.prepare.leaks.near_pairs import ShingleTable, tabulate_shingles
from assay.prepare.leaks.texts import DocumentIds
from assay.spans.hits import DOCUMENT, NO_HITS, find_hits
from assay.spans.index import IndexBuilder, NgramIndex

_SCAN_IDS = 1 << 21  # of a task


@dataclass(frozen=True, slots=True)
class Evidence:
    """What some documents share with T texts of others.

    Attributes:
        index: The texts.
        position_T: The first document of each text.
        text_N: The text of each document; -1 where it is none of those.
        run_R4: n-grams of the texts in other documents, as in `Hits`; these are numbered by their
            positions.
        near_P2: Pairs of near duplicates: the document's position, and the text.
        jaccard_P: Their Jaccard.
    """

    index: NgramIndex
    position_T: NDArray[np.int64]
    text_N: NDArray[np.int64]
    run_R4: NDArray[np.uint32]
    near_P2: NDArray[np.int64]
    jaccard_P: NDArray[np.float64]


def gather_evidence(
    ids: DocumentIds,
    val: NDArray[np.int64],
    train: NDArray[np.int64],
    measures: Measures,
    threads: int,
) -> Evidence:
    """Find what documents share with others.

    Memory grows with the others alone, and with what is found.

    Args:
        ids: The ids of all documents.
        val: Positions of those that are held out.
        train: Positions of those in which they are looked for, ascending.
        measures: What counts as shared.
        threads: On how many; what is found does not depend on it.
    """
    builder, text_N = IndexBuilder(), np.full(ids.source_N.size, -1, np.int64)
    for batch in ids.cut(val):
        builder.add(*ids.decode(batch))
        text_N[batch] = builder.text_D[-batch.size :]
    order = np.sort(val)
    _, first = np.unique(text_N[order], return_index=True)
    position_T = order[first]
    index = builder.build(measures.num_words)
    shingles = None
    if measures.shingle is not None:
        shingles = tabulate_shingles(*_list_texts(index), measures.shingle)
    sought = seek_texts(
        *_list_texts(index), ids.vocabulary.fold,
        measures.num_words, measures.shingle, measures.threshold,
    )  # fmt: skip

    def look(
        batch: NDArray[np.int64],
    ) -> tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.float64]]:
        flag_D = np.zeros(batch.size, np.uint8)
        source = ids.sources[ids.source_N[batch[0]]]
        find_candidates(
            source, ids.start_N[batch], ids.end_N[batch], ids.vocabulary, sought, flag_D
        )
        return _compare(ids, batch, flag_D, index, shingles, measures.threshold)

    found = list(map_tasks(look, ids.cut(train, _SCAN_IDS), threads))
    near = [np.empty((0, 2), np.int64), *(part[1] for part in found)]
    jaccard = [np.empty(0), *(part[2] for part in found)]
    run_R4 = np.concatenate([NO_HITS.run_R4, *(part[0] for part in found)])
    return Evidence(
        index, position_T, text_N, run_R4, np.concatenate(near), np.concatenate(jaccard)
    )


def _list_texts(index: NgramIndex) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the texts of an index; the line break after each is no part of a word."""
    return index.text, index.offset_T


def _compare(
    ids: DocumentIds,
    batch: NDArray[np.int64],
    flag_D: NDArray[np.uint8],
    index: NgramIndex,
    shingles: ShingleTable | None,
    threshold: float,
) -> tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.float64]]:
    """Compare the candidates of a batch as strings."""
    parts, pairs, jaccard = [NO_HITS.run_R4], [np.empty((0, 2), np.int64)], [np.empty(0)]
    for some in ids.cut(batch[flag_D & SPANS > 0]):
        run_R4 = find_hits(*ids.decode(some), index).run_R4
        run_R4[:, DOCUMENT] = some[run_R4[:, DOCUMENT]]
        parts.append(run_R4)
    if shingles is not None:
        for some in ids.cut(batch[flag_D & NEAR > 0]):
            documents, texts, values = shingles.find_near(*ids.decode(some), threshold)
            pairs.append(np.stack([some[documents], texts], axis=1))
            jaccard.append(values)
    return np.concatenate(parts), np.concatenate(pairs), np.concatenate(jaccard)
