"""Which documents are kept, on which side, and why the others are not."""

import hashlib
import random
from collections.abc import Collection
from itertools import combinations
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
from tests.twins import prepare as reference

FATES = {TRAIN: "train", VAL: "val"}

DROPPABLE = ("exact", "near", "leaked", "empty")


def select(
    drop: Collection[str],
    keep: str = "longest",
    val_share: float | None = None,
    val_tokens: int | None = None,
    val_shards: tuple[int, ...] = (),
) -> Selection:
    return Selection(frozenset(drop), keep, val_share, val_tokens, val_shards)


drops = st.sets(st.sampled_from(DROPPABLE)).map(frozenset)

selections = st.builds(
    select,
    drop=drops,
    keep=st.sampled_from(["longest", "first"]),
    val_share=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    val_tokens=st.sampled_from([None, None, 0, 5, 20, 10_000]),
    val_shards=st.sampled_from([(), (), (0,), (1, 2)]),
)


def texts_with(documents: pl.DataFrame, assignment: Assignment, fate: int) -> list[bytes]:
    return documents["content_hash"].gather(assignment.positions(fate)).to_list()


@settings(deadline=None, max_examples=200)
@given(rows=audits(), selection=selections, seed=seeds)
def test_the_assignment_is_that_of_the_slow_twin(
    rows: list[dict[str, Any]], selection: Selection, seed: int
) -> None:
    documents = make_documents(rows)

    assignment = assign_documents(documents, selection, seed)

    expected = reference.plan(
        documents.to_dicts(),
        selection.drop,
        seed,
        keep=selection.keep,
        val_share=selection.share or 0.0,
        val_tokens=selection.tokens,
        val_shards=selection.shards,
    )
    found = [
        (FATES.get(fate, reason), because)
        for fate, reason, because in zip(
            assignment.fate_N.tolist(),
            assignment.reason_N.tolist(),
            assignment.because_N.tolist(),
            strict=True,
        )
    ]
    assert found == expected


@settings(deadline=None)
@given(rows=audits(), selection=selections, seed=seeds)
def test_nothing_is_lost_and_no_cluster_is_split(
    rows: list[dict[str, Any]], selection: Selection, seed: int
) -> None:
    documents = make_documents(rows)
    assignment = assign_documents(documents, selection, seed)

    totals = count_totals(documents, assignment, SplitCheck())

    assert totals.documents_out == totals.documents_in == len(rows)
    assert totals.tokens_out == totals.tokens_in == sum(row["tokens"] for row in rows)
    assert totals.train.ids == totals.train.tokens + totals.train.documents
    assert totals.train.unique_tokens <= totals.train.tokens
    assert ((assignment.reason_N != "") == (assignment.fate_N == DROPPED)).all()
    if not selection.shards or "leaked" in selection.drop:
        clusters = documents["cluster"].to_numpy()
        train, val = clusters[assignment.positions(TRAIN)], clusters[assignment.positions(VAL)]
        assert not set(train.tolist()) & set(val.tolist())


@settings(deadline=None)
@given(rows=audits(), selection=selections, seed=seeds)
def test_no_pair_crosses_a_split_that_was_drawn(
    rows: list[dict[str, Any]], selection: Selection, seed: int
) -> None:
    documents = make_documents(rows)
    assignment = assign_documents(documents, selection, seed)
    linked = [
        (a, b)
        for a, b in combinations(documents.to_dicts(), 2)
        if a["cluster"] == b["cluster"] and a["bytes"]
    ]
    pairs = pl.DataFrame(
        [
            {
                "shard_a": a["shard"],
                "row_a": a["row"],
                "shard_b": b["shard"],
                "row_b": b["row"],
                "kind": "exact" if a["content_hash"] == b["content_hash"] else "near",
            }
            for a, b in linked
        ],
        schema={
            "shard_a": pl.UInt32,
            "row_a": pl.UInt64,
            "shard_b": pl.UInt32,
            "row_b": pl.UInt64,
            "kind": pl.String,
        },
    )

    check = check_split(pairs, documents, assignment, drawn=not selection.shards)

    sides = {
        (row["shard"], row["row"]): fate
        for row, fate in zip(documents.to_dicts(), assignment.fate_N.tolist(), strict=True)
    }
    crossing = [
        (a, b)
        for a, b in linked
        if {sides[a["shard"], a["row"]], sides[b["shard"], b["row"]]} == {TRAIN, VAL}
    ]
    assert check.exact_across + check.near_across == len(crossing)
    if not selection.shards or "leaked" in selection.drop:
        assert not crossing


@settings(deadline=None)
@given(rows=audits(), drop=drops, keep=st.sampled_from(["longest", "first"]), seed=seeds)
def test_validation_documents_do_not_depend_on_what_is_dropped(
    rows: list[dict[str, Any]], drop: frozenset[str], keep: str, seed: int
) -> None:
    documents = make_documents(rows)
    for options in (
        {"val_share": 0.4},
        {"val_share": None, "val_tokens": 12},
        {"val_shards": (1,)},
    ):
        some = assign_documents(documents, select(drop, keep, **options), seed)
        none = assign_documents(documents, select(frozenset(), keep, **options), seed)

        assert some.positions(VAL).tolist() == none.positions(VAL).tolist()


@settings(deadline=None)
@given(rows=audits(), more=audits(), seed=seeds, chance=st.randoms())
def test_validation_documents_depend_on_seed_and_cluster_alone(
    rows: list[dict[str, Any]], more: list[dict[str, Any]], seed: int, chance: random.Random
) -> None:
    """Unrelated documents beside them and another order of shards change nothing."""
    selection = select(frozenset(["exact"]), val_share=0.4)
    documents = make_documents(rows)
    val = texts_with(documents, assign_documents(documents, selection, seed), VAL)
    unrelated = [
        row | {"text": f"more {row['text']}", "cluster": f"more {row['cluster']}", "shard": 3}
        for row in more
    ]
    mixed = [*rows, *unrelated]
    chance.shuffle(mixed)
    changed = make_documents(mixed)

    found = texts_with(changed, assign_documents(changed, selection, seed), VAL)

    own = {hashlib.md5(row["text"].encode()).digest() for row in rows}
    assert sorted(text for text in found if text in own) == sorted(val)


def test_the_share_held_out_is_about_the_share_asked_for() -> None:
    rows = [{"text": i, "cluster": i, "tokens": 5, "shard": 0} for i in range(4_000)]
    documents = make_documents(rows)

    held_out = [
        assign_documents(documents, select(frozenset(), val_share=0.1), seed).positions(VAL)
        for seed in (0, 1)
    ]

    assert all(330 < positions.size < 470 for positions in held_out)
    assert held_out[0].tolist() != held_out[1].tolist()
    tokens = assign_documents(documents, select(frozenset(), val_tokens=998), 0).positions(VAL)
    assert tokens.size == 200


def test_shards_held_out_are_kept_as_they_are() -> None:
    rows = [
        {"text": "a", "cluster": 1, "tokens": 5, "shard": 0},
        {"text": "a", "cluster": 1, "tokens": 5, "shard": 1},
        {"text": "a", "cluster": 1, "tokens": 5, "shard": 1},
        {"text": "b", "cluster": 1, "tokens": 3, "shard": 0},
        {"text": "c", "cluster": 2, "tokens": 3, "shard": 0},
    ]
    documents = make_documents(rows)

    clean = assign_documents(documents, select(frozenset(DROPPABLE), val_shards=(1,)), 0)
    raw = assign_documents(documents, select(frozenset(), val_shards=(1,)), 0)

    assert clean.fate_N.tolist() == [DROPPED, VAL, VAL, DROPPED, TRAIN]
    assert clean.because_N.tolist() == [1, -1, -1, 1, -1]
    assert raw.fate_N.tolist() == [TRAIN, VAL, VAL, TRAIN, TRAIN]


def test_keep_first_keeps_the_first_of_a_cluster() -> None:
    rows = [
        {"text": "short", "cluster": 1, "tokens": 3, "shard": 0},
        {"text": "long", "cluster": 1, "tokens": 5, "shard": 0},
    ]
    documents = make_documents(rows)
    selection = {"drop": frozenset(["near"]), "val_share": 0.0}

    longest = assign_documents(documents, select(**selection, keep="longest"), 0)
    first = assign_documents(documents, select(**selection, keep="first"), 0)

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
    documents = make_documents(rows)
    tokens_N = documents["tokens"].to_numpy()
    assignment = assign_documents(documents, select(frozenset(), val_share=0.2), seed)
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
    count_totals(documents, small, SplitCheck())
