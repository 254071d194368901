"""Which held-out texts leak to which of the training documents that are still there, by tier."""

# N = documents, T = held-out texts, P = pairs of a document and a text, W = words of the texts

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.formats.audit import CONTAINED_COVERAGE, COPIED_WORDS
from assay.kernels import njit
from assay.prepare.leaks.evidence import Evidence
from assay.prepare.leaks.sorted_values import find_places
from assay.spans.hits import DOCUMENT, NGRAM, NUM_NGRAMS
from assay.spans.index import ABSENT
from assay.spans.rows import make_rows
from assay.spans.spread import count_clusters


@dataclass(frozen=True, slots=True)
class Leak:
    """A held-out text that leaks.

    Attributes:
        text: Its number.
        tier: near, contained or copied.
        best: The training document that gives it away: the nearest, or the one that shares most.
        documents: The training documents without which it would not leak.
    """

    text: int
    tier: str
    best: int
    documents: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shared:
    """What texts share by n-grams with the documents that are still there.

    Attributes:
        document_P: The document of each pair that shares n-grams that count.
        text_P: Its text.
        num_ngrams_P: n-grams of the text, repeats included, that count and stand in the document.
        longest_P: Words in a row of the text whose n-grams the document has; they may stand
            apart there: never less than the longest span that both have.
        num_ngrams_T: n-grams of each text.
        covered_T: Those of them that stand in a document and count.
        boilerplate_T: Those that stand in too many clusters.
        document_G: The document of each n-gram of each document, and `ngram_G` its first word in
            the index, ascending.
        counts_W: The n-grams that count, by the first of equal ones.
    """

    document_P: NDArray[np.int64]
    text_P: NDArray[np.int64]
    num_ngrams_P: NDArray[np.int64]
    longest_P: NDArray[np.int64]
    num_ngrams_T: NDArray[np.int64]
    covered_T: NDArray[np.int64]
    boilerplate_T: NDArray[np.int64]
    document_G: NDArray[np.int64]
    ngram_G: NDArray[np.int64]
    counts_W: NDArray[np.bool_]


def measure_shared(
    evidence: Evidence, here_N: NDArray[np.bool_], cluster_N: NDArray[np.int64], limit: int
) -> Shared:
    """Measure what texts share with the documents of `here_N`.

    Args:
        evidence: What was found.
        here_N: The training documents that are still there.
        cluster_N: The cluster of each document.
        limit: Clusters of those documents up to which an n-gram counts.
    """
    index, tables = evidence.index, evidence.index.tables
    run_R4 = evidence.run_R4[here_N[evidence.run_R4[:, DOCUMENT]]]
    clusters_W = count_clusters(run_R4, cluster_N, tables.first_W.size)
    counts_W = (clusters_W > 0) & (clusters_W <= limit)
    rows_P4 = _measure_pairs(
        run_R4, tables.first_W, tables.next_W, index.number_texts(), index.word_T, counts_W,
        index.length,
    )  # fmt: skip
    document_P, text_P, num_ngrams_P, longest_P = rows_P4.T
    there_W = tables.first_W != ABSENT
    clusters_W = np.where(there_W, clusters_W[tables.first_W], 0)
    document_G, ngram_G = _list_ngrams(run_R4, counts_W)
    return Shared(
        document_P=document_P,
        text_P=text_P,
        num_ngrams_P=num_ngrams_P,
        longest_P=longest_P,
        num_ngrams_T=index.count_ngrams(),
        covered_T=index.count_by_text((clusters_W > 0) & (clusters_W <= limit)),
        boilerplate_T=index.count_by_text(clusters_W > limit),
        document_G=document_G,
        ngram_G=ngram_G,
        counts_W=counts_W,
    )


def find_leaks(
    evidence: Evidence,
    shared: Shared,
    here_N: NDArray[np.bool_],
    asked_T: NDArray[np.bool_],
    tokens_N: NDArray[np.int64],
) -> list[Leak]:
    """Find the texts of `asked_T` that leak to documents of `here_N`, in the order of texts."""
    num_texts = asked_T.size
    near_P = here_N[evidence.near_P2[:, 0]]
    near_P2, jaccard_P = evidence.near_P2[near_P], evidence.jaccard_P[near_P]
    coverage_T = shared.covered_T / np.maximum(shared.num_ngrams_T, 1)
    copied_P = shared.longest_P >= COPIED_WORDS
    contained_T = coverage_T >= CONTAINED_COVERAGE
    leaks_T = contained_T.copy()
    leaks_T[near_P2[:, 1]] = True
    leaks_T[shared.text_P[copied_P]] = True
    order = np.argsort(shared.text_P, kind="stable")
    bounds_T = np.searchsorted(shared.text_P[order], np.arange(num_texts + 1))
    found = []
    for text in np.flatnonzero(leaks_T & asked_T).tolist():
        pairs = order[bounds_T[text] : bounds_T[text + 1]]
        near = np.flatnonzero(near_P2[:, 1] == text)
        gone = set(near_P2[near, 0].tolist())
        gone |= set(shared.document_P[pairs[copied_P[pairs]]].tolist())
        if contained_T[text]:
            gone |= _cover_less(evidence, shared, text, gone, tokens_N)
        if near.size:
            tier, best = "near", near_P2[near[np.argmax(jaccard_P[near])], 0]
        else:
            tier = "contained" if contained_T[text] else "copied"
            most = (shared.num_ngrams_P, shared.longest_P)
            first, second = most if contained_T[text] else most[::-1]
            place = np.lexsort((shared.document_P[pairs], -second[pairs], -first[pairs]))[0]
            best = shared.document_P[pairs[place]]
        found.append(Leak(text, tier, int(best), np.array(sorted(gone), np.int64)))
    return found


def _cover_less(
    evidence: Evidence,
    shared: Shared,
    text: int,
    gone: set[int],
    tokens_N: NDArray[np.int64],
) -> set[int]:
    """Choose documents without which a text is no longer contained in those that are left.

    The one that has most of its n-grams goes first, of equals the one of fewer tokens, then the
    first; n-grams that another document has, too, stay covered.
    """
    index = evidence.index
    first_W = index.tables.first_W[index.word_T[text] : index.word_T[text + 1]]
    first_W = first_W[first_W != ABSENT]
    grams, weight = np.unique(first_W[shared.counts_W[first_W]], return_counts=True)
    places, gram = find_places(shared.ngram_G, grams)
    documents = shared.document_G[places]
    left = ~np.isin(documents, np.fromiter(gone, np.int64, len(gone)))
    chosen: set[int] = set()
    least = CONTAINED_COVERAGE * shared.num_ngrams_T[text]
    while True:
        covered = np.zeros(grams.size, np.bool_)
        covered[gram[left]] = True
        if weight[covered].sum() < least:
            return chosen
        names, inverse = np.unique(documents[left], return_inverse=True)
        most = np.bincount(inverse, weight[gram[left]])
        place = np.lexsort((names, tokens_N[names], -most))[0]
        chosen.add(int(names[place]))
        left &= documents != names[place]


def _list_ngrams(
    run_R4: NDArray[np.uint32], counts_W: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return document and n-gram of each n-gram that counts, once a document, by n-grams."""
    number_R = run_R4[:, NUM_NGRAMS].astype(np.int64)
    document_G = np.repeat(run_R4[:, DOCUMENT].astype(np.int64), number_R)
    begins_R = np.cumsum(number_R) - number_R
    ngram_G = np.repeat(run_R4[:, NGRAM].astype(np.int64) - begins_R, number_R)
    ngram_G += np.arange(ngram_G.size)
    counted = counts_W[ngram_G]
    step = 1 + int(document_G.max(initial=0))
    key_G = np.unique(ngram_G[counted] * step + document_G[counted])
    return key_G % step, key_G // step


@njit
def _measure_pairs(
    run_R4: NDArray[np.uint32],
    first_W: NDArray[np.int32],
    next_W: NDArray[np.int32],
    text_W: NDArray[np.int32],
    word_T: NDArray[np.int64],
    counts_W: NDArray[np.bool_],
    length: int,
) -> NDArray[np.int64]:
    """Return pairs that share n-grams that count: document, text, n-grams, longest stretch."""
    rows_P4, pairs = np.empty((1 << 8, 4), np.int64), 0
    seen_W = np.full(first_W.size, -1, np.int64)
    last_T = np.full(word_T.size - 1, -1, np.int64)
    touched_T = np.empty(word_T.size - 1, np.int64)
    run = 0
    while run < len(run_R4):
        document, touched = int(np.int64(run_R4[run, DOCUMENT])), 0
        while run < len(run_R4) and run_R4[run, DOCUMENT] == document:
            for place in range(int(np.int64(run_R4[run, NUM_NGRAMS]))):
                word = int(np.int64(run_R4[run, NGRAM])) + place
                if seen_W[word] == document:
                    continue
                seen_W[word] = document
                while word != ABSENT and counts_W[first_W[word]]:
                    if last_T[text_W[word]] != document:
                        last_T[text_W[word]] = document
                        touched_T[touched] = text_W[word]
                        touched += 1
                    word = int(next_W[word])
            run += 1
        rows_P4 = make_rows(rows_P4, pairs, touched)
        for text in touched_T[:touched]:
            number, longest = _measure_text(
                word_T[text], word_T[text + 1], document, first_W, seen_W, counts_W, length
            )
            row = rows_P4[pairs]
            row[0], row[1], row[2], row[3] = document, text, number, longest
            pairs += 1
    return rows_P4[:pairs].copy()


@njit
def _measure_text(
    start: int,
    end: int,
    document: int,
    first_W: NDArray[np.int32],
    seen_W: NDArray[np.int64],
    counts_W: NDArray[np.bool_],
    length: int,
) -> tuple[int, int]:
    """Count a text's n-grams that a document has, and the words of the longest stretch of them.

    n-grams that do not count carry a stretch on, but only what others cover is counted.
    """
    number, longest, begun, before = 0, 0, -1, -1
    for word in range(start, end):
        first = int(first_W[word])
        if first == ABSENT or seen_W[first] != document:
            begun = -1
            continue
        if not counts_W[first]:
            continue
        number += 1
        if begun < 0 or word - before > length:
            begun = word
        before = word
        longest = max(longest, word + length - begun)
    return number, longest
