"""Totals that are estimates."""

import numpy as np
import pytest

from assay.audit.minhash.lsh_config import MinHashConfig
from assay.audit.results.totals import estimate_recall


def test_the_share_found_is_estimated_from_the_pairs_found_alone() -> None:
    config = MinHashConfig(bands=4, rows=4)
    generator = np.random.default_rng(2)
    shares, truths, held = [], [], 0
    for _ in range(300):
        jaccard = generator.uniform(0.6, 0.9, 200)
        chance = np.array([config.detect(j) for j in jaccard.tolist()])
        found = jaccard[generator.random(200) < chance]
        share, error = estimate_recall(found, config)
        assert share is not None
        assert error is not None
        shares.append(share)
        truths.append(chance.mean())
        held += abs(share - chance.mean()) <= 1.96 * error

    assert np.mean(shares) == pytest.approx(np.mean(truths), abs=0.01)
    assert held >= 0.9 * 300
    assert estimate_recall(np.empty(0), config) == (None, None)
