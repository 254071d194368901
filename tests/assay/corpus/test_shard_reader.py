import random
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.corpus.open_shards import open_shard
from assay.corpus.readers.batch import Batch
from assay.corpus.shard_reader import ShardReader
from assay.corpus.tokenizer import BatchEncoder, Tokenizer
from assay.errors import ShardError
from tests.support.make import make_texts, write_shard

END = 50_256
TEXTS = ["plain", "", "naïve größer", "東京", "a\0b", "<|endoftext|>", " \n", "🙂" * 20]
KINDS = [
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.binary(),
    pa.large_binary(),
    pa.binary_view(),
    pa.dictionary(pa.int32(), pa.string()),
    pa.dictionary(pa.int8(), pa.large_string()),
]


def read_all(path: Path, tokenizer: Tokenizer, invalid: str = "replace") -> list[Batch]:
    shard = open_shard(path, "train", text_column="text")
    reader = ShardReader(shard, tokenizer, invalid)
    return [batch for group in range(len(shard.groups)) for batch in reader.read(group)]


def texts_of(batches: list[Batch]) -> list[str]:
    out = []
    for batch in batches:
        ends = batch.offsets_N.tolist()
        assert ends[0] == 0
        assert batch.data.size == ends[-1]
        for lo, hi in pairwise(ends):
            out.append(batch.data[lo:hi].tobytes().decode("utf-8"))
    return out


def rows_of(batches: list[Batch]) -> list[int]:
    return [row for batch in batches for row in batch.rows_N.tolist()]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_type_of_text_gives_the_same_documents(
    tmp_path: Path, gpt2: Tokenizer, kind: pa.DataType
) -> None:
    values = [*TEXTS, None]
    path = tmp_path / "a.parquet"
    if pa.types.is_dictionary(kind):
        column = pa.array(values, kind.value_type).dictionary_encode().cast(kind)
    else:
        column = pa.array([v.encode() if v is not None else v for v in values], pa.binary())
        column = column.cast(pa.string()).cast(kind)
    pq.write_table(pa.table({"text": column, "id": column}), path, row_group_size=4)

    batches = read_all(path, gpt2)

    assert texts_of(batches) == TEXTS
    assert rows_of(batches) == list(range(len(TEXTS)))
    assert [label for batch in batches for label in batch.ids.to_pylist()] == TEXTS
    assert sum(batch.counts["null"] for batch in batches) == 1
    assert sum(batch.counts["invalid_utf8"] for batch in batches) == 0


def test_a_column_of_nulls_has_no_documents(tmp_path: Path, gpt2: Tokenizer) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": pa.nulls(3)}), path)

    (batch,) = read_all(path, gpt2)

    assert batch.rows_N.size == 0
    assert batch.counts["null"] == 3
    assert len(batch.ids) == 0


def test_null_and_empty_are_not_the_same(tmp_path: Path, gpt2: Tokenizer) -> None:
    path = write_shard(tmp_path / "a.parquet", [None, "", None, "a", ""])

    (batch,) = read_all(path, gpt2)

    assert texts_of([batch]) == ["", "a", ""]
    assert batch.rows_N.tolist() == [1, 3, 4]
    assert batch.counts["null"] == 2
    assert batch.ids.to_pylist() == ["a-1", "a-3", "a-4"]


@pytest.mark.parametrize(
    ("policy", "expected", "rows"),
    [
        ("replace", ["one", "b\ufffdd", "three", "\ufffd" * 3, "five"], [0, 2, 3, 4, 5]),
        ("drop", ["one", "three", "five"], [0, 3, 5]),
    ],
)
def test_texts_that_are_not_utf8_are_counted_and_no_other_row_is_touched(
    tmp_path: Path, gpt2: Tokenizer, policy: str, expected: list[str], rows: list[int]
) -> None:
    raw = [b"one", None, b"b\xffd", b"three", b"\xed\xa0\x80", b"five"]  # the fifth: a surrogate
    for name, kind in (("binary", pa.binary()), ("string", pa.string())):
        path = tmp_path / f"{name}.parquet"
        texts = pa.array(raw, pa.binary())
        texts = texts.view(kind) if kind == pa.string() else texts
        pq.write_table(pa.table({"text": texts, "id": [f"i{row}" for row in range(6)]}), path)

        (batch,) = read_all(path, gpt2, policy)

        assert texts_of([batch]) == expected
        assert batch.rows_N.tolist() == rows
        assert batch.ids.to_pylist() == [f"i{row}" for row in rows]
        assert (batch.counts["null"], batch.counts["invalid_utf8"]) == (1, 2)
        assert batch.counts["dropped_invalid"] == (2 if policy == "drop" else 0)


def test_policy_stop_names_the_row(tmp_path: Path, gpt2: Tokenizer) -> None:
    path = write_shard(tmp_path / "a.parquet", [b"one", None, b"\xff"])

    with pytest.raises(ShardError, match=r"a\.parquet: row 2 is not UTF-8; choose invalid_utf8"):
        read_all(path, gpt2, "stop")


@pytest.mark.parametrize("size", [1, 7, 1_000])
@pytest.mark.parametrize("unit", [1, 3_000, 4_000_000])
def test_row_groups_do_not_change_documents(
    tmp_path: Path, gpt2: Tokenizer, size: int, unit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.corpus.readers.parquet._UNIT_BYTES", unit)
    texts: list[str | None] = [*make_texts(50, 3), None, *make_texts(10, 4)]
    path = write_shard(tmp_path / "a.parquet", texts, row_group_size=size)

    batches = read_all(path, gpt2)

    assert texts_of(batches) == [text for text in texts if text is not None]
    assert rows_of(batches) == [*range(50), *range(51, 61)]


def test_of_row_groups_read_together_the_corrupt_one_is_named(
    tmp_path: Path, gpt2: Tokenizer
) -> None:
    path = write_shard(
        tmp_path / "a.parquet",
        make_texts(30, 1),
        row_group_size=10,
        write_page_checksum=True,
        compression="none",
    )
    group = pq.ParquetFile(path).metadata.row_group(1)
    data = bytearray(path.read_bytes())
    data[group.column(0).dictionary_page_offset + 60] ^= 1
    path.write_bytes(data)

    with pytest.raises(ShardError, match=r"row group 1 is corrupt: .*CRC"):
        read_all(path, gpt2)


def test_batches_are_cut_by_size_and_lose_nothing(
    tmp_path: Path, gpt2: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.corpus.readers.table_batches._BATCH_BYTES", 100)
    texts = ["", "a" * 40, "b" * 40, "c" * 40, "d" * 1_000, "", "", "e" * 99, "f"]
    batches = read_all(write_shard(tmp_path / "a.parquet", texts), gpt2)

    assert texts_of(batches) == texts
    assert rows_of(batches) == list(range(len(texts)))
    assert len(batches) > 3
    assert all(batch.offsets_N[-1] <= 100 or batch.rows_N.size == 1 for batch in batches)


def test_a_flipped_bit_is_reported_or_harmless_where_pages_have_checksums(
    tmp_path: Path, gpt2: Tokenizer
) -> None:
    texts = make_texts(60, 1)
    path = write_shard(tmp_path / "a.parquet", texts, write_page_checksum=True)
    whole = path.read_bytes()
    footer = len(whole) - int.from_bytes(whole[-8:-4], "little") - 8
    chance = random.Random(0)
    reported = 0
    for _ in range(150):
        damaged = bytearray(whole)
        damaged[chance.randrange(4, footer)] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        try:
            found = texts_of(read_all(path, gpt2))
        except ShardError:
            reported += 1
        else:
            assert found == texts

    assert reported > 100


def write_bin(path: Path, documents: list[list[int]], *, first: bool = False) -> Path:
    """Write ids with a mark after each document, or before each."""
    mark = [END]
    parts = [mark + ids if first else ids + mark for ids in documents]
    np.concatenate([np.array(part, np.uint16) for part in parts]).tofile(path)
    return path


@pytest.mark.parametrize("first", [False, True])
def test_documents_of_a_bin_lie_between_marks(tmp_path: Path, gpt2: Tokenizer, first: bool) -> None:
    texts = ["one two", "", "naïve", "three <|endoftext|>"]
    ids = [gpt2.encode_reference(text.encode()).tolist() for text in texts]
    assert not any(END in document for document in ids)

    (batch,) = read_all(write_bin(tmp_path / "a.bin", ids, first=first), gpt2)

    assert texts_of([batch]) == texts
    assert batch.encoded is not None
    spans = pairwise(batch.encoded.offsets)
    assert [batch.encoded.ids[lo:hi].tolist() for lo, hi in spans] == ids
    assert batch.ids.to_pylist() == [None] * 4


def test_a_bin_without_a_last_mark_keeps_its_last_document(tmp_path: Path, gpt2: Tokenizer) -> None:
    for ids, expected in (
        ([31373, END, 995], ["hello", " world"]),
        ([31373], ["hello"]),
        ([END], [""]),
        ([END, END], ["", ""]),
    ):
        np.array(ids, np.uint16).tofile(tmp_path / "a.bin")
        assert texts_of(read_all(tmp_path / "a.bin", gpt2)) == expected


def test_an_id_beyond_the_vocabulary_is_refused(tmp_path: Path, gpt2: Tokenizer) -> None:
    path = write_bin(tmp_path / "a.bin", [[1, 2], [50_257]])

    with pytest.raises(
        ShardError,
        match=r"1 of its 5 ids are none of the 50,257 of gpt2 \(the first is 50257, at 3\)",
    ):
        read_all(path, gpt2)


@pytest.mark.parametrize(("policy", "rows"), [("replace", [0, 1, 2]), ("drop", [0, 2])])
def test_ids_that_are_not_utf8_follow_the_policy(
    tmp_path: Path, gpt2: Tokenizer, policy: str, rows: list[int]
) -> None:
    half = gpt2.encode_reference("🙂".encode()).tolist()[:1]
    path = write_bin(tmp_path / "a.bin", [[31373], half, [995]])

    (batch,) = read_all(path, gpt2, policy)

    assert batch.rows_N.tolist() == rows
    assert batch.counts["invalid_utf8"] == 1
    assert batch.encoded is not None
    assert batch.encoded.offsets.tolist() == list(range(len(rows) + 1))
    assert batch.encoded.ids[0] == 31373
    assert batch.encoded.ids[-1] == 995


def test_an_encoded_batch_decodes_to_its_texts(tmp_path: Path, gpt2: Tokenizer) -> None:
    """Text -> ids -> bin -> text, through the code that audits both."""
    texts = [*TEXTS, *make_texts(30, 9)]
    (batch,) = read_all(write_shard(tmp_path / "a.parquet", texts), gpt2)
    encoded = BatchEncoder(gpt2).encode(batch.data, batch.offsets_N)
    spans = pairwise(encoded.offsets)
    path = write_bin(tmp_path / "a.bin", [encoded.ids[lo:hi].tolist() for lo, hi in spans])

    assert texts_of(read_all(path, gpt2)) == texts


def test_a_text_over_the_limit_is_set_aside_and_counted(
    tmp_path: Path, gpt2: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.corpus.readers.documents.MAX_BYTES", 100)
    texts = ["a" * 99, "b" * 101, "c", "d" * 100, "e" * 5000]
    path = write_shard(tmp_path / "a.parquet", texts)

    batches = read_all(path, gpt2)

    assert texts_of(batches) == [texts[0], texts[2], texts[3]]
    assert rows_of(batches) == [0, 2, 3]
    assert sum(batch.counts["oversized"] for batch in batches) == 2


def test_a_document_of_a_bin_over_the_limit_is_set_aside_and_counted(
    tmp_path: Path, gpt2: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.corpus.readers.bin.MAX_BYTES", 100)
    words, hello = [995] * 16, [31373]  # " world" has 6 bytes, 96 in all
    documents = [words, [*words, 995], hello, [11] * 101, [*words, 11, 11, 11, 11]]
    path = write_bin(tmp_path / "a.bin", documents)

    batches = read_all(path, gpt2)

    assert texts_of(batches) == [" world" * 16, "hello", " world" * 16 + ",,,,"]
    assert rows_of(batches) == [0, 2, 4]
    assert sum(batch.counts["oversized"] for batch in batches) == 2
    assert [each for batch in batches if batch.encoded for each in batch.encoded.ids.tolist()] == [
        *words, *hello, *documents[4],
    ]  # fmt: skip
