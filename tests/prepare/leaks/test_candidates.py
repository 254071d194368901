"""No document that shares what counts is left out."""

import random
import unicodedata
from itertools import pairwise

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assay.corpus.tokenizer import Tokenizer
from assay.prepare.leaks.candidates import NEAR, SPANS, find_candidates, seek_texts
from assay.prepare.leaks.texts import DocumentIds
from tests.support.leaks import encode_documents
from tests.support.spans import flatten
from tests.twins.leaks import find_leaked, grams, split_words

FEW = ["a", "A", "b", "c", "d", "É", "e\u0301", "漢", "x_1", "İ"]
texts = st.lists(st.sampled_from(FEW), max_size=25).flatmap(
    lambda found: st.sampled_from([" ", ", ", "\n"]).map(lambda gap: gap.join(found))
)


def flag(
    ids: DocumentIds, num_val: int, length: int, shingle: int | None, threshold: float
) -> np.ndarray:
    source, start_N, end_N = ids.sources[0], ids.start_N, ids.end_N
    data, offsets = ids.decode(np.arange(num_val))
    parts = [bytes(data[a:b]).decode() for a, b in pairwise(offsets.tolist())]
    held = flatten([unicodedata.normalize("NFC", part) for part in parts])
    sought = seek_texts(*held, ids.vocabulary.fold, length, shingle, threshold)
    flags = np.zeros(start_N.size - num_val, np.uint8)
    find_candidates(source, start_N[num_val:], end_N[num_val:], ids.vocabulary, sought, flags)
    return flags


@example(val=["e\u0301"], train=["É"], length=1, shingle=None, threshold=0.5)
@settings(max_examples=100, deadline=None)
@given(
    val=st.lists(texts, min_size=1, max_size=3),
    train=st.lists(texts, min_size=1, max_size=6),
    length=st.integers(1, 8),
    shingle=st.sampled_from([None, 1, 3, 5]),
    threshold=st.sampled_from([0.5, 0.8, 1.0]),
)
def test_each_document_that_shares_is_a_candidate(
    gpt2: Tokenizer,
    val: list[str],
    train: list[str],
    length: int,
    shingle: int | None,
    threshold: float,
) -> None:
    flags = flag(encode_documents(val + train, gpt2), len(val), length, shingle, threshold)

    own = [split_words(text) for text in val]
    sought = {gram for found in own for gram in grams(found, length)}
    for text, found in zip(train, flags.tolist(), strict=True):
        there = split_words(text)
        if not sought.isdisjoint(grams(there, length)):
            assert found & SPANS
        tiers = find_leaked(own, [there], [0], length=99, shingle=shingle, threshold=threshold)
        if "near" in tiers.values():
            assert found & NEAR


def test_what_shares_little_is_no_candidate(gpt2: Tokenizer) -> None:
    chance = random.Random(1)
    names = [f"w{number}" for number in range(2_000)]
    val = [" ".join(chance.choices(names, k=300)) for _ in range(5)]
    train = [" ".join(chance.choices(names, k=20_000)) for _ in range(20)]
    train[3] += " " + " ".join(val[2].split()[100:113])
    train[4] += " " + " ".join(val[2].split()[100:112])
    train[5] = val[1].replace("w1", "v1", 3)

    flags = flag(encode_documents(val + train, gpt2), 5, 13, 5, 0.8)

    assert flags.tolist() == [0, 0, 0, SPANS, 0, SPANS | NEAR, *[0] * 14]
