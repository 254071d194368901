"""Validation documents whose text is that of a training document, by hashes."""

import numpy as np
from numpy.typing import NDArray

from assay.formats.leak_totals import Leaks, SplitChecks


def find_exact(
    content_hash: list[bytes], val_N: NDArray[np.bool_], train_N: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Tell the validation documents, by the hashes of their texts, that train has as they are."""
    there = {content_hash[position] for position in np.flatnonzero(train_N).tolist()}
    exact_N = val_N.copy()
    for position in np.flatnonzero(val_N).tolist():
        exact_N[position] = content_hash[position] in there
    return exact_N


def count_exact(
    val_N: NDArray[np.bool_], exact_N: NDArray[np.bool_], tokens_N: NDArray[np.int64]
) -> SplitChecks:
    """Count validation documents, and those of `exact_N`; nothing else was looked for."""
    documents, exact = int(val_N.sum()), int(exact_N.sum())
    return SplitChecks(leaks=Leaks(documents, exact, tokens=int(tokens_N[exact_N].sum())))
