"""What is no shard is named for what it is, with a command that makes a shard of it."""

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as encryption
import pytest

from assay.corpus.open_shards import open_shard
from assay.corpus.readers.parquet import open_parquet_file
from assay.corpus.shards import Shard
from assay.errors import ShardError
from assay.storage.page_checksums import has_page_checksums
from tests.support.make import write_shard

KEY = b"0123456789abcdef"
LINES = b'{"text": "a"}\n{"text": "b"}\n'


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def open_one(name: str, column: str = "text") -> Shard:
    return open_shard(Path(name), "train", text_column=column)


def refuse(name: str, column: str = "text") -> str:
    with pytest.raises(ShardError) as error:
        open_one(name, column)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("name", "data", "what", "made"),
    [
        ("a.csv", b"text,id\na,1\nb,2\n", "a.csv is no shard: it is CSV", "a.parquet"),
        ("a.tsv", b"text\tid\na\t1\nb\t2\n", "it is CSV with tabs", "a.parquet"),
        ("a.txt", "größer\r\nb<|endoftext|>c".encode(), "it is plain text", "a.parquet"),
        ("a.json", b'[{"text": "a"}, {"text": "b"}]', "it is a JSON array", "a.parquet"),
        ("a.jsonl", b'[{"text": "a"}, {"text": "b"}]', "it is a JSON array", "a.parquet"),
        ("a b.parquet", b"text,id\na,1\nb,2\n", "it is CSV", "a b.converted.parquet"),
        ("a.parquet", b"hello\nworld\n", "it is plain text", "a.converted.parquet"),
        ("a.parquet", b'[{"text": "a"}, {"text": "b"}]', "a JSON array", "a.converted.parquet"),
        ("a.parquet", LINES, "it is JSON; if an object a line, rename it", "a.jsonl"),
        ("a.arrow", LINES, "it is JSON; if an object a line, rename it", "a.jsonl"),
    ],
)
def test_the_command_that_is_named_makes_a_shard(
    name: str, data: bytes, what: str, made: str
) -> None:
    Path(name).write_bytes(data)

    line = refuse(name)

    assert what in line
    made_by = "convert it: " if "convert it: " in line else "rename it: "
    command = line.rpartition(made_by)[2]
    place = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(command, shell=True, check=True, env=os.environ | {"PATH": place})
    assert open_one(made).num_rows in (1, 2)


def test_what_is_compressed_is_unpacked_by_the_command() -> None:
    whole = write_shard(Path("whole"), ["a", "b"])
    Path("a.parquet").write_bytes(gzip.compress(whole.read_bytes()))

    line = refuse("a.parquet")

    assert "a.parquet is not a parquet file: it is compressed; unpack it: " in line
    subprocess.run(line.rpartition("unpack it: ")[2], shell=True, check=True)
    assert open_one("a.parquet").num_rows == 2


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.parquet", b'{"error":"Repository not found"}', "an answer of a server .{.error.:"),
        ("a.jsonl", b"<!DOCTYPE html>", "a.jsonl is not JSON lines: it is an HTML or XML page"),
        ("a.arrow", b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        ("a.arrow", b"", "a.arrow is not Arrow IPC: it is empty"),
        ("a.jsonl", b"PAR1....", "it is parquet; rename it: mv a.jsonl a.parquet"),
        ("a.parquet", b"ARROW1\0\0", "it is Arrow; rename it: mv a.parquet a.arrow"),
        ("a.parquet", b"PK\3\4", "it is a zip archive; convert it: unzip a.parquet"),
        ("a.feather", b"FEA1....", "it is Feather of version 1; convert it: python -c .*feather"),
    ],
)
def test_what_a_file_is_instead_is_said(name: str, data: bytes, reason: str) -> None:
    Path(name).write_bytes(data)

    with pytest.raises(ShardError, match=reason):
        open_one(name)


def encrypt(name: str, **options: object) -> None:
    made = encryption.create_encryption_properties(footer_key=KEY, **options)
    table = pa.table({"text": ["a", "b"], "secret": ["c", "d"]})
    with pq.ParquetWriter(name, table.schema, encryption_properties=made) as writer:
        writer.write_table(table)


@pytest.mark.parametrize("plain", [False, True], ids=["encrypted footer", "plain footer"])
def test_an_encrypted_file_is_named_with_the_command_that_decrypts_it(plain: bool) -> None:
    encrypt("a.parquet", plaintext_footer=plain)

    line = refuse("a.parquet")

    assert line.startswith("a.parquet is encrypted parquet; decrypt it first: python -c ")
    place = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = line.rpartition("first: ")[2].replace("b'KEY'", repr(KEY))
    subprocess.run(command, shell=True, check=True, env=os.environ | {"PATH": place})
    assert open_one("decrypted.parquet").num_rows == 2


@pytest.mark.long
def test_a_footer_of_over_100_mb_is_read() -> None:
    table = pa.table({"text": ["a", "b"]})
    with pq.ParquetWriter("a.parquet", table.schema) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({"r": "x" * 110_000_000})

    assert open_one("a.parquet").num_rows == 2
    with open_parquet_file(Path("a.parquet")) as parquet:
        assert not has_page_checksums(Path("a.parquet"), parquet.metadata, "text")


def test_a_file_of_lines_may_be_called_anything() -> None:
    Path("a.json").write_bytes(LINES)

    assert open_one("a.json").num_rows == 2
