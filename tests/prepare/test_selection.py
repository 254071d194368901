"""Which documents are kept, on which side, and why the others are not."""

import hashlib
import random
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import UsageError
from assay.formats.bins import SplitCheck
from assay.prepare.selection import (
    DROPPED,
    REASONS,
    TRAIN,
    VAL,
    Assignment,
    Selection,
    assign_documents,
    limit_train,
)
from assay.prepare.settings import read_drop
from assay.prepare.shuffle import shuffle_documents
from assay.prepare.totals import check_split, count_totals
from tests.support.drawn_audits import audits, seeds
from tests.support.make import make_documents
from tests.support.standings import (
    DROPPABLE,
    drops,
    keeps,
    linked_audits,
    make_standing,
    name_fates,
    pair_rows,
    select,
    selections,
)
from tests.twins import prepare as reference
from tests.twins.audit import clusters as find_clusters


def texts_with(documents: pl.DataFrame, assignment: Assignment, fate: int) -> list[bytes]:
    return documents["content_hash"].gather(assignment.positions(fate)).to_list()


def plan_slowly(
    rows: list[dict[str, Any]], near: str, selection: Selection, keep: str, seed: int
) -> list[tuple[str, int]]:
    documents = make_documents(rows).to_dicts()
    shards = selection.shards
    if near == "keeper":
        pairs = pair_rows(rows)
        keepers = reference.choose_keepers(documents, pairs, keep=keep, val_shards=shards)
        clusters = find_clusters(len(rows), pairs)
    else:
        keepers = reference.choose_component_keepers(documents, keep=keep, val_shards=shards)
        clusters = [row["cluster"] for row in documents]
    return reference.plan(
        documents,
        keepers,
        clusters,
        selection.drop,
        seed,
        val_share=selection.share or 0.0,
        val_tokens=selection.tokens,
        val_shards=shards,
    )


@settings(deadline=None, max_examples=200)
@given(rows=audits(), selection=selections, keep=keeps, seed=seeds)
def test_the_assignment_by_component_is_that_of_the_slow_twin(
    rows: list[dict[str, Any]], selection: Selection, keep: str, seed: int
) -> None:
    standing = make_standing(rows, keep=keep, val_shards=selection.shards)

    assignment = assign_documents(standing, selection, seed)

    assert name_fates(assignment) == plan_slowly(rows, "component", selection, keep, seed)


@settings(deadline=None, max_examples=300)
@given(rows=linked_audits(), selection=selections, keep=keeps, seed=seeds)
def test_the_assignment_by_keeper_is_that_of_the_slow_twin(
    rows: list[dict[str, Any]], selection: Selection, keep: str, seed: int
) -> None:
    standing = make_standing(rows, near="keeper", keep=keep, val_shards=selection.shards)

    assignment = assign_documents(standing, selection, seed)

    assert name_fates(assignment) == plan_slowly(rows, "keeper", selection, keep, seed)


@settings(deadline=None)
@given(rows=audits() | linked_audits(), selection=selections, seed=seeds)
def test_nothing_is_lost_and_no_cluster_is_split(
    rows: list[dict[str, Any]], selection: Selection, seed: int
) -> None:
    near = "keeper" if "set" in rows[0] else "component"
    standing = make_standing(rows, near=near, val_shards=selection.shards)
    assignment = assign_documents(standing, selection, seed)

    totals = count_totals(standing, assignment, SplitCheck())

    assert totals.documents_out == totals.documents_in == len(rows)
    assert totals.tokens_out == totals.tokens_in == sum(row["tokens"] for row in rows)
    assert totals.train.ids == totals.train.tokens + totals.train.documents
    assert totals.train.unique_tokens <= totals.train.tokens
    assert ((assignment.reason_N != "") == (assignment.fate_N == DROPPED)).all()
    if not selection.shards or "leaked" in selection.drop:
        train, val = (standing.cluster_N[assignment.positions(fate)] for fate in (TRAIN, VAL))
        assert not set(train.tolist()) & set(val.tolist())


@settings(deadline=None)
@given(rows=audits() | linked_audits(), selection=selections, seed=seeds)
def test_no_pair_crosses_a_split_that_was_drawn(
    rows: list[dict[str, Any]], selection: Selection, seed: int
) -> None:
    near = "keeper" if "set" in rows[0] else "component"
    standing = make_standing(rows, near=near, val_shards=selection.shards)
    assignment = assign_documents(standing, selection, seed)

    check = check_split(standing, assignment, drawn=not selection.shards)

    first, fate = standing.known.first_N.tolist(), assignment.fate_N.tolist()
    copies = [(first[index], index) for index in range(len(rows)) if first[index] != index]
    listed = [*copies, *standing.known.pair_P2.tolist()]
    crossing = [pair for pair in listed if {fate[end] for end in pair} == {TRAIN, VAL}]
    kept = [pair for pair in listed if DROPPED not in {fate[end] for end in pair}]
    assert check.exact_across + check.near_across == len(crossing)
    assert check.pairs_within_kept == len(kept)
    if not selection.shards or "leaked" in selection.drop:
        assert not crossing


@settings(deadline=None)
@given(rows=audits() | linked_audits(), drop=drops, keep=keeps, seed=seeds)
def test_validation_documents_do_not_depend_on_what_is_dropped(
    rows: list[dict[str, Any]], drop: frozenset[str], keep: str, seed: int
) -> None:
    near = "keeper" if "set" in rows[0] else "component"
    for options in (
        {"val_share": 0.4},
        {"val_share": None, "val_tokens": 12},
        {"val_shards": (1,)},
    ):
        standing = make_standing(
            rows, near=near, keep=keep, val_shards=options.get("val_shards", ())
        )
        some = assign_documents(standing, select(drop, **options), seed)
        none = assign_documents(standing, select(frozenset(), **options), seed)

        assert some.positions(VAL).tolist() == none.positions(VAL).tolist()


@settings(deadline=None)
@given(rows=audits(), more=audits(), seed=seeds, chance=st.randoms())
def test_validation_documents_depend_on_seed_and_cluster_alone(
    rows: list[dict[str, Any]], more: list[dict[str, Any]], seed: int, chance: random.Random
) -> None:
    """Unrelated documents beside them and another order of shards change nothing."""
    selection = select(frozenset(["exact"]), val_share=0.4)
    standing = make_standing(rows)
    val = texts_with(standing.documents, assign_documents(standing, selection, seed), VAL)
    unrelated = [
        row | {"text": f"more {row['text']}", "cluster": f"more {row['cluster']}", "shard": 3}
        for row in more
    ]
    mixed = [*rows, *unrelated]
    chance.shuffle(mixed)
    changed = make_standing(mixed)

    found = texts_with(changed.documents, assign_documents(changed, selection, seed), VAL)

    own = {hashlib.md5(row["text"].encode()).digest() for row in rows}
    assert sorted(text for text in found if text in own) == sorted(val)


def test_the_share_held_out_is_about_the_share_asked_for() -> None:
    rows = [{"text": i, "cluster": i, "tokens": 5, "shard": 0} for i in range(4_000)]
    standing = make_standing(rows)

    held_out = [
        assign_documents(standing, select(frozenset(), val_share=0.1), seed).positions(VAL)
        for seed in (0, 1)
    ]

    assert all(330 < positions.size < 470 for positions in held_out)
    assert held_out[0].tolist() != held_out[1].tolist()
    tokens = assign_documents(standing, select(frozenset(), val_tokens=998), 0).positions(VAL)
    assert tokens.size == 200


def test_shards_held_out_are_kept_as_they_are() -> None:
    rows = [
        {"text": "a", "cluster": 1, "tokens": 5, "shard": 0},
        {"text": "a", "cluster": 1, "tokens": 5, "shard": 1},
        {"text": "a", "cluster": 1, "tokens": 5, "shard": 1},
        {"text": "b", "cluster": 1, "tokens": 3, "shard": 0},
        {"text": "c", "cluster": 2, "tokens": 3, "shard": 0},
    ]
    standing = make_standing(rows, val_shards=(1,))

    clean = assign_documents(standing, select(frozenset(DROPPABLE), val_shards=(1,)), 0)
    raw = assign_documents(standing, select(frozenset(), val_shards=(1,)), 0)

    assert clean.fate_N.tolist() == [DROPPED, VAL, VAL, DROPPED, TRAIN]
    assert clean.because_N.tolist() == [1, -1, -1, 1, -1]
    assert raw.fate_N.tolist() == [TRAIN, VAL, VAL, TRAIN, TRAIN]


def test_keep_first_keeps_the_first_of_a_cluster() -> None:
    rows = [
        {"text": "short", "cluster": 1, "tokens": 3, "shard": 0},
        {"text": "long", "cluster": 1, "tokens": 5, "shard": 0},
    ]
    selection = select(frozenset(["near"]), val_share=0.0)

    longest = assign_documents(make_standing(rows), selection, 0)
    first = assign_documents(make_standing(rows, keep="first"), selection, 0)

    assert longest.fate_N.tolist() == [DROPPED, TRAIN]
    assert first.fate_N.tolist() == [TRAIN, DROPPED]


@pytest.mark.parametrize("text", ["", "nothing", "exact,nothing", "none,exact", ",", "Exact"])
def test_an_unknown_reason_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="drop must be none, or some of"):
        read_drop(text)


def test_reasons_are_read() -> None:
    assert read_drop("none") == frozenset()
    assert read_drop(" exact, near,") == {"exact", "near"}
    assert read_drop(",".join(DROPPABLE)) == set(DROPPABLE) <= set(REASONS)


@settings(deadline=None)
@given(rows=audits(), seed=seeds, budget=st.integers(0, 60))
def test_a_budget_keeps_a_part_of_what_a_larger_one_keeps(
    rows: list[dict[str, Any]], seed: int, budget: int
) -> None:
    standing = make_standing(rows)
    documents, tokens_N = standing.documents, standing.tokens_N
    assignment = assign_documents(standing, select(frozenset(), val_share=0.2), seed)
    order = shuffle_documents(documents, assignment.positions(TRAIN), seed)

    small, large = (
        limit_train(assignment, tokens_N, order, size) for size in (budget, budget + 10)
    )

    kept = small.positions(TRAIN)
    assert set(kept.tolist()) <= set(large.positions(TRAIN).tolist())
    assert small.positions(VAL).tolist() == assignment.positions(VAL).tolist()
    total = int(tokens_N[kept].sum())
    assert total >= min(budget, int(tokens_N[order].sum()))
    longest = int(tokens_N.max())
    assert total < budget + longest or total == 0
    count_totals(standing, small, SplitCheck())
