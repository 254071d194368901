"""Signatures of every scheme, over every kind of shingle, equal their slow twins."""

import ctypes
import mmap
import os
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.audit.minhash.fast_similarity import EMPTY, Slots, drop_repeats, lower_slots
from assay.audit.minhash.permutations import MAX_HASH_64, Permutations, make_permutations
from assay.audit.minhash.sign import sign_sets, sign_texts
from assay.text.pieces import PIECE_BYTES
from assay.text.shingling import Shingling
from tests.support.shingles import list_document
from tests.twins import audit as reference

WORDS, LETTERS, CHARACTERS = Shingling(), Shingling("letters", 13), Shingling("characters", 24)
SHINGLINGS = [WORDS, LETTERS, CHARACTERS]
texts = st.lists(
    st.lists(
        st.sampled_from(["a", "B", "c_1", "d\u2019é", "İ", "漢字", "word", "-", "\n", ""]),
        max_size=40,
    ).map(" ".join),
    max_size=8,
)


def join_texts(documents: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    encoded = [document.encode() for document in documents]
    return np.frombuffer(b"".join(encoded), np.uint8), np.cumsum([0, *map(len, encoded)])


def fill_slots(shingles: Sequence[int], cuts: Sequence[int] = ()) -> np.ndarray:
    """Fill slots by shingles that come in several lots."""
    slots = np.full(128, EMPTY, np.uint32)
    values = np.array(shingles, np.uint64)
    ends = [0, *sorted(min(cut, len(values)) for cut in cuts), len(values)]
    for first, last in pairwise(ends):
        lower_slots(values, first, last - first, slots)
    return slots


@pytest.mark.parametrize("num_perm", [1, 8, 112, 260])
def test_wide_permutations_are_those_of_datasketch(num_perm: int) -> None:
    ours = make_permutations(num_perm, 7, bits=64)
    theirs = MinHash(num_perm=num_perm, seed=7, scheme="affine64").permutations

    assert np.array_equal(ours.multipliers_Q[:num_perm], theirs[0])
    assert np.array_equal(ours.increments_Q[:num_perm], theirs[1])


@pytest.mark.long
@settings(max_examples=30, deadline=None)
@given(
    documents=texts,
    num_perm=st.sampled_from([1, 7, 8, 63, 64, 112, 260]),
    shingling=st.sampled_from(SHINGLINGS),
)
def test_wide_signatures_equal_those_of_datasketch(
    documents: list[str], num_perm: int, shingling: Shingling
) -> None:
    scheme = make_permutations(num_perm, bits=64)

    signed = sign_texts(*join_texts(documents), scheme, shingling)

    assert signed.signature_NP.dtype == np.uint64
    for index, document in enumerate(documents):
        shingles = list_document(document.encode(), shingling)
        expected = reference.wide_signature(shingles, num_perm)
        assert np.array_equal(signed.signature_NP[index], expected)
        assert signed.words_N[index] == len(reference.words(document))
        assert signed.chars_N[index] == len(document)
        assert signed.num_shingles_N[index] == len(shingles)


@settings(max_examples=30, deadline=None)
@given(documents=texts, shingling=st.sampled_from(SHINGLINGS))
def test_narrow_signatures_equal_those_of_datasketch(
    documents: list[str], shingling: Shingling
) -> None:
    signed = sign_texts(*join_texts(documents), make_permutations(130), shingling)

    for index, document in enumerate(documents):
        expected = reference.signature(list_document(document.encode(), shingling), 130)
        assert np.array_equal(signed.signature_NP[index], expected)


@settings(max_examples=30, deadline=None)
@given(
    shingles=st.lists(st.integers(1, 2**64 - 1), min_size=1, max_size=60, unique=True),
    cuts=st.lists(st.integers(0, 60), max_size=4),
)
def test_slots_equal_those_of_all_rounds_in_any_order_and_lots(
    shingles: list[int], cuts: list[int]
) -> None:
    expected = reference.fast_similarity(shingles)

    assert fill_slots(shingles, cuts).tolist() == expected
    assert fill_slots(shingles[::-1] + shingles, cuts).tolist() == expected


@pytest.mark.parametrize("count", [1, 2, 127, 700])
def test_slots_of_documents_of_any_size_equal_their_twin(count: int) -> None:
    shingles = np.random.default_rng(count).integers(1, 2**64, count, np.uint64).tolist()

    slots = fill_slots(shingles, [count // 3])

    assert slots.tolist() == reference.fast_similarity(shingles)
    assert (slots.max() >> 24 >= 128) == (count < 3)  # few shingles play on past round t


@pytest.mark.parametrize("distinct", [1, 3, 60, 300])
def test_slots_of_many_repeats_equal_those_of_the_distinct(distinct: int) -> None:
    rng = np.random.default_rng(distinct)
    own = rng.integers(1, 2**64, distinct, np.uint64)
    repeated = own[rng.integers(0, distinct, 9000)].copy()
    kept = drop_repeats(repeated.copy(), 0, 9000)

    slots = fill_slots(repeated.tolist(), [5000])

    assert slots.tolist() == reference.fast_similarity(set(repeated.tolist()))
    assert kept <= 1.1 * distinct + 200


@settings(max_examples=20, deadline=None)
@given(documents=texts, shingling=st.sampled_from(SHINGLINGS))
def test_slots_of_documents_equal_their_twin(documents: list[str], shingling: Shingling) -> None:
    signed = sign_texts(*join_texts(documents), Slots(), shingling)

    for index, document in enumerate(documents):
        shingles = set(list_document(document.encode(), shingling).tolist())
        assert signed.signature_NP[index].tolist() == reference.fast_similarity(shingles)
        assert (signed.num_shingles_N[index] > 0) == bool(shingles)


@pytest.mark.parametrize(
    "scheme", [make_permutations(40), make_permutations(20, bits=64), Slots()], ids=type
)
def test_sets_have_the_signatures_of_their_texts(
    scheme: Permutations | Slots,
) -> None:
    documents = ["", "a b", " ".join(f"w{n}" for n in range(3000)), "É é", "-"]
    listed = [list_document(document.encode(), LETTERS) for document in documents]
    ends = np.cumsum([0, *(len(shingles) for shingles in listed)])
    shingles = np.concatenate(listed)
    before = shingles.copy()

    signature_NP = sign_sets(shingles, ends, scheme)

    texts_NP = sign_texts(*join_texts(documents), scheme, LETTERS).signature_NP
    assert np.array_equal(signature_NP, texts_NP)
    assert np.array_equal(shingles, before)


@pytest.mark.parametrize("shingling", SHINGLINGS)
def test_a_document_of_many_pieces_equals_its_twin(shingling: Shingling) -> None:
    text = "".join(f"W{n % 1009}, é\u00a0x" for n in range(2 * PIECE_BYTES // 8))
    shingles = set(list_document(text.encode(), shingling).tolist())
    together = join_texts(["a b", text, "c"])

    signed = sign_texts(*together, make_permutations(24, bits=64), shingling)
    slot_NP = sign_texts(*together, Slots(), shingling).signature_NP

    assert len(shingles) == len(
        set(reference.runs(reference.units(text, shingling.unit), shingling.length))
    )
    assert signed.words_N[1] == len(reference.words(text))
    units = len(reference.units(text, shingling.unit))
    assert signed.num_shingles_N[1] == units - shingling.length + 1
    assert np.array_equal(signed.signature_NP[1], reference.wide_signature(shingles, 24))
    assert np.array_equal(slot_NP[1], fill_slots(sorted(shingles)))


def test_a_document_without_shingles_has_the_highest_value_throughout() -> None:
    for scheme, highest in [(make_permutations(9, bits=64), MAX_HASH_64), (Slots(), EMPTY)]:
        signed = sign_texts(*join_texts(["", "- \n", "a"]), scheme, LETTERS)

        assert signed.num_shingles_N.tolist() == [0, 0, 1]
        assert signed.short_N.tolist() == [False, False, True]
        assert np.all(signed.signature_NP[:2] == highest)
        assert np.any(signed.signature_NP[2] != highest)


def test_slots_estimate_jaccard_without_bias_and_within_the_spread_of_permutations() -> None:
    """600 pairs of sets of Jaccard 0.8: shared shingles 400 of 500."""
    rng = np.random.default_rng(11)
    estimates = []
    for _ in range(600):
        shingles = rng.integers(1, 2**64, 500, np.uint64).tolist()
        estimates.append(np.mean(fill_slots(shingles[:450]) == fill_slots(shingles[50:])))
    spread = np.sqrt(0.8 * 0.2 / 128)

    error = np.array(estimates) - 0.8

    assert abs(error.mean()) < 4 * spread / np.sqrt(600)
    assert np.sqrt((error**2).mean()) < 1.05 * spread


@pytest.mark.skipif(sys.platform != "linux", reason="protects a page by Linux's mprotect")
@pytest.mark.parametrize("size", [1, 7, 64, 4096])
def test_no_byte_past_the_buffer_is_read(size: int) -> None:
    page = mmap.PAGESIZE
    view = np.frombuffer(mmap.mmap(-1, 2 * page), np.uint8)
    libc = ctypes.CDLL(None, use_errno=True)
    guard = ctypes.c_void_p(view.ctypes.data + page)
    text = view[page - size : page]
    text[:] = np.frombuffer(("Ünd, word " * 600).encode()[:size][:-1] + b"w", np.uint8)
    offsets = np.array([0, 0 if size < 8 else size // 2, size])
    assert libc.mprotect(guard, ctypes.c_size_t(page), 0) == 0  # reading there ends the process

    try:
        signed = [sign_texts(text, offsets, Slots(), rule).signature_NP for rule in SHINGLINGS]
        expected = [
            sign_texts(text.copy(), offsets, Slots(), rule).signature_NP for rule in SHINGLINGS
        ]
    finally:
        libc.mprotect(guard, ctypes.c_size_t(page), mmap.PROT_READ | mmap.PROT_WRITE)

    assert all(map(np.array_equal, signed, expected))


def test_numbers_of_permutations_below_1_are_refused() -> None:
    with pytest.raises(ValueError, match="num_perm must be at least 1, got 0"):
        make_permutations(0, bits=64)


@pytest.mark.corpora
def test_real_documents_have_the_signatures_of_datasketch() -> None:
    if "ASSAY_CORPORA" not in os.environ:
        pytest.skip("ASSAY_CORPORA names no corpora")
    path = Path(os.environ["ASSAY_CORPORA"]) / "shards" / "fineweb-edu-150.parquet"
    documents = pq.read_table(path, columns=["text"])["text"].to_pylist()[:60]

    for shingling in SHINGLINGS:
        wide = sign_texts(*join_texts(documents), make_permutations(112, bits=64), shingling)
        narrow = sign_texts(*join_texts(documents), make_permutations(128), shingling)
        for index, document in enumerate(documents):
            shingles = list_document(document.encode(), shingling)
            assert narrow.words_N[index] == len(reference.words(document))
            assert narrow.num_shingles_N[index] == len(shingles)
            assert np.array_equal(wide.signature_NP[index], reference.wide_signature(shingles, 112))
            assert np.array_equal(narrow.signature_NP[index], reference.signature(shingles))
