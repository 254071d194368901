"""Words hashed from token ids are those of the decoded text."""

import unicodedata

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.corpus.tokenizer import Tokenizer
from assay.prepare.leaks.token_words import hash_text, load_vocabulary
from tests.support.leaks import hash_words
from tests.twins.audit import words

LETTERS = "aAbZÉéİi\u0307Ωωǅßﬃ_1\u0300日本ก한ﾊ"
texts = st.text(st.sampled_from(LETTERS + "-,. \n\u00a0🙂\u3000") | st.characters(codec="utf-8"))
hash_of: dict[str, int] = {}  # across examples: equal words have equal hashes, and no others
word_of: dict[int, str] = {}


def check(gpt2: Tokenizer, ids: np.ndarray, text: str, piece: int) -> None:
    """Where NFC may change a text that is told, and where it does it must be."""
    vocabulary = load_vocabulary(gpt2)

    found_W, shaky = hash_words(ids.astype(np.uint16), piece, vocabulary)

    found = found_W.tolist()
    if shaky:
        return
    assert unicodedata.normalize("NFC", text) == text
    data = np.frombuffer(gpt2.decode(ids), np.uint8)
    assert hash_text(data, 0, data.size, vocabulary.fold).tolist() == found
    expected = words(text)
    assert len(found) == len(expected)
    for word, value in zip(expected, found, strict=True):
        assert hash_of.setdefault(word, value) == value
        assert word_of.setdefault(value, word) == word


@settings(max_examples=150, deadline=None)
@given(text=texts, piece=st.integers(1, 9))
def test_words_of_a_text_are_those_of_its_ids(gpt2: Tokenizer, text: str, piece: int) -> None:
    check(gpt2, gpt2.encode_reference(text.encode()), text, piece)


@settings(max_examples=150, deadline=None)
@given(
    ids=st.lists(st.integers(0, 50_256) | st.integers(94, 255) | st.integers(220, 50_000)),
    piece=st.integers(1, 9),
)
def test_words_of_any_ids_are_those_of_their_bytes(
    gpt2: Tokenizer, ids: list[int], piece: int
) -> None:
    """What is not UTF-8 is no letter; ids that no encoder would choose spell the same words."""
    array = np.array(ids, np.int64)
    check(gpt2, array, gpt2.decode(array).decode("utf-8", "replace"), piece)


def test_an_id_beyond_the_vocabulary_stands_for_no_bytes(gpt2: Tokenizer) -> None:
    ids = np.array([64, 65_535, 65, 50_257, 50_300], np.uint16)

    found, _ = hash_words(ids, 100, load_vocabulary(gpt2))

    assert found.tolist() == hash_words(ids[[0, 2]], 100, load_vocabulary(gpt2))[0].tolist()
    assert found.size == 1


def test_text_that_nfc_leaves_alone_is_read_from_its_ids(gpt2: Tokenizer) -> None:
    for text, expected in (
        ("caf\u00e9 \u65e5\u672c \ud55c\uad6d na\u00efve", False),
        ("cafe\u0301", True),
    ):
        ids = gpt2.encode_reference(text.encode()).astype(np.uint16)
        assert hash_words(ids, 100, load_vocabulary(gpt2))[1] == expected
