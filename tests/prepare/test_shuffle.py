"""The order of documents in a bin."""

import random
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.prepare.shuffle import shuffle_documents
from tests.support.drawn_audits import audits, seeds
from tests.support.make import make_documents


@settings(deadline=None)
@given(rows=audits(), seed=seeds, chance=st.randoms())
def test_the_order_is_a_permutation_that_no_order_of_shards_changes(
    rows: list[dict[str, Any]], seed: int, chance: random.Random
) -> None:
    documents = make_documents(rows)
    shuffled = list(rows)
    chance.shuffle(shuffled)
    changed = make_documents(shuffled)
    everything = np.arange(len(rows))

    order = shuffle_documents(documents, everything, seed)

    assert sorted(order.tolist()) == everything.tolist()
    texts = documents["content_hash"].gather(order).to_list()
    other = changed["content_hash"].gather(shuffle_documents(changed, everything, seed)).to_list()
    assert texts == other


def test_another_seed_gives_another_order() -> None:
    rows = [{"text": i, "cluster": i, "tokens": 1, "shard": 0} for i in range(100)]
    documents = make_documents(rows)
    orders = {
        seed: shuffle_documents(documents, np.arange(100), seed).tolist()
        for seed in (0, 1, -1, 2**63 - 1)
    }

    assert len({tuple(order) for order in orders.values()}) == 4
    for order in orders.values():
        assert abs(np.corrcoef(order, range(100))[0, 1]) < 0.4


def test_shared_documents_have_the_same_relative_order() -> None:
    rows = [{"text": i // 2, "cluster": i // 2, "tokens": 1, "shard": 0} for i in range(100)]
    documents = make_documents(rows)

    raw = shuffle_documents(documents, np.arange(100), 7)
    clean = shuffle_documents(documents, np.arange(0, 100, 2), 7)

    assert [position for position in raw.tolist() if position % 2 == 0] == clean.tolist()


def test_nothing_to_order() -> None:
    documents = make_documents([{"text": 1, "cluster": 1, "tokens": 1, "shard": 0}])

    assert shuffle_documents(documents, np.arange(0), 0).size == 0
