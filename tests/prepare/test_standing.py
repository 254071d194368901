"""Each document that goes, goes for one that is kept; unique tokens count what others lack."""

import math
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.prepare.selection import TRAIN, VAL, Selection, assign_documents, limit_train
from assay.prepare.shuffle import shuffle_documents
from tests.support.drawn_audits import seeds
from tests.support.make import make_documents
from tests.support.standings import (
    keeps,
    linked_audits,
    make_standing,
    name_fates,
    pair_rows,
    selections,
)
from tests.twins import prepare as reference

budgets = st.none() | st.integers(0, 60)


@settings(deadline=None, max_examples=200)
@given(
    rows=linked_audits(),
    selection=selections,
    keep=keeps,
    seed=seeds,
    budget=budgets,
)
def test_each_document_that_goes_names_one_that_is_kept_and_that_it_repeats(
    rows: list[dict[str, Any]], selection: Selection, keep: str, seed: int, budget: int | None
) -> None:
    standing = make_standing(rows, near="keeper", keep=keep, val_shards=selection.shards)
    assignment = assign_documents(standing, selection, seed)
    if budget is not None:
        order = shuffle_documents(standing.documents, assignment.positions(TRAIN), seed)
        assignment = limit_train(assignment, standing.tokens_N, order, budget)
    pairs = pair_rows(rows)

    for index, (fate, because) in enumerate(name_fates(assignment)):
        assert (because >= 0) == (fate in ("exact", "near", "leaked"))
        if because >= 0:
            assert assignment.fate_N[because] == (VAL if fate == "leaked" else TRAIN)
            near = tuple(sorted((index, because))) in pairs
            assert near or (fate == "leaked" and selection.shards)
            same = rows[index]["text"] == rows[because]["text"]
            assert same == (fate == "exact") or fate == "leaked"


@settings(deadline=None, max_examples=200)
@given(rows=linked_audits(), chosen=st.sets(st.integers(0, 19)))
def test_unique_tokens_are_judged_among_the_documents_kept(
    rows: list[dict[str, Any]], chosen: set[int]
) -> None:
    standing = make_standing(rows, near="keeper")
    kept = sorted(index for index in chosen if index < len(rows))
    some = [make_documents(rows).to_dicts()[index] for index in kept]
    pairs = pair_rows([rows[index] for index in kept])
    keepers = reference.choose_keepers(some, pairs)

    adds = [
        some[index]["tokens"] * (1 - (index != other) * pairs.get(tuple(sorted((index, other))), 1))
        for index, other in enumerate(keepers)
    ]

    assert standing.count_unique(np.array(kept, np.int64)) == round(math.fsum(adds))
