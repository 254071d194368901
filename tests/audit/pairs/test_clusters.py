"""Clusters equal those of a plain search, whatever the order of the pairs."""

from itertools import combinations
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.audit.pairs.clusters import choose_keepers, compare_guarded, connect
from assay.audit.pairs.jaccard import ShingleSets
from tests.twins import audit as reference

Graph = tuple[int, list[tuple[int, int]], list[float]]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    size = draw(st.integers(1, 25))
    pair = st.tuples(st.integers(0, size - 1), st.integers(0, size - 1))
    pairs = draw(st.lists(pair.filter(lambda ab: ab[0] != ab[1]), max_size=40))
    values = draw(
        st.lists(st.sampled_from([0.8, 0.85, 0.9, 1.0]), min_size=len(pairs), max_size=len(pairs))
    )
    return size, pairs, values


@settings(max_examples=200, deadline=None)
@given(graph=graphs(), randomness=st.randoms(use_true_random=False))
def test_clusters_equal_those_of_a_search(graph: Graph, randomness: Random) -> None:
    size, pairs, values = graph
    mixed = list(zip(pairs, values, strict=True))
    randomness.shuffle(mixed)

    found = connect(size, np.array(pairs).reshape(-1, 2), np.array(values))
    shuffled = connect(
        size, np.array([p for p, _ in mixed]).reshape(-1, 2), np.array([v for _, v in mixed])
    )

    assert found.label_N.tolist() == reference.clusters(size, pairs)
    assert np.array_equal(found.label_N, shuffled.label_N)
    assert np.array_equal(found.weakest_N, shuffled.weakest_N)


@settings(max_examples=100, deadline=None)
@given(graphs())
def test_a_cluster_holds_up_to_its_weakest_link_and_falls_apart_above(graph: Graph) -> None:
    size, pairs, values = graph
    found = connect(size, np.array(pairs).reshape(-1, 2), np.array(values))

    for label in set(found.label_N.tolist()):
        members = np.flatnonzero(found.label_N == label)
        weakest = found.weakest_N[label]
        assert np.all(found.weakest_N[members] == weakest)
        kept = [pair for pair, value in zip(pairs, values, strict=True) if value >= weakest]
        assert len({reference.clusters(size, kept)[member] for member in members}) == 1
        above = [pair for pair, value in zip(pairs, values, strict=True) if value > weakest]
        parts = len({reference.clusters(size, above)[member] for member in members})
        assert parts > 1 if len(members) > 1 else weakest == 1.0


def test_pairs_outside_the_documents_or_without_a_jaccard_are_refused() -> None:
    with pytest.raises(ValueError, match="outside 0 to 2"):
        connect(3, np.array([[0, 3]]), np.array([1.0]))
    with pytest.raises(ValueError, match="NaN"):
        connect(3, np.array([[0, 1]]), np.array([np.nan]))


def test_keeper_is_the_longest_then_of_smallest_hash_then_the_first() -> None:
    label_N = np.array([0, 0, 0, 3, 3, 3, 6])
    tokens_N = np.array([5, 9, 9, 4, 4, 4, 1])
    hashes = [b"\x00", b"\x02", b"\x01", b"\x80", b"\x7f", b"\x7f", b"\x05"]
    hash_N = np.array([value.ljust(16, b"\x01") for value in hashes], "S16").view("V16")

    keeper_of_N = choose_keepers(label_N, tokens_N, hash_N)

    assert keeper_of_N.tolist() == [2, 2, 2, 4, 4, 4, 6]


def pack_sets(members: list[set[int]]) -> ShingleSets:
    flat = [value for own in members for value in sorted(own)]
    return ShingleSets(np.array(flat, np.uint64), np.cumsum([0, *map(len, members)]))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sets(st.integers(1, 12), min_size=1), min_size=2, max_size=14))
def test_guarded_comparison_joins_what_comparing_all_pairs_joins(members: list[set[int]]) -> None:
    size = len(members)
    buckets = [np.arange(size), np.arange(0, size, 2)]

    found = compare_guarded(pack_sets(members), buckets, np.arange(size), 0.6)

    near = [
        (a, b)
        for a, b in combinations(range(size), 2)
        if reference.jaccard(members[a], members[b]) >= 0.6
    ]
    labels = connect(size, found.pair_P2, found.jaccard_P).label_N
    assert labels.tolist() == reference.clusters(size, near)
    assert set(map(tuple, found.pair_P2.tolist())) <= set(near)
    for (a, b), value in zip(found.pair_P2.tolist(), found.jaccard_P.tolist(), strict=True):
        assert value == reference.jaccard(members[a], members[b])
    assert found.num_uncompared == 0


def test_a_bucket_of_copies_takes_one_round() -> None:
    sets = pack_sets([set(range(1, 20))] * 300)

    found = compare_guarded(sets, [np.arange(300)], np.arange(300), 0.8)

    assert found.num_compared == len(found.pair_P2) == 299
    assert found.num_joined == 300 * 299 // 2 - 299


def test_documents_joined_before_are_not_compared() -> None:
    found = compare_guarded(pack_sets([{1}, {1}, {2}]), [np.arange(3)], np.array([0, 0, 2]), 0.8)

    assert (found.num_compared, found.num_joined, len(found.pair_P2)) == (2, 1, 0)


def test_pairs_beyond_the_budget_are_counted() -> None:
    sets = pack_sets([set(range(100 * n, 100 * n + 10)) for n in range(1, 11)])

    none = compare_guarded(sets, [np.arange(10)] * 2, np.arange(10), 0.8, budget=0)
    some = compare_guarded(sets, [np.arange(10)], np.arange(10), 0.8, budget=100)

    assert (none.num_compared, none.num_uncompared) == (0, 90)
    assert (some.num_compared, some.num_uncompared) == (5, 40)
