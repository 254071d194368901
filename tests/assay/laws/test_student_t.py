"""Student's t: its tails against the integral of its density, its quantiles against its tails."""

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.laws.student_t import MAX_DEGREES, quantile, tail

DEGREES = st.floats(1, 2000)
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(2000)


def integrate_tail(t: float, degrees: float) -> float:
    """Integrate the density above `t`, with t = sqrt(degrees) tan(angle): no end at infinity."""
    low, high = math.atan(t / math.sqrt(degrees)), math.pi / 2
    angle = (high - low) / 2 * _NODES + (high + low) / 2
    area = (high - low) / 2 * float(_WEIGHTS @ np.cos(angle) ** (degrees - 1))
    log_gammas = math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2)
    return math.exp(log_gammas) / math.sqrt(math.pi) * area


@settings(deadline=None)  # the first use loads scipy
@given(st.floats(0, 12), DEGREES)
def test_a_tail_is_the_integral_of_the_density(t: float, degrees: float) -> None:
    assert tail(t, degrees) == pytest.approx(integrate_tail(t, degrees), rel=1e-8, abs=1e-14)
    assert tail(-t, degrees) == pytest.approx(1 - tail(t, degrees), rel=1e-12)


@settings(deadline=None)  # the first use loads scipy
@given(st.floats(0.001, 0.9995), DEGREES)
def test_a_quantile_is_where_the_tail_is_what_is_left(chance: float, degrees: float) -> None:
    assert tail(quantile(chance, degrees), degrees) == pytest.approx(1 - chance, rel=1e-9)


def test_known_values() -> None:
    # The tables of every textbook.
    assert quantile(0.975, 1) == pytest.approx(12.7062, abs=1e-4)
    assert quantile(0.975, 10) == pytest.approx(2.2281, abs=1e-4)
    assert quantile(0.95, 4) == pytest.approx(2.1318, abs=1e-4)


def test_many_degrees_are_the_normal_distribution() -> None:
    assert quantile(0.975, MAX_DEGREES) == pytest.approx(1.959964, abs=1e-6)
    assert quantile(0.975, MAX_DEGREES - 1) == pytest.approx(quantile(0.975, MAX_DEGREES), rel=1e-5)
    assert tail(1.959964, math.inf) == pytest.approx(0.025, abs=1e-7)
    assert tail(math.inf, 3) == 0


def test_scipy_is_loaded_at_the_first_use_and_its_stats_never() -> None:
    code = (
        "import sys, assay.train.stats.decision_rule as _\n"
        "from assay.laws.student_t import tail\n"
        "print('scipy' in sys.modules)\n"
        "tail(1.0, 3.0)\n"
        "print('scipy.special' in sys.modules, 'scipy.stats' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "True", "False"]
