import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.corpus.files.delta import read_delta
from assay.corpus.inputs import list_inputs
from assay.errors import InputError, UsageError
from tests.support.make import write_shard


def commit(table: Path, version: int, *actions: dict[str, Any]) -> None:
    """Write one commit of a log."""
    (table / "_delta_log").mkdir(exist_ok=True)
    lines = "\n".join(json.dumps(action) for action in actions) + "\n"
    (table / "_delta_log" / f"{version:020d}.json").write_text(lines)


def add(path: str, **more: Any) -> dict[str, Any]:
    return {"add": {"path": path, "size": 1, "dataChange": True, **more}}


def remove(path: str) -> dict[str, Any]:
    return {"remove": {"path": path, "dataChange": True}}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Four files, of which the log makes a.parquet and one of a partition live."""
    for name in ("a.parquet", "b.parquet", "never.parquet"):
        write_shard(tmp_path / name, [name])
    (tmp_path / "day=1 2").mkdir()
    write_shard(tmp_path / "day=1 2" / "c.parquet", ["c"])
    commit(tmp_path, 0, {"protocol": {"minReaderVersion": 1}}, add("a.parquet"), add("b.parquet"))
    commit(tmp_path, 1, remove("b.parquet"), add("day%3D1%202/c.parquet"))
    return tmp_path


def read_names(folder: Path) -> list[str]:
    return [path.name for path, _ in list_inputs([folder]).files]


def test_only_live_files_are_read_and_the_others_are_counted(table: Path) -> None:
    found = list_inputs([table])

    assert [path.name for path, _ in found.files] == ["a.parquet", "c.parquet"]
    (dead,) = found.left_out.values()
    assert [path.name for path in dead] == ["b.parquet", "never.parquet"]
    assert "left out, not live in its Delta table: " in found.describe()[-1]


def test_a_file_that_comes_back_is_live(table: Path) -> None:
    commit(table, 2, remove("a.parquet"))
    commit(table, 3, add("b.parquet"))

    assert read_names(table) == ["b.parquet", "c.parquet"]


@pytest.mark.parametrize("parts", [1, 3])
def test_a_checkpoint_stands_for_the_commits_before_it(table: Path, parts: int) -> None:
    rows = [add("b.parquet"), {"remove": {"path": "a.parquet"}}, add("never.parquet")]
    kind = pa.struct([("path", pa.string())])
    for part in range(parts):
        mine = rows[part::parts]
        columns = {
            name: pa.array(
                [{"path": row[name]["path"]} if name in row else None for row in mine], kind
            )
            for name in ("add", "remove")
        }
        suffix = f".{part + 1:010d}.{parts:010d}" if parts > 1 else ""
        name = f"{1:020d}.checkpoint{suffix}.parquet"
        pq.write_table(pa.table(columns), table / "_delta_log" / name)
    commit(table, 2, remove("never.parquet"))
    for version in (0, 1):
        (table / "_delta_log" / f"{version:020d}.json").unlink()

    assert read_names(table) == ["b.parquet"]


def test_where_the_log_has_no_beginning_files_that_it_does_not_name_are_live(table: Path) -> None:
    (table / "_delta_log" / f"{0:020d}.json").unlink()

    found = list_inputs([table])

    assert read_names(table) == ["a.parquet", "c.parquet", "never.parquet"]
    assert "begins at version 1; files that it does not name are taken as live" in found.notes[0]


@pytest.mark.parametrize(
    ("actions", "reason"),
    [
        ([add("a.parquet", deletionVector={"storageType": "u"})], "deletion vectors"),
        ([add("s3://bucket/a.parquet")], "lie outside of its folder"),
        ([add("../a.parquet")], "lie outside of its folder"),
        ([add("gone.parquet")], "gone.parquet, which is live, is missing"),
        ([{"protocol": {"readerFeatures": ["catalogManaged"]}}], "does not know .catalogManaged"),
        (
            [{"metaData": {"configuration": {"delta.columnMapping.mode": "name"}}}],
            "names of its columns are mapped",
        ),
        ([{"add": 3}], "its log cannot be read"),
        ([[]], "its log cannot be read"),
    ],
)
def test_what_cannot_be_replayed_is_refused_with_the_command(
    table: Path, actions: list[Any], reason: str
) -> None:
    commit(table, 2, *actions)

    with pytest.raises(UsageError, match=rf"is a Delta table, and .*{reason}") as error:
        list_inputs([table])
    assert 'duckdb -c "INSTALL delta; LOAD delta; COPY (FROM delta_scan(' in str(error.value)


def test_a_missing_commit_and_an_empty_log_are_refused(table: Path) -> None:
    commit(table, 3, remove("a.parquet"))
    with pytest.raises(InputError, match="version 2 is missing"):
        read_delta(table)
    for path in (table / "_delta_log").iterdir():
        path.unlink()
    with pytest.raises(InputError, match="no commit and no checkpoint"):
        read_delta(table)


def test_a_dead_file_that_is_named_is_read_and_told(table: Path) -> None:
    found = list_inputs([table / "b.parquet"])

    assert [path.name for path, _ in found.files] == ["b.parquet"]
    assert "b.parquet is not live in its Delta table; name its folder" in found.notes[0]
