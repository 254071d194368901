"""What documents of made audits stay or go for."""

from collections.abc import Collection, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from hypothesis import strategies as st

from assay.prepare.selection import TRAIN, VAL, Assignment, Selection
from assay.prepare.standing import Standing, judge_by_component, judge_by_keeper
from assay.repeats.copies import group_copies
from assay.repeats.known_pairs import KnownPairs
from assay.storage.tables import read_hashes
from tests.support.make import make_documents
from tests.twins.audit import jaccard

THRESHOLD = 0.5
FATES = {TRAIN: "train", VAL: "val"}

DROPPABLE = ("exact", "near", "leaked", "empty")


def select(
    drop: Collection[str],
    val_share: float | None = None,
    val_tokens: int | None = None,
    val_shards: tuple[int, ...] = (),
) -> Selection:
    """Say what to drop and what to hold out."""
    return Selection(frozenset(drop), val_share, val_tokens, val_shards)


drops = st.sets(st.sampled_from(DROPPABLE)).map(frozenset)

selections = st.builds(
    select,
    drop=drops,
    val_share=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    val_tokens=st.sampled_from([None, None, 0, 5, 20, 10_000]),
    val_shards=st.sampled_from([(), (), (0,), (1, 2)]),
)


keeps = st.sampled_from(["longest", "first"])


@st.composite
def linked_audits(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Documents whose `set` of shingles chains them; some are copies, some of equal sets."""
    sets = draw(st.lists(st.sets(st.integers(1, 9), min_size=1), min_size=1, max_size=9))
    rows = []
    for _ in range(draw(st.integers(1, 20))):
        index = draw(st.integers(0, len(sets) - 1))
        text = f"{sorted(sets[index])}-{draw(st.integers(0, 1))}"
        tokens = len(sets[index])  # of equal texts alike
        shard = draw(st.integers(0, 2))
        rows.append({"text": text, "cluster": 0, "tokens": tokens, "shard": shard})
        rows[-1]["set"] = frozenset(sets[index])
    return sorted(rows, key=lambda row: row["shard"])


def pair_rows(rows: Sequence[dict[str, Any]]) -> dict[tuple[int, int], float]:
    """Return the Jaccard of near pairs of rows: by their sets, else 0.9 within a cluster."""
    pairs = {}
    for a, b in combinations(range(len(rows)), 2):
        one, other = rows[a], rows[b]
        if "set" in one:
            value = jaccard(one["set"], other["set"])
        else:
            value = 0.9 * (str(one["cluster"]) == str(other["cluster"]))
        if one["text"] == other["text"] and one["tokens"]:
            value = 1.0
        if value >= THRESHOLD:
            pairs[a, b] = value
    return pairs


def make_standing(
    rows: Sequence[dict[str, Any]],
    *,
    near: str = "component",
    keep: str = "longest",
    val_shards: Collection[int] = (),
) -> Standing:
    """Judge made documents; by keeper those of `linked_audits` alone."""
    documents = make_documents(rows)
    first_N = group_copies(read_hashes(documents["content_hash"]), documents["bytes"].to_numpy())
    pairs = {
        pair: value
        for pair, value in pair_rows(rows).items()
        if all(first_N[place] == place for place in pair)
    }
    pair_P2 = np.array(list(pairs), np.int64).reshape(-1, 2)
    jaccard_P = np.array(list(pairs.values()), np.float64)
    known = KnownPairs(first_N, pair_P2, jaccard_P, np.ones(len(pairs), np.bool_))
    val_N = np.isin(documents["shard"].to_numpy(), list(val_shards))
    judge = judge_by_keeper if near == "keeper" else judge_by_component
    return judge(documents, known, keep, val_N)


def name_fates(assignment: Assignment) -> list[tuple[str, int]]:
    """Return what becomes of each document, and for which other it goes (or -1)."""
    return [
        (FATES.get(fate, reason), because)
        for fate, reason, because in zip(
            assignment.fate_N.tolist(),
            assignment.reason_N.tolist(),
            assignment.because_N.tolist(),
            strict=True,
        )
    ]
