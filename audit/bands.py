"""Bands."""


def detection(jaccard: float, bands: int, rows: int) -> float:
    """Return the chance that a pair of this Jaccard is proposed: 1 - (1 - J^rows)^bands."""
    return 1.0 - (1.0 - jaccard**rows) ** bands
