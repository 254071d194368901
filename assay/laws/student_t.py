"""Student's t distribution, from `scipy.special`, which is loaded at the first use (0.1 to 0.3 s).

Never `scipy.stats`: to import that takes 0.8 s.
"""

MAX_DEGREES = 1e6  # from there on Student's t is the normal to 6 digits, and is taken for it


def tail(t: float, degrees: float) -> float:
    """Return the chance of a value above `t`, one-sided.

    >>> round(tail(2.0, 10), 6)
    0.036694
    """
    from scipy import special

    return float(special.ndtr(-t) if degrees >= MAX_DEGREES else special.stdtr(degrees, -t))


def quantile(chance: float, degrees: float) -> float:
    """Return the value below which a share `chance` lies; `chance` in (0, 1).

    >>> round(quantile(0.975, 10), 6)
    2.228139
    """
    from scipy import special

    normal = degrees >= MAX_DEGREES
    return float(special.ndtri(chance) if normal else special.stdtrit(degrees, chance))
