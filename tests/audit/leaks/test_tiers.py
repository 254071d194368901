"""Leaked validation documents, their tiers and places, are those that comparing strings finds."""

import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from assay.audit.run import audit_shards
from assay.formats.audit import Audit
from tests.support.make import make_texts, write_shard
from tests.twins import spans as reference
from tests.twins.audit import words

VOCABULARY = [f"w{number}" for number in range(4_000)]
N = 13


def draw(chance: random.Random, number: int) -> list[str]:
    """Draw words that share no n-gram with others drawn, but by a chance of 10**-40."""
    return chance.choices(VOCABULARY, k=number)


def audit(folder: Path, train: list[str], val: list[str], **settings: object) -> Audit:
    write_shard(folder / "train.parquet", train, row_group_size=7)
    write_shard(folder / "val.parquet", val, row_group_size=5)
    return audit_shards(
        folder / "train.parquet", folder / "audit", val=folder / "val.parquet", **settings
    )


def read_sentence(found: Audit, name: str) -> str:
    (finding,) = [each for each in found.read_findings() if each.name == name]
    return finding.sentence


def test_words_of_val_inside_longer_training_documents_are_leaks(tmp_path: Path) -> None:
    """200 of a training document's 800 words are a validation document: no copy finds that."""
    chance = random.Random(1)
    val = [" ".join(draw(chance, 200)) for _ in range(60)]
    train = [" ".join([*draw(chance, 300), text, *draw(chance, 300)]) for text in val[:30]]
    train += [" ".join(draw(chance, 800)) for _ in range(70)]

    found = audit(tmp_path, train, val)

    (leak,) = [each for each in found.read_findings() if each.name == "leak"]
    assert (leak.value, leak.level) == (0.5, "high")
    assert leak.sentence.endswith("0 exact, 0 near, 30 contained, 0 copied")
    rows = found.read("leaks")
    assert rows["tier"].unique().to_list() == ["contained"]
    assert rows["val_row"].to_list() == rows["train_row"].to_list() == list(range(30))
    assert rows["coverage"].to_list() == [1.0] * 30
    assert rows["words"].to_list() == [200] * 30
    for row in rows.iter_rows(named=True):
        assert train[row["train_row"]][row["train_start"] :].startswith(val[row["val_row"]])


@pytest.mark.parametrize(
    ("shared", "own", "tier"),
    [(12, 40, None), (13, 40, "span"), (49, 180, "span"), (50, 180, "copied"),
     (40, 68, "contained"), (39, 68, "span"), (40, 69, "span")],
)  # fmt: skip
def test_each_tier_begins_where_the_contract_says(
    tmp_path: Path, shared: int, own: int, tier: str | None
) -> None:
    """A document of `own` words of which `shared` in a row stand in train."""
    chance = random.Random(shared)
    passage = draw(chance, shared)
    train = [" ".join([*draw(chance, 90), *passage, *draw(chance, 90)])]
    val = ["x, " + "; ".join([*passage, *draw(chance, own - shared - 1)]).upper()]
    coverage = reference.shared_ngrams(val[0], train[0], N) / (own - N + 1)
    assert (coverage >= 0.5) == (tier == "contained")

    found = audit(tmp_path, train, val)

    leaks, spans = found.read("leaks"), found.totals.leaks.spans
    assert (leaks["tier"].to_list() or [None])[0] == (None if tier == "span" else tier)
    assert spans
    assert spans.spans == (tier == "span")
    assert found.read("spans")["words"].to_list() == ([shared] if tier else [])
    assert found.read("spans")["coverage"].to_list() == ([coverage] if tier else [])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_pair_that_shares_an_ngram_is_listed_and_no_other(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    train = [draw(chance, chance.randint(20, 400)) for _ in range(40)]
    val = [draw(chance, chance.randint(5, 300)) for _ in range(25)]
    for text in val[:18]:
        for _ in range(chance.randint(1, 3)):
            other = chance.choice(train)
            length = chance.randint(5, min(len(text), len(other)))
            at, start = (
                chance.randint(0, len(text) - length),
                chance.randint(0, len(other) - length),
            )
            other[start : start + length] = text[at : at + length]
    val += [train[0], val[3], [], ["one"], train[1] + ["more"]]
    texts = [" ".join(some) for some in val]
    others = [" ".join(some) for some in train] + [" ".join(train[0])]

    found = audit(tmp_path, others, texts)

    expected = {
        (v, t): number / max(1, len(val[v]) - N + 1)
        for v, text in enumerate(texts)
        for t, other in enumerate(others)
        if (number := reference.shared_ngrams(text, other, N))
        and texts.index(text) == v and others.index(other) == t
    }  # fmt: skip
    spans = found.read("spans")
    pairs = spans.select("val_row", "train_row", "coverage").unique().rows()
    assert {(v, t): coverage for v, t, coverage in pairs} == expected
    for row in spans.iter_rows(named=True):
        check_span(texts[row["val_row"]], others[row["train_row"]], row)
    check_leaks(found, texts, others)


def check_span(val: str, train: str, row: dict[str, int]) -> None:
    """What is said to stand in both does, and goes on in neither way."""
    places, others = reference.place_words(val), reference.place_words(train)
    a, b = places.index(row["val_start"]), others.index(row["train_start"])
    in_val, in_train = words(val), words(train)
    number = row["words"]
    assert in_val[a : a + number] == in_train[b : b + number]
    assert in_val[a + number : a + number + 1] != in_train[b + number : b + number + 1] or (
        a + number == len(in_val) and b + number == len(in_train)
    )
    assert a == 0 or b == 0 or in_val[a - 1] != in_train[b - 1]


def check_leaks(found: Audit, val: list[str], train: list[str]) -> None:
    rows = {row["val_row"]: row for row in found.read("leaks").iter_rows(named=True)}
    spans = 0
    for v, text in enumerate(val):
        grams = reference.ngrams(text, N)
        there = {gram for other in train for gram in reference.ngrams(other, N)}
        coverage = sum(gram in there for gram in grams) / len(grams) if grams else None
        runs = [
            number
            for other in train
            for *_, number in reference.all_spans(text, other, N)
        ]  # fmt: skip
        row = rows.get(v)
        if text in train and text:
            assert row is not None
            assert (row["tier"], row["coverage"], row["jaccard"]) == ("exact", 1.0, 1.0)
        elif row is not None and row["tier"] == "near":
            assert row["coverage"] == coverage
        elif coverage is not None and coverage >= 0.5:
            assert row is not None
            assert (row["tier"], row["coverage"]) == ("contained", coverage)
        elif max(runs, default=0) >= 50:
            assert row is not None
            assert (row["tier"], row["coverage"]) == ("copied", coverage)
            assert row["words"] == max(runs)
        else:
            assert row is None
            spans += bool(runs)
    counted = found.totals.leaks
    assert counted.spans
    assert counted.spans.spans == spans
    assert counted.spans.too_short == sum(len(words(text)) < N for text in val)
    assert counted.leaked == len(rows)
    tiers = dict(found.read("leaks").group_by("tier").agg(pl.len()).rows())
    assert {tier: number for tier, number in counted.tiers.items() if number} == tiers


def test_what_stands_in_over_ten_clusters_is_boilerplate_and_no_leak(tmp_path: Path) -> None:
    """Pages of one header and footer of 60 words each: no page is copied from another."""
    chance = random.Random(5)
    header, footer = draw(chance, 60), draw(chance, 60)
    pages = [[*header, f"a{page}", *draw(chance, 200), f"b{page}", *footer] for page in range(100)]
    pages[95][60:65] = pages[3][60:65]  # beside the header: part of no more than a short span
    train, val = [" ".join(page) for page in pages[:90]], [" ".join(page) for page in pages[90:]]

    found = audit(tmp_path, train, val)

    assert found.totals.leaks.leaked == 0
    spans = found.totals.leaks.spans
    assert spans
    assert (spans.boilerplate_ngrams, spans.boilerplate_documents) == (10 * 2 * 48, 10)
    assert found.read("spans").select("val_row", "train_row", "words").rows() == [(5, 3, 17)]
    assert "boilerplate, never a leak; 10 documents" in read_sentence(found, "boilerplate")


def test_clusters_are_counted_not_documents(tmp_path: Path) -> None:
    """Forty near copies are one cluster; what stands in eleven others is boilerplate."""
    chance = random.Random(7)
    phrase, other = draw(chance, 60), draw(chance, 60)
    page = [*draw(chance, 300), *phrase]
    near = [[*page, f"number{place}"] for place in range(40)]
    apart = [[*draw(chance, 100), *other] for _ in range(11)]
    train = [" ".join(some) for some in [*near, *near[:5], *apart]]
    val = [" ".join([*draw(chance, 100), *some]) for some in (phrase, other)]

    found = audit(tmp_path, train, val)

    assert found.read("leaks").select("val_row", "tier", "train_row").rows() == [(0, "copied", 0)]
    folder = tmp_path / "one-more"
    folder.mkdir()
    wider = audit(folder, train, val, boilerplate=11)
    assert wider.read("leaks").select("val_row", "tier").rows() == [(0, "copied"), (1, "copied")]


def test_a_document_shorter_than_an_ngram_is_counted_and_copies_of_it_are_found(
    tmp_path: Path,
) -> None:
    train = ["a b c d e f", *make_texts(20, 3)]
    found = audit(tmp_path, train, ["a b c d e f", "b c d e f", "", "x y"])

    leak = read_sentence(found, "leak")
    assert leak.startswith("25.00% (1 of 4) of val documents stand in train: 1 exact")
    assert leak.endswith(
        "100.00% (4 of 4) have fewer than 13 words: of them only exact and near copies were looked "
        "for"
    )
    assert found.read("leaks").select("tier", "coverage", "words").rows() == [("exact", 1.0, 6)]
    folder = tmp_path / "fewer"
    folder.mkdir()
    shorter = audit(folder, train, ["a b c d e f", "b c d e f", "", "x y"], ngram="words:5")
    assert shorter.read("leaks")["tier"].to_list() == ["exact", "contained"]


def test_hits_on_disk_give_what_hits_in_memory_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(11)
    val = [" ".join(draw(chance, 100)) for _ in range(20)]
    train = [" ".join([text, *draw(chance, 50), text]) for text in val for _ in range(3)]
    folders = [tmp_path / "memory", tmp_path / "disk"]
    for folder, limit in zip(folders, (1 << 27, 64), strict=True):
        folder.mkdir()
        monkeypatch.setattr("assay.spans.hit_table.MEMORY_BYTES", limit)
        audit(folder, train, val, threads=2)
    for name in ("leaks", "spans"):
        files = [(folder / "audit" / f"{name}.parquet").read_bytes() for folder in folders]
        assert files[0] == files[1]


def test_spans_beyond_those_listed_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.audit.results.leak_tables.MAX_SPANS", 2)
    chance = random.Random(13)
    pieces = [draw(chance, number) for number in (20, 40, 30)]
    val = [" ".join(word for piece in pieces for word in [*piece, *draw(chance, 60)])]
    train = [" ".join([*draw(chance, 60), *piece]) for piece in pieces]

    found = audit(tmp_path, train, val)

    assert found.read("spans")["words"].to_list() == [40, 30]
    assert found.totals.leaks.spans
    assert (found.totals.leaks.spans.listed, found.totals.leaks.spans.unlisted) == (2, 1)
    assert read_sentence(found, "leak_spans").endswith("1 of their spans are not listed")
    assert np.isclose(found.read("spans")["coverage"][0], 28 / (270 - 12))
