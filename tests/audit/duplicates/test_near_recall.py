"""What an audit says of the near pairs that it found holds beside an exhaustive search."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.audit.duplicates.cluster_replays import replay_clusters
from assay.audit.duplicates.near_recall import NearRecall, estimate_recall
from assay.audit.minhash.lsh_config import MinHashConfig
from assay.audit.pairs.candidates import Candidates
from assay.audit.pairs.jaccard import ShingleSets, verify_pairs
from bench.made_clusters import KINDS, find_near_pairs, make_clusters
from bench.recall_intervals import audit_texts, find_recall, measure_interval
from tests.twins import audit as reference

CONFIG = MinHashConfig()


def measure(
    sets: ShingleSets, pairs: np.ndarray, jaccard: np.ndarray, proposed: Candidates, **options: Any
) -> NearRecall:
    replayed = replay_clusters(sets, pairs, jaccard, proposed, CONFIG, **options)
    return estimate_recall(replayed, proposed.group_N, CONFIG)


def pair_lone(jaccards: np.ndarray, **options: Any) -> NearRecall:
    """Estimate from pairs that share no document, of 200 shingles each."""
    number = jaccards.size
    sets = ShingleSets(np.zeros(1, np.uint64), np.zeros(2 * number + 1, np.int64))
    pairs, group = np.arange(2 * number).reshape(-1, 2), np.arange(2 * number)
    return measure(sets, pairs, jaccards, Candidates(pairs, group, ()), **options)


def draw_star(number: int, size: int, seed: int) -> tuple[ShingleSets, np.ndarray, np.ndarray]:
    """Draw `number` clusters of `size` sets, and return all near pairs within them."""
    generator = np.random.default_rng(seed)
    sets = []
    for _ in range(number):
        base = generator.integers(1, 2**63, 120, np.uint64)
        for _ in range(size):
            own = np.where(
                generator.random(120) < 0.05, generator.integers(1, 2**63, 120, np.uint64), base
            )
            sets.append(np.unique(own))
    ends = np.append(0, np.cumsum([own.size for own in sets]))
    whole = ShingleSets(np.concatenate(sets), ends)
    first = np.arange(number) * size
    inside = np.stack(np.triu_indices(size, 1), axis=1)
    pairs = (first[:, None, None] + inside).reshape(-1, 2)
    jaccard = verify_pairs(whole, pairs, 0.8)
    return whole, pairs[jaccard < 1], jaccard[jaccard < 1]


def estimate(
    sets: ShingleSets, pairs: np.ndarray, jaccard: np.ndarray, large: Any = (), **options: Any
) -> NearRecall:
    buckets = tuple(np.array([place]) for place in large)
    proposed = Candidates(pairs, np.arange(sets.offsets_N.size - 1), buckets)
    return measure(sets, pairs, jaccard, proposed, **options)


def test_intervals_of_lone_pairs_hold_the_truth_and_the_estimates_have_no_bias() -> None:
    generator = np.random.default_rng(2)
    held, errors = 0, []
    for _ in range(200):
        jaccard = generator.uniform(0.8, 0.95, 150)
        chance = np.array([CONFIG.detect(value) for value in jaccard.tolist()])
        found = jaccard[generator.random(150) < chance]
        recall = pair_lone(found)
        assert recall.share is not None
        assert recall.interval is not None
        held += recall.interval[0] <= found.size / 150 <= recall.interval[1]
        errors.append(recall.share - found.size / 150)

    assert held >= 0.93 * 200
    assert np.mean(errors) == pytest.approx(0, abs=4 * np.std(errors) / np.sqrt(200))


def test_pairs_missed_inside_of_clusters_are_counted() -> None:
    sets, pairs, jaccard = draw_star(6, 6, 1)
    keeps = np.ones(len(pairs), bool)
    keeps[[0, 20, 40]] = False

    whole, less = estimate(sets, pairs, jaccard), estimate(sets, pairs[keeps], jaccard[keeps])

    assert whole.share is not None
    assert less.share is not None
    assert less.num_pairs == whole.num_pairs - 3 == keeps.sum()
    assert less.num_clusters == whole.num_clusters == 6
    missed, before = (each.num_pairs * (1 / each.share - 1) for each in (less, whole))
    assert missed == pytest.approx(before + 3, abs=1e-6)


def test_a_set_stands_for_all_documents_that_have_it() -> None:
    sets, pairs, jaccard = draw_star(4, 5, 2)
    number = sets.offsets_N.size - 1
    group = np.concatenate([np.arange(number), [0, 0, 7]])
    more = ShingleSets(sets.values, np.append(sets.offsets_N, [sets.values.size] * 3))
    weight = np.bincount(group)

    recall = measure(more, pairs, jaccard, Candidates(pairs, group, ()))

    assert recall.num_pairs == (weight[pairs[:, 0]] * weight[pairs[:, 1]]).sum()


def test_few_pairs_few_clusters_and_large_ones_are_told() -> None:
    sets, pairs, jaccard = draw_star(3, 9, 3)
    few = pair_lone(np.full(29, 0.9))

    assert estimate(sets, pairs, jaccard).share is not None
    assert (few.share, few.num_pairs, few.num_clusters) == (None, 29, 29)
    assert pair_lone(np.full(30, 0.9)).share is not None
    left = estimate(sets, pairs, jaccard, large=[4])
    assert (left.share, left.interval, left.num_clusters, left.num_left_out) == (None, None, 2, 1)
    none = estimate(sets, pairs, jaccard, budget=1000)
    assert (none.share, none.num_clusters, none.num_left_out) == (None, 0, 3)
    assert pair_lone(np.empty(0)) == NearRecall()


def test_some_clusters_stand_for_all_and_widen_the_interval() -> None:
    sets, pairs, jaccard = draw_star(60, 5, 4)
    keeps = np.random.default_rng(5).random(len(pairs)) < 0.95
    pairs, jaccard = pairs[keeps], jaccard[keeps]

    whole = estimate(sets, pairs, jaccard)
    some = estimate(sets, pairs, jaccard, budget=1_000_000)

    assert whole.interval is not None
    assert some.interval is not None
    assert some.num_clusters == whole.num_clusters
    assert some.interval[0] < whole.share < some.interval[1]  # type: ignore[operator]
    assert some.interval[1] - some.interval[0] > whole.interval[1] - whole.interval[0]


def test_threads_and_the_order_of_pairs_change_nothing() -> None:
    sets, pairs, jaccard = draw_star(8, 6, 6)
    order = np.random.default_rng(7).permutation(len(pairs))

    assert estimate(sets, pairs, jaccard, threads=3) == estimate(
        sets, pairs[order, ::-1], jaccard[order]
    )


def test_the_exhaustive_search_is_that_of_the_twin() -> None:
    texts = make_clusters(3, ("star", "echo"), most=6)[:60]
    texts.append(texts[0])
    first = [row for row, text in enumerate(texts) if texts.index(text) == row]
    near = reference.exhaustive_pairs([texts[row] for row in first], 0.8)

    assert find_near_pairs(texts) == {
        (first[a], first[b]) for (a, b), value in near.items() if value < 1
    }


@pytest.mark.parametrize("kind", KINDS)
def test_the_interval_of_a_made_corpus_holds_what_an_exhaustive_search_finds(
    kind: str, tmp_path: Path
) -> None:
    interval = measure_interval(1, tmp_path, (kind,))

    assert interval.value is not None
    assert interval.there > 30
    assert interval.high - interval.low < 0.1
    assert interval.holds


def test_short_texts_of_one_template_are_told_as_they_are(tmp_path: Path) -> None:
    """A cluster of 150 whose pairs are found or missed together, and a few small ones."""
    texts = [
        f"{year}s this is a list of events occurring in the 0s ordered by year"
        for year in range(150)
    ]
    for tag in ("births", "deaths", "wars"):
        texts += [
            f"{year} {tag} in all of the known world by month and day of each year"
            for year in range(9)
        ]

    audit = audit_texts(texts, tmp_path)

    finding = find_recall(audit)
    there = find_near_pairs(texts)
    found = audit.totals.lsh.near_pairs
    assert finding.interval is not None
    assert finding.interval[0] <= found / len(there) <= finding.interval[1]
    assert finding.value == pytest.approx(found / len(there), abs=0.01)


@pytest.mark.slow
def test_intervals_of_made_corpora_hold_the_truth(tmp_path: Path) -> None:
    intervals = [measure_interval(seed, tmp_path, KINDS) for seed in range(60)]

    assert all(each.value is not None for each in intervals)
    assert sum(each.holds for each in intervals) >= 0.93 * 60
