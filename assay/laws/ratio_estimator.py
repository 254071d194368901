"""The standard error of a total over a total: of a loss a token, where documents were drawn.

A ratio estimator: documents are drawn, and their tokens come with them, so that the sum below the
line varies with the sum above it. Source: Cochran, Sampling Techniques (1977), chapter 6.
"""

# J = documents

import numpy as np


def ratio(amount_J: np.ndarray, size_J: np.ndarray) -> float:
    """Return sum(amount) / sum(size): a loss a token, where amounts are nats."""
    return float(amount_J.sum()) / float(size_J.sum())


def ratio_variance(amount_J: np.ndarray, size_J: np.ndarray) -> float:
    """Return the variance of sum(amount) / sum(size) over the draw of documents.

    0 with fewer than two documents: from one nothing can be told.
    """
    number, total = size_J.size, float(size_J.sum())
    if number < 2:
        return 0.0
    rest_J = amount_J - (amount_J.sum() / total) * size_J
    return float((rest_J**2).sum()) / total**2 * number / (number - 1)
