"""Shared n-grams, pairs and spans are those that comparing strings finds."""

import random
import unicodedata
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.spans.hits import Hits, find_hits
from assay.spans.index import NgramIndex
from assay.spans.overlaps import Overlaps, find_overlaps
from assay.spans.spread import count_clusters
from tests.support.spans import build_index, flatten
from tests.twins import spans as reference
from tests.twins.audit import words

# Few words: n-grams repeat within a text and across texts. Some are lower-cased, alone, or both.
FEW = ["a", "A", "b", "c", "d", "İ", "i\u0307", "É", "é", "e\u0301", "漢", "ก", "x_1", "ß", "ﬃ"]
GAPS = [" ", "  ", "\n", "-", ", ", "\u00a0"]


@st.composite
def texts(draw: st.DrawFn, max_words: int = 40) -> str:
    some = draw(st.lists(st.sampled_from(FEW), max_size=max_words))
    return "".join(word + draw(st.sampled_from(GAPS)) for word in some)


def to_nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def find_all(
    val: Sequence[str], train: Sequence[str], length: int, clusters: Sequence[int], limit: int
) -> tuple[NgramIndex, Overlaps, Hits]:
    index = build_index(val, length)
    hits = find_hits(*flatten(train), index)
    counts_W = count_clusters(hits.run_R4, np.array(clusters), int(index.word_T[-1]))
    return index, find_overlaps(hits, index, counts_W <= limit), hits


@settings(max_examples=300, deadline=None)
@given(
    val=st.lists(texts(), min_size=1, max_size=4, unique_by=to_nfc),
    train=st.lists(texts(), max_size=5),
    length=st.integers(1, 6),
    limit=st.integers(1, 4),
    data=st.data(),
)
def test_pairs_and_spans_are_those_of_the_twin(
    val: list[str], train: list[str], length: int, limit: int, data: st.DataObject
) -> None:
    clusters = [data.draw(st.integers(0, place)) for place in range(len(train))]
    val = list({unicodedata.normalize("NFC", text): text for text in val}.values())
    index, found, _ = find_all(val, train, length, clusters, limit)
    ignored = reference.boilerplate(train, clusters, length, limit)

    pairs = {
        (t, v): number
        for v, text in enumerate(val)
        for t, other in enumerate(train)
        if (number := reference.shared_ngrams(text, other, length, ignored))
    }
    places = zip(found.document_P.tolist(), found.text_P.tolist(), strict=True)
    assert dict(zip(places, found.num_ngrams_P.tolist(), strict=True)) == pairs
    check_spans(index, found, val, train, length, ignored)


def check_spans(
    index: NgramIndex,
    found: Overlaps,
    val: Sequence[str],
    train: Sequence[str],
    length: int,
    ignored: set[str],
) -> None:
    """Every span is one of the twin's, and where n-grams do not repeat all of the twin's are.

    Places are those of the texts in NFC.
    """
    val, train = [to_nfc(text) for text in val], [to_nfc(text) for text in train]
    spans: dict[int, set[tuple[int, int, int]]] = {}
    for pair, word, char, number in zip(
        found.pair_S.tolist(),
        found.word_S.tolist(),
        found.char_S.tolist(),
        found.num_words_S.tolist(),
        strict=True,
    ):
        text = unicodedata.normalize("NFC", val[found.text_P[pair]])
        other = unicodedata.normalize("NFC", train[found.document_P[pair]])
        at = word - int(index.word_T[found.text_P[pair]])
        assert words(text[index.char_W[word] :])[:number] == words(other[char:])[:number]
        spans.setdefault(pair, set()).add((at, reference.place_words(other).index(char), number))
    assert len(spans) == found.text_P.size
    for pair, own in spans.items():
        text, other = val[found.text_P[pair]], train[found.document_P[pair]]
        expected = reference.all_spans(text, other, length, ignored)
        assert own <= expected
        assert max(number for *_, number in own) == found.longest_P[pair]
        once = [len(set(grams)) == len(grams) for grams in (
            reference.ngrams(text, length), reference.ngrams(other, length))]  # fmt: skip
        if all(once):
            assert own == expected


@pytest.mark.parametrize("seed", range(5))
def test_texts_of_many_words_are_compared_piece_by_piece(seed: int) -> None:
    chance = random.Random(seed)
    vocabulary = [f"w{number}" for number in range(3_000)]
    train = [" ".join(chance.choices(vocabulary, k=30_000)) for _ in range(3)]
    val = [" ".join(chance.choices(vocabulary, k=500)) for _ in range(4)]
    passage = train[1].split()[17_000:17_400]
    val[2] = " ".join([*val[2].split(), *(word.upper() for word in passage), *val[3].split()[:40]])

    index, found, hits = find_all(val, train, 13, [0, 1, 2], 10)

    assert found.document_P.tolist() == [1]
    assert found.text_P.tolist() == [2]
    assert found.num_ngrams_P.tolist() == [400 - 12]
    assert found.num_words_S.tolist() == [400]
    assert index.count_ngrams().tolist() == [488, 488, 928, 488]
    assert len(hits.run_R4) == 1, "one run, though the text is read in pieces"
    at = found.char_S[0]
    assert train[1][at:].split()[:400] == passage


def test_what_follows_in_both_texts_is_one_line_though_its_ngrams_stood_before() -> None:
    phrase = [f"p{number}" for number in range(20)]
    between = [f"b{number}" for number in range(30)]
    text = " ".join([*phrase, *between, *phrase, "end"])

    _, found, _ = find_all([text], [text], 13, [0], 10)

    assert found.longest_P.tolist() == [71]
    assert found.num_ngrams_P.tolist() == [59]


def test_a_word_many_times_over_takes_no_time_that_grows_with_its_square() -> None:
    val, train = "a " * 60_000, "a " * 80_000

    index, found, _ = find_all([val], [train], 13, [0], 10)

    assert found.num_ngrams_P.tolist() == index.count_ngrams().tolist() == [60_000 - 12]
    assert found.num_words_S.size == 1


def test_hashes_alone_decide_nothing() -> None:
    """Where an n-gram of equal hash is made to stand for another, it is not found."""
    text = " ".join(f"w{number}" for number in range(40))
    index = build_index([text], 13)
    index.text[:] = np.frombuffer(text.replace("w17", "x17").encode() + b"\n", np.uint8)

    hits = find_hits(*flatten([text]), index)

    assert hits.run_R4[:, 1].tolist() == [0, 18]
    assert hits.run_R4[:, 3].tolist() == [5, 10]
    assert hits.char_H.size == 15


def test_an_index_without_texts_finds_nothing() -> None:
    assert not find_hits(*flatten(["a b c"]), build_index([], 1)).run_R4.size
    assert not find_hits(*flatten(["a b c"]), build_index(["a b"], 3)).run_R4.size


def test_texts_in_another_canonical_form_share_their_ngrams() -> None:
    composed = "été à Zürich où naïve Ångström señor 한국어 가각 ẛ̣ がぎ " * 3
    train = "avant " + unicodedata.normalize("NFD", composed) + "après"

    index, found, _ = find_all([composed], [train], 5, [0], 10)

    assert found.num_ngrams_P.tolist() == index.count_ngrams().tolist()
    assert found.num_words_S.max() == len(words(composed))
    at = int(found.char_S[found.num_words_S.argmax()])
    assert unicodedata.normalize("NFC", train)[at:].startswith("été à Zürich")
    back, again, _ = find_all([train], [composed], 5, [0], 10)
    assert again.num_words_S.max() == len(words(composed))
    assert back.count_ngrams()[0] == len(words(train)) - 4


def test_what_differs_in_canonical_form_alone_is_shared() -> None:
    plain = "Đây là một đoạn văn bản tiếng Việt, được viết bằng những dấu thanh khác nhau và đủ dài"
    other = "Ngoài ra còn có " + unicodedata.normalize("NFD", plain) + ". Hết."

    index, found, _ = find_all([plain], [other], 13, [0], 10)

    assert found.num_words_S.tolist() == [len(words(plain))]
    assert to_nfc(other)[int(found.char_S[0]) :].startswith(plain)
    backwards, same, _ = find_all([other], [plain], 13, [0], 10)
    assert same.num_words_S.tolist() == found.num_words_S.tolist()
    assert index.count_ngrams()[0] < backwards.count_ngrams()[0]
