"""Bins as other programs write them: read as what they are, or refused with the reason."""

import struct
from pathlib import Path

import numpy as np
import pytest

from assay.corpus.bins.bin_file import BinFile, BinOptions, open_bin_file
from assay.corpus.bins.characters import CharacterVocabulary
from assay.corpus.inputs import list_inputs
from assay.corpus.tokenizer import Tokenizer, load_tokenizer
from assay.errors import ShardError
from tests.support import bin_writers as write
from tests.support.bin_writers import END
from tests.support.make import make_texts

TEXTS = [*make_texts(40, 3), "the end!", "x"]


@pytest.fixture(scope="session")
def documents(gpt2: Tokenizer) -> list[list[int]]:
    """Ids of some texts."""
    return [gpt2.encode_reference(text.encode()).tolist() for text in TEXTS]


def read(path: Path, tokenizer: Tokenizer, **options: object) -> tuple[BinFile, list[list[int]]]:
    found = open_bin_file(path, BinOptions(tokenizer, **options))  # type: ignore[arg-type]
    ids = found.layout.map_ids(path)
    return found, [ids[start:end].tolist() for start, end in found.spans.ends_D2.tolist()]


LAYOUTS = {
    "nanogpt": lambda at, docs: write.write_nanogpt(at / "a.bin", docs),
    "nanogpt-uint32": lambda at, docs: write.write_nanogpt(at / "a.bin", docs, "I"),
    "nanogpt-int32": lambda at, docs: write.write_nanogpt(at / "a.bin", docs, "i"),
    "nanogpt-int64": lambda at, docs: write.write_nanogpt(at / "a.bin", docs, "q"),
    "llm.c": lambda at, docs: write.write_llmc(at / "a.bin", write.before_each(docs)),
    "llm.c-llama3": lambda at, docs: write.write_llmc(
        at / "a.bin", write.before_each(docs), "llama-3"
    ),
    "build-nanogpt": lambda at, docs: write.write_build_nanogpt(at / "a.npy", docs),
    "numpy-uint32": lambda at, docs: write.write_build_nanogpt(at / "a.npy", docs, np.uint32),
    "numpy-int32": lambda at, docs: write.write_build_nanogpt(at / "a.npy", docs, np.int32),
    "numpy-int64": lambda at, docs: write.write_build_nanogpt(at / "a.npy", docs, np.int64),
    "numpy-uint64": lambda at, docs: write.write_build_nanogpt(at / "a.npy", docs, np.uint64),
    "datatrove": lambda at, docs: write.write_datatrove(at / "a.ds", docs),
    "datatrove-uint32": lambda at, docs: write.write_datatrove(at / "a.ds", docs, 4),
    "datatrove-no-eos": lambda at, docs: write.write_datatrove(at / "a.ds", docs, ends=False),
    "megatron": lambda at, docs: write.write_megatron(at / "a.bin", docs),
    "megatron-int32": lambda at, docs: write.write_megatron(at / "a.bin", docs, 4),
    "megatron-no-eod": lambda at, docs: write.write_megatron(at / "a.bin", docs, ends=False),
    "megatron-sequences": lambda at, docs: write.write_megatron(at / "a.bin", docs, each=7),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_layout_gives_the_documents(
    tmp_path: Path, gpt2: Tokenizer, documents: list[list[int]], layout: str
) -> None:
    path = LAYOUTS[layout](tmp_path, documents)

    found, parts = read(path, gpt2)

    assert parts == documents
    assert not found.spans.untold
    assert found.notes == ()
    assert list_inputs([tmp_path]).files == [(path, "train")]
    assert {each.name for each in found.beside} == (
        {each.name for each in tmp_path.iterdir()} - {path.name}
    )


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_file_cut_off_is_refused_where_something_says_its_length(
    tmp_path: Path, gpt2: Tokenizer, documents: list[list[int]], layout: str
) -> None:
    """Headerless ids have no length: what is left of them ends within a document."""
    path = LAYOUTS[layout](tmp_path, documents)
    width = read(path, gpt2)[0].layout.dtype.itemsize
    data = path.read_bytes()
    for cut in (1, width, 3 * width):
        path.write_bytes(data[:-cut])
        if layout.startswith("nanogpt") and cut % width == 0:
            _, parts = read(path, gpt2)
            assert parts[:-1] == documents[: len(parts) - 1]
            assert parts[-1] == documents[len(parts) - 1][: len(parts[-1])]
            continue
        with pytest.raises(ShardError, match=r"bytes"):
            read(path, gpt2)


def test_ids_of_another_vocabulary_are_refused(tmp_path: Path, gpt2: Tokenizer) -> None:
    ids = np.random.default_rng(0).integers(50_300, 100_200, 900).tolist()
    path = write.write_nanogpt(tmp_path / "a.bin", [ids], "I", end=100_257)
    with pytest.raises(ShardError, match=r"901 of its 901 ids are none .* they fit cl100k_base"):
        read(path, gpt2)

    path = write.write_nanogpt(tmp_path / "b.bin", [ids], "I", end=7)
    with pytest.raises(
        ShardError, match="name the tokenizer that made them, or the dtype, if they are not uint32"
    ):
        read(path, gpt2)


def test_ids_under_zero_are_refused(tmp_path: Path, gpt2: Tokenizer) -> None:
    np.save(tmp_path / "a.npy", np.array([END, 5, -100, 7], np.int64))

    with pytest.raises(ShardError, match=r"1 of its 4 ids are .*the first is -100, at 2"):
        read(tmp_path / "a.npy", gpt2)


@pytest.mark.parametrize("ends", [True, False])
def test_big_endian_ids_are_refused(
    tmp_path: Path, gpt2: Tokenizer, documents: list[list[int]], ends: bool
) -> None:
    ids = write.after_each(documents)
    few = [END, 256, 512, END]  # in the other order they are in the vocabulary, too
    for number, numbers in enumerate((ids, few)):
        path = tmp_path / f"{number}.bin"
        path.write_bytes(write.pack("H", numbers, ">"))
        with pytest.raises(ShardError, match="big-endian"):
            read(path, gpt2)


@pytest.mark.parametrize("code", ["H", "I", "q"])
@pytest.mark.parametrize("zeros", [16, 5000])
def test_an_array_that_was_never_filled_is_refused(
    tmp_path: Path, gpt2: Tokenizer, documents: list[list[int]], code: str, zeros: int
) -> None:
    ids = write.after_each(documents)
    path = tmp_path / "a.bin"
    path.write_bytes(write.pack(code, [*ids, *[0] * zeros]))
    with pytest.raises(ShardError, match=rf"ends in {zeros:,} ids 0.* first {len(ids):,} ids"):
        read(path, gpt2)

    path.write_bytes(write.pack(code, [*ids, *[0] * 200, *ids]))
    with pytest.raises(ShardError, match=rf"200 ids 0 in a row from {len(ids):,} on"):
        read(path, gpt2)


@pytest.mark.parametrize("code", ["I", "q"])
@pytest.mark.parametrize("place", [2, 901, 3000])
def test_wide_ids_damaged_in_one_place_are_not_read_as_narrow_ones(
    tmp_path: Path, gpt2: Tokenizer, documents: list[list[int]], code: str, place: int
) -> None:
    data = write.pack(code, write.after_each(documents))
    path = tmp_path / "a.bin"
    for damaged in (
        data[:place] + data[place + 2 :] + bytes(2),  # shifted from there on
        data[: place + 1] + data[place + 3 :] + bytes(2),
        data[: 8 * place + 2] + b"\x01" + data[8 * place + 3 :],  # a high word
    ):
        path.write_bytes(damaged)
        with pytest.raises(ShardError):
            read(path, gpt2)


def test_few_zeros_after_the_last_mark_are_no_document(
    tmp_path: Path, gpt2: Tokenizer, documents: list[list[int]]
) -> None:
    path = tmp_path / "a.bin"
    ids = write.after_each(documents)
    path.write_bytes(write.pack("H", [*ids, *[0] * 4]))
    with pytest.raises(ShardError, match="ends in 4 ids 0"):
        read(path, gpt2)

    path.write_bytes(write.pack("H", [*ids, 0]))  # a document that begins with "!"
    assert read(path, gpt2)[1] == [*documents, [0]]


def test_zeros_are_what_end_of_text_is_where_it_is_0(tmp_path: Path) -> None:
    neox = load_tokenizer("gpt2", 0)
    path = write.write_nanogpt(tmp_path / "a.bin", [[5, 6], [], *[[7, 8, 9]] * 9], end=0)

    assert read(path, neox)[1] == [[5, 6], [], *[[7, 8, 9]] * 9]


def test_the_id_between_documents_may_be_another(
    tmp_path: Path, documents: list[list[int]]
) -> None:
    parts = [[each for each in part if each != 2] for part in documents]
    path = write.write_nanogpt(tmp_path / "a.bin", parts, end=2)

    found, told = read(path, load_tokenizer("gpt2", 2))

    assert told == parts
    assert not found.spans.untold


@pytest.mark.parametrize(
    ("dtype", "code", "reason"),
    [
        (
            "uint16",
            "I",
            "read as uint16, every second of its ids is 0: it holds uint32; name dtype",
        ),
        ("uint16", "q", "every second of its ids is 0: it holds int64"),
        ("uint32", "q", "read as uint32, every second of its ids is 0: it holds int64"),
        ("uint32", "H", "none of the 50,257 of gpt2"),
        ("int64", "H", "none of the 50,257 of gpt2|no multiple of the 8 of int64"),
        ("uint8", "H", "documents cannot be told"),
    ],
)
def test_a_type_that_the_ids_contradict_is_refused(
    tmp_path: Path,
    gpt2: Tokenizer,
    documents: list[list[int]],
    dtype: str,
    code: str,
    reason: str,
) -> None:
    path = write.write_nanogpt(tmp_path / "a.bin", documents, code)

    if dtype == "uint8":  # every byte is an id of GPT-2's: what is asked for is done
        assert read(path, gpt2, dtype=dtype)[0].layout.count == path.stat().st_size
        return
    with pytest.raises(ShardError, match=reason):
        read(path, gpt2, dtype=dtype)
    named = {"H": "uint16", "I": "uint32", "q": "int64"}[code]
    assert read(path, gpt2, dtype=named)[1] == documents


def test_headers_stand_against_a_type_that_is_named(
    tmp_path: Path, gpt2: Tokenizer, documents: list[list[int]]
) -> None:
    for name in ("llm.c", "build-nanogpt", "megatron"):
        path = LAYOUTS[name](tmp_path, documents)
        with pytest.raises(ShardError, match=r"holds uint16 ids, as its .* says, not uint32"):
            read(path, gpt2, dtype="uint32")


def test_a_header_that_says_16_bits_over_ids_of_32_is_refused(
    tmp_path: Path, gpt2: Tokenizer, documents: list[list[int]]
) -> None:
    wide = write.pack("I", write.before_each(documents))
    path = write.write_llmc(tmp_path / "a.bin", struct.unpack(f"<{len(wide) // 2}H", wide))

    with pytest.raises(ShardError, match=r"holds uint32; what says uint16 is wrong"):
        read(path, gpt2)


def test_ids_without_end_of_text_are_counted_and_no_documents(
    tmp_path: Path, gpt2: Tokenizer, documents: list[list[int]]
) -> None:
    ids = [each for document in documents for each in document]
    found, parts = read(write.write_shakespeare(tmp_path / "a.bin", ids), gpt2)

    assert parts == [ids]
    assert found.spans.untold.startswith(f"none of {len(ids):,} ids is end-of-text (50256)")


def test_end_of_text_written_as_text_is_said(tmp_path: Path, gpt2: Tokenizer) -> None:
    text = "<|endoftext|>".join(["one two", "three.", "(four)"]) + "<|endoftext|>"
    ids = gpt2.encode_reference(text.encode()).tolist()
    assert END not in ids

    found, _ = read(write.write_shakespeare(tmp_path / "a.bin", ids), gpt2)

    assert found.spans.untold.endswith("<|endoftext|> stands in it 3 times as text")


def test_characters_have_no_documents(tmp_path: Path) -> None:
    text = "first line\nsecond\n\n\nlast" * 20
    write.write_characters(tmp_path, text, text)
    vocabulary = CharacterVocabulary("".join(sorted(set(text))))

    found, (part,) = read(tmp_path / "train.bin", vocabulary)

    assert vocabulary.decode(np.array(part)).decode() == text
    assert "characters, none for end-of-text" in found.spans.untold
    path = tmp_path / "bytes.bin"
    path.write_bytes(write.pack("B", part))
    assert read(path, vocabulary)[1] == [part]
    path.write_bytes(write.pack("H", part, ">"))
    with pytest.raises(ShardError, match="big-endian"):
        read(path, vocabulary)
    path.write_bytes(write.pack("H", [*part, len(vocabulary.characters)]))
    with pytest.raises(ShardError, match="1 of its"):
        read(path, vocabulary)
