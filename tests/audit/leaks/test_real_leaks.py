"""Leaks in real corpora, against labels and against comparing strings."""

import json
import os
import random
from pathlib import Path

import polars as pl
import pytest

from assay.audit.run import audit_shards
from tests.support.make import write_shard
from tests.twins import spans as reference
from tests.twins.audit import words

CORPORA = Path(os.environ.get("ASSAY_CORPORA", ""))
pytestmark = [
    pytest.mark.corpora,
    pytest.mark.skipif(
        "ASSAY_CORPORA" not in os.environ, reason="ASSAY_CORPORA names no folder of corpora"
    ),
]
ENWIKI = [CORPORA / f"shards/enwiki-{place:03d}.parquet" for place in range(4)]


@pytest.mark.long
def test_paragraphs_are_found_in_their_articles_as_much_as_the_labels_say(tmp_path: Path) -> None:
    """80 paragraphs of XQuAD, and the share of their 13-grams that their article has."""
    labels = pl.DataFrame(json.loads((CORPORA / "labelled/xquad_in_enwiki.json").read_text()))
    contexts = pl.read_parquet(CORPORA / "labelled/xquad-contexts.parquet")
    val = contexts.filter(pl.col("id").is_in(labels["context_id"].to_list()))
    val.write_parquet(tmp_path / "val.parquet")

    found = audit_shards(
        ENWIKI, tmp_path / "audit", val=tmp_path / "val.parquet", trust_token_count=True
    )

    spans = found.read("spans").select("val_id", "train_id", "coverage").unique()
    by_pair = {(val, train): coverage for val, train, coverage in spans.rows()}
    tiers = {row["val_id"]: row for row in found.read("leaks").iter_rows(named=True)}
    assert val.height == 80
    for label in labels.iter_rows(named=True):
        coverage = by_pair.get((label["context_id"], label["doc_id"]), 0.0)
        assert abs(coverage - label["coverage_13gram"]) <= 0.02
        if label["coverage_13gram"] >= 0.8:
            leak = tiers[label["context_id"]]
            assert (leak["tier"], leak["train_id"]) == ("contained", label["doc_id"])
    assert labels.filter(pl.col("coverage_13gram") >= 0.8).height == 64


@pytest.mark.long
@pytest.mark.parametrize("seed", range(5))
def test_spans_of_a_random_split_stand_in_both_texts(tmp_path: Path, seed: int) -> None:
    """Each span is found by searching one text for the words of the other."""
    texts = pl.read_parquet(CORPORA / "shards/wikinews.parquet")["text"].to_list()
    random.Random(seed).shuffle(texts)
    val, train = texts[:1_000], texts[1_000:]
    write_shard(tmp_path / "val.parquet", val)
    write_shard(tmp_path / "train.parquet", train)

    found = audit_shards(
        tmp_path / "train.parquet", tmp_path / "audit", val=tmp_path / "val.parquet"
    )

    spans = found.read("spans")
    assert spans.height > 100
    for row in spans.iter_rows(named=True):
        text, other = val[row["val_row"]], train[row["train_row"]]
        span = words(text[row["val_start"] :])[: row["words"]]
        assert words(other[row["train_start"] :])[: row["words"]] == span
        assert f" {' '.join(span)} " in f" {' '.join(words(other))} "
        assert f" {' '.join(span)} " in f" {' '.join(words(text))} "


@pytest.mark.long
def test_two_hundred_planted_items_are_found_with_their_document(tmp_path: Path) -> None:
    chance = random.Random(1)
    items = pl.read_parquet(CORPORA / "evals/benchmarks.parquet").sample(2_000, seed=1)
    texts = pl.read_parquet(CORPORA / "shards/wikinews.parquet")["text"].to_list()[:6_000]
    long_enough = [place for place, text in enumerate(items["text"]) if has_ngram(text)]
    chosen = chance.sample(long_enough, 200)
    planted = dict(zip(chosen, chance.sample(range(6_000), 200), strict=True))
    for place, number in planted.items():
        half = len(texts[number]) // 2
        texts[number] = f"{texts[number][:half]}\n{items['text'][place]}\n{texts[number][half:]}"
    write_shard(tmp_path / "train.parquet", texts)
    items.write_parquet(tmp_path / "items.parquet")

    found = audit_shards(
        tmp_path / "train.parquet", tmp_path / "audit", benchmarks=tmp_path / "items.parquet"
    )

    rows = found.read("benchmarks")
    for place, number in planted.items():
        assert rows["contaminated"][place], items["text"][place]
        assert (
            rows["train_row"][place] == number
            or items["text"][place] in texts[rows["train_row"][place]]
        )
    where: dict[str, list[int]] = {}
    for number, text in enumerate(texts):
        for ngram in reference.ngrams(text, 13):
            where.setdefault(ngram, []).append(number)
    clusters = found.read("documents")["cluster"].to_list()
    for place, text in enumerate(items["text"]):
        counted = [
            ngram
            for ngram in reference.ngrams(text, 13)
            if any(char.isalpha() for char in ngram)
            and 0 < len({clusters[number] for number in where.get(ngram, [])}) <= 10
        ]
        assert rows["contaminated"][place] == (bool(counted) if has_ngram(text) else None)


def has_ngram(text: str) -> bool:
    """Tell whether a text has 13 words in a row with a letter among them."""
    return any(any(char.isalpha() for char in ngram) for ngram in reference.ngrams(text, 13))
