"""Pairs of first documents stand for those of all documents with the same shingles."""

from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.audit.pairs.groups import expand_pairs


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(-1, 5), max_size=16), st.integers(0, 2**15 - 1))
def test_expanded_pairs_are_all_pairs_of_documents_whose_sets_are_alike(
    kinds: list[int], chosen: int
) -> None:
    group_N = np.array([kinds.index(kind) if kind >= 0 else -1 for kind in kinds], np.int64)
    firsts = sorted({group for group in group_N.tolist() if group >= 0})
    near = [pair for bit, pair in enumerate(combinations(firsts, 2)) if chosen >> bit & 1]
    jaccard = {pair: 0.8 + 0.01 * bit for bit, pair in enumerate(near)}

    found = expand_pairs(np.array(near).reshape(-1, 2), np.array(list(jaccard.values())), group_N)

    expected = {}
    for x, y in combinations(range(len(kinds)), 2):
        a, b = sorted((int(group_N[x]), int(group_N[y])))
        if a == b >= 0:
            expected[x, y] = 1.0
        elif (a, b) in jaccard:
            expected[x, y] = jaccard[a, b]
    pairs = list(map(tuple, found.pair_P2.tolist()))
    assert dict(zip(pairs, found.jaccard_P.tolist(), strict=True)) == expected
    assert pairs == sorted(expected)
    assert found.num_left_out == 0


def test_groups_over_the_cap_stand_by_their_first() -> None:
    group_N = np.array([0, 0, 0, 3, 3])

    found = expand_pairs(np.array([[0, 3]]), np.array([0.9]), group_N, cap=2)

    assert found.pair_P2.tolist() == [[0, 1], [0, 2], [0, 3], [0, 4], [3, 4]]
    assert found.jaccard_P.tolist() == [1.0, 1.0, 0.9, 0.9, 1.0]
    assert found.num_left_out == 3 + 6 + 1 - 5
