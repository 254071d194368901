import datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.cli import run
from assay.corpus.readers.labels import read_counts, read_labels, read_texts
from assay.formats.audit import open_audit
from tests.support.make import make_texts, write_shard

UUIDS = [UUID(int=7), UUID(int=1 << 100)]
RAW_UUIDS = pa.array([each.bytes for each in UUIDS], pa.binary(16))


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (pa.array([1, 2]), ["1", "2"]),
        (pa.array([1, 2**64 - 1], pa.uint64()), ["1", str(2**64 - 1)]),
        (pa.array(["a", "b"]).dictionary_encode(), ["a", "b"]),
        (pa.array([1, 2]).dictionary_encode(), ["1", "2"]),
        (pa.array([b"a", b"\xff"]), ["a", "\ufffd"]),
        (pa.array([b"a", b"\xff"]).view(pa.string()), ["a", "\ufffd"]),
        (pa.array([None, "b"]), [None, "b"]),
        (pa.nulls(2), [None, None]),
        (RAW_UUIDS, [str(each) for each in UUIDS]),
        (pa.ExtensionArray.from_storage(pa.uuid(), RAW_UUIDS), [str(each) for each in UUIDS]),
        (pa.array([b"abc-1", None], pa.binary(5)), ["abc-1", None]),
        (pa.array([b"\0\1", b"ab"], pa.binary(2)), ["0001", "ab"]),
        (pa.array(['{"a": 1}', None], pa.json_()), ['{"a": 1}', None]),
        (pa.array([True, False]), ["true", "false"]),
        (pa.array([datetime.date(2024, 1, 31), None]), ["2024-01-31", None]),
        (pa.array([Decimal("1.50"), None]), ["1.50", None]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_ids_of_any_type_are_text(
    tmp_path: Path, labels: pa.Array, expected: list[str | None]
) -> None:
    pq.write_table(pa.table({"id": labels}), tmp_path / "a.parquet")
    table = pq.read_table(tmp_path / "a.parquet")

    texts, lost = read_labels(table, "id", np.arange(2), read_texts)

    assert texts.to_pylist() == expected
    assert lost == 0
    texts.validate(full=True)


@pytest.mark.parametrize(
    "labels", [pa.array([["a"], None]), pa.array([{"a": 1}, None])], ids=["list", "struct"]
)
def test_values_that_are_no_text_are_null_and_counted(labels: pa.Array) -> None:
    texts, lost = read_labels(pa.table({"id": labels}), "id", np.arange(2), read_texts)

    assert texts.to_pylist() == [None, None]
    assert lost == 1


@pytest.mark.parametrize(
    ("stored", "expected", "unreadable"),
    [
        (pa.array([3, None], pa.int32()), [3, None], 0),
        (pa.array([-1, 0]), [-1, 0], 0),
        (pa.array(["3", " +4 "]), [3, 4], 0),
        (pa.array([b"3", b"x"]), [3, None], 1),
        (pa.array(["", "5"]), [None, 5], 1),
        (pa.array(["0x10", "1e3"]), [None, None], 2),
        (pa.array(["9223372036854775808", "9223372036854775807"]), [None, 2**63 - 1], 1),
        (pa.array([3.0, float("nan")]), [3, None], 1),
        (pa.array([3.5, 4.0]), [None, 4], 1),
        (pa.array([float("inf"), None]), [None, None], 1),
        (pa.array([9.3e18, -9.3e18]), [None, None], 2),
        (pa.array([3.0, 4.5], pa.float16()), [3, None], 1),
        (pa.array([2**63 + 5, 1], pa.uint64()), [None, 1], 1),
        (pa.array([Decimal("7"), Decimal("7.5")], pa.decimal128(5, 1)), [7, None], 1),
        (pa.array([7, None]).dictionary_encode(), [7, None], 0),
        (pa.array([["a"], []]), [None, None], 2),
        (pa.array([True, None]), [None, None], 1),
        (pa.nulls(2), [None, None], 0),
    ],
)
def test_one_bad_count_hides_no_other(
    stored: pa.Array, expected: list[int | None], unreadable: int
) -> None:
    counts, lost = read_labels(pa.table({"n": stored}), "n", np.arange(2), read_counts)

    assert (counts.to_pylist(), lost) == (expected, unreadable)
    assert counts.type == pa.int64()


def test_rows_that_are_no_documents_are_not_counted() -> None:
    table = pa.table({"n": ["x", "1", "y", None]})

    counts, lost = read_labels(table, "n", np.array([1, 2]), read_counts)

    assert (counts.to_pylist(), lost) == ([1, None], 1)
    missing, none = read_labels(table, "other", np.array([1, 2]), read_counts)
    assert (missing.to_pylist(), none) == ([None, None], 0)


def test_of_two_columns_of_a_name_none_is_read() -> None:
    table = pa.Table.from_arrays([pa.array(["a", "b"]), pa.array(["c", None])], names=["id", "id"])

    ids, lost = read_labels(table, "id", np.arange(2), read_texts)

    assert (ids.to_pylist(), lost) == ([None, None], 2)


@pytest.mark.parametrize(
    "bad", [float("nan"), 998.5, "", 2**63 + 5], ids=["nan", "fraction", "empty", "huge"]
)
@pytest.mark.parametrize("row_group_size", [1, 50, 1_000])
def test_an_audit_counts_wrong_and_unreadable_counts(
    tmp_path: Path, bad: float | str, row_group_size: int, capsys: pytest.CaptureFixture[str]
) -> None:
    values: list[object] = [999] * 199
    kind = {str: pa.string(), float: pa.float64(), int: pa.uint64()}[type(bad)]
    stored = pa.array([str(v) if kind == pa.string() else v for v in values] + [bad], kind)
    path = write_shard(
        tmp_path / "a.parquet",
        make_texts(200, 1),
        token_count=stored,
        row_group_size=row_group_size,
    )

    assert run(["audit", str(path), "-o", str(tmp_path / "A")]) == 0

    audit = open_audit(tmp_path / "A")
    (shard,) = audit.totals.shards
    assert (shard.stored_counts, shard.mismatches, shard.stored_unreadable) == (199, 199, 1)
    (found,) = (each for each in audit.read_findings() if each.name == "token_count")
    assert (found.level, found.value) == ("medium", 199.0)
    assert found.sentence.startswith("99.50% (199 of 200) of stored token_count values differ")
    assert found.sentence.endswith(", 1 unreadable (no integers)")


def test_counts_of_which_none_is_an_integer_are_not_measured(tmp_path: Path) -> None:
    path = write_shard(tmp_path / "a.parquet", ["a b", "c"], token_count=["many", "few"])

    assert run(["audit", str(path), "-o", str(tmp_path / "A")]) == 0

    findings = open_audit(tmp_path / "A").read_findings()
    (found,) = (each for each in findings if each.name == "token_count")
    assert found.level == "unmeasured"
    assert found.sentence == "not measured: none of 2 stored values is an integer"


def test_ids_that_cannot_be_read_are_counted_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)  # a long path would be cut where it is printed
    write_shard(tmp_path / "a.parquet", ["a b", "c"], id=[["x"], ["y"]])

    assert run(["audit", "a.parquet", "-o", "A"]) == 0

    assert "a.parquet: 2 values of id and url are no text: null in the tables" in (
        capsys.readouterr().err
    )
    assert open_audit(tmp_path / "A").totals.shards[0].labels_unreadable == 2
