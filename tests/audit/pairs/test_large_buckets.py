"""Large buckets: the same clusters as by all pairs, and each leak, however val was joined."""

import random
from itertools import combinations
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.audit.pairs.bucket_index import index_buckets
from assay.audit.pairs.jaccard import ShingleSets
from assay.audit.pairs.large_buckets import compare_across_split, compare_to_join
from assay.audit.run import audit_shards
from assay.repeats.clusters import connect
from tests.support.make import write_shard
from tests.twins import audit as reference


def pack_sets(members: list[set[int]]) -> ShingleSets:
    flat = [value for own in members for value in sorted(own)]
    return ShingleSets(np.array(flat, np.uint64), np.cumsum([0, *map(len, members)]))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sets(st.integers(1, 12), min_size=1), min_size=2, max_size=14))
def test_comparing_to_join_joins_what_comparing_all_pairs_joins(members: list[set[int]]) -> None:
    size = len(members)
    buckets = [np.arange(size), np.arange(0, size, 2)]

    found = compare_to_join(pack_sets(members), index_buckets(size, buckets), np.arange(size), 0.6)

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

    index = index_buckets(300, [np.arange(300)])
    found = compare_to_join(sets, index, np.arange(300), 0.8)

    assert found.num_compared == len(found.pair_P2) == 299
    joined = connect(300, found.pair_P2, found.jaccard_P).label_N
    assert index.count_joined(joined, found.pair_P2) == 300 * 299 // 2 - 299


def test_documents_joined_before_are_not_compared() -> None:
    index = index_buckets(3, [np.arange(3)])
    found = compare_to_join(pack_sets([{1}, {1}, {2}]), index, np.array([0, 0, 2]), 0.8)

    assert (found.num_compared, len(found.pair_P2)) == (2, 0)


def test_a_pair_of_several_large_buckets_counts_once(tmp_path: Path) -> None:
    sets = pack_sets([{number} for number in range(1, 7)])
    index = index_buckets(6, [np.arange(6), np.arange(5), np.array([0, 2, 5])])

    found = compare_to_join(sets, index, np.arange(6), 0.8)

    assert found.num_compared == index.count_pairs() == 15
    assert index.count_joined(np.zeros(6, np.int64), np.array([[0, 1]])) == 14
    base = [f"w{number * number % 997}" for number in range(300)]
    shard = write_shard(tmp_path / "a.parquet", make_alike(400, "t", base))
    by_component = audit_shards([shard], tmp_path / "audit", near="component").totals.pairs
    assert by_component.joined + by_component.near == 400 * 399 // 2


def test_pairs_beyond_the_budget_are_counted() -> None:
    sets = pack_sets([set(range(100 * n, 100 * n + 10)) for n in range(1, 11)])

    twice, once = (index_buckets(10, [np.arange(10)] * times) for times in (2, 1))
    none = compare_to_join(sets, twice, np.arange(10), 0.8, budget=0)
    some = compare_to_join(sets, once, np.arange(10), 0.8, budget=100)

    assert (none.num_compared, none.num_uncompared) == (0, 45)
    assert (some.num_compared, some.num_uncompared) == (5, 40)


def make_alike(number: int, tag: str, base: list[str], more: str = "") -> list[str]:
    """Make texts of one template, each with a word of its own."""
    chance = random.Random(tag)
    texts = []
    for index in range(number):
        words = list(base)
        for place in chance.sample(range(len(base)), 1):
            words[place] = f"{tag}{index}x{place}"
        texts.append(" ".join(words) + more)
    return texts


def test_every_document_of_a_template_in_val_has_leaked(tmp_path: Path) -> None:
    base = [f"w{number * number % 997}" for number in range(300)]
    train = make_alike(180, "t", base, " and a few more words")  # longer: val is joined first
    shard = write_shard(tmp_path / "train.parquet", train)
    val = write_shard(tmp_path / "val.parquet", make_alike(250, "v", base))

    audit = audit_shards([shard], tmp_path / "audit", val=[val], near="component")

    assert audit.manifest.totals["pairs"]["joined"] > 0  # there was a large bucket
    assert audit.manifest.totals["leaks"]["near"] == 250
    assert (audit.read("leaks")["jaccard"] >= 0.8).all()


def test_pairs_of_equal_keys_and_unlike_sets_are_compared_once(tmp_path: Path) -> None:
    base = [f"w{number}" for number in range(4_000)]
    shard = write_shard(tmp_path / "a.parquet", make_alike(40, "t", base))

    lsh = audit_shards([shard], tmp_path / "audit").manifest.totals["lsh"]

    assert lsh["near_pairs"] == lsh["verified"] == lsh["compared"] == 40 * 39 // 2
    assert lsh["precision"] == 1


def test_pairs_found_are_near_and_each_val_document_near_train_has_one() -> None:
    rng = np.random.default_rng(2)
    draws = [np.flatnonzero(rng.random(12) < 0.6).astype(np.uint64) + 1 for _ in range(40)]
    sets = ShingleSets(np.concatenate(draws), np.cumsum([0, *map(len, draws)]))
    val = rng.random(40) < 0.5
    everyone, none = np.arange(40), np.empty((0, 2), np.int64)
    near = [
        {t for t in np.flatnonzero(~val) if reference.jaccard(draws[v], draws[t]) >= 0.6}
        for v in range(40)
    ]
    leaked = {v for v in np.flatnonzero(val) if near[v]}

    found = compare_across_split(sets, [everyone], everyone, val, none, 0.6)
    again = compare_across_split(sets, [everyone], everyone, val, found.pair_P2, 0.6)
    short = compare_across_split(sets, [everyone], everyone, val, none, 0.6, budget=0)

    sides = [(a, b) if val[a] else (b, a) for a, b in found.pair_P2.tolist()]
    assert {v for v, _ in sides} == leaked
    assert 0 < len(leaked) == len(sides)
    assert all(t in near[v] for v, t in sides)
    assert not {v for v, _ in sides} & {int(v) for v in again.pair_P2.ravel()}
    assert (len(short.pair_P2), short.num_uncompared) == (0, int(val.sum() * (~val).sum()))


def test_a_group_with_a_train_document_has_leaked_already() -> None:
    sets = ShingleSets(np.array([1, 2, 1, 2, 1, 2], np.uint64), np.array([0, 2, 4, 6]))
    group = np.array([0, 0, 2])
    val = np.array([True, False, True])

    none = np.empty((0, 2), np.int64)
    found = compare_across_split(sets, [np.array([0, 2])], group, val, none, 0.8)

    assert found.pair_P2.tolist() == [[0, 2]]
