"""Clusters equal those of a plain search, whatever the order of the pairs."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.repeats.clusters import connect
from assay.repeats.keepers import choose_first, rank_documents
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

    rank_N = rank_documents(tokens_N, hash_N, np.zeros(7, np.bool_))
    keeper_of_N = choose_first(label_N, rank_N)

    assert keeper_of_N.tolist() == [2, 2, 2, 4, 4, 4, 6]
