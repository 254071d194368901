import random
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.errors import InputError
from assay.formats.audit import DOCUMENT_COLUMNS, LEAK_COLUMNS
from assay.formats.bins import DROPPED_COLUMNS
from assay.formats.run import LOSS_COLUMNS
from assay.storage.fingerprint import hash_file
from assay.storage.tables import read_table, write_table


def losses(rows: int) -> pl.DataFrame:
    chance = random.Random(0)
    return pl.DataFrame(
        {
            "tokens": range(rows),
            "document": range(rows),
            "nats": [chance.random() for _ in range(rows)],
            "bytes": range(rows),
            "leaked": [row % 2 == 0 for row in range(rows)],
            "extra": [""] * rows,
        }
    )


@pytest.mark.parametrize("rows", [0, 1, 70_000])
def test_a_table_reads_as_it_was_written_in_the_columns_of_its_schema(
    tmp_path: Path, rows: int
) -> None:
    path = tmp_path / "losses.parquet"
    frame = losses(rows)

    entry = write_table(path, frame, LOSS_COLUMNS)

    found = read_table(path)
    assert found.columns == LOSS_COLUMNS.names
    assert found["nats"].to_list() == frame["nats"].to_list()
    assert pq.read_schema(path).types == LOSS_COLUMNS.types
    assert (entry.name, entry.rows, entry.size) == (path.name, rows, path.stat().st_size)
    assert entry.sha256 == hash_file(path)


def test_equal_rows_give_equal_bytes(tmp_path: Path) -> None:
    frame = losses(1_000)
    pieces = pl.concat([frame[:300], frame[300:]], rechunk=False)

    a = write_table(tmp_path / "a", frame, LOSS_COLUMNS)
    b = write_table(tmp_path / "b", pieces, LOSS_COLUMNS)
    c = write_table(tmp_path / "c", pieces.to_arrow(), LOSS_COLUMNS)

    assert a.sha256 == b.sha256 == c.sha256


def test_a_missing_column_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="nats"):
        write_table(tmp_path / "a", losses(1).drop("nats"), LOSS_COLUMNS)
    assert list(tmp_path.iterdir()) == []


def test_every_flipped_bit_is_told_or_harmless(tmp_path: Path) -> None:
    path = tmp_path / "a"
    frame = losses(300)
    write_table(path, frame, LOSS_COLUMNS)
    expected, whole = read_table(path), path.read_bytes()
    footer = len(whole) - int.from_bytes(whole[-8:-4], "little") - 8
    chance = random.Random(0)
    told = 0
    for _ in range(100):
        damaged = bytearray(whole)
        damaged[chance.randrange(4, footer)] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        try:
            found = read_table(path)
        except InputError:
            told += 1
        else:
            assert found.equals(expected)
    assert told > 80


def test_a_missing_or_foreign_file_is_an_input_error(tmp_path: Path) -> None:
    for data in (None, b"", b"PAR1"):
        if data is not None:
            (tmp_path / "a").write_bytes(data)
        with pytest.raises(InputError, match="cannot be read") as found:
            read_table(tmp_path / "a")
        assert "\n" not in str(found.value)


def test_keys_have_one_type_in_all_tables() -> None:
    for schema in (DOCUMENT_COLUMNS, LEAK_COLUMNS, DROPPED_COLUMNS):
        for field in schema:
            if field.name.endswith("shard"):
                assert field.type == pa.uint32(), field
            if field.name.endswith("row"):
                assert field.type == pa.uint64(), field
