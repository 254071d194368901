import gzip
import io
import pickle
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from assay.corpus.bins.bin_file import BinOptions, open_bin_file
from assay.corpus.tokenizer import Tokenizer
from assay.errors import ShardError
from tests.support import bin_writers as write
from tests.support.make import write_shard

IDS = write.before_each([[5, 7, 900], [31_373, 995], [11] * 40])


def refuse(path: Path, gpt2: Tokenizer, reason: str) -> None:
    with pytest.raises(ShardError, match=reason) as found:
        open_bin_file(path, BinOptions(gpt2))
    assert "\n" not in str(found.value)
    assert str(path) in str(found.value)


def make_numpy() -> bytes:
    file = io.BytesIO()
    np.save(file, np.array(IDS, np.uint16))
    return file.getvalue()


def make_arrow() -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, pa.schema([("a", pa.int64())])) as writer:
        writer.write(pa.record_batch({"a": [1]}))
    return sink.getvalue().to_pybytes()


FOREIGN = {
    "numpy": (make_numpy, r"is a NumPy file under another name; rename it to end in \.npy"),
    "arrow": (make_arrow, "is an Arrow file"),
    "gzip": (lambda: gzip.compress(bytes(99)), "is compressed by gzip"),
    "zstd": (lambda: pa.compress(b"abc" * 99, "zstd", asbytes=True), "is compressed by zstd"),
    "pickle": (lambda: pickle.dumps(IDS), "looks like a pickle, which is never opened"),
    "zip": (lambda: b"PK\x03\x04" + bytes(40), "is a zip archive"),
    "safetensors": (
        lambda: struct.pack("<Q", 60) + b'{"a":{"dtype":"F32"}}' + bytes(99),
        "is a safetensors file",
    ),
    "lfs": (
        lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n",
        "is a Git LFS pointer; run git lfs pull",
    ),
    "text": (lambda: "Plain text, naïve at that.\n".encode() * 400, "holds text, not token ids"),
    "html": (lambda: b"<!DOCTYPE html><html>404</html>", "holds text, not token ids"),
    "empty": (lambda: b"", r"is empty \(0 bytes\)"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_no_bin_is_named(tmp_path: Path, gpt2: Tokenizer, name: str) -> None:
    make, reason = FOREIGN[name]
    path = tmp_path / "a.bin"
    path.write_bytes(make())

    refuse(path, gpt2, reason)


def test_parquet_under_the_name_of_a_bin_is_named(tmp_path: Path, gpt2: Tokenizer) -> None:
    write_shard(tmp_path / "a.bin", ["some text"])

    refuse(tmp_path / "a.bin", gpt2, "is a parquet file; rename it")


def test_text_cut_within_a_character_is_text(tmp_path: Path, gpt2: Tokenizer) -> None:
    (tmp_path / "a.bin").write_bytes(("x" + "東" * 4000).encode())

    refuse(tmp_path / "a.bin", gpt2, "holds text")


@pytest.mark.parametrize(
    ("place", "number", "reason"),
    [
        (0, 20_240_522, "questions of an evaluation, not of training ids"),
        (0, 20_240_326, "a model's weights"),
        (0, 20_240_521, "begins as llm.c's files do, with number 20240521"),
        (1, 2, "but version 2"),
        (2, 3, r"room for 48 uint16 ids; its llm\.c header says 3: more was written"),
        (2, 3000, r"its llm\.c header says 3,000: it is cut off"),
        (2, -1, "but version 1, -1 ids"),
        (200, 1, "numbers where 0 is due"),
    ],
)
def test_a_header_that_is_not_as_llmc_writes_it_is_refused(
    tmp_path: Path, gpt2: Tokenizer, place: int, number: int, reason: str
) -> None:
    path = write.write_llmc(tmp_path / "a.bin", IDS)
    data = bytearray(path.read_bytes())
    struct.pack_into("<i", data, 4 * place, number)
    path.write_bytes(data)

    refuse(path, gpt2, reason)


@pytest.mark.parametrize("model", ["gpt-2", "llama-3"])
def test_no_flipped_bit_of_a_header_goes_unseen(
    tmp_path: Path, gpt2: Tokenizer, model: str
) -> None:
    path = write.write_llmc(tmp_path / "a.bin", IDS, model)
    data = path.read_bytes()
    for bit in [*range(130), *range(130, 8192, 97)]:
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        with pytest.raises(ShardError):
            open_bin_file(path, BinOptions(gpt2))


def test_a_header_alone_or_cut_off_is_refused(tmp_path: Path, gpt2: Tokenizer) -> None:
    path = write.write_llmc(tmp_path / "a.bin", IDS)
    data = path.read_bytes()
    for length in (9, 100, 1023):
        path.write_bytes(data[:length])
        refuse(path, gpt2, r"is cut off within llm\.c's header")
    path.write_bytes(data[:1024])
    refuse(path, gpt2, "room for 0 uint16 ids")


def test_a_big_endian_header_is_refused(tmp_path: Path, gpt2: Tokenizer) -> None:
    header = struct.pack(">256i", 20_240_520, 1, 3, *[0] * 253)
    (tmp_path / "a.bin").write_bytes(header + struct.pack(">3H", 1, 2, 3))

    refuse(tmp_path / "a.bin", gpt2, r"llm\.c's header big-endian")
