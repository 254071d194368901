import numpy as np
import pytest

from assay.diagnose.curve.learning_rate import Logged
from assay.errors import UsageError


def test_logged_rates_are_joined_by_lines_and_kept_at_the_end() -> None:
    logged = Logged(np.array([10, 20]), np.array([1.0, 0.5]))

    assert logged(np.array([0, 10, 15, 20, 99])).tolist() == [1, 1, 0.75, 0.5, 0.5]


@pytest.mark.parametrize(
    ("step", "rate", "named"),
    [
        ([], [], "at least one"),
        ([1, 2], [1.0], "1 logged learning rates for 2 steps"),
        ([1, 1], [1.0, 1.0], "do not rise"),
        ([1, 2], [1.0, float("nan")], "not finite"),
        ([1, 2], [0.0, 0.0], "all 0"),
        ([1, 2], [-1.0, 1.0], "negative"),
    ],
)
def test_columns_that_give_no_rate_are_refused(
    step: list[int], rate: list[float], named: str
) -> None:
    with pytest.raises(UsageError, match=named):
        Logged(np.array(step), np.array(rate))
