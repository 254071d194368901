"""Where each document goes, and what that gives: nothing is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from assay.corpus.tokenizer import Tokenizer
from assay.errors import InputError
from assay.formats.audit import Audit
from assay.formats.bins import BinsTotals
from assay.formats.leak_totals import SplitChecks
from assay.prepare.selection import (
    DROPPED,
    TRAIN,
    VAL,
    Assignment,
    Selection,
    assign_documents,
    limit_train,
)
from assay.prepare.settings import PrepareSettings
from assay.prepare.shuffle import shuffle_documents
from assay.prepare.standing import Standing, judge_standing
from assay.prepare.token_ids import map_ids
from assay.prepare.totals import check_split, count_totals


@dataclass(frozen=True, slots=True)
class SplitPlan:
    """What is to be written.

    Attributes:
        documents: The audit's, in the clusters that count here.
        sources: The ids of its shards.
        assignment: Where each document goes.
        val_N: Which of them were held out at first.
        tier_N: How those leak that went for that; "" elsewhere.
        checks: What of val stands in train.
        totals: The counts.
    """

    documents: pl.DataFrame
    sources: Sequence[np.ndarray]
    assignment: Assignment
    val_N: np.ndarray
    tier_N: np.ndarray
    checks: SplitChecks
    totals: BinsTotals


def plan_split(
    audit: Audit, settings: PrepareSettings, tokenizer: Tokenizer, folder: Path, threads: int
) -> SplitPlan:
    """Assign documents, take out what leaks, and count.

    Args:
        audit: Whose documents they are.
        settings: How to prepare.
        tokenizer: The one that counted them.
        folder: Where ids are written that the audit did not keep; whoever calls removes it.
        threads: On how many; the plan does not depend on it.

    Raises:
        InputError: Nothing is left to train on.
    """
    selection = settings.select(audit)
    standing = judge_standing(
        audit, threshold=settings.threshold, keep=settings.keep, shards=selection.shards
    )
    documents = standing.documents.with_columns(
        pl.Series("cluster", standing.cluster_N).cast(standing.documents["cluster"].dtype)
    )
    sources = map_ids(audit, documents, tokenizer, folder, threads)
    assignment = assign_documents(standing, selection, settings.seed)
    cleaning = _Cleaning(audit, settings, selection, standing, assignment)
    cleaning.look(sources, tokenizer, threads)
    assignment = cleaning.clean(assignment)
    if settings.train_tokens is not None:
        order = shuffle_documents(documents, assignment.positions(TRAIN), settings.seed)
        assignment = limit_train(assignment, standing.tokens_N, order, settings.train_tokens)
        assignment = cleaning.clean(assignment, train_only=True)
    check = check_split(standing, assignment, drawn=not selection.shards)
    checks = cleaning.count(assignment)
    totals = count_totals(standing, assignment, check, checks, cleaning.tell(assignment))
    if not totals.train.documents:
        raise InputError(
            f"{audit.folder}: no document is left to train on; drop less, or hold out less"
        )
    return SplitPlan(
        documents, sources, assignment, cleaning.val_N, cleaning.tier_N, checks, totals
    )


class _Cleaning:
    """What takes leaks out of an assignment, where they are looked for."""

    def __init__(
        self,
        audit: Audit,
        settings: PrepareSettings,
        selection: Selection,
        standing: Standing,
        drawn: Assignment,
    ) -> None:
        self._measures = settings.measure(audit)
        self._selection, self._standing, self._drawn = selection, standing, drawn
        self.val_N = drawn.fate_N == VAL
        self.tier_N = np.full(self.val_N.size, "", "U9")

    def look(self, sources: Sequence[np.ndarray], tokenizer: Tokenizer, threads: int) -> None:
        """Find what documents that may be kept in train share with those that are held out."""
        if self._measures is None:
            return
        from assay.prepare.leaks.clean import Corpus, SplitCleaner, list_trainable
        from assay.prepare.leaks.evidence import gather_evidence
        from assay.prepare.leaks.texts import locate_ids
        from assay.prepare.leaks.token_words import load_vocabulary

        ids = locate_ids(self._standing.documents, sources, load_vocabulary(tokenizer))
        train = np.flatnonzero(list_trainable(self._drawn))
        val = np.flatnonzero(self.val_N)
        evidence = gather_evidence(ids, val, train, self._measures, threads)
        standing = self._standing
        self._corpus = Corpus(
            standing.cluster_N, standing.tokens_N, evidence, self._measures.boilerplate
        )
        self._cleaner = SplitCleaner(self._corpus, self._drawn)
        self.tier_N = self._cleaner.tier_N

    def clean(self, assignment: Assignment, *, train_only: bool = False) -> Assignment:
        """Take out what leaks: of shards that are held out whole nothing, and only if asked."""
        given = bool(self._selection.shards)
        if self._measures is None or (given and "leaked" not in self._selection.drop):
            return assignment
        if given or train_only:
            return self._cleaner.clean_train(assignment)
        return self._cleaner.clean_both(assignment)

    def count(self, assignment: Assignment) -> SplitChecks:
        """Count what of val stands in train."""
        from assay.prepare.leaks.exact import count_exact, find_exact

        val_N, train_N = assignment.fate_N == VAL, assignment.fate_N == TRAIN
        hashes = self._standing.documents["content_hash"].to_list()
        exact_N = find_exact(hashes, val_N, train_N)
        if self._measures is None:
            return count_exact(val_N, exact_N, self._standing.tokens_N)
        from assay.prepare.leaks.count import count_leaked  # loads kernels

        corpus = self._corpus
        return count_leaked(
            corpus.evidence, self._measures, val_N, train_N,
            corpus.cluster_N, corpus.tokens_N, exact_N,
        )  # fmt: skip

    def tell(self, assignment: Assignment) -> dict[str, np.ndarray]:
        """Tell the documents of each split that went for what was found here."""
        went_N = (assignment.fate_N == DROPPED) & (self.tier_N != "")
        return {"train": went_N & ~self.val_N, "val": went_N & self.val_N}
