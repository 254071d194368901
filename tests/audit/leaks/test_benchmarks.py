"""Items of benchmarks that stand in train are those that comparing strings finds."""

import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from assay.audit.command import describe_benchmarks
from assay.audit.leaks.contamination import estimate_share
from assay.audit.run import audit_shards
from assay.errors import UsageError
from assay.formats.audit import Audit
from tests.support.make import write_shard
from tests.twins import spans as reference
from tests.twins.audit import words

VOCABULARY = [f"w{number}" for number in range(4_000)]


def draw(chance: random.Random, number: int) -> str:
    return " ".join(chance.choices(VOCABULARY, k=number))


def audit(folder: Path, train: list[str], items: list[dict[str, Any]], **settings: Any) -> Audit:
    write_shard(folder / "train.parquet", train, row_group_size=9)
    pl.DataFrame(items).write_parquet(folder / "items.parquet")
    return audit_shards(
        folder / "train.parquet",
        folder / "audit",
        benchmarks=folder / "items.parquet",
        **settings,
    )


@pytest.mark.parametrize("length", [8, 13])
def test_items_planted_in_train_are_found_with_their_document(tmp_path: Path, length: int) -> None:
    chance = random.Random(length)
    train = [draw(chance, chance.randint(50, 300)) for _ in range(60)]
    items: list[dict[str, Any]] = [
        {"suite": f"s/{number % 3}", "split": "test", "id": number,
         "text": draw(chance, chance.choice([5, 8, 12, 13, 40, 90]))}
        for number in range(120)
    ]  # fmt: skip
    for item in items[:50]:
        item["text"] = item["text"].upper()
        number = chance.randrange(len(train))
        part = item["text"].split()[: chance.randint(4, 60)]
        train[number] += f"! {', '.join(part)}; {draw(chance, 9)}"

    found = audit(tmp_path, train, items, benchmark_ngram=f"words:{length}")

    rows = found.read("benchmarks")
    contaminated = 0
    for item, row in zip(items, rows.iter_rows(named=True), strict=True):
        number = len(words(item["text"]))
        assert (row["suite"], row["id"], row["num_words"]) == (
            item["suite"], str(item["id"]), number)  # fmt: skip
        spans = [
            (run, place)
            for place, text in enumerate(train)
            for *_, run in reference.all_spans(item["text"], text, length)
        ]
        assert row["contaminated"] == (bool(spans) if number >= length else None)
        if not spans:
            assert row["train_row"] is row["words"] is row["item_start"] is None
            continue
        longest, place = max(spans)
        assert (row["words"], row["train_row"]) == (longest, place)
        at = train[place][row["train_start"] :]
        assert words(at)[:longest] == words(item["text"][row["item_start"] :])[:longest]
        contaminated += 1
    totals = found.totals.benchmarks
    assert totals
    assert contaminated >= 20
    assert totals.total.contaminated == contaminated
    assert totals.total.measured == sum(len(words(item["text"])) >= length for item in items)
    assert [suite.suite for suite in totals.suites] == ["s/0", "s/1", "s/2"]
    assert sum(suite.contaminated for suite in totals.suites) == contaminated
    (finding,) = [each for each in found.read_findings() if each.name == "benchmarks"]
    assert finding.value == contaminated / totals.total.measured
    assert finding.interval == pytest.approx(estimate_share(contaminated, totals.total.measured))
    assert "s (3 suites)" in describe_benchmarks(totals)


def test_where_question_and_answers_are_given_the_question_must_match(tmp_path: Path) -> None:
    chance = random.Random(3)
    question, answer, both = draw(chance, 20), draw(chance, 30), draw(chance, 20)
    rest = draw(chance, 30)
    items = [
        {"suite": "a", "id": "question", "question": question, "answers": [draw(chance, 20), "x"]},
        {"suite": "a", "id": "answer", "question": draw(chance, 20), "answers": [answer, "x"]},
        {"suite": "b", "id": "both", "question": both, "answers": rest.split()},
        {"suite": "b", "id": "short", "question": "w1 w2 w3", "answers": [draw(chance, 30)]},
        {"suite": "b", "id": "over", "question": "q " * 12, "answers": ["q " * 30]},
        {"suite": "b", "id": "null", "question": None, "answers": None},
    ]
    train = [draw(chance, 90), f"{question} {draw(chance, 9)}", answer, f"{both} {rest}", "q " * 60]

    found = audit(tmp_path, train, items)

    rows = found.read("benchmarks").select("id", "contaminated", "train_row", "words").rows()
    assert rows == [
        ("question", True, 1, 20),
        ("answer", False, None, None),
        ("both", True, 3, 50),
        ("short", None, None, None),
        ("over", None, None, None),
        ("null", None, None, None),
    ]
    assert found.totals.benchmarks
    assert found.totals.benchmarks.total.measured == 3


def test_ngrams_without_letters_are_not_looked_for(tmp_path: Path) -> None:
    numbers = " ".join(map(str, range(100, 140)))
    items = [
        {"suite": "a", "id": "numbers", "text": numbers},
        {"suite": "a", "id": "one letter", "text": f"{numbers} é2"},
        {"suite": "a", "id": "elsewhere", "text": f"{numbers} then {numbers}"},
    ]

    found = audit(tmp_path, [f"table {numbers} é2 end", "other text here"], items)

    rows = found.read("benchmarks").select("id", "contaminated", "words", "coverage").rows()
    assert rows == [
        ("numbers", None, None, None),
        ("one letter", True, 13, 1.0),
        ("elsewhere", False, None, 0.0),
    ]


def test_boilerplate_is_no_contamination(tmp_path: Path) -> None:
    chance = random.Random(9)
    phrase = draw(chance, 20)
    train = [f"{draw(chance, 30)} {phrase}" for _ in range(11)]
    items = [{"suite": "a", "id": "1", "text": phrase}]

    found = audit(tmp_path, train, items)

    assert found.read("benchmarks")["contaminated"].to_list() == [False]
    folder = tmp_path / "wider"
    folder.mkdir()
    assert audit(folder, train, items, boilerplate=11).read("benchmarks")["words"].to_list() == [20]


def test_items_that_are_all_too_short_are_not_measured(tmp_path: Path) -> None:
    found = audit(
        tmp_path, ["some text of train"], [{"suite": "a", "id": "1", "text": "short one"}]
    )

    (finding,) = [each for each in found.read_findings() if each.name == "benchmarks"]
    assert (finding.level, finding.value) == ("unmeasured", None)
    assert "100.00% (1 of 1) of items have no 13 words" in finding.sentence


@pytest.mark.parametrize(
    ("columns", "words"),
    [({"suite": ["a"], "id": ["1"]}, "no column 'question'"),
     ({"id": ["1"], "text": ["x"]}, "no column 'suite'"),
     ({"suite": ["a"], "id": ["1"], "text": [{"x": 1}]}, "column 'text' is struct"),
     ({"suite": [], "id": [], "text": []}, "no items")],
)  # fmt: skip
def test_files_that_are_no_benchmarks_are_refused(
    tmp_path: Path, columns: dict[str, Any], words: str
) -> None:
    write_shard(tmp_path / "train.parquet", ["one text"])
    path = tmp_path / "items.parquet"
    pl.DataFrame(columns).write_parquet(path)

    with pytest.raises(UsageError, match=f"benchmarks.*{words}"):
        audit_shards(tmp_path / "train.parquet", tmp_path / "audit", benchmarks=path)
    path.write_text("suite,id,text\n")
    with pytest.raises(UsageError, match="is not parquet"):
        audit_shards(tmp_path / "train.parquet", tmp_path / "audit", benchmarks=path)
    with pytest.raises(UsageError, match="no file at"):
        audit_shards(tmp_path / "train.parquet", tmp_path / "audit", benchmarks=tmp_path / "none")
    assert not (tmp_path / "audit").exists()


def test_an_audit_with_other_benchmarks_is_another(tmp_path: Path) -> None:
    items = [{"suite": "a", "id": "1", "text": "w " * 13}]
    audit(tmp_path, ["one text"], items)
    audit(tmp_path, ["one text"], items)

    with pytest.raises(UsageError, match="benchmarks"):
        audit(tmp_path, ["one text"], [{"suite": "a", "id": "1", "text": "v " * 13}])


def test_wilsons_interval_holds_the_share() -> None:
    for part, whole in ((0, 5), (3, 7), (7, 7), (1, 1_000)):
        low, high = estimate_share(part, whole)
        assert 0 <= low <= part / whole <= high <= 1
        # Its ends are the shares at which what was seen is 1.96 standard errors away.
        for end in {low, high} - {0.0, 1.0}:
            error = (end * (1 - end) / whole) ** 0.5
            assert abs(part / whole - end) / error == pytest.approx(1.96, abs=1e-3)
