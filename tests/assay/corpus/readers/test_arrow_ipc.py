import random
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest

from assay.corpus.open_shards import open_shard
from assay.corpus.shard_reader import ShardReader
from assay.corpus.tokenizer import Tokenizer
from assay.errors import ShardError
from tests.support.make import make_texts

END = 50_256


def write(path: Path, table: pa.Table, *, stream: bool, rows: int = 10) -> Path:
    opening = pa.ipc.new_stream if stream else pa.ipc.new_file
    with pa.OSFile(str(path), "wb") as file, opening(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=rows)
    return path


def read(path: Path, tokenizer: Tokenizer) -> tuple[list[str], int]:
    """Return the texts of a file, and how many were not UTF-8."""
    shard = open_shard(path, "train", text_column="text")
    reader = ShardReader(shard, tokenizer)
    batches = [batch for group in range(len(shard.groups)) for batch in reader.read(group)]
    texts = [
        batch.data[lo:hi].tobytes().decode()
        for batch in batches
        for lo, hi in pairwise(batch.offsets_N.tolist())
    ]
    return texts, sum(batch.counts["invalid_utf8"] for batch in batches)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("unit", [1, 4_000_000])
def test_batches_are_read_some_at_a_time_and_in_any_order(
    tmp_path: Path, gpt2: Tokenizer, stream: bool, unit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.corpus.readers.arrow_ipc._UNIT_BYTES", unit)
    texts = make_texts(35, 1)
    path = write(tmp_path / "a.arrow", pa.table({"n": range(35), "text": texts}), stream=stream)

    assert read(path, gpt2) == (texts, 0)
    shard = open_shard(path, "train", text_column="text")
    assert len(shard.groups) == (4 if unit == 1 else 1)
    reader = ShardReader(shard, gpt2)
    for group in (len(shard.groups) - 1, 0):
        rows = [row for batch in reader.read(group) for row in batch.rows_N.tolist()]
        assert rows == list(range(*shard.groups[group]))


@pytest.mark.parametrize(
    "kind", [pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
)
def test_texts_of_other_types_are_read(tmp_path: Path, gpt2: Tokenizer, kind: pa.DataType) -> None:
    texts = pa.array(["a", None, "b", "a"]).cast(kind)
    path = write(tmp_path / "a.arrow", pa.table({"text": texts}), stream=False, rows=2)

    assert read(path, gpt2)[0] == ["a", "b", "a"]


def test_texts_that_are_not_utf8_follow_the_policy(tmp_path: Path, gpt2: Tokenizer) -> None:
    texts = pa.array([b"a", b"\xff"]).view(pa.string())
    path = write(tmp_path / "a.arrow", pa.table({"text": texts}), stream=False)

    assert read(path, gpt2) == (["a", "\ufffd"], 1)


@pytest.mark.parametrize("stream", [False, True])
def test_damage_is_refused_or_gives_texts(tmp_path: Path, gpt2: Tokenizer, stream: bool) -> None:
    """A flipped bit never ends the process, and no other error comes of it."""
    table = pa.table({"text": make_texts(30, 1), "id": [str(row) for row in range(30)]})
    whole = write(tmp_path / "a.arrow", table, stream=stream).read_bytes()
    chance = random.Random(0)
    path, refused = tmp_path / "b.arrow", 0
    for turn in range(300):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged[: chance.randrange(len(whole))] if turn % 5 == 0 else damaged)
        try:
            read(path, gpt2)
        except ShardError:
            refused += 1

    assert refused > 60


def test_what_is_no_arrow_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.arrow").write_bytes(b"some text, no arrow" * 10)

    with pytest.raises(ShardError, match=r"a\.arrow is not Arrow IPC: "):
        open_shard(tmp_path / "a.arrow", "train", text_column="text")
