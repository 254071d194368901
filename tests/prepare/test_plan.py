"""Which documents are kept, on which side, and why the others are not."""

import hashlib
import random
from itertools import combinations
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import UsageError
from assay.prepare.order import order_documents
from assay.prepare.plan import (
    DROPPED,
    REASONS,
    TRAIN,
    VAL,
    Choice,
    Plan,
    limit_train,
    parse_drop,
    plan_documents,
)
from assay.prepare.totals import check_split, count_totals
from tests.support.drawn_audits import audits, seeds
from tests.support.make import make_documents
from tests.twins import prepare as reference

FATES = {TRAIN: "train", VAL: "val"}

DROPPABLE = ("exact", "near", "leaked", "empty")

drops = st.sets(st.sampled_from(DROPPABLE)).map(frozenset)

choices = st.builds(
    Choice,
    drop=drops,
    keep=st.sampled_from(["longest", "first"]),
    val_share=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    val_tokens=st.sampled_from([None, None, 0, 5, 20, 10_000]),
    val_shards=st.sampled_from([(), (), (0,), (1, 2)]),
)


def texts_with(documents: pl.DataFrame, plan: Plan, fate: int) -> list[bytes]:
    return documents["content_hash"].gather(plan.positions(fate)).to_list()


@settings(deadline=None, max_examples=200)
@given(rows=audits(), choice=choices, seed=seeds)
def test_the_plan_is_that_of_the_slow_twin(
    rows: list[dict[str, Any]], choice: Choice, seed: int
) -> None:
    documents = make_documents(rows)

    plan = plan_documents(documents, choice, seed)

    expected = reference.plan(
        documents.to_dicts(),
        choice.drop,
        seed,
        keep=choice.keep,
        val_share=choice.val_share or 0.0,
        val_tokens=choice.val_tokens,
        val_shards=choice.val_shards,
    )
    found = [
        (FATES.get(fate, reason), because)
        for fate, reason, because in zip(
            plan.fate_N.tolist(), plan.reason_N.tolist(), plan.because_N.tolist(), strict=True
        )
    ]
    assert found == expected


@settings(deadline=None)
@given(rows=audits(), choice=choices, seed=seeds)
def test_nothing_is_lost_and_no_cluster_is_split(
    rows: list[dict[str, Any]], choice: Choice, seed: int
) -> None:
    documents = make_documents(rows)
    plan = plan_documents(documents, choice, seed)

    totals = count_totals(documents, plan)

    for key in ("documents", "tokens"):
        kept = totals["train"][key] + totals["val"][key]
        gone = sum(part[key] for part in totals["dropped"].values())
        assert kept + gone == totals[f"{key}_in"]
    assert totals["documents_in"] == len(rows)
    assert totals["tokens_in"] == sum(row["tokens"] for row in rows)
    assert totals["train"]["ids"] == totals["train"]["tokens"] + totals["train"]["documents"]
    assert totals["train"]["unique_tokens"] <= totals["train"]["tokens"]
    assert ((plan.reason_N != "") == (plan.fate_N == DROPPED)).all()
    if not choice.val_shards or "leaked" in choice.drop:
        clusters = documents["cluster"].to_numpy()
        train, val = clusters[plan.positions(TRAIN)], clusters[plan.positions(VAL)]
        assert not set(train.tolist()) & set(val.tolist())


@settings(deadline=None)
@given(rows=audits(), choice=choices, seed=seeds)
def test_no_pair_crosses_a_split_that_was_drawn(
    rows: list[dict[str, Any]], choice: Choice, seed: int
) -> None:
    documents = make_documents(rows)
    plan = plan_documents(documents, choice, seed)
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

    check = check_split(pairs, documents, plan, choice)

    sides = {
        (row["shard"], row["row"]): fate
        for row, fate in zip(documents.to_dicts(), plan.fate_N.tolist(), strict=True)
    }
    crossing = [
        (a, b)
        for a, b in linked
        if {sides[a["shard"], a["row"]], sides[b["shard"], b["row"]]} == {TRAIN, VAL}
    ]
    assert check["exact_across"] + check["near_across"] == len(crossing)
    if not choice.val_shards or "leaked" in choice.drop:
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
        some = plan_documents(documents, Choice(drop, keep, **options), seed)
        none = plan_documents(documents, Choice(frozenset(), keep, **options), seed)

        assert some.positions(VAL).tolist() == none.positions(VAL).tolist()


@settings(deadline=None)
@given(rows=audits(), more=audits(), seed=seeds, chance=st.randoms())
def test_validation_documents_depend_on_seed_and_cluster_alone(
    rows: list[dict[str, Any]], more: list[dict[str, Any]], seed: int, chance: random.Random
) -> None:
    """Unrelated documents beside them and another order of shards change nothing."""
    choice = Choice(frozenset(["exact"]), val_share=0.4)
    documents = make_documents(rows)
    val = texts_with(documents, plan_documents(documents, choice, seed), VAL)
    unrelated = [
        row | {"text": f"more {row['text']}", "cluster": f"more {row['cluster']}", "shard": 3}
        for row in more
    ]
    mixed = [*rows, *unrelated]
    chance.shuffle(mixed)
    changed = make_documents(mixed)

    found = texts_with(changed, plan_documents(changed, choice, seed), VAL)

    own = {hashlib.md5(row["text"].encode()).digest() for row in rows}
    assert sorted(text for text in found if text in own) == sorted(val)


def test_the_share_held_out_is_about_the_share_asked_for() -> None:
    rows = [{"text": i, "cluster": i, "tokens": 5, "shard": 0} for i in range(4_000)]
    documents = make_documents(rows)

    held_out = [
        plan_documents(documents, Choice(frozenset(), val_share=0.1), seed).positions(VAL)
        for seed in (0, 1)
    ]

    assert all(330 < positions.size < 470 for positions in held_out)
    assert held_out[0].tolist() != held_out[1].tolist()
    tokens = plan_documents(documents, Choice(frozenset(), val_tokens=998), 0).positions(VAL)
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

    clean = plan_documents(documents, Choice(frozenset(DROPPABLE), val_shards=(1,)), 0)
    raw = plan_documents(documents, Choice(frozenset(), val_shards=(1,)), 0)

    assert clean.fate_N.tolist() == [DROPPED, VAL, VAL, DROPPED, TRAIN]
    assert clean.because_N.tolist() == [1, -1, -1, 1, -1]
    assert raw.fate_N.tolist() == [TRAIN, VAL, VAL, TRAIN, TRAIN]


def test_keep_first_keeps_the_first_of_a_cluster() -> None:
    rows = [
        {"text": "short", "cluster": 1, "tokens": 3, "shard": 0},
        {"text": "long", "cluster": 1, "tokens": 5, "shard": 0},
    ]
    documents = make_documents(rows)
    choice = {"drop": frozenset(["near"]), "val_share": 0.0}

    longest = plan_documents(documents, Choice(**choice, keep="longest"), 0)
    first = plan_documents(documents, Choice(**choice, keep="first"), 0)

    assert longest.fate_N.tolist() == [DROPPED, TRAIN]
    assert first.fate_N.tolist() == [TRAIN, DROPPED]


@pytest.mark.parametrize("text", ["", "nothing", "exact,nothing", "none,exact", ",", "Exact"])
def test_an_unknown_reason_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="needed none, or some of"):
        parse_drop(text)


def test_reasons_are_read() -> None:
    assert parse_drop("none") == frozenset()
    assert parse_drop(" exact, near,") == {"exact", "near"}
    assert parse_drop(",".join(DROPPABLE)) == set(DROPPABLE) <= set(REASONS)


@settings(deadline=None)
@given(rows=audits(), seed=seeds, budget=st.integers(0, 60))
def test_a_budget_keeps_a_part_of_what_a_larger_one_keeps(
    rows: list[dict[str, Any]], seed: int, budget: int
) -> None:
    documents = make_documents(rows)
    tokens_N = documents["tokens"].to_numpy()
    plan = plan_documents(documents, Choice(frozenset(), val_share=0.2), seed)
    order = order_documents(documents, plan.positions(TRAIN), seed)

    small, large = (limit_train(plan, tokens_N, order, size) for size in (budget, budget + 10))

    kept = small.positions(TRAIN)
    assert set(kept.tolist()) <= set(large.positions(TRAIN).tolist())
    assert small.positions(VAL).tolist() == plan.positions(VAL).tolist()
    total = int(tokens_N[kept].sum())
    assert total >= min(budget, int(tokens_N[order].sum()))
    longest = int(tokens_N.max())
    assert total < budget + longest or total == 0
    count_totals(documents, small)
