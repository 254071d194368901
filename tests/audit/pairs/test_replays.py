"""Pairs are proposed again as often as the bands state, and join what they should."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.audit.minhash.lsh_config import MinHashConfig
from assay.audit.minhash.sign import SchemeName, sign_sets
from assay.audit.pairs.jaccard import ShingleSets
from assay.audit.pairs.replays import NUM_REPLAYS, find_apart, replay_pairs, take_sets
from tests.twins import audit as reference


def draw_pairs(number: int, size: int, shared: int) -> tuple[ShingleSets, np.ndarray]:
    """Draw pairs of sets of `size` that share `shared`, pair by pair."""
    drawn = np.random.default_rng(1).integers(1, 2**64, (number, 2 * size - shared), np.uint64)
    sets = np.concatenate([drawn[:, :size], drawn[:, size - shared :]], axis=1).ravel()
    ends = np.arange(2 * number + 1) * size
    return ShingleSets(sets, ends), np.arange(2 * number).reshape(-1, 2)


@pytest.mark.parametrize("scheme", ["affine32", "affine64", "slots"])
def test_a_pair_is_proposed_as_often_as_its_jaccard_has_it(scheme: SchemeName) -> None:
    rule = MinHashConfig(scheme=scheme)
    sets, pair_E2 = draw_pairs(100, 100, 84)  # 84 of 116
    stated = rule.detect(84 / 116)

    mask_E = replay_pairs(sets, pair_E2, rule, threads=2)

    count_E = np.bitwise_count(mask_E)
    error = np.sqrt(stated * (1 - stated) / (100 * NUM_REPLAYS))
    assert abs(count_E.mean() / NUM_REPLAYS - stated) < 4 * error + 0.02
    assert len(set(mask_E.tolist())) == 100
    assert np.array_equal(mask_E, replay_pairs(sets, pair_E2, rule, threads=1))


@pytest.mark.parametrize("scheme", ["affine32", "slots"])
def test_a_replay_signs_renamed_shingles_and_compares_all_bands(scheme: SchemeName) -> None:
    rule = MinHashConfig(bands=4, rows=3, scheme=scheme)
    sets, pair_E2 = draw_pairs(40, 30, 20)
    mask_E = replay_pairs(sets, pair_E2, rule)

    for replay in (0, 7, NUM_REPLAYS - 1):
        salt = (replay + 1) * 0x9E3779B97F4A7C15 % 2**64
        renamed = np.array([reference.finish_64(x ^ salt) for x in sets.values.tolist()], np.uint64)
        key_BM = rule.hash_bands(sign_sets(renamed, sets.offsets_N, rule.make_scheme()))
        agree = (key_BM[:, pair_E2[:, 0]] == key_BM[:, pair_E2[:, 1]]).any(axis=0)
        assert np.array_equal(mask_E >> np.uint64(replay) & np.uint64(1), agree)


@settings(deadline=None)  # the first use compiles
@given(st.data())
def test_pairs_of_two_clusters_are_apart(data: st.DataObject) -> None:
    number = data.draw(st.integers(2, 9))
    near = [(a, b) for a in range(number) for b in range(a) if data.draw(st.booleans())]
    masks = [data.draw(st.integers(0, 7)) for _ in near]

    apart = find_apart(
        number, np.array(near, np.int64).reshape(-1, 2), np.array(masks, np.uint64), 3
    )

    for replay in range(3):
        joined = [pair for pair, mask in zip(near, masks, strict=True) if mask >> replay & 1]
        label = reference.clusters(number, joined)
        for (a, b), bits in zip(near, apart.tolist(), strict=True):
            assert (bits >> replay & 1) == (label[a] != label[b])


def test_sets_are_taken_in_the_order_named() -> None:
    sets = ShingleSets(np.array([1, 2, 3, 4, 5, 6], np.uint64), np.array([0, 2, 3, 3, 6]))

    taken = take_sets(sets, np.array([3, 0, 2]))

    assert taken.values.tolist() == [4, 5, 6, 1, 2]
    assert taken.offsets_N.tolist() == [0, 3, 5, 5]
