"""Slow twins of training: the difference of two arms, a probe's effect."""

import random
from collections.abc import Sequence


def document_variance(changes: Sequence[float], sizes: Sequence[float]) -> float:
    """Return the variance of sum(changes) / sum(sizes) over the draw of documents.

    A ratio estimator, by its definition: the spread of what is left of each document's change
    when its share of the whole is taken off.
    """
    number = len(changes)
    ratio = sum(changes) / sum(sizes)
    mean_size = sum(sizes) / number
    squares = [(change - ratio * size) ** 2 for change, size in zip(changes, sizes, strict=True)]
    return sum(squares) / (number - 1) / number / mean_size**2


def pigeonhole(
    nats_a: Sequence[Sequence[float]],
    nats_b: Sequence[Sequence[float]],
    sizes: Sequence[float],
    rounds: int,
    seed: int,
) -> list[float]:
    """Draw seeds of each arm and documents anew, with replacement, one value after the other."""
    draw = random.Random(seed)
    values = []
    for _ in range(rounds):
        documents = [draw.randrange(len(sizes)) for _ in sizes]
        size = sum(sizes[j] for j in documents)
        means = []
        for nats in (nats_a, nats_b):
            runs = [draw.randrange(len(nats)) for _ in nats]
            means.append(sum(nats[run][j] for run in runs for j in documents) / len(runs) / size)
        values.append(means[1] - means[0])
    return values


def holm(chances: Sequence[float], alpha: float) -> list[bool]:
    """Return which claims Holm's procedure lets stand, by adjusted p-values.

    The adjusted p of the i-th smallest is the largest of (k - j + 1) p_j over j up to i.
    """
    ordered = sorted(range(len(chances)), key=chances.__getitem__)
    stands, largest = [False] * len(chances), 0.0
    for rank, place in enumerate(ordered):
        largest = max(largest, (len(chances) - rank) * chances[place])
        stands[place] = largest < alpha
    return stands


def probe_effect(
    plus: Sequence[Sequence[float]],
    minus: Sequence[Sequence[float]],
    spread: Sequence[Sequence[float]],
    factor: float,
    tokens: Sequence[int],
) -> tuple[float, float]:
    """A contrast of a probe and its variance: documents' losses by order, plus - minus.

    `spread` are two rows of losses by order whose pooled variance, `factor` times, over the
    number of orders is the orders' part.
    """
    orders, total = len(plus), sum(tokens)
    changes = [
        sum(plus[s][j] - minus[s][j] for s in range(orders)) / orders for j in range(len(tokens))
    ]
    pooled = 0.0
    for row in spread:
        mean = sum(row) / orders
        pooled += sum((loss - mean) ** 2 for loss in row) / (2 * (orders - 1))
    variance = factor * pooled / orders + document_variance(changes, tokens)
    return sum(changes) / total, variance
