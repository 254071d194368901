"""Shingles and signatures: equal to datasketch's, value for value, for any text in any place."""

import ctypes
import mmap
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.audit.minhash.permutations import MAX_HASH, make_permutations
from assay.audit.minhash.sign import sign_texts
from assay.text.pieces import PIECE_BYTES
from assay.text.shingling import Shingling
from tests.support.shingles import list_document
from tests.twins import audit as reference

PERMUTATIONS = make_permutations(128)
WORDS = ["a", "B", "c_1", "d\u2019é", "É", "İ", "漢字", "ก", "word", "-", "\n", ""]
texts = st.lists(
    st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join),
    max_size=12,
)


def join_texts(documents: list[str]) -> tuple[np.ndarray, np.ndarray]:
    encoded = [document.encode() for document in documents]
    offsets = np.cumsum([0, *map(len, encoded)])
    return np.frombuffer(b"".join(encoded), np.uint8), offsets


def list_hashes(document: str, num_words: int = 5) -> list[int]:
    return list_document(document.encode(), Shingling(length=num_words)).tolist()


@pytest.mark.parametrize(("num_perm", "seed"), [(1, 1), (16, 1), (112, 7), (128, 1), (256, 3)])
def test_permutations_are_those_of_datasketch(num_perm: int, seed: int) -> None:
    ours = make_permutations(num_perm, seed)
    theirs = MinHash(num_perm=num_perm, seed=seed, scheme="affine32").permutations

    assert np.array_equal(ours.multipliers_Q[:num_perm], theirs[0])
    assert np.array_equal(ours.increments_Q[:num_perm], theirs[1])


@settings(max_examples=60, deadline=None)
@given(documents=texts, num_perm=st.sampled_from([1, 15, 16, 64, 112, 128, 130, 256]))
def test_signatures_equal_those_of_datasketch(documents: list[str], num_perm: int) -> None:
    signed = sign_texts(*join_texts(documents), make_permutations(num_perm))

    for index, document in enumerate(documents):
        words, shingles = reference.words(document), reference.shingles(document)
        expected = reference.signature(list_hashes(document), num_perm)
        assert np.array_equal(signed.signature_NP[index], expected)
        assert signed.words_N[index] == len(words)
        assert signed.chars_N[index] == len(document)
        assert signed.num_shingles_N[index] == len(shingles)
        assert signed.short_N[index] == (0 < len(words) < 5)


@settings(max_examples=60, deadline=None)
@given(documents=texts, num_words=st.integers(1, 7))
def test_shingle_hashes_are_equal_where_the_words_are(documents: list[str], num_words: int) -> None:
    hashes = [value for document in documents for value in list_hashes(document, num_words)]
    runs = [run for document in documents for run in reference.shingles(document, num_words)]

    assert len(hashes) == len(runs)
    assert len(set(zip(hashes, runs, strict=True))) == len(set(hashes)) == len(set(runs))
    assert all(
        value % 2 == (len(run) == num_words) for value, run in zip(hashes, runs, strict=True)
    )


def test_a_document_without_words_has_no_shingle() -> None:
    signed = sign_texts(*join_texts(["", " \n", "-", "a"]), PERMUTATIONS)

    assert np.all(signed.signature_NP[:3] == MAX_HASH)
    assert signed.num_shingles_N.tolist() == [0, 0, 0, 1]


def test_neighbours_do_not_leak_into_a_document() -> None:
    documents = ["one two three four five", "six", "", "É", "one two three four five"]
    alone = [sign_texts(*join_texts([text]), PERMUTATIONS).signature_NP[0] for text in documents]

    together = sign_texts(*join_texts(documents), PERMUTATIONS).signature_NP

    assert np.array_equal(together, np.stack(alone))
    assert np.array_equal(together[0], together[4])


@pytest.mark.parametrize("unit", ["word ", "ÉTÉ\u2019s ", "漢字", "x", "a b ", "ж" * 50 + ","])
def test_documents_longer_than_a_piece_equal_their_twin(unit: str) -> None:
    text = "".join(f"{unit}{n % 97}" for n in range(3 * PIECE_BYTES // (len(unit.encode()) + 2)))
    assert len(text.encode()) > 2 * PIECE_BYTES

    signed = sign_texts(*join_texts(["a b", text, "c"]), PERMUTATIONS)
    hashes, runs = list_hashes(text), reference.shingles(text)

    assert len(hashes) == len(runs) == signed.num_shingles_N[1]
    assert len(set(zip(hashes, runs, strict=True))) == len(set(hashes)) == len(set(runs))
    assert np.array_equal(signed.signature_NP[1], reference.signature(set(hashes)))
    assert signed.words_N[1] == len(reference.words(text))


def test_threads_on_one_buffer_give_what_one_thread_gives() -> None:
    data, offsets = join_texts([f"document {n} has its own words {n * n}" for n in range(400)])
    expected = sign_texts(data, offsets, PERMUTATIONS).signature_NP

    with ThreadPoolExecutor(4) as pool:
        cuts = [offsets[start : start + 51] for start in range(0, 400, 50)]
        parts = list(pool.map(lambda cut: sign_texts(data, cut, PERMUTATIONS), cuts))

    assert np.array_equal(np.concatenate([part.signature_NP for part in parts]), expected)


@pytest.mark.parametrize("offsets", [[], [-1, 2], [0, 4], [0, 2, 1]])
def test_offsets_that_leave_the_text_are_refused(offsets: list[int]) -> None:
    with pytest.raises(ValueError, match="offsets"):
        sign_texts(np.zeros(3, np.uint8), np.array(offsets, np.int64), PERMUTATIONS)


@pytest.mark.corpora
@pytest.mark.parametrize("shard", ["fineweb-edu-150", "cc-raw-2024-26-sample"])
def test_real_documents_have_the_signatures_and_words_of_the_slow_twins(shard: str) -> None:
    if "ASSAY_CORPORA" not in os.environ:
        pytest.skip("ASSAY_CORPORA names no corpora")
    path = Path(os.environ["ASSAY_CORPORA"]) / "shards" / f"{shard}.parquet"
    documents = pq.read_table(path, columns=["text"])["text"].to_pylist()[:150]

    signed = sign_texts(*join_texts(documents), PERMUTATIONS)

    for index, document in enumerate(documents):
        assert signed.words_N[index] == len(reference.words(document))
        expected = reference.signature(list_hashes(document))
        assert np.array_equal(signed.signature_NP[index], expected)


@pytest.mark.skipif(sys.platform != "linux", reason="protects a page by Linux's mprotect")
@pytest.mark.parametrize("size", [1, 63, 64, 65, 4096])
def test_no_byte_past_the_buffer_is_read(size: int) -> None:
    page = mmap.PAGESIZE
    memory = mmap.mmap(-1, 3 * page)
    view = np.frombuffer(memory, np.uint8)
    libc = ctypes.CDLL(None, use_errno=True)
    guard = ctypes.c_void_p(view.ctypes.data + 2 * page)
    assert libc.mprotect(guard, ctypes.c_size_t(page), 0) == 0  # reading there ends the process
    text = view[2 * page - size : 2 * page]
    text[:] = np.frombuffer(("Ünd word " * 600).encode()[:size][:-1] + b"w", np.uint8)
    offsets = np.array([0, size // 2, size])

    try:
        signed = sign_texts(text, offsets, PERMUTATIONS)
        expected = sign_texts(text.copy(), offsets, PERMUTATIONS)
    finally:
        libc.mprotect(guard, ctypes.c_size_t(page), mmap.PROT_READ | mmap.PROT_WRITE)

    assert np.array_equal(signed.signature_NP, expected.signature_NP)
