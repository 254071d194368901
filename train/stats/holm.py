"""Several arms against one baseline: how sure each claim must be so that all are, together."""

from collections.abc import Sequence


def holm_levels(chances: Sequence[float], alpha: float) -> list[float]:
    """Return for each p-value the level that Holm's procedure holds it to.

    The smallest of k is held to alpha / k, the next to alpha / (k - 1), and so on until one
    is not below its level; that one and all after it keep this level. A claim counts if and only
    if its p is below its level, and the chance of any false one is at most alpha.

    >>> holm_levels([0.04, 0.001, 0.02], 0.06)
    [0.06, 0.02, 0.03]

    Source: S. Holm, A simple sequentially rejective multiple test procedure, 1979.
    """
    levels = [0.0] * len(chances)
    left, stopped = len(chances), False
    for place in sorted(range(len(chances)), key=chances.__getitem__):
        levels[place] = alpha / left
        stopped = stopped or chances[place] >= levels[place]
        if not stopped:
            left -= 1
    return levels
