"""Take out of a split what leaks: training documents, or validation documents where that is less.

*Stays clean whatever is dropped.* Which validation documents go is decided among all documents that
are not held out, so that it depends neither on what else is dropped nor on how much is kept; then
training documents go until none of what is kept leaks.

The rule, in rounds. In each, every validation document that leaks names the training documents
without which it would not: its near duplicates, those that copy it, and, while half of it is
covered, the one that has most of it. Their tokens are what keeping it costs: documents of one
cluster cost as much as the longest, and one that several validation documents name costs each its
share. It goes if it has fewer tokens itself, else they do, and from then on it stays. Every round
takes something away. What no longer leaks to what is left comes back in the end.
"""

# N = documents, T = held-out texts

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.prepare.leaks.evidence import Evidence
from assay.prepare.leaks.judge import Leak, find_leaks, measure_shared
from assay.prepare.selection import DROPPED, TRAIN, VAL, Assignment

_REPEATS = ("exact", "near", "empty")


@dataclass(frozen=True, slots=True)
class Corpus:
    """What cleaning knows of N documents: cluster, tokens, and what they share."""

    cluster_N: NDArray[np.int64]
    tokens_N: NDArray[np.int64]
    evidence: Evidence
    limit: int

    def find(self, here_N: NDArray[np.bool_], asked_T: NDArray[np.bool_]) -> list[Leak]:
        """Find the texts of `asked_T` that leak to documents of `here_N`."""
        shared = measure_shared(self.evidence, here_N, self.cluster_N, self.limit)
        return find_leaks(self.evidence, shared, here_N, asked_T, self.tokens_N)

    def hold(self, val_N: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell the texts of some documents; shape (T,)."""
        held_T = np.zeros(self.evidence.position_T.size, np.bool_)
        held_T[self.evidence.text_N[val_N]] = True
        return held_T


class SplitCleaner:
    """Takes an assignment, and returns one without leaks.

    Attributes:
        tier_N: Of each document that went so, the tier of the leak; else "".
        val_N: Whether it was held out at first.
    """

    def __init__(self, corpus: Corpus, assignment: Assignment) -> None:
        self._corpus = corpus
        self._places = corpus.evidence.position_T
        self.val_N = assignment.fate_N == VAL
        self.tier_N = np.full(self.val_N.size, "", "U9")

    def clean_both(self, assignment: Assignment) -> Assignment:
        """Let validation documents or training documents go, before a budget is applied.

        The evidence must be of all documents that may be kept in train.
        """
        after = _copy(assignment)
        self._drop_either(after, list_trainable(assignment))
        return self.clean_train(after)

    def clean_train(self, assignment: Assignment) -> Assignment:
        """Let training documents go until those that are kept leak nothing."""
        after = _copy(assignment)
        self._follow(after)
        held_T = self._corpus.hold(after.fate_N == VAL)
        while leaks := self._corpus.find(after.fate_N == TRAIN, held_T):
            for leak in leaks:
                self._drop_train(after, leak)
            self._follow(after)
        self._name_reasons(after)
        return after

    def _drop_either(self, after: Assignment, here_N: NDArray[np.bool_]) -> None:
        """Drop what leaks from either side, in place, until nothing leaks to `here_N`."""
        stays_T, gone_T = (np.zeros(self._places.size, np.bool_) for _ in range(2))
        while leaks := self._corpus.find(here_N, self._corpus.hold(after.fate_N == VAL)):
            for leak, cost in zip(leaks, self._share_costs(leaks), strict=True):
                position = self._places[leak.text]
                if not here_N[leak.documents].all():
                    continue  # some are gone since: perhaps that is enough
                if self._corpus.tokens_N[position] < cost and not stays_T[leak.text]:
                    self._drop(after, position, leak.best, leak.tier)
                    gone_T[leak.text] = True
                    continue
                stays_T[leak.text] = True
                self._drop_train(after, leak)
                here_N[leak.documents] = False
        left = {leak.text: leak for leak in self._corpus.find(here_N, gone_T)}
        for text in np.flatnonzero(gone_T).tolist():
            position = self._places[text]
            if text in left:
                self._drop(after, position, left[text].best, left[text].tier)
            else:
                self._restore(after, position)

    def _share_costs(self, leaks: list[Leak]) -> list[float]:
        """Return the tokens that keeping each leaking text would cost."""
        named_N = np.bincount(np.concatenate([leak.documents for leak in leaks]))
        costs = []
        for leak in leaks:
            share = self._corpus.tokens_N[leak.documents] / named_N[leak.documents]
            _, cluster = np.unique(self._corpus.cluster_N[leak.documents], return_inverse=True)
            longest = np.zeros(cluster.max() + 1)
            np.maximum.at(longest, cluster, share)
            costs.append(float(longest.sum()))
        return costs

    def _drop(self, after: Assignment, position: int, because: int, tier: str) -> None:
        after.fate_N[position], after.reason_N[position] = DROPPED, "leaked"
        after.because_N[position] = because
        self.tier_N[position] = tier

    def _drop_train(self, after: Assignment, leak: Leak) -> None:
        for document in leak.documents.tolist():
            self._drop(after, document, int(self._places[leak.text]), leak.tier)

    def _restore(self, after: Assignment, position: int) -> None:
        after.fate_N[position], after.reason_N[position] = VAL, ""
        after.because_N[position] = -1
        self.tier_N[position] = ""

    def _follow(self, after: Assignment) -> None:
        """Drop as leaked, too, what went as a repeat of a document that leaked."""
        while True:
            because_N = np.maximum(after.because_N, 0)
            behind_N = (after.because_N >= 0) & (after.reason_N[because_N] == "leaked")
            behind_N &= np.isin(after.reason_N, _REPEATS)
            if not behind_N.any():
                return
            after.reason_N[behind_N] = "leaked"
            self.tier_N[behind_N] = self.tier_N[because_N[behind_N]]
            after.because_N[behind_N] = after.because_N[because_N[behind_N]]

    def _name_reasons(self, after: Assignment) -> None:
        """Let what went name a document that stays: what it leaks to, or what that went for."""
        here_N = after.fate_N == TRAIN
        went_N = self.val_N & (after.fate_N == DROPPED)
        if went_N.any():
            for leak in self._corpus.find(here_N, self._corpus.hold(went_N)):
                after.because_N[self._places[leak.text]] = leak.best
        leaked_N = after.reason_N == "leaked"
        for _ in range(3):  # a copy of a document that went for one that went for another
            lost_N = leaked_N & (after.because_N >= 0)
            lost_N &= after.fate_N[np.maximum(after.because_N, 0)] == DROPPED
            after.because_N[lost_N] = after.because_N[after.because_N[lost_N]]
        after.because_N[lost_N] = -1


def list_trainable(assignment: Assignment) -> NDArray[np.bool_]:
    """Tell the documents that may be kept in train, whatever is dropped as a repeat, or empty."""
    dropped_N = (assignment.fate_N == DROPPED) & np.isin(assignment.reason_N, _REPEATS)
    return np.asarray((assignment.fate_N == TRAIN) | dropped_N)


def _copy(assignment: Assignment) -> Assignment:
    return Assignment(
        assignment.fate_N.copy(), assignment.reason_N.copy(), assignment.because_N.copy()
    )
