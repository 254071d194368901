"""What was not looked at is never "ok": each finding that can be unmeasured, where it is.

The table of docs/audit.md has these by name.
"""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.audit.auditors.registry import KINDS, judge_totals
from assay.audit.run import audit_shards
from assay.formats.audit_totals import Checksums, Pairs, Part
from assay.formats.findings import Finding
from assay.formats.leak_totals import Leaks, SpanTotals
from tests.support.totals import make_totals

UNDIVIDED = "train.bin: no end-of-text id 50256 in 1,000 ids"
SHORT = SpanTotals(ngram="words:13", boilerplate_clusters=10, too_short=3)
# Of each finding: totals with which it is not measured, and words of the reason. Those that take
# documents are held to `UNDIVIDED`, too.
UNMEASURED: dict[str, tuple[dict[str, Any], str]] = {
    "integrity": ({"checksums": Checksums(0, ["a.bin", "b.bin"])}, "2 of 0 shards without page"),
    "leak": ({}, "no validation documents"),
    "leak_spans": ({}, "no validation documents"),
    "shared_ngrams": ({"leaks": Leaks(3, spans=SHORT)}, "the 3 val documents has fewer than 13"),
    "boilerplate": (
        {"leaks": Leaks(3, spans=SHORT)},
        "the 3 val documents has fewer than 13 words",
    ),
    "benchmarks": ({}, "no benchmarks were named"),
    "near": ({"documents": 9, "empty": 3, "wordless": 5}, "fewer than two documents have words"),
    "token_count": ({}, "no shard has"),
    "repeated_spans": ({}, "lines, paragraphs and spans"),
    "near_recall": ({}, "too few near pairs"),
    "length": ({}, "no documents"),
    "candidates": ({}, "no pair was compared"),
    "epochs": ({}, "no training run"),
    "budget": ({}, "no training run"),
}


def find(name: str, **changes: Any) -> Finding:
    (found,) = [each for each in judge_totals(make_totals(**changes)) if each.name == name]
    return found


def test_every_kind_is_found_once_whatever_was_measured() -> None:
    for totals in (make_totals(), make_totals(undivided=[UNDIVIDED])):
        assert sorted(found.name for found in judge_totals(totals)) == sorted(KINDS)


@pytest.mark.parametrize("name", [k.name for k in KINDS.values() if k.unmeasured != "never"])
def test_what_is_not_measured_says_why(name: str) -> None:
    changes, reason = UNMEASURED[name]

    finding = find(name, **changes)

    assert (finding.level, finding.value, finding.interval) == ("unmeasured", None, None)
    assert finding.sentence.startswith("not measured: ")
    assert reason in finding.sentence


@pytest.mark.parametrize("name", [k.name for k in KINDS.values() if k.by_document])
def test_without_documents_nothing_is_said_of_them(name: str) -> None:
    finding = find(name, undivided=[UNDIVIDED, "val.bin: \x1b[2J"])

    assert (finding.level, finding.value) == ("unmeasured", None)
    assert f"documents cannot be told apart: {UNDIVIDED}; 1 more alike" in finding.sentence


def test_near_duplicates_that_were_not_compared_are_never_ok() -> None:
    whole = find("near", near=Part(0, 0))
    left = find("near", near=Part(0, 0), pairs=Pairs(candidates=5, uncompared=7))

    assert (whole.level, left.level, left.value) == ("ok", "low", 0.0)
    assert left.sentence.startswith("at least 0.00%")
    assert left.sentence.endswith("7 candidate pairs were not compared")


def test_without_a_run_of_words_to_look_for_no_leak_is_never_ok() -> None:
    none, one = (
        find("leak", leaks=Leaks(3, spans=SHORT)),
        find("leak", leaks=Leaks(3, 1, spans=SHORT)),
    )

    assert (none.level, none.value) == ("unmeasured", None)
    assert none.sentence.startswith(
        "not measured: no exact or near copy in train, but each of the 3"
    )
    assert (one.level, one.value) == ("high", 1 / 3)
    assert "100.00% (3 of 3) have fewer than 13 words: of them only exact" in one.sentence
    alone = find("leak", leaks=Leaks(3))
    assert (alone.level, alone.sentence) == ("unmeasured", "not measured: no training documents")


def test_where_documents_cannot_be_told_what_val_shares_is_judged() -> None:
    spans = SpanTotals(
        ngram="words:13", boilerplate_clusters=10, ngrams=1_000, shared_ngrams=20, listed=1
    )
    told = find("shared_ngrams", leaks=Leaks(9, spans=spans))
    untold = find("shared_ngrams", leaks=Leaks(9, spans=spans), undivided=[UNDIVIDED])

    assert (told.level, told.value) == ("info", 0.02)
    assert (untold.level, untold.value, untold.threshold) == ("medium", 0.02, 0.001)
    assert "2.00% (20 of 1,000) of the runs of 13 words in val, read in blocks" in untold.sentence
    assert find("leak", leaks=Leaks(9, spans=spans), undivided=[UNDIVIDED]).value is None


def test_shards_set_aside_are_in_no_other_figure() -> None:
    assert find("set_aside").level == "ok"
    assert find("set_aside", set_aside=["a.parquet is truncated"]).level == "high"


@pytest.mark.parametrize("checksums", [True, False])
def test_integrity_is_measured_where_pages_have_checksums(tmp_path: Path, checksums: bool) -> None:
    table = pa.table({"text": [f"one two three four five {n}" for n in range(50)]})
    pq.write_table(table, tmp_path / "a.parquet", write_page_checksum=checksums)

    audit = audit_shards(tmp_path / "a.parquet", tmp_path / "audit")

    found = {finding.name: finding for finding in audit.read_findings()}
    assert found["integrity"].level == ("ok" if checksums else "unmeasured")
    assert ("a.parquet" in found["integrity"].sentence) == (not checksums)


def test_documents_without_words_are_not_ok_by_near_duplicates(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["!!! ???", "!!! ?? ?", "... ---"]}), tmp_path / "a.parquet")

    audit = audit_shards(tmp_path / "a.parquet", tmp_path / "audit")

    found = {finding.name: finding for finding in audit.read_findings()}
    assert audit.totals.wordless == 3
    assert (found["near"].level, found["exact"].level) == ("unmeasured", "ok")
