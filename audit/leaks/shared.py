"""What held texts share with training documents, boilerplate apart."""

# N = documents, T = held texts, W = their words, P = pairs, S = spans

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.audit.duplicates.duplicates import Duplicates
from assay.audit.scan.documents import Documents
from assay.audit.scan.searches import Search
from assay.spans.hits import choose_hits
from assay.spans.index import ABSENT, NgramIndex
from assay.spans.overlaps import Overlaps, find_overlaps
from assay.spans.spread import count_clusters


@dataclass(frozen=True, slots=True)
class SharedText:
    """What T held texts share with training documents, each text of train by its first document.

    Attributes:
        index: The held texts.
        overlaps: Pairs of a training document and a held text, and their spans. Documents are
            numbered as all of the audit's.
        num_ngrams_T: n-grams of each text, repeats included.
        covered_T: Those of them that stand in train and count.
        boilerplate_T: Those that stand in more clusters of train than count.
        longest_T: Words of the longest span.
    """

    index: NgramIndex
    overlaps: Overlaps
    num_ngrams_T: NDArray[np.int64]
    covered_T: NDArray[np.int64]
    boilerplate_T: NDArray[np.int64]
    longest_T: NDArray[np.int64]

    @property
    def coverage_T(self) -> NDArray[np.float64]:
        """The share of each text's n-grams that stand in train and count; NaN without n-grams."""
        return _divide(self.covered_T, self.num_ngrams_T)

    @property
    def coverage_P(self) -> NDArray[np.float64]:
        """Likewise of each pair's text, by the pair's document alone."""
        return _divide(self.overlaps.num_ngrams_P, self.num_ngrams_T[self.overlaps.text_P])

    def find_pairs(
        self, document_Q: NDArray[np.int64], text_Q: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return the pair of each document and text; -1 where they share nothing that counts."""
        pairs = self.overlaps
        if not pairs.text_P.size:
            return np.full(document_Q.size, -1)
        step = 1 + max(int(pairs.document_P.max()), int(document_Q.max(initial=0)))
        key_P, key_Q = pairs.text_P * step + pairs.document_P, text_Q * step + document_Q
        place_Q = np.minimum(np.searchsorted(key_P, key_Q), key_P.size - 1)
        return np.where(key_P[place_Q] == key_Q, place_Q, -1)

    def choose_pairs(self, *, longest: bool) -> NDArray[np.int64]:
        """Return for each text the pair that shares most with it; -1 where there is none.

        Most n-grams, or the longest span; of equals the one that has more of the other, then the
        first document.
        """
        pairs = self.overlaps
        keys = (-pairs.num_ngrams_P, -pairs.longest_P)
        second, first = keys if longest else keys[::-1]
        order = np.lexsort((pairs.document_P, second, first, pairs.text_P))
        texts, place = np.unique(pairs.text_P[order], return_index=True)
        chosen_T = np.full(self.index.num_texts, -1)
        chosen_T[texts] = order[place]
        return chosen_T


def find_shared(
    search: Search, documents: Documents, duplicates: Duplicates, limit: int
) -> SharedText:
    """Find what held texts share with training documents.

    Copies of a text in train count once, and so do the documents of a cluster.

    Args:
        search: The held texts, and what the scan found of them.
        documents: All documents.
        duplicates: What repeats.
        limit: Clusters of train up to which an n-gram counts.
    """
    index, train_N = search.index, ~documents.val_N
    hits = choose_hits(search.table.finish(), choose_first(duplicates.found.known.first_N, train_N))
    first_W = index.tables.first_W
    clusters_W = count_clusters(hits.run_R4, duplicates.cluster_N, first_W.size)
    overlaps = find_overlaps(hits, index, clusters_W <= limit)
    clusters_W = np.where(first_W == ABSENT, 0, clusters_W[first_W])
    longest_T = np.zeros(index.num_texts, np.int64)
    np.maximum.at(longest_T, overlaps.text_P, overlaps.longest_P)
    return SharedText(
        index=index,
        overlaps=overlaps,
        num_ngrams_T=index.count_ngrams(),
        covered_T=index.count_by_text((clusters_W > 0) & (clusters_W <= limit)),
        boilerplate_T=index.count_by_text(clusters_W > limit),
        longest_T=longest_T,
    )


def choose_first(first_N: NDArray[np.int64], train_N: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell the training documents that are the first of their text in train."""
    train = np.flatnonzero(train_N)
    _, place = np.unique(first_N[train], return_index=True)
    chosen_N = np.zeros(first_N.size, np.bool_)
    chosen_N[train[place]] = True
    return chosen_N


def _divide(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    share = np.full(part.size, np.nan)
    np.divide(part, whole, out=share, where=whole > 0)
    return share
