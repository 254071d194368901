"""Planted pairs have the Jaccard they claim, and are found as often as the bands state."""

import numpy as np
import pytest

from assay.audit.minhash.fast_similarity import Slots
from assay.audit.minhash.lsh_config import MinHashConfig
from assay.audit.minhash.sign import SchemeName, hide_order
from assay.audit.pairs.planted_pairs import (
    LEVELS,
    PlantedPairs,
    _alter_sets,
    choose_documents,
    join_planted,
    keep_one_a_cluster,
    plant_pairs,
    tally_planted,
)
from assay.formats.audit_totals import PlantedLevel
from assay.text.shingling import Shingling
from tests.support.make import make_texts
from tests.twins import audit as reference

CONFIG = MinHashConfig()


def plant(texts: list[str], config: MinHashConfig = CONFIG) -> PlantedPairs:
    encoded = [text.encode() for text in texts]
    data = np.frombuffer(b"".join(encoded), np.uint8)
    offsets = np.cumsum([0, *map(len, encoded)])
    hashes = np.random.default_rng(3).integers(0, 2**63, (len(texts), 2)).view("V16").ravel()
    chosen = np.ones(len(texts), bool)
    return plant_pairs(data, offsets, hashes, chosen, config.make_scheme(), config)


def test_altered_sets_have_the_jaccard_that_is_told() -> None:
    values = np.array([2, 3, 5, 7, 11, 13, 17, 19, 23, 29], np.uint64)

    altered, ends = _alter_sets(
        values, np.array([0, 4, 10]), np.array([1]), np.array([9], np.uint64), np.array([[2, 3]])
    )

    sets = [altered[ends[i] : ends[i + 1]].tolist() for i in range(3)]
    assert sets[0] == [11, 13, 17, 19, 23, 29]
    assert sets[1][2:] == [17, 19, 23, 29]
    assert reference.jaccard(sets[0], sets[1]) == 4 / 8
    assert reference.jaccard(sets[0], sets[2]) == 3 / 9
    assert ends.size == 4


@pytest.mark.parametrize("scheme", ["affine32", "affine64", "slots"])
def test_what_is_replaced_lies_where_no_slot_is_favoured(scheme: SchemeName) -> None:
    """Sets that differ in their smallest members alone agree in most slots, whatever their J."""
    rule = MinHashConfig(bands=1, rows=1, scheme=scheme)
    texts = [" ".join(f"{seed}x{n}" for n in range(600)) for seed in range(300)]

    agree = plant(texts, rule).found_DL.mean(axis=0)

    assert np.all(np.abs(agree - np.array(LEVELS)) < 0.1), agree


def test_sets_are_shuffled_each_within_itself() -> None:
    values = np.sort(np.random.default_rng(7).integers(1, 2**64, 300, np.uint64))
    offsets = np.array([0, 0, 100, 300])

    shuffled = hide_order(values, offsets, Slots())

    for first, last in ((0, 100), (100, 300)):
        mine = shuffled[first:last].tolist()
        assert mine == sorted(values[first:last].tolist(), key=reference.finish_64)
        assert mine != values[first:last].tolist()
    assert hide_order(values, offsets, MinHashConfig().make_scheme()) is values


def test_pairs_stand_at_the_levels_as_near_as_whole_shingles_allow() -> None:
    planted = plant(make_texts(30, seed=4, words=300))

    assert planted.jaccard_DL.shape[0] > 20
    assert np.all(np.abs(planted.jaccard_DL - np.array(LEVELS)) < 0.05)


@pytest.mark.parametrize(
    "rule",
    [
        MinHashConfig(),
        MinHashConfig(bands=4, rows=3),
        MinHashConfig(0.75, 14, 8, scheme="affine64"),
        MinHashConfig(0.8, 9, 13, Shingling("letters", 13)),
        MinHashConfig(scheme="slots"),
        MinHashConfig(0.8, 32, 4, Shingling("letters", 13), scheme="slots"),
        MinHashConfig(0.8, 16, 8, Shingling("characters", 24), scheme="slots"),
    ],
)
def test_as_many_are_found_as_the_rule_states(rule: MinHashConfig) -> None:
    rows = tally_planted(plant(make_texts(400, seed=8, words=120), rule), rule)

    assert [row.jaccard for row in rows] == list(LEVELS)
    for row in rows:
        assert abs(row.found - row.expected) <= 3.5 * row.deviation + 0.5, row


def test_documents_of_few_shingles_are_left_out() -> None:
    planted = plant(["a b c d e f g", " ".join(str(n) for n in range(50))])

    assert planted.jaccard_DL.shape == (1, len(LEVELS))


def test_the_choice_looks_at_hashes_alone_and_spares_long_documents() -> None:
    hashes = np.random.default_rng(5).integers(0, 2**63, (4000, 2)).view("V16").ravel()
    size = np.full(4000, 10)
    size[7] = 10**6

    few = choose_documents(hashes, size, 100_000)
    everyone = choose_documents(hashes, size, 100)

    assert 0 < few.sum() < 60
    assert everyone.sum() == 3999
    assert not everyone[7]
    assert np.array_equal(few[100:200], choose_documents(hashes[100:200], size[100:200], 100_000))


def test_alike_documents_are_planted_in_once() -> None:
    texts = make_texts(40, seed=6, words=300)
    hashes = np.random.default_rng(3).integers(0, 2**63, (len(texts), 2)).view("V16").ravel()
    cluster = np.array([index % 10 for index in range(len(texts))])
    both = join_planted([plant(texts), plant(texts)])

    kept = keep_one_a_cluster(both, hashes, cluster)

    names = {name: group for name, group in zip(hashes.tolist(), cluster.tolist(), strict=True)}
    planted = set(both.content_hash_D.tolist())
    lowest = {min(n for n in planted if names[n] == group) for group in range(10)}
    assert both.found_DL.shape[0] > 60
    assert set(kept.content_hash_D.tolist()) == lowest
    assert kept.found_DL.shape == kept.jaccard_DL.shape == (10, len(LEVELS))


def test_copies_in_a_batch_are_planted_in_once() -> None:
    encoded = make_texts(1, seed=4, words=300)[0].encode()
    data, offsets = np.frombuffer(encoded * 3, np.uint8), len(encoded) * np.arange(4)
    hashes = np.full((3, 2), 7).view("V16").ravel()

    planted = plant_pairs(data, offsets, hashes, np.ones(3, bool), CONFIG.make_scheme(), CONFIG)

    assert planted.found_DL.shape == (1, len(LEVELS))


def test_nothing_planted_is_counted_as_nothing() -> None:
    assert tally_planted(join_planted([]), CONFIG)[0] == PlantedLevel(0.5, 0, 0, 0.0, 0.0)
