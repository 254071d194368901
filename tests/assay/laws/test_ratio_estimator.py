"""The standard error of a total over a total, held to its definition."""

import numpy as np
import pytest

from assay.laws.ratio_estimator import ratio_variance
from tests.twins import train as reference


def test_the_variance_is_that_of_the_definition() -> None:
    generator = np.random.default_rng(0)
    for number in (2, 3, 50):
        changes, sizes = generator.normal(0, 1, number), generator.uniform(1, 9, number)

        assert ratio_variance(changes, sizes) == pytest.approx(
            reference.document_variance(changes.tolist(), sizes.tolist())
        )


def test_from_one_document_nothing_is_told() -> None:
    assert ratio_variance(np.array([3.0]), np.array([2.0])) == 0.0
