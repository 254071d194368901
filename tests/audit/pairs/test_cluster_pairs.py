"""Within clusters every text meets those that stay, whatever the budget leaves of the others."""

from itertools import combinations
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.audit.pairs.cluster_pairs import ClusterPairs, compare_clusters
from assay.audit.pairs.jaccard import ShingleSets
from tests.twins import audit as reference
from tests.twins import prepare as twin

THRESHOLD = 0.6
Members = list[set[int]]

made = st.lists(st.sets(st.integers(1, 9), min_size=1), min_size=1, max_size=14)


def compare(
    members: Members, labels: list[int], ranks: list[int], known: list[tuple[int, int]], **how: int
) -> ClusterPairs:
    flat = [value for own in members for value in sorted(own)]
    sets = ShingleSets(np.array(flat, np.uint64), np.cumsum([0, *map(len, members)]))
    values = [reference.jaccard(members[a], members[b]) for a, b in known]
    none = np.empty((0, 2), np.int64)
    return compare_clusters(
        sets,
        np.array(labels),
        np.array(ranks),
        np.array(known, np.int64).reshape(-1, 2),
        np.array(values, np.float64),
        THRESHOLD,
        compared_P2=none,
        **how,
    )


def find_near(members: Members) -> dict[tuple[int, int], float]:
    pairs = combinations(range(len(members)), 2)
    near = {(a, b): reference.jaccard(members[a], members[b]) for a, b in pairs}
    return {pair: value for pair, value in near.items() if value >= THRESHOLD}


def by_pair(found: ClusterPairs) -> dict[tuple[int, int], float]:
    pairs = map(tuple, found.pair_P2.tolist())
    return dict(zip(pairs, found.jaccard_P.tolist(), strict=True))


def keep(near: dict[tuple[int, int], float], ranks: list[int]) -> list[int]:
    """Return what each goes for, the smallest rank first."""
    rows = [{"shard": 0, "tokens": -rank, "content_hash": b""} for rank in ranks]
    return twin.choose_keepers(rows, near)


@settings(max_examples=150, deadline=None)
@given(members=made, threads=st.sampled_from([1, 2]), seed=st.randoms())
def test_all_near_pairs_of_a_cluster_are_found(
    members: Members, threads: int, seed: Random
) -> None:
    near = find_near(members)
    labels = reference.clusters(len(members), near)
    known = [pair for pair in near if seed.random() < 0.5]
    missing = [a for a in range(len(members)) if labels.count(labels[a]) < 3]

    found = by_pair(compare(members, labels, list(range(len(members))), known, threads=threads))

    for pair, value in near.items():
        if pair in known or pair[0] not in missing:
            assert found.pop(pair) == value
    assert not found


@settings(max_examples=150, deadline=None)
@given(members=made, ranks=st.permutations(range(14)))
def test_in_a_large_cluster_the_same_stay_and_go_for_the_same(
    members: Members, ranks: list[int]
) -> None:
    near = find_near(members)
    labels = reference.clusters(len(members), near)
    ranks = ranks[: len(members)]
    links = [(labels[a], a) for a in range(len(members)) if (labels[a], a) in near]

    found = compare(members, labels, ranks, links, max_texts=2)

    pairs = by_pair(found)
    of_two = {pair: near[pair] for pair in near if labels.count(labels[pair[0]]) == 2}
    assert all(near[pair] == value for pair, value in pairs.items())
    expected = keep(near, ranks)
    assert keep(pairs | of_two, ranks) == expected
    goes = [i for i in range(len(members)) if expected[i] != i and labels.count(labels[i]) > 2]
    inside = [(a, b) for a, b in combinations(goes, 2) if labels[a] == labels[b]]
    assert found.num_left == len(inside) - sum(pair in pairs for pair in inside)
    assert found.num_uncompared == 0
    assert found.open_N.tolist() == [labels.count(label) > 2 for label in labels]


def test_what_the_budget_leaves_is_counted_once() -> None:
    members = [{*range(100 * n, 100 * n + 10)} for n in range(1, 11)]

    none = compare(members, [0] * 10, list(range(10)), [], budget=0)
    some = compare(members, [0] * 10, list(range(10)), [], budget=100)

    assert (none.num_left, none.num_uncompared, len(none.pair_P2)) == (0, 45, 0)
    assert some.num_uncompared == 45 - 4 * 3 // 2  # of the pairs, those of four were compared
    assert compare(members, [0] * 10, list(range(10)), []).num_uncompared == 0


def test_a_giant_cluster_costs_no_other_its_pairs() -> None:
    giant = [{*range(50), 100 + n} for n in range(40)]
    small = [{1000, 1001, n} for n in range(2000, 2003)] + [{3000 + n // 3} for n in range(9)]
    labels = [0] * 40 + [40] * 3 + [43] * 3 + [46] * 3 + [49] * 3

    found = compare([*giant, *small], labels, list(range(52)), [], budget=120)

    assert found.open_N.tolist() == [True] * 40 + [False] * 12
    assert {pair for pair in by_pair(found) if pair[0] >= 43} == {
        pair for first in (43, 46, 49) for pair in combinations(range(first, first + 3), 2)
    }
