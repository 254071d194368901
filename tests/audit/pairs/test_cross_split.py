"""Leaks in large buckets are found, though their documents were joined in another way before."""

import random
from pathlib import Path

import numpy as np

from assay.audit.pairs.cross_split import compare_across
from assay.audit.pairs.jaccard import ShingleSets
from assay.audit.run import audit_shards
from tests.support.make import write_shard
from tests.twins import audit as reference


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

    audit = audit_shards([shard], tmp_path / "audit", val=[val])

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

    found = compare_across(sets, [everyone], everyone, val, none, 0.6)
    again = compare_across(sets, [everyone], everyone, val, found.pair_P2, 0.6)
    short = compare_across(sets, [everyone], everyone, val, none, 0.6, budget=0)

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

    found = compare_across(sets, [np.array([0, 2])], group, val, np.empty((0, 2), np.int64), 0.8)

    assert found.pair_P2.tolist() == [[0, 2]]
