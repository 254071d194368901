from pathlib import Path

import pytest

from assay.corpus.bins.bin_file import BinFile, BinOptions, open_bin_file
from assay.corpus.tokenizer import Tokenizer
from assay.errors import ShardError
from tests.support import bin_writers as write
from tests.support.bin_writers import END

DOCUMENTS = [[5, 7, 900], [31_373], [11, 12] * 9, [995, 2]]


def read(path: Path, gpt2: Tokenizer, named: bool = False) -> tuple[BinFile, list[list[int]]]:
    found = open_bin_file(path, BinOptions(gpt2, named=named))
    ids = found.layout.map_ids(path)
    return found, [ids[start:end].tolist() for start, end in found.spans.ends_D2.tolist()]


@pytest.mark.parametrize("missing", [[], ["index"], ["metadata"], ["index", "metadata"]])
@pytest.mark.parametrize("size", [2, 4])
def test_documents_are_told_with_and_without_what_stands_beside(
    tmp_path: Path, gpt2: Tokenizer, missing: list[str], size: int
) -> None:
    path = write.write_datatrove(tmp_path / "a.ds", DOCUMENTS, size)
    for end in missing:
        (tmp_path / f"a.ds.{end}").unlink()

    found, parts = read(path, gpt2)

    assert parts == DOCUMENTS
    assert len(found.beside) == 2 - len(missing)


def test_metadata_of_older_versions_are_read(tmp_path: Path, gpt2: Tokenizer) -> None:
    """They name no bytes an id."""
    path = write.write_datatrove(tmp_path / "a.ds", DOCUMENTS, 4)
    lines = (tmp_path / "a.ds.metadata").read_text().split("\n")
    for name in ("gpt2", "openai-community/gpt2", "Unknown Tokenizer"):
        (tmp_path / "a.ds.metadata").write_text("\n".join([name, *lines[1:]]))
        assert read(path, gpt2)[1] == DOCUMENTS


def test_another_tokenizer_is_refused_unless_one_is_named(tmp_path: Path, gpt2: Tokenizer) -> None:
    path = write.write_datatrove(tmp_path / "a.ds", DOCUMENTS, name="some/llama|x")

    with pytest.raises(ShardError, match=r"name the tokenizer 'some/llama\|x', not gpt2"):
        read(path, gpt2)
    assert read(path, gpt2, named=True)[1] == DOCUMENTS


def test_end_of_text_within_a_document_is_said(tmp_path: Path, gpt2: Tokenizer) -> None:
    """Where a text spells it, Hugging Face's tokenizers write the id."""
    documents = [[5, END, 7], [8]]
    path = write.write_datatrove(tmp_path / "a.ds", documents)

    found, parts = read(path, gpt2)

    assert parts == documents
    assert found.notes == ("end-of-text stands 1 times within documents that its index tells",)


def test_a_mask_that_is_not_read_is_said(tmp_path: Path, gpt2: Tokenizer) -> None:
    path = write.write_datatrove(tmp_path / "a.ds", DOCUMENTS)
    (tmp_path / "a.ds.loss").write_bytes(b"\1" * 26)

    assert read(path, gpt2)[0].notes == ("a.ds.loss beside it, which masks ids, is not read",)


@pytest.mark.parametrize("end", ["index", "metadata"])
def test_no_flipped_bit_beside_the_ids_changes_documents_unseen(
    tmp_path: Path, gpt2: Tokenizer, end: str
) -> None:
    path = write.write_datatrove(tmp_path / "a.ds", DOCUMENTS)
    beside = tmp_path / f"a.ds.{end}"
    data, unlike = beside.read_bytes(), 0
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        beside.write_bytes(flipped)
        try:
            assert read(path, gpt2)[1] == DOCUMENTS
        except ShardError:
            unlike += 1
    assert unlike == 8 * len(data) if end == "index" else unlike > 8 * len("gpt2|2\n26")


def test_an_index_cut_off_is_refused(tmp_path: Path, gpt2: Tokenizer) -> None:
    path = write.write_datatrove(tmp_path / "a.ds", DOCUMENTS)
    index = tmp_path / "a.ds.index"
    data = index.read_bytes()
    for length in range(len(data)):
        index.write_bytes(data[:length])
        with pytest.raises(ShardError):
            read(path, gpt2)
