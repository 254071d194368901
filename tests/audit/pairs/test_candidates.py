"""Bands propose exactly the pairs whose signatures agree in all rows of a band."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.audit.minhash.band_keys import make_keys
from assay.audit.minhash.lsh_config import MinHashConfig
from assay.audit.pairs.candidates import (
    Candidates,
    expand_pairs,
    pair_groups,
    propose_pairs,
    release_members,
)


def agree(a: np.ndarray, b: np.ndarray, bands: int, rows: int) -> bool:
    cut = slice(0, bands * rows)
    return bool(np.any(np.all((a[cut] == b[cut]).reshape(bands, rows), axis=1)))


def list_pairs(candidates: Candidates) -> list[tuple[int, int]]:
    return list(map(tuple, candidates.pair_P2.tolist()))


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    documents=st.integers(0, 40),
    shape=st.sampled_from([(1, 1), (4, 2), (2, 4), (3, 2), (8, 1)]),
    values=st.integers(1, 4),
)
def test_pairs_are_those_that_agree_in_a_band(
    seed: int, documents: int, shape: tuple[int, int], values: int
) -> None:
    generator = np.random.default_rng(seed)
    signature_NP = generator.integers(0, values, (documents, 8), dtype=np.uint32)
    eligible_N = generator.random(documents) < 0.9

    found = propose_pairs(make_keys(signature_NP, *shape), eligible_N)

    used_NP = signature_NP[:, : shape[0] * shape[1]]
    rows = [bytes(row) if ok else b"" for row, ok in zip(used_NP, eligible_N, strict=True)]
    assert found.group_N.tolist() == [rows.index(row) if row else -1 for row in rows]
    firsts = [index for index in range(documents) if found.group_N[index] == index]
    assert list_pairs(found) == [
        (a, b)
        for a, b in combinations(firsts, 2)
        if agree(signature_NP[a], signature_NP[b], *shape)
    ]
    assert found.large == ()


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cap=st.integers(2, 12))
def test_each_pair_stands_in_the_pairs_or_in_a_large_bucket(seed: int, cap: int) -> None:
    generator = np.random.default_rng(seed)
    signature_NP = generator.integers(0, 3, (40, 8), dtype=np.uint32)
    everyone_N = np.ones(40, bool)

    capped = propose_pairs(make_keys(signature_NP, 4, 2), everyone_N, cap=cap)
    free = propose_pairs(make_keys(signature_NP, 4, 2), everyone_N, cap=10**6)

    inside = {pair for members in capped.large for pair in combinations(members.tolist(), 2)}
    assert all(len(members) > cap for members in capped.large)
    assert len({tuple(members) for members in capped.large}) == len(capped.large)
    assert set(list_pairs(capped)) | inside == set(list_pairs(free))
    assert len(set(list_pairs(capped))) == len(capped.pair_P2)


def test_threads_change_nothing() -> None:
    signature_NP = np.random.default_rng(5).integers(0, 3, (3000, 16), dtype=np.uint32)
    everyone_N = np.ones(3000, bool)

    one = propose_pairs(make_keys(signature_NP, 4, 4), everyone_N, cap=40)
    four = propose_pairs(make_keys(signature_NP, 4, 4), everyone_N, cap=40, threads=4)

    assert len(one.pair_P2) > 1000
    assert len(one.large) > 1
    assert np.array_equal(one.pair_P2, four.pair_P2)
    assert [x.tolist() for x in one.large] == [x.tolist() for x in four.large]


def test_documents_without_shingles_are_never_paired() -> None:
    signature_NP = np.full((3, 128), 2**32 - 1, np.uint32)

    found = propose_pairs(make_keys(signature_NP, 16, 8), np.zeros(3, bool))

    assert len(found.pair_P2) == 0
    assert found.group_N.tolist() == [-1, -1, -1]


def test_members_of_a_group_are_paired_with_its_first() -> None:
    assert pair_groups(np.array([0, 1, 0, -1, 1, 0])).tolist() == [[0, 2], [0, 5], [1, 4]]


def test_odd_members_take_over_the_pairs_of_their_group() -> None:
    pairs, groups = np.array([[0, 1]]), np.array([0, 1, 0, 1, 0])
    candidates = Candidates(pairs, groups, (np.array([0, 1]),))

    released = release_members(candidates, np.array([2, 4]))

    # 2 and 4 leave 0; 3 stays with 1.
    assert list_pairs(released) == [(0, 1), (0, 2), (0, 4), (1, 2), (1, 4), (2, 4)]
    assert released.group_N.tolist() == [0, 1, 2, 1, 4]
    assert [members.tolist() for members in released.large] == [[0, 1, 2, 4]]


def test_more_rows_than_values_are_refused() -> None:
    with pytest.raises(ValueError, match="need 128 values, signatures have 64"):
        make_keys(np.zeros((2, 64), np.uint32), 16, 8)


def test_detection_is_the_chance_of_one_band_to_agree() -> None:
    assert MinHashConfig(bands=16, rows=8).detect(1.0) == 1.0
    assert MinHashConfig(bands=16, rows=8).detect(0.0) == 0.0
    assert MinHashConfig(bands=1, rows=1).detect(0.5) == 0.5
    assert MinHashConfig(bands=2, rows=2).detect(0.5) == pytest.approx(1 - 0.75**2)
    assert MinHashConfig(bands=16, rows=8).detect(0.8) > 0.93


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), documents=st.integers(2, 30))
def test_released_documents_stand_in_the_pairs_of_their_group(seed: int, documents: int) -> None:
    generator = np.random.default_rng(seed)
    group = np.array([generator.integers(0, place + 1) for place in range(documents)])
    group = np.array([group[place] if group[group[place]] == group[place] else place
                      for place in range(documents)])  # fmt: skip
    group = np.where(group[group] == group, group, np.arange(documents))
    firsts = np.flatnonzero(group == np.arange(documents))
    every = [pair for pair in combinations(firsts.tolist(), 2) if generator.random() < 0.4]
    pairs = np.array(every, np.int64).reshape(-1, 2)
    others = np.flatnonzero(group != np.arange(documents))
    odd = others[generator.random(len(others)) < 0.5]

    released = release_members(Candidates(pairs, group, ()), odd)

    alike = {first: {first, *odd[group[odd] == first].tolist()} for first in firsts.tolist()}
    expected = {tuple(sorted((x, y))) for a, b in every for x in alike[a] for y in alike[b]}
    expected |= {pair for own in alike.values() for pair in combinations(sorted(own), 2)}
    assert list_pairs(released) == sorted(expected)
    assert released.large == ()


def test_a_crowd_of_released_documents_is_left_to_large_buckets() -> None:
    members = np.arange(2, 402)
    group = np.concatenate([[0, 1], np.zeros(400, np.int64)])
    candidates = Candidates(np.array([[0, 1]]), group, ())

    released = release_members(candidates, members)

    assert len(released.pair_P2) == 0
    everyone = [0, *members.tolist()]
    assert [bucket.tolist() for bucket in released.large] == [everyone, [0, 1, *members.tolist()]]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(-1, 5), max_size=16), st.integers(0, 2**15 - 1))
def test_expanded_pairs_are_all_pairs_of_documents_whose_sets_are_alike(
    kinds: list[int], chosen: int
) -> None:
    group_N = np.array([kinds.index(kind) if kind >= 0 else -1 for kind in kinds], np.int64)
    firsts = sorted({group for group in group_N.tolist() if group >= 0})
    near = [pair for bit, pair in enumerate(combinations(firsts, 2)) if chosen >> bit & 1]

    pair_P2, made_of_P = expand_pairs(np.array(near).reshape(-1, 2), group_N)

    expected = {}
    for x, y in combinations(range(len(kinds)), 2):
        a, b = sorted((int(group_N[x]), int(group_N[y])))
        if a == b >= 0:
            expected[x, y] = -1
        elif (a, b) in near:
            expected[x, y] = near.index((a, b))
    pairs = list(map(tuple, pair_P2.tolist()))
    assert dict(zip(pairs, made_of_P.tolist(), strict=True)) == expected
    assert pairs == sorted(expected)


def test_groups_over_the_cap_stand_by_their_first() -> None:
    group_N = np.array([0, 0, 0, 3, 3])

    pair_P2, made_of_P = expand_pairs(np.array([[0, 3]]), group_N, cap=2)

    assert pair_P2.tolist() == [[0, 1], [0, 2], [0, 3], [0, 4], [3, 4]]
    assert made_of_P.tolist() == [-1, -1, 0, 0, -1]
