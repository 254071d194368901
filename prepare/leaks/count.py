"""Count the validation documents that stand in train, by tier."""

import numpy as np
from numpy.typing import NDArray

from assay.formats.leak_totals import Leaks, SpanTotals, SplitChecks
from assay.prepare.leaks.evidence import Evidence
from assay.prepare.leaks.judge import find_leaks, measure_shared
from assay.prepare.leaks.measures import Measures


def count_leaked(
    evidence: Evidence,
    measures: Measures,
    val_N: NDArray[np.bool_],
    train_N: NDArray[np.bool_],
    cluster_N: NDArray[np.int64],
    tokens_N: NDArray[np.int64],
    exact_N: NDArray[np.bool_],
) -> SplitChecks:
    """Count the documents of `val_N` that stand in those of `train_N`.

    Args:
        evidence: What they share.
        measures: What counts as shared.
        val_N: Validation documents.
        train_N: Training documents.
        cluster_N: The cluster of each document.
        tokens_N: Its tokens.
        exact_N: Validation documents whose text is that of a training document.
    """
    shared = measure_shared(evidence, train_N, cluster_N, measures.boilerplate)
    held_T = np.zeros(evidence.position_T.size, np.bool_)
    text_D = evidence.text_N[val_N]
    held_T[text_D] = True
    tier_T = np.full(held_T.size, "", "U9")
    tier_T[shared.covered_T > 0] = "span"
    for leak in find_leaks(evidence, shared, train_N, held_T, tokens_N):
        tier_T[leak.text] = leak.tier
    tier_D = np.where(exact_N[val_N], "exact", tier_T[text_D])
    number = {tier: int((tier_D == tier).sum()) for tier in ("exact", "near")}
    boilerplate_D = shared.boilerplate_T[text_D]
    spans = SpanTotals(
        ngram=measures.ngram,
        boilerplate_clusters=measures.boilerplate,
        contained=int((tier_D == "contained").sum()),
        copied=int((tier_D == "copied").sum()),
        spans=int((tier_D == "span").sum()),
        too_short=int((shared.num_ngrams_T[text_D] == 0).sum()),
        ngrams=int(shared.num_ngrams_T[text_D].sum()),
        shared_ngrams=int(shared.covered_T[text_D].sum()),
        boilerplate_ngrams=int(boilerplate_D.sum()),
        boilerplate_documents=int((boilerplate_D > 0).sum()),
    )
    leaked_D = ~np.isin(tier_D, ("", "span"))
    tokens = int(tokens_N[val_N][leaked_D].sum())
    return SplitChecks(
        leaks=Leaks(text_D.size, **number, tokens=tokens, spans=spans),
        shingle="none" if measures.shingle is None else f"words:{measures.shingle}",
        threshold=measures.threshold,
    )
