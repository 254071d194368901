"""Planted pairs have the Jaccard they claim, and are found as often as the bands state."""

import numpy as np
import pytest
from numpy.typing import NDArray

from assay.audit.minhash.lsh_config import MinHashConfig
from assay.audit.minhash.sign import SchemeName, sign_texts
from assay.audit.pairs.planted_pairs import (
    LEVELS,
    PlantedDocuments,
    check_bands,
    choose_documents,
    count_unlike,
    draw_sets,
    join_planted,
    keep_one_a_text,
    measure_chosen,
    plant_pairs,
)
from assay.formats.audit_totals import PlantedLevel
from assay.text.shingling import Shingling
from bench.made_clusters import make_sharing
from tests.support.make import make_texts
from tests.twins import audit as reference

CONFIG = MinHashConfig()


def draw_hashes(number: int, seed: int = 3) -> NDArray[np.void]:
    return np.random.default_rng(seed).integers(0, 2**63, (number, 2)).view("V16").ravel()


def choose_sizes(sizes: list[int], seed: int = 3) -> PlantedDocuments:
    size_D = np.array(sizes)
    return PlantedDocuments(size_D, np.zeros(size_D.size, np.uint64), draw_hashes(len(sizes), seed))


def measure(texts: list[str], config: MinHashConfig = CONFIG) -> PlantedDocuments:
    encoded = [text.encode() for text in texts]
    data = np.frombuffer(b"".join(encoded), np.uint8)
    offsets = np.cumsum([0, *map(len, encoded)])
    chosen = np.ones(len(texts), bool)
    hashes = draw_hashes(len(texts))
    return measure_chosen(data, offsets, hashes, chosen, config.make_scheme(), config)


def make_keys(texts: list[str], config: MinHashConfig = CONFIG) -> NDArray[np.uint64]:
    encoded = [text.encode() for text in texts]
    data = np.frombuffer(b"".join(encoded), np.uint8)
    offsets = np.cumsum([0, *map(len, encoded)])
    signed = sign_texts(data, offsets, config.make_scheme(), config.shingling)
    return config.hash_bands(signed.signature_NP)


def test_drawn_sets_have_the_jaccard_that_is_told() -> None:
    drawn, ends = draw_sets(np.uint64(9), 10, np.array([0, 2, 10]))

    sets = [set(drawn[ends[i] : ends[i + 1]].tolist()) for i in range(4)]
    assert [len(each) for each in sets] == [10] * 4
    assert [reference.jaccard(sets[0], each) for each in sets[1:]] == [1, 8 / 12, 0]
    assert drawn[:10].tolist() == [
        reference.finish_64((9 + place * 0x9E3779B97F4A7C15) % 2**64) for place in range(1, 11)
    ]


@pytest.mark.parametrize("scheme", ["affine32", "affine64", "slots"])
def test_bands_of_one_value_find_the_share_that_is_the_jaccard(scheme: SchemeName) -> None:
    rule = MinHashConfig(bands=1, rows=1, scheme=scheme)

    rows = plant_pairs(choose_sizes([600] * 300), rule)

    for row in rows:
        assert abs(row.found / row.pairs - row.jaccard) < 0.1, row


@pytest.mark.parametrize(
    "rule",
    [
        MinHashConfig(),
        MinHashConfig(bands=4, rows=3),
        MinHashConfig(0.75, 14, 8, scheme="affine64"),
        MinHashConfig(0.8, 9, 13, Shingling("letters", 13)),
        MinHashConfig(scheme="slots"),
        MinHashConfig(0.8, 32, 4, Shingling("letters", 13), scheme="slots"),
    ],
)
def test_as_many_are_found_as_the_rule_states(rule: MinHashConfig) -> None:
    rows = plant_pairs(choose_sizes(list(range(30, 430)), seed=8), rule, threads=2)

    assert [row.jaccard for row in rows] == list(LEVELS)
    for row in rows:
        assert row.pairs == 400
        assert abs(row.found - row.expected) <= 3.5 * row.deviation + 2, row


def test_what_is_found_strays_by_its_deviation_where_documents_share_two_thirds() -> None:
    """Pairs that share shingles would be found or missed together, and stray further."""
    squares = []
    for seed in range(30):
        planted = measure(make_sharing(seed, 60))
        fresh = PlantedDocuments(planted.size_D, planted.key_D, draw_hashes(60, seed))
        row = plant_pairs(fresh, CONFIG)[LEVELS.index(0.7)]
        squares.append(((row.found - row.expected) / row.deviation) ** 2)

    assert 0.5 < np.mean(squares) < 1.7  # chi-squared of 30 degrees: beyond this in 1 of 100


def test_documents_of_few_shingles_are_left_out() -> None:
    rows = plant_pairs(choose_sizes([3, 19, 20, 46]), CONFIG)

    assert [row.pairs for row in rows] == [2] * len(LEVELS)
    assert measure(["a b c d e f g", "", "x"]).size_D.tolist() == [3, 1]


def test_the_choice_looks_at_hashes_alone_and_spares_long_documents() -> None:
    hashes = draw_hashes(4000, 5)
    size = np.full(4000, 10)
    size[7] = 10**6

    few = choose_documents(hashes, size, 100_000)
    everyone = choose_documents(hashes, size, 100)

    assert 0 < few.sum() < 60
    assert everyone.sum() == 3999
    assert not everyone[7]
    assert np.array_equal(few[100:200], choose_documents(hashes[100:200], size[100:200], 100_000))


def test_copies_are_planted_in_once_whatever_their_order() -> None:
    one, other = choose_sizes([30, 40, 50]), choose_sizes([40, 30, 50])
    other = other.take([1, 0, 2])  # the same names and sizes in another order

    kept = keep_one_a_text(join_planted([one, one]))

    assert kept.size_D.size == 3
    swapped = PlantedDocuments(one.size_D, one.key_D, one.content_hash_D).take([2, 0, 1])
    assert plant_pairs(kept, CONFIG) == plant_pairs(keep_one_a_text(swapped), CONFIG)


@pytest.mark.parametrize("scheme", ["affine32", "affine64", "slots"])
def test_keys_made_again_are_those_of_the_scan_and_one_bit_off_is_told(scheme: SchemeName) -> None:
    rule = MinHashConfig(scheme=scheme)
    texts = make_texts(40, seed=4, words=300)
    keys, hashes, planted = make_keys(texts, rule), draw_hashes(40), measure(texts, rule)

    assert count_unlike(planted, hashes, keys) == 0
    keys[3, 11] ^= np.uint64(2)
    keys[5, 12] ^= np.uint64(1 << 63)
    assert count_unlike(planted, hashes, keys) == 2
    assert check_bands(planted, hashes, keys, rule, num_rows=40).unlike == 2


def test_nothing_planted_is_counted_as_nothing() -> None:
    none = np.empty((16, 0), np.uint64)

    check = check_bands(join_planted([]), np.empty(0, "V16"), none, CONFIG, num_rows=0)

    assert check.levels[0] == PlantedLevel(0.5, 0, 0, 0.0, 0.0)
    assert (check.documents, check.unlike) == (0, 0)
