"""The chance that bands propose a pair, by its Jaccard."""


def detection(jaccard: float, bands: int, rows: int) -> float:
    """Return the chance that a pair of this Jaccard similarity agrees in some band.

    >>> round(detection(0.8, 16, 8), 3)
    0.947
    """
    return float(1 - (1 - jaccard**rows) ** bands)
