"""Counts of bins before they are written, and the checks that they must pass."""

import numpy as np
from msgspec import UNSET, UnsetType

from assay.formats.audit_totals import Part
from assay.formats.bins import BinsTotals, SplitCheck, SplitTotals
from assay.formats.leak_totals import SplitChecks
from assay.prepare.selection import DROPPED, REASONS, TRAIN, VAL, Assignment
from assay.prepare.standing import Standing


def count_totals(
    standing: Standing,
    assignment: Assignment,
    check: SplitCheck,
    checks: SplitChecks | UnsetType = UNSET,
    cleaned: dict[str, np.ndarray] | None = None,
) -> BinsTotals:
    """Count documents and tokens in, kept in each split, and dropped by reason.

    `cleaned` tells the documents of each split that went for what n-grams and shingles found.

    `unique_tokens` counts a text once, and a near duplicate by what it adds: tokens times (1 - its
    Jaccard to the document kept that it repeats most).
    """
    tokens_N = standing.tokens_N

    def count_split(fate: int) -> SplitTotals:
        kept = assignment.positions(fate)
        tokens = int(tokens_N[kept].sum())
        return SplitTotals(kept.size, tokens, tokens + kept.size, standing.count_unique(kept))

    def count_dropped(reason: str) -> Part:
        return count_part(assignment.reason_N == reason)

    def count_part(which_N: np.ndarray) -> Part:
        return Part(int(which_N.sum()), int(tokens_N[which_N].sum()))

    totals = BinsTotals(
        documents_in=tokens_N.size,
        tokens_in=int(tokens_N.sum()),
        train=count_split(TRAIN),
        val=count_split(VAL),
        dropped={reason: count_dropped(reason) for reason in (*REASONS, "budget")},
        split_check=check,
        checks=checks,
        cleaned={split: count_part(which_N) for split, which_N in (cleaned or {}).items()},
    )
    # Nothing is lost: what came in was kept, or dropped for one reason.
    assert totals.documents_out == totals.documents_in, totals
    assert totals.tokens_out == totals.tokens_in, totals
    return totals


def check_split(standing: Standing, assignment: Assignment, *, drawn: bool) -> SplitCheck:
    """Count the audit's verified pairs that cross the split.

    Where the split was `drawn`, and shards were not held out as they are, there are none: every
    document of a cluster lies on one side.
    """
    known, fate_N = standing.known, assignment.fate_N
    copies = np.flatnonzero(known.first_N != np.arange(known.first_N.size))
    exact_P2 = np.stack([known.first_N[copies], copies], axis=1)
    within, across = [], []
    for pair_P2 in (exact_P2, known.pair_P2):
        fate_P2 = fate_N[pair_P2]
        kept_P = (fate_P2 != DROPPED).all(axis=1)
        within.append(int(kept_P.sum()))
        across.append(int((kept_P & (fate_P2[:, 0] != fate_P2[:, 1])).sum()))
    if drawn:
        train_K, val_K = (standing.cluster_N[assignment.positions(fate)] for fate in (TRAIN, VAL))
        assert across == [0, 0]
        assert not np.intersect1d(train_K, val_K).size
    return SplitCheck(sum(within), exact_across=across[0], near_across=across[1])
