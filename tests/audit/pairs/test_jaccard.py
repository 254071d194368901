"""Verified Jaccard values equal those of Python's sets on the words."""

import os
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.audit.minhash.band_keys import make_keys
from assay.audit.minhash.permutations import make_permutations
from assay.audit.minhash.sign import sign_texts
from assay.audit.pairs.candidates import expand_pairs, pair_groups, propose_pairs, release_members
from assay.audit.pairs.jaccard import ShingleSets, join_sets, make_sets, measure_pairs, verify_pairs
from assay.text.pieces import PIECE_BYTES
from tests.twins import audit as reference

texts = st.lists(
    st.lists(st.sampled_from(["a", "b", "É", "漢", "-"]), max_size=40).map(" ".join), max_size=8
)


def join_texts(documents: list[str]) -> tuple[np.ndarray, np.ndarray]:
    encoded = [document.encode() for document in documents]
    return np.frombuffer(b"".join(encoded), np.uint8), np.cumsum([0, *map(len, encoded)])


def make_pairs(count: int) -> np.ndarray:
    return np.array(list(combinations(range(count), 2)), np.int64).reshape(-1, 2)


def pack_sets(members: list[set[int]]) -> ShingleSets:
    flat = [value for own in members for value in sorted(own)]
    return ShingleSets(np.array(flat, np.uint64), np.cumsum([0, *map(len, members)]))


@settings(max_examples=80, deadline=None)
@given(documents=texts, threshold=st.sampled_from([0.01, 0.25, 0.5, 0.8, 1.0]))
def test_jaccard_equals_that_of_sets_of_words(documents: list[str], threshold: float) -> None:
    runs = [set(reference.shingles(document)) for document in documents]

    sets = make_sets(*join_texts(documents))
    pair_P2 = make_pairs(len(documents))
    jaccard_P = verify_pairs(sets, pair_P2, threshold)

    assert np.diff(sets.offsets_N).tolist() == [len(own) for own in runs]
    for (a, b), value in zip(pair_P2.tolist(), jaccard_P.tolist(), strict=True):
        true = reference.jaccard(runs[a], runs[b])
        assert value == true if true >= threshold else np.isnan(value)


@settings(max_examples=150, deadline=None)
@given(
    members=st.lists(st.sets(st.integers(1, 300)), min_size=2, max_size=5),
    threshold=st.floats(0.01, 1.0),
)
def test_merging_equals_python_sets(members: list[set[int]], threshold: float) -> None:
    sets, pair_P2 = pack_sets(members), make_pairs(len(members))

    jaccard_P = verify_pairs(sets, pair_P2, threshold)

    true = [reference.jaccard(members[a], members[b]) for a, b in pair_P2.tolist()]
    expected = [value if value >= threshold else np.nan for value in true]
    assert np.array_equal(jaccard_P, expected, equal_nan=True)
    assert measure_pairs(sets, pair_P2).tolist() == true


@pytest.mark.parametrize("size", [5, 9, 50, 999, 1000])
def test_a_pair_that_just_meets_the_threshold_is_reported(size: int) -> None:
    for shared in range(1, size):
        sets = pack_sets([set(range(1, shared + 1)), set(range(1, size + 1))])
        pair_P2 = np.array([[0, 1]])
        exact = shared / size
        assert verify_pairs(sets, pair_P2, exact)[0] == exact
        assert np.isnan(verify_pairs(sets, pair_P2, np.nextafter(exact, 1)))[0]


def test_values_ascend_without_repeats() -> None:
    text = " ".join(f"w{n % 700}" for n in range(3000)) + " end" * 500

    sets = make_sets(*join_texts(["", text, "one two", text[:2000]]))

    for document in range(4):
        own = sets.values[sets.offsets_N[document] : sets.offsets_N[document + 1]]
        assert np.all(own[1:] > own[:-1])
    assert np.diff(sets.offsets_N).tolist()[:3] == [0, len(set(reference.shingles(text))), 1]


def test_a_document_longer_than_a_piece_has_all_its_shingles() -> None:
    text = " ".join(f"W{n}É" for n in range(PIECE_BYTES // 3))

    sets = make_sets(*join_texts([text, text.lower()]))

    assert np.diff(sets.offsets_N).tolist() == [len(set(reference.shingles(text)))] * 2
    assert verify_pairs(sets, np.array([[0, 1]]), 0.8).tolist() == [1.0]


def test_documents_that_were_not_chosen_have_empty_sets() -> None:
    documents = ["a b c d e", "a b c d e", "a b c d e f"]

    chosen = make_sets(*join_texts(documents), chosen_N=np.array([True, False, True]))

    assert np.diff(chosen.offsets_N).tolist() == [1, 0, 2]
    assert np.isnan(verify_pairs(chosen, np.array([[0, 1]]), 0.1)).all()


def test_joined_parts_equal_the_whole_and_threads_change_nothing() -> None:
    documents = [" ".join(f"w{(n * k) % 31}" for k in range(60)) for n in range(120)]
    whole = make_sets(*join_texts(documents))

    parts = join_sets([make_sets(*join_texts(documents[at : at + 50])) for at in (0, 50, 100)])
    pair_P2 = make_pairs(120)
    one = verify_pairs(whole, pair_P2, 0.3)

    assert np.array_equal(parts.values, whole.values)
    assert np.array_equal(parts.offsets_N, whole.offsets_N)
    assert np.array_equal(one, verify_pairs(whole, pair_P2, 0.3, threads=4), equal_nan=True)
    assert 0 < np.count_nonzero(one >= 0.3) < len(pair_P2)


@pytest.mark.parametrize("threshold", [0.0, -1.0, 1.01])
def test_thresholds_outside_0_to_1_are_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="threshold"):
        verify_pairs(pack_sets([{1}, {1}]), np.array([[0, 1]]), threshold)


@pytest.mark.corpora
def test_bands_and_verification_find_the_pairs_of_an_exhaustive_search() -> None:
    if "ASSAY_CORPORA" not in os.environ:
        pytest.skip("ASSAY_CORPORA names no corpora")
    path = Path(os.environ["ASSAY_CORPORA"]) / "shards" / "powershell-docs.parquet"
    documents = sorted(set(pq.read_table(path, columns=["text"])["text"].to_pylist()))[:250]
    text, offsets = join_texts(documents)
    sets = make_sets(text, offsets)
    signed = sign_texts(text, offsets, make_permutations(128))

    found = propose_pairs(make_keys(signed.signature_NP, 32, 4), signed.num_shingles_N > 0)
    grouped = pair_groups(found.group_N)
    odd = grouped[np.isnan(verify_pairs(sets, grouped, 1.0)), 1]
    found = release_members(found, odd)
    jaccard_P = verify_pairs(sets, found.pair_P2, 0.8)
    near = jaccard_P >= 0.8
    pair_P2, made_of_P = expand_pairs(found.pair_P2[near], found.group_N)
    jaccard_P = np.append(jaccard_P[near], 1.0)[made_of_P]
    ours = dict(zip(map(tuple, pair_P2.tolist()), jaccard_P.tolist(), strict=True))

    assert len(ours) > 20
    assert ours == reference.exhaustive_pairs(documents, 0.8)
