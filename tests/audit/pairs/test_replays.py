"""Clusters found again are joined as often as the bands state, by pairs that are near."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.audit.minhash.lsh_config import MinHashConfig
from assay.audit.minhash.sign import SchemeName
from assay.audit.pairs.jaccard import ShingleSets
from assay.audit.pairs.replays import join_agreeing, replay_clusters, take_sets
from tests.twins import audit as reference


def draw_pairs(number: int, size: int, shared: int) -> tuple[ShingleSets, np.ndarray]:
    """Draw pairs of sets of `size` that share `shared`, pair by pair."""
    drawn = np.random.default_rng(1).integers(1, 2**64, (number, 2 * size - shared), np.uint64)
    sets = np.concatenate([drawn[:, :size], drawn[:, size - shared :]], axis=1).ravel()
    ends = np.arange(2 * number + 1) * size
    return ShingleSets(sets, ends), np.arange(2 * number).reshape(-1, 2)


@pytest.mark.parametrize("scheme", ["affine32", "affine64", "slots"])
def test_a_pair_is_joined_as_often_as_its_jaccard_has_it(scheme: SchemeName) -> None:
    rule = MinHashConfig(scheme=scheme)
    sets, pair_E2 = draw_pairs(100, 100, 84)  # 84 of 116
    stated = rule.detect(84 / 116)

    labels = list(replay_clusters(sets, pair_E2, rule, 30, threads=2))

    joined = np.mean([label_M[pair_E2[:, 0]] == label_M[pair_E2[:, 1]] for label_M in labels])
    assert abs(joined - stated) < 4 * np.sqrt(stated * (1 - stated) / 3000) + 0.02
    assert len({label_M.tobytes() for label_M in labels}) > 25
    again = list(replay_clusters(sets, pair_E2, rule, 2, threads=1))
    assert all(np.array_equal(a, b) for a, b in zip(again, labels, strict=False))


@given(st.data())
def test_pairs_that_agree_in_a_band_are_joined_and_no_others(data: st.DataObject) -> None:
    number, bands = data.draw(st.integers(2, 9)), data.draw(st.integers(1, 3))
    keys = [
        data.draw(st.lists(st.integers(0, 3), min_size=number, max_size=number))
        for _ in range(bands)
    ]
    near = [(a, b) for a in range(number) for b in range(a) if data.draw(st.booleans())]
    agreeing = [(a, b) for a, b in near if any(row[a] == row[b] for row in keys)]
    parent = np.arange(number)

    join_agreeing(parent, np.array(keys, np.uint64), np.array(near, np.int64).reshape(-1, 2))

    assert parent.tolist() == reference.clusters(number, agreeing)


def test_sets_are_taken_in_the_order_named() -> None:
    sets = ShingleSets(np.array([1, 2, 3, 4, 5, 6], np.uint64), np.array([0, 2, 3, 3, 6]))

    taken = take_sets(sets, np.array([3, 0, 2]))

    assert taken.values.tolist() == [4, 5, 6, 1, 2]
    assert taken.offsets_N.tolist() == [0, 3, 5, 5]
