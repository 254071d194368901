import struct
from itertools import chain
from pathlib import Path

import pytest

from assay.corpus.bins.bin_file import BinOptions, open_bin_file
from assay.corpus.tokenizer import Tokenizer
from assay.errors import ShardError
from tests.support import bin_writers as write

DOCUMENTS = [[5, 7, 900], [31_373], [11, 12, 11, 12]]


def read(path: Path, gpt2: Tokenizer) -> list[list[int]]:
    found = open_bin_file(path, BinOptions(gpt2))
    ids = found.layout.map_ids(path)
    return [ids[start:end].tolist() for start, end in found.spans.ends_D2.tolist()]


@pytest.mark.parametrize("ends", [True, False])
@pytest.mark.parametrize("code", [4, 8])
@pytest.mark.parametrize("each", [3, 100])
def test_no_flipped_bit_of_an_index_changes_documents_unseen(
    tmp_path: Path, gpt2: Tokenizer, ends: bool, code: int, each: int
) -> None:
    path = write.write_megatron(tmp_path / "a.bin", DOCUMENTS, code, ends, each)
    assert read(path, gpt2) == DOCUMENTS
    index = path.with_suffix(".idx")
    data = index.read_bytes()
    unlike = 0
    bits = [*range(8 * 34), *range(8 * 34, 8 * len(data), 3)]
    for bit in bits:
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        index.write_bytes(flipped)
        try:
            found = read(path, gpt2)
        except ShardError:
            unlike += 1
            continue
        # What is left: another sequence ends a document, and neither end-of-text nor a document
        # without sequences tells.
        assert not ends
        assert each == 3
        assert list(chain(*found)) == list(chain(*DOCUMENTS))
    assert unlike >= len(bits) - (0 if ends or each == 100 else 8)


def test_an_index_cut_off_is_refused(tmp_path: Path, gpt2: Tokenizer) -> None:
    path = write.write_megatron(tmp_path / "a.bin", DOCUMENTS)
    index = path.with_suffix(".idx")
    data = index.read_bytes()
    for length in range(len(data)):
        index.write_bytes(data[:length])
        with pytest.raises(ShardError):
            read(path, gpt2)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"TNTIDX\x00\x00" + bytes(40), "does not begin as Megatron's index does"),
        (b"MMIDIDX\x00\x00" + struct.pack("<QBQQ", 2, 8, 0, 1), "has version 2, type 8"),
        (b"MMIDIDX\x00\x00" + struct.pack("<QBQQ", 1, 7, 0, 1), "has version 1, type 7"),
        (b"MMIDIDX\x00\x00" + struct.pack("<QBQQ", 1, 8, 1 << 40, 1), "it is cut off"),
    ],
)
def test_what_is_no_index_is_refused(
    tmp_path: Path, gpt2: Tokenizer, data: bytes, reason: str
) -> None:
    path = write.write_megatron(tmp_path / "a.bin", DOCUMENTS)
    path.with_suffix(".idx").write_bytes(data)

    with pytest.raises(ShardError, match=reason) as found:
        read(path, gpt2)
    assert "a.idx" in str(found.value)


def test_a_bin_without_its_index_is_told_by_its_ids(tmp_path: Path, gpt2: Tokenizer) -> None:
    for code in (4, 5, 8):
        path = write.write_megatron(tmp_path / f"{code}.bin", DOCUMENTS, code)
        path.with_suffix(".idx").unlink()

        assert read(path, gpt2) == DOCUMENTS
