"""Leaked validation documents, and what validation documents share with train, as tables."""

# D = validation documents, T = their different texts, S = spans

import numpy as np
import pyarrow as pa

from assay.audit.leaks.shared import SharedText
from assay.audit.leaks.tiers import Leaked
from assay.audit.results.places import TRAIN, VAL, place_documents
from assay.audit.scan.documents import Documents
from assay.formats.audit import TIERS

MAX_SPANS = 1_000  # listed of a validation document


def tabulate_leaks(documents: Documents, leaked: Leaked) -> pa.Table:
    """List leaked validation documents, each beside the training document that gives it away."""
    return pa.table(
        place_documents(documents, leaked.val_L, VAL)
        | place_documents(documents, leaked.train_L, TRAIN)
        | {
            "tier": pa.array(np.array(TIERS)[leaked.tier_L]),
            "jaccard": _hide(leaked.jaccard_L),
            "coverage": _hide(leaked.coverage_L),
            "val_start": _hide(leaked.val_start_L),
            "train_start": _hide(leaked.train_start_L),
            "words": _hide(leaked.words_L),
        }
    )


def choose_spans(shared: SharedText) -> np.ndarray:
    """Choose the spans to list, in their order: of each held text the longest `MAX_SPANS`."""
    overlaps = shared.overlaps
    text_S = overlaps.text_P[overlaps.pair_S]
    order = np.lexsort((-overlaps.num_words_S, text_S))
    starts_S = np.searchsorted(text_S, text_S)  # texts ascend
    rank_S = np.empty(order.size, np.int64)
    rank_S[order] = np.arange(order.size)
    return np.flatnonzero(rank_S - starts_S < MAX_SPANS)


def tabulate_spans(
    documents: Documents, text_D: np.ndarray, shared: SharedText, chosen: np.ndarray
) -> pa.Table:
    """List spans, each between the first documents that have the two texts."""
    overlaps, index = shared.overlaps, shared.index
    _, first_T = np.unique(text_D, return_index=True)
    val_T = np.flatnonzero(documents.val_N)[first_T]
    pair = overlaps.pair_S[chosen]
    return pa.table(
        place_documents(documents, val_T[overlaps.text_P[pair]], VAL)
        | place_documents(documents, overlaps.document_P[pair], TRAIN)
        | {
            "coverage": pa.array(shared.coverage_P[pair]),
            "val_start": pa.array(index.char_W[overlaps.word_S[chosen]]),
            "train_start": pa.array(overlaps.char_S[chosen]),
            "words": pa.array(overlaps.num_words_S[chosen]),
        }
    )


def _hide(values: np.ndarray) -> pa.Array:
    """Return values with null for those that are not known: NaN, or below 0."""
    return pa.array(values, mask=~(values >= 0))
