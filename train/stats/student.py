"""Student's t distribution, so that a verdict needs no more than numpy.

The tail is an incomplete beta function, worked out as a continued fraction (Lentz's method).
"""

import math
from functools import lru_cache
from statistics import NormalDist

MOST_DEGREES = 1e6  # from there on Student's t is the normal to 6 digits
_TINY = 1e-300
_NORMAL = NormalDist()


@lru_cache(maxsize=4096)
def tail(t: float, degrees: float) -> float:
    """Return the chance of a value above `t`; exact to about 1e-12, far tails included."""
    if t < 0:
        return 1 - tail(-t, degrees)
    if math.isinf(t):
        return 0.0
    if degrees >= MOST_DEGREES:
        return 0.5 * math.erfc(t / math.sqrt(2))
    square = t * t
    return 0.5 * _incomplete_beta(
        degrees / 2, 0.5, degrees / (degrees + square), square / (degrees + square)
    )


@lru_cache(maxsize=4096)
def quantile(chance: float, degrees: float) -> float:
    """Return the value below which a share `chance` lies, in (0, 1); by bisection."""
    if chance < 0.5:
        return -quantile(1 - chance, degrees)
    if degrees >= MOST_DEGREES:
        return _NORMAL.inv_cdf(chance)
    above = 1 - chance
    low, high = 0.0, 1.0
    while tail(high, degrees) > above:
        low, high = high, 2 * high
    while high - low > 1e-12 * max(1.0, high):
        middle = (low + high) / 2
        if tail(middle, degrees) > above:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _incomplete_beta(a: float, b: float, x: float, rest: float) -> float:
    """Return I_x(a, b); `rest` is 1 - x, given apart so that it does not cancel."""
    if x <= 0:
        return 0.0
    if rest <= 0:
        return 1.0
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(rest)
    )
    # The fraction converges quickly below its mean; above it the mirror image does.
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, rest) / b


def _fraction(a: float, b: float, x: float) -> float:
    above, below = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    value = below
    for m in range(1, 10_000):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            below = 1 / _away(1 + term * below)
            above = _away(1 + term / above)
            value *= above * below
        if abs(above * below - 1) < 1e-15:
            return value
    return value


def _away(value: float) -> float:
    """Keep a divisor away from 0."""
    return value if abs(value) > _TINY else _TINY
