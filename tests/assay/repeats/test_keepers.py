"""Keepers equal those of a plain search, whatever the order of documents and of pairs."""

from random import Random
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.repeats.clusters import connect_texts
from assay.repeats.copies import group_copies
from assay.repeats.keepers import (
    choose_component_keepers,
    choose_keepers,
    find_chained,
    rank_documents,
)
from assay.storage.tables import read_hashes
from tests.support.make import make_documents
from tests.support.standings import linked_audits, pair_rows
from tests.twins import prepare as reference
from tests.twins.audit import clusters as find_clusters

Rows = list[dict[str, Any]]


def read(rows: Rows, val: tuple[int, ...]) -> dict[str, Any]:
    """First documents, pairs of texts, ranks and val of made documents; train shards first."""
    documents = make_documents(rows)
    hashes = read_hashes(documents["content_hash"])
    first_N = group_copies(hashes, documents["bytes"].to_numpy())
    pairs = {
        pair: value
        for pair, value in pair_rows(rows).items()
        if all(first_N[place] == place for place in pair)
    }
    val_N = np.isin(documents["shard"].to_numpy(), val)
    return {
        "first_N": first_N,
        "pair_P2": np.array(list(pairs), np.int64).reshape(-1, 2),
        "jaccard_P": np.array(list(pairs.values()), np.float64),
        "rank_N": rank_documents(documents["tokens"].to_numpy(), hashes, val_N),
        "val_N": val_N,
    }


@settings(deadline=None, max_examples=300)
@given(rows=linked_audits(), val=st.sampled_from([(), (2,), (1, 2)]), chance=st.randoms())
def test_what_stays_is_what_a_search_in_the_keeping_order_leaves(
    rows: Rows, val: tuple[int, ...], chance: Random
) -> None:
    made = read(rows, val)
    order = list(range(len(made["pair_P2"])))
    chance.shuffle(order)
    shuffled = made | {name: made[name][order] for name in ("pair_P2", "jaccard_P")}
    expected = reference.choose_keepers(
        make_documents(rows).to_dicts(), pair_rows(rows), val_shards=val
    )

    found, other = choose_keepers(**made), choose_keepers(**shuffled)

    assert found.keeper_of_N.tolist() == other.keeper_of_N.tolist() == expected
    pairs = pair_rows(rows)
    assert found.jaccard_N.tolist() == [
        pairs.get((min(i, k), max(i, k)), 1.0) for i, k in enumerate(expected)
    ]


@settings(deadline=None, max_examples=150)
@given(rows=linked_audits(), here=st.sets(st.integers(0, 19)))
def test_documents_that_take_no_part_are_as_if_they_were_not(rows: Rows, here: set[int]) -> None:
    made = read(rows, ())
    chosen = sorted(index for index in here if index < len(rows))
    here_N = np.isin(np.arange(len(rows)), chosen)
    some = [make_documents(rows).to_dicts()[index] for index in chosen]
    alone = reference.choose_keepers(some, pair_rows([rows[index] for index in chosen]))

    found = choose_keepers(**made, here_N=here_N)

    assert found.keeper_of_N[chosen].tolist() == [chosen[k] for k in alone]
    assert (found.keeper_of_N[~here_N] == -1).all()


@settings(deadline=None, max_examples=150)
@given(rows=linked_audits())
def test_chained_documents_are_not_near_the_first_of_their_cluster(rows: Rows) -> None:
    made, pairs = read(rows, ()), pair_rows(rows)
    labels = np.array(find_clusters(len(rows), pairs))
    pair_arrays = (made["first_N"], made["pair_P2"], made["jaccard_P"])

    found = find_chained(*pair_arrays, labels, made["rank_N"])

    for index, chained in enumerate(found.tolist()):
        members = np.flatnonzero(labels == labels[index]).tolist()
        head = min(members, key=lambda member: made["rank_N"][member])
        assert chained == (index != head and (min(index, head), max(index, head)) not in pairs)


@settings(deadline=None, max_examples=150)
@given(rows=linked_audits(), val=st.sampled_from([(), (2,), (1, 2)]))
def test_by_component_train_has_keepers_of_its_own(rows: Rows, val: tuple[int, ...]) -> None:
    made, pairs = read(rows, val), pair_rows(rows)
    train = {pair for pair in pairs if not made["val_N"][list(pair)].any()}
    labels = connect_texts(made["first_N"], made["pair_P2"], made["jaccard_P"]).label_N
    own = np.array(find_clusters(len(rows), train))

    found = choose_component_keepers(
        made["first_N"], made["pair_P2"], labels, made["rank_N"], made["val_N"]
    )

    for index in range(len(rows)):
        of = labels if made["val_N"][index] else own
        members = np.flatnonzero(of == of[index]).tolist()
        assert found[index] == min(members, key=lambda member: made["rank_N"][member])
