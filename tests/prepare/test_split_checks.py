"""What prepare does of text that train and val share, and what it says of it."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from msgspec import UNSET

from assay.audit.run import audit_shards
from assay.audit.scan.settings import AuditSettings
from assay.errors import AssayError, UsageError
from assay.formats.bins import Bins, open_bins
from assay.prepare import plan as planning
from assay.prepare.run import plan_bins, prepare_bins
from assay.prepare.selection import Assignment
from tests.support.make import write_shard

WORDS = [f"w{number}" for number in range(4_000)]


def make_text(chance: random.Random, number: int) -> str:
    return " ".join(chance.choices(WORDS, k=number))


@pytest.fixture(scope="module")
def leaky(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Audited documents of which every other contains, or copies a part of, the one before."""
    chance = random.Random(5)
    texts = []
    for pair in range(60):
        first = make_text(chance, 80)
        part = first if pair % 2 else " ".join(first.split()[:52]).upper()
        texts += [first, f"{make_text(chance, 300)} {part}, {make_text(chance, 300)}"]
    folder = tmp_path_factory.mktemp("leaky")
    write_shard(folder / "all.parquet", texts)
    audit_shards([folder / "all.parquet"], folder / "audit")
    write_shard(folder / "val.parquet", texts[::2][:20])
    write_shard(folder / "train.parquet", texts[1::2])
    return folder


def read_dropped(bins: Bins) -> list[dict[str, Any]]:
    return pl.read_parquet(bins.folder / "dropped.parquet").to_dicts()


@pytest.mark.parametrize("drop", ["none", "exact,near,leaked,empty"])
def test_a_drawn_split_is_clean_whatever_is_dropped(leaky: Path, tmp_path: Path, drop: str) -> None:
    bins = prepare_bins(leaky / "audit", tmp_path / "bins", drop=drop, val_share=0.2)

    checks = bins.totals.checks
    spans = checks.leaks.spans
    assert checks.leaks.leaked == 0
    assert (spans.ngram, spans.boilerplate_clusters) == ("words:13", 10)
    assert (checks.shingle, checks.threshold) == ("words:5", 0.8)
    assert checks.leaks.val_documents == bins.totals.val.documents > 5
    rows = read_dropped(bins)
    assert {row["reason"] for row in rows} == {"leaked"}
    assert {row["split"] for row in rows} == {"train", "val"}
    assert {row["tier"] for row in rows} == {"contained", "copied"}
    for row in rows:
        assert abs(row["row"] - row["because_row"]) == 1
        assert row["row"] % 2 == 0, "the shorter one goes, from whichever side"
    cleaned = bins.totals.cleaned
    assert sum(part.documents for part in cleaned.values()) == len(rows)
    assert sum(part.tokens for part in cleaned.values()) == sum(row["tokens"] for row in rows)
    assert plan_bins(leaky / "audit", drop=drop, val_share=0.2, threads=3) == bins.totals


def test_what_is_held_out_does_not_depend_on_budget_or_drop(leaky: Path, tmp_path: Path) -> None:
    made = [
        prepare_bins(leaky / "audit", tmp_path / str(number), val_share=0.2, **changes)
        for number, changes in enumerate([{}, {"drop": "none"}, {"train_tokens": 5_000}])
    ]

    first, *others = [(bins.folder / "val.bin").read_bytes() for bins in made]
    assert others == [first, first]
    assert all(bins.totals.checks.leaks.leaked == 0 for bins in made)


def test_without_ngrams_nothing_is_looked_for_and_that_is_said(leaky: Path, tmp_path: Path) -> None:
    bins = prepare_bins(leaky / "audit", tmp_path / "bins", val_share=0.2, ngram="none")

    assert read_dropped(bins) == []
    assert bins.manifest.settings["ngram"] == "none"
    assert bins.totals.checks.leaks.spans is UNSET
    assert bins.totals.checks.shingle == "none"
    lines = bins.totals.checks.list_unchecked()
    assert [line[:13] for line in lines] == ["not checked: "] * 2
    assert "contained" not in bins.totals.checks.describe()


@pytest.mark.parametrize(("drop", "leaked"), [("leaked", 0), ("exact", 20)])
def test_shards_held_out_whole_are_never_altered(
    leaky: Path, tmp_path: Path, drop: str, leaked: int
) -> None:
    audit_shards([leaky / "train.parquet"], tmp_path / "audit", val=[leaky / "val.parquet"])

    bins = prepare_bins(tmp_path / "audit", tmp_path / "bins", drop=drop)

    assert bins.totals.val.documents == 20
    assert bins.totals.checks.leaks.leaked == leaked
    assert bins.totals.cleaned["train"].documents == 20 - leaked
    assert {row["split"] for row in read_dropped(bins)} <= {"train"}


def test_shingles_that_are_not_of_words_are_not_checked(leaky: Path, tmp_path: Path) -> None:
    settings = AuditSettings(shingle="letters:13")
    audit_shards([leaky / "all.parquet"], tmp_path / "audit", settings=settings)

    bins = prepare_bins(tmp_path / "audit", tmp_path / "bins", val_share=0.2)

    assert bins.totals.checks.shingle == "none"
    assert bins.totals.checks.leaks.leaked == 0
    assert "near" not in bins.totals.checks.describe()
    assert any("near duplicates" in line for line in bins.totals.checks.list_unchecked())


def test_documents_shorter_than_an_ngram_are_said_not_to_be_checked(tmp_path: Path) -> None:
    chance = random.Random(1)
    texts = [make_text(chance, 8) for _ in range(200)]
    audit_shards([write_shard(tmp_path / "a.parquet", texts)], tmp_path / "audit")

    bins = prepare_bins(tmp_path / "audit", tmp_path / "bins", val_share=0.2)

    checks = bins.totals.checks
    assert checks.leaks.spans.too_short == checks.leaks.val_documents > 0
    assert any("fewer words than 13" in line for line in checks.list_unchecked())


@pytest.mark.parametrize("ngram", ["words:0", "words:1000", "letters:13", "words", "13", ""])
def test_other_ngrams_are_refused(leaky: Path, ngram: str) -> None:
    with pytest.raises(UsageError, match="ngram must be none, or words:N"):
        plan_bins(leaky / "audit", ngram=ngram)


def test_bins_with_a_leak_that_was_not_planned_are_not_sealed(
    leaky: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check reads the bins by itself: whatever the plan believes."""

    def believe(self: Any, assignment: Assignment, *, train_only: bool = False) -> Assignment:
        return assignment

    def count(self: Any, assignment: Assignment) -> Any:
        return clean.totals.checks

    clean = prepare_bins(leaky / "audit", tmp_path / "clean", val_share=0.2)
    monkeypatch.setattr(planning._Cleaning, "clean", believe)
    monkeypatch.setattr(planning._Cleaning, "count", count)
    with pytest.raises(AssayError, match=r"in the finished bins .* are not kept") as raised:
        prepare_bins(leaky / "audit", tmp_path / "bins", val_share=0.2)

    assert raised.value.exit_code == 5
    assert not (tmp_path / "bins").exists()


def test_near_duplicates_that_the_audit_missed_are_found(tmp_path: Path) -> None:
    """One band of many rows proposes next to nothing below Jaccard 1."""
    chance = random.Random(3)
    texts = []
    for _ in range(60):
        text = make_text(chance, 200)
        words = text.split()
        words[100] = "other"
        texts += [text, " ".join(words)]
    settings = AuditSettings(bands=1, rows=120)
    shard = write_shard(tmp_path / "a.parquet", texts)
    audit = audit_shards([shard], tmp_path / "audit", settings=settings)
    assert audit.totals.pairs.near < 10

    bins = prepare_bins(tmp_path / "audit", tmp_path / "bins", drop="none", val_share=0.2)

    assert {row["tier"] for row in read_dropped(bins)} - {None} == {"near"}
    held = open_bins(bins.folder).read_documents("val")["row"].to_numpy()
    kept = bins.read_documents("train")["row"].to_numpy()
    assert held.size > 5
    assert not np.isin(held // 2, kept // 2).any()
