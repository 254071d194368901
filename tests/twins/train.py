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


Text = tuple[bytes, int]  # a document: its content hash, and how many ids it has


def lay_out_two(one: Sequence[Text], two: Sequence[Text]) -> tuple[list[int], list[int], int]:
    """Order the documents of two arms, those of both first, as the first has them.

    Returns their places in each arm, and how many are in both; a copy is matched by a copy.
    """
    left: dict[Text, list[int]] = {}
    for place, text in enumerate(two):
        left.setdefault(text, []).append(place)
    shared = [(place, left[text].pop(0)) for place, text in enumerate(one) if left.get(text)]
    first, second = [a for a, _ in shared], [b for _, b in shared]
    first += [place for place in range(len(one)) if place not in set(first)]
    second += [place for place in range(len(two)) if place not in set(second)]
    return first, second, len(shared)


def cut_windows(ids: Sequence[int], block: int, offset: int) -> list[tuple[int, ...]]:
    """Cut a ring of ids into windows of `block` targets, with the id before them; one grid."""
    ring = list(ids)
    return [
        tuple(ring[(offset + window * block - 1 + t) % len(ring)] for t in range(block + 1))
        for window in range(len(ring) // block)
    ]


def check_placed(keys: Sequence[Sequence[int]], placed: Sequence[Sequence[int]]) -> list[str]:
    """Say what is wrong with the places of windows: `placed` has each arm's windows in order.

    Each window once; and of two arms, a window that both have within the smaller one's number of
    places stands at the same one.
    """
    wrong = [
        f"arm {arm} has not each window once"
        for arm, windows in enumerate(placed)
        if sorted(windows) != list(range(len(keys[arm])))
    ]
    fewest = min(map(len, keys))
    for other in range(1, len(keys)):
        at: list[dict[int, int]] = [
            {keys[arm][w]: step for step, w in enumerate(placed[arm]) if keys[arm][w] >= 0}
            for arm in (0, other)
        ]
        for key, step in at[0].items():
            again = at[1].get(key, fewest)
            if step < fewest and again < fewest and again != step:
                wrong.append(f"window {key} comes at {step}, and in arm {other} at {again}")
    return wrong


def paired_difference(
    nats_a: Sequence[Sequence[float]], nats_b: Sequence[Sequence[float]], sizes: Sequence[float]
) -> tuple[float, float, float]:
    """Return the mean difference of pairs of runs, its variance, its degrees of freedom.

    The variance of the pairs over their number, and that of the documents beside it.
    """
    pairs, total = len(nats_a), sum(sizes)
    differences = [(sum(b) - sum(a)) / total for a, b in zip(nats_a, nats_b, strict=True)]
    mean = sum(differences) / pairs
    of_pairs = sum((each - mean) ** 2 for each in differences) / (pairs - 1) / pairs
    changes = [
        sum(nats_b[k][j] - nats_a[k][j] for k in range(pairs)) / pairs for j in range(len(sizes))
    ]
    of_documents = document_variance(changes, sizes)
    degrees = (of_pairs + of_documents) ** 2 / (
        of_pairs**2 / (pairs - 1) + of_documents**2 / (len(sizes) - 1)
    )
    return mean, of_pairs + of_documents, degrees
