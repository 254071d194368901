import io
import os
import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.corpus.open_shards import open_shard, open_shards
from assay.corpus.shards import Shard
from assay.errors import InputError, ShardError
from tests.support.make import write_shard

END = 50_256


def open_one(path: Path, text_column: str = "text") -> Shard:
    return open_shard(path, "train", text_column=text_column)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is empty"),
        (b"<!DOCTYPE html><html>404</html>", "it is an HTML or XML page"),
        (b"\n  <html>", "it is an HTML or XML page"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n",
            "it is a Git LFS pointer; run git lfs pull",
        ),
        (b"PAR1" + bytes(100), "it is truncated"),
        (b"PAR1", "Parquet"),
        (b"PAR1" + b"\xff" * 100 + b"PAR1", "Parquet|Invalid|deserialize"),
        (b"\x1f\x8b" + bytes(50), "it is compressed; unpack it: mv "),
    ],
)
def test_what_is_not_parquet_is_explained(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(data)

    with pytest.raises(
        ShardError, match=rf"a\.parquet is not a parquet file: .*({reason})"
    ) as found:
        open_one(path)

    assert "\n" not in str(found.value)


def test_a_shard_cut_at_any_length_is_refused(tmp_path: Path) -> None:
    whole = write_shard(tmp_path / "whole.parquet", ["some text", "more"]).read_bytes()
    path = tmp_path / "a.parquet"

    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ShardError, match="is not a parquet file"):
            open_one(path)


def test_a_footer_with_a_flipped_bit_is_refused_or_read(tmp_path: Path) -> None:
    """No other error comes of a damaged footer."""
    whole = write_shard(tmp_path / "whole.parquet", ["some text", "more"]).read_bytes()
    chance = random.Random(0)
    footer = len(whole) - int.from_bytes(whole[-8:-4], "little") - 8
    path = tmp_path / "a.parquet"
    refused = 0
    for _ in range(400):
        damaged = bytearray(whole)
        damaged[chance.randrange(footer, len(whole))] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        try:
            open_one(path)
        except ShardError:
            refused += 1

    assert refused > 100


def test_an_unreadable_file_is_an_input_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_shard(tmp_path / "a.parquet", ["a"])

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(pq, "ParquetFile", refuse)
    monkeypatch.setattr(Path, "open", refuse)

    with pytest.raises(ShardError, match=r"cannot be read \(Permission denied\)"):
        open_one(path)


@pytest.mark.parametrize(
    ("columns", "hint"),
    [
        (["Text", "id"], r"did you mean text column \'Text\'\?"),
        (["texts", "id"], r"did you mean text column \'texts\'\?"),
        (["content", "id"], r"did you mean text column \'content\'\?"),
        (["a", "b"], "it has 'a', 'b'; name the text column"),
    ],
)
def test_a_missing_text_column_is_named_with_the_nearest(
    tmp_path: Path, columns: list[str], hint: str
) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({name: ["x"] for name in columns}), path)

    with pytest.raises(ShardError, match=hint):
        open_one(path)
    assert open_one(path, columns[0]).num_rows == 1


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.string()), pa.int64(), pa.struct([("a", pa.string())])]
)
def test_a_column_that_holds_no_text_is_refused(tmp_path: Path, kind: pa.DataType) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": pa.nulls(2, kind)}), path)

    with pytest.raises(ShardError, match=r"column 'text' is .*, needed text"):
        open_one(path)


def test_two_text_columns_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])
    pq.write_table(table, path)

    with pytest.raises(ShardError, match="has 2 columns 'text', needed 1"):
        open_one(path)


def test_small_row_groups_are_read_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_shard(tmp_path / "a.parquet", ["x"] * 10, row_group_size=4)
    assert (open_one(path).groups, open_one(path).parts) == (((0, 10),), ((0, 3),))

    monkeypatch.setattr("assay.corpus.readers.parquet._UNIT_BYTES", 1)
    shard = open_one(path)
    assert (shard.groups, shard.parts) == (((0, 4), (4, 8), (8, 10)), ((0, 1), (1, 2), (2, 3)))
    assert shard.num_rows == 10
    assert shard.enter().rows == 10


def test_zero_rows_alone_are_an_input_error_and_beside_others_none(tmp_path: Path) -> None:
    empty = write_shard(tmp_path / "empty.parquet", [])
    full = write_shard(tmp_path / "full.parquet", ["a"])

    with pytest.raises(InputError, match=r"no documents in empty\.parquet"):
        open_shards([(empty, "train")])
    shards, bad = open_shards([(empty, "train"), (full, "train")])
    assert [shard.num_rows for shard in shards] == [0, 1]
    assert bad == []


def test_bad_shards_are_set_aside_when_asked(tmp_path: Path) -> None:
    good = write_shard(tmp_path / "good.parquet", ["a"])
    bad = tmp_path / "bad.parquet"
    bad.write_bytes(b"<html>")

    with pytest.raises(ShardError):
        open_shards([(bad, "train"), (good, "train")])
    shards, lines = open_shards([(bad, "train"), (good, "val")], on_bad="skip")
    assert [(shard.index, shard.path, shard.split) for shard in shards] == [(0, good, "val")]
    assert len(lines) == 1
    assert "bad.parquet" in lines[0]
    with pytest.raises(InputError, match="1 of 1 shards set aside"):
        open_shards([(bad, "train")], on_bad="skip")


def test_a_bin_is_read_in_groups_of_whole_documents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.corpus.readers.bin._GROUP_IDS", 6)
    np.array([1, END, 2, 2, END, *[3] * 20, END, END, 4, END], np.uint16).tofile(tmp_path / "a.bin")

    shard = open_one(tmp_path / "a.bin")

    assert shard.groups == ((0, 2), (2, 3), (3, 5))
    assert shard.num_rows == 5


def test_reading_leaves_a_shard_as_it_was(tmp_path: Path) -> None:
    path = write_shard(tmp_path / "a.parquet", ["a"])
    before, stamp = path.read_bytes(), os.stat(path).st_mtime_ns

    open_one(path).enter()

    assert (path.read_bytes(), os.stat(path).st_mtime_ns) == (before, stamp)
    assert pq.read_table(io.BytesIO(before)).num_rows == 1
