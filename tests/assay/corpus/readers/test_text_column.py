import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.corpus.open_shards import open_shard
from assay.corpus.shard_reader import ShardReader
from assay.corpus.tokenizer import Tokenizer
from assay.errors import ShardError

END = 50_256
CHATS: list[Any] = [
    [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "größer"}],
    None,
    [],
    [{"role": None, "content": "alone"}, {"role": "user", "content": None}],
    [{"role": "tool", "content": "x"}],
]
JOINED = ["user: Hi\n\nassistant: größer", None, "", "alone\n\nuser: ", "tool: x"]


def write(path: Path, rows: list[dict[str, Any]], schema: pa.Schema | None = None) -> Path:
    """Write rows as parquet, Arrow or JSON lines."""
    table = pa.Table.from_pylist(rows, schema)
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    elif path.suffix == ".arrow":
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def read(path: Path, column: str, tokenizer: Tokenizer) -> list[str | None]:
    shard = open_shard(path, "train", text_column=column)
    (batch,) = ShardReader(shard, tokenizer).read(0)
    found: list[str | None] = [None] * shard.num_rows
    for place, row in enumerate(batch.rows_N.tolist()):
        lo, hi = batch.offsets_N[place : place + 2]
        found[row] = batch.data[lo:hi].tobytes().decode()
    return found


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "jsonl"])
def test_a_field_of_a_struct_is_a_text(tmp_path: Path, suffix: str, gpt2: Tokenizer) -> None:
    rows = [{"doc": {"text": "a", "n": 1}, "id": "x"}, {"doc": None, "id": "y"}]
    rows += [{"doc": {"text": None, "n": 2}, "id": "z"}, {"doc": {"text": "", "n": 3}, "id": "u"}]
    path = write(tmp_path / f"a.{suffix}", rows)

    assert read(path, "doc.text", gpt2) == ["a", None, None, ""]


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "jsonl"])
def test_a_column_whose_name_has_a_point_goes_first(
    tmp_path: Path, suffix: str, gpt2: Tokenizer
) -> None:
    path = write(tmp_path / f"a.{suffix}", [{"doc.text": "whole", "doc": {"text": "field"}}])

    assert read(path, "doc.text", gpt2) == ["whole"]


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "jsonl"])
@pytest.mark.parametrize("large", [False, True])
def test_messages_are_joined_by_the_rule(
    tmp_path: Path, suffix: str, large: bool, gpt2: Tokenizer
) -> None:
    message = pa.struct([("role", pa.string()), ("content", pa.string())])
    kind = pa.large_list(message) if large else pa.list_(message)
    rows = [{"messages": chat} for chat in CHATS]
    path = write(tmp_path / f"a.{suffix}", rows, pa.schema([("messages", kind)]))

    assert read(path, "messages", gpt2) == JOINED


@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_conversations_with_from_and_value_are_messages(
    tmp_path: Path, suffix: str, gpt2: Tokenizer
) -> None:
    rows = [{"chat": {"turns": [{"from": "human", "value": "Hi"}]}}]

    path = write(tmp_path / f"a.{suffix}", rows)

    assert read(path, "chat.turns", gpt2) == ["human: Hi"]


def test_jsons_logical_type_is_text_as_it_stands(tmp_path: Path, gpt2: Tokenizer) -> None:
    texts = pa.array(['{"a": 1}', None], pa.json_())
    pq.write_table(pa.table({"text": texts}), tmp_path / "a.parquet")

    assert read(tmp_path / "a.parquet", "text", gpt2) == ['{"a": 1}', None]


@pytest.mark.parametrize(
    ("rows", "wanted", "reason"),
    [
        (
            [{"doc": {"text": "a"}}],
            "text",
            "no column 'text'; .* did you mean text column 'doc.text'",
        ),
        ([{"doc": {"text": "a"}}], "doc", "is struct.*; did you mean text column 'doc.text'"),
        ([{"doc": {"text": "a"}}], "doc.body", "no column 'doc.body'"),
        ([{"messages": CHATS[0]}], "text", "did you mean text column 'messages'"),
        ([{"text": ["a"]}], "text", "is list<.*, needed text .string, binary. or messages"),
        ([{"text": 3}], "text", "is int64, needed text"),
    ],
)
@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_what_is_no_text_is_refused_with_what_there_is(
    tmp_path: Path, rows: list[dict[str, Any]], wanted: str, reason: str, suffix: str
) -> None:
    path = write(tmp_path / f"a.{suffix}", rows)

    with pytest.raises(ShardError, match=reason):
        open_shard(path, "train", text_column=wanted)
