import gzip
import json
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest

from assay.cli import run
from assay.corpus.open_shards import open_shard
from assay.corpus.readers.batch import Batch
from assay.corpus.shard_reader import ShardReader
from assay.corpus.tokenizer import Tokenizer
from assay.errors import ShardError

END = 50_256


def read(path: Path, gpt2: Tokenizer, column: str = "text") -> list[Batch]:
    shard = open_shard(path, "train", text_column=column)
    reader = ShardReader(shard, gpt2)
    return [batch for group in range(len(shard.groups)) for batch in reader.read(group)]


def texts_of(batches: list[Batch]) -> list[bytes]:
    return [
        batch.data[lo:hi].tobytes()
        for batch in batches
        for lo, hi in pairwise(batch.offsets_N.tolist())
    ]


def write(path: Path, *lines: bytes) -> Path:
    path.write_bytes(b"\n".join(lines))
    return path


def test_rows_are_lines_that_are_not_blank(tmp_path: Path, gpt2: Tokenizer) -> None:
    path = write(
        tmp_path / "a.jsonl",
        b'\xef\xbb\xbf{"text": "one", "id": 7}',
        b"",
        b' {"text": null, "id": "x"}\r',
        b"  \t",
        '{"text": "größer\\n", "n": NaN, "id": null, "token_count": 3.0}'.encode(),
        b'{"id": 1.5, "token_count": "x"}',
        b'{"text": "", "id": {"a": 1}, "token_count": true}',
        b"",
    )

    (batch,) = read(path, gpt2)

    assert texts_of([batch]) == [b"one", "größer\n".encode(), b""]
    assert batch.rows_N.tolist() == [0, 2, 4]
    assert batch.ids.to_pylist() == ["7", None, '{"a": 1}']
    assert batch.stored_tokens.to_pylist() == [None, 3, None]
    assert (batch.counts["null"], batch.counts["stored_unreadable"]) == (2, 1)


def test_stray_bytes_and_lone_surrogates_are_texts_that_are_not_utf8(
    tmp_path: Path, gpt2: Tokenizer
) -> None:
    path = write(
        tmp_path / "a.jsonl", b'{"text": "a\xffb"}', b'{"text": "a\\ud800b"}', b'{"text": "c"}'
    )

    (batch,) = read(path, gpt2)

    assert batch.counts["invalid_utf8"] == 2
    assert texts_of([batch])[0] == "a\ufffdb".encode()
    assert texts_of([batch])[2] == b"c"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"text": "a"', "is not JSON"),
        (b"text", "is not JSON"),
        (b"[1]", "is no JSON object, but a list"),
        (b"3", "is no JSON object, but a number"),
        (b"null", "is no JSON object, but null"),
        (b'{"text": 3}', "has a number for its text"),
        (b'{"text": {"a": 1}}', "has an object for its text"),
        (b'{"text": ["a"]}', "has a list for its text"),
        (b"[" * 100_000, "is not JSON"),
    ],
)
@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz"])
def test_a_bad_line_is_named(
    tmp_path: Path,
    gpt2: Tokenizer,
    line: bytes,
    reason: str,
    suffix: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("assay.corpus.readers.json_lines._UNIT_BYTES", 300)
    good = [json.dumps({"text": f"text {place}"}).encode() for place in range(150)]
    data = b"\n".join([good[0], b"", *good[1:130], line, *good[130:]])
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(gzip.compress(data) if suffix.endswith("gz") else data)

    with pytest.raises(ShardError, match=rf"a\.{suffix}: line 132 {reason}") as error:
        read(path, gpt2)
    assert error.value.shard == 0
    assert len(str(error.value)) < 400


def test_a_bad_first_line_is_refused_when_the_file_is_opened(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", b'{"text": "a"}', b"nothing")

    with pytest.raises(ShardError, match="line 2 is not JSON"):
        open_shard(path, "train", text_column="text")


def test_a_missing_text_is_named_with_what_there_is(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", b'{"content": "a", "id": 1}', b'{"meta": {"text": "b"}}')

    with pytest.raises(ShardError, match=r"it has 'content', 'id', 'meta'; did you .*'content'"):
        open_shard(path, "train", text_column="text")


@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_what_is_cut_off_or_damaged_is_refused(
    tmp_path: Path, suffix: str, gpt2: Tokenizer
) -> None:
    lines = b"".join(json.dumps({"text": f"text {place}"}).encode() + b"\n" for place in range(500))
    packed = gzip.compress(lines) if suffix == "gz" else pa.compress(lines, "zstd", asbytes=True)
    path = tmp_path / f"a.jsonl.{suffix}"
    for damaged in (packed[:-9], packed + b"garbage!", packed[: len(packed) // 2]):
        path.write_bytes(damaged)
        with pytest.raises(ShardError, match=rf"a\.jsonl\.{suffix} is corrupt: "):
            read(path, gpt2)


def test_units_are_cut_at_lines_and_lose_none(
    tmp_path: Path, gpt2: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.corpus.readers.json_lines._UNIT_BYTES", 64)
    texts = ["a" * 10, "b" * 500, "", "c", "d" * 64, "e" * 63, "f"]
    lines = [json.dumps({"text": text}).encode() for text in texts]
    for end in (b"", b"\n", b"\n\n"):
        path = tmp_path / "a.jsonl"
        path.write_bytes(b"\n".join(lines) + end)
        assert texts_of(read(path, gpt2)) == [text.encode() for text in texts]
        path = tmp_path / "a.jsonl.gz"
        path.write_bytes(gzip.compress(b"\n".join(lines) + end))
        assert texts_of(read(path, gpt2)) == [text.encode() for text in texts]


def test_units_of_a_compressed_file_may_be_read_in_any_order(
    tmp_path: Path, gpt2: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.corpus.readers.json_lines._UNIT_BYTES", 100)
    lines = b"".join(json.dumps({"text": f"text {place}"}).encode() + b"\n" for place in range(60))
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines))
    shard = open_shard(tmp_path / "a.jsonl.gz", "train", text_column="text")
    reader = ShardReader(shard, gpt2)

    for group in (3, 1, 5, 5, 0):
        (batch,) = reader.read(group)
        first, last = shard.groups[group]
        assert texts_of([batch]) == [f"text {place}".encode() for place in range(first, last)]


def test_a_shard_with_a_bad_line_is_set_aside_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    good = [json.dumps({"text": f"text {place}"}).encode() for place in range(120)]
    write(tmp_path / "good.jsonl", *good)
    write(tmp_path / "bad.jsonl", *good, b'{"text": 3}')

    assert run(["audit", "good.jsonl", "bad.jsonl", "-o", "A"]) == 3
    assert "bad.jsonl: line 121 has a number for its text" in capsys.readouterr().err
    assert run(["audit", "good.jsonl", "bad.jsonl", "-o", "B", "--on-bad-shard", "skip"]) == 4
