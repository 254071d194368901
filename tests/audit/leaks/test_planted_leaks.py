"""A thousand leaks of each kind: every pair that shares an n-gram is found, and none else."""

from pathlib import Path

import polars as pl
import pytest

from tests.support.planted_leaks import KINDS, audit_planted, list_ngrams, plant
from tests.twins.audit import jaccard, shingles

pytestmark = pytest.mark.long


@pytest.mark.parametrize("kind", KINDS)
def test_planted_leaks_are_found_with_document_tier_and_coverage(tmp_path: Path, kind: str) -> None:
    planted = plant(kind, 1_000, seed=len(kind))
    found = audit_planted(tmp_path, planted)

    grams = [list_ngrams(text) for text in planted.val]
    where: dict[str, set[int]] = {}
    for row, own in enumerate(grams):
        for gram in own:
            where.setdefault(gram, set()).add(row)
    pairs: dict[tuple[int, int], float] = {}
    for place, text in enumerate(planted.train):
        there = set(list_ngrams(text))
        for row in set().union(*(where[gram] for gram in there & where.keys())):
            shared = sum(gram in there for gram in grams[row])
            pairs[row, place] = shared / len(grams[row])
    assert set(pairs) >= {(row, row) for row in range(1_000)} or kind == "20%"

    spans = found.read("spans").select("val_row", "train_row", "coverage").unique().rows()
    assert {(row, place): coverage for row, place, coverage in spans} == pairs
    longest = dict(found.read("spans").group_by("val_row").agg(pl.col("words").max()).rows())
    leaks = {row["val_row"]: row for row in found.read("leaks").iter_rows(named=True)}
    for row in range(1_000):
        coverage = pairs.get((row, row), 0.0)
        leak = leaks.get(row)
        if coverage < 0.5 and longest.get(row, 0) < 50:
            assert leak is None or _are_near(planted.val[row], planted.train[row]), row
            continue
        assert leak is not None
        assert leak["train_row"] == row
        if leak["tier"] in ("exact", "near"):
            assert (leak["tier"] == "exact") == (planted.val[row] == planted.train[row])
            assert _are_near(planted.val[row], planted.train[row])
        else:
            assert leak["tier"] == ("contained" if coverage >= 0.5 else "copied")
    expected = {"exact": "exact", "re-cased": "near", "re-spaced": "near", "whole": "contained"}
    if kind in expected:
        assert {leak["tier"] for leak in leaks.values()} <= {expected[kind], "exact"}
        assert len(leaks) == 1_000


def _are_near(text: str, other: str) -> bool:
    return jaccard(set(shingles(text)), set(shingles(other))) >= 0.8
