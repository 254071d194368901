"""The fast word kernel finds the words that its slow twin finds."""

import unicodedata

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assay.formats.audit import WORD_RULE
from assay.text.buffers import PADDING, pad_buffer, readable_spans
from assay.text.pieces import WORDS, begin_document, read_units
from assay.text.shingling import Shingling
from assay.text.words import LONE_RANGES, fold_table, hash_words
from tests.twins import audit as reference

ODD = [
    "a", "Z", "0", "_", "-", "\x00", "\x7f", "ß", "ẞ", "İ", "\u0131", "Σ", "ς", "É", "e\u0301", "ﬃ",
    "Ǆ", "ǅ", "K", "Ⱥ", "Ⅷ", "Ⓐ", "²", "½", "\u0307", "\u200d", "\ufe0f", "👩", "👩‍🚀", "\u2019",
    "“",
    "\u00a0", "\u2028", "漢", "々", "〆", "\U00020000", "\U00030000", "ひ", "ー", "カ", "ｶ", "゙",
    "ก", "ิ", "๑", "ກ", "ຽ", "ក", "្", "မ", "ႏ", "ꩠ", "한", "ㄱ", "Ж", "Ё", "Ω", "𐐀", "𞤀",
    "\ue000", "\u0378", "\U000e0100",
    "\u212a", "\u212b", "\u1100", "\u1161", "\u11a8", "\u0338", "\u2260", "=", "\u2adc", "\u2000",
    "\u037e", "\u0323", "\u0301", "\u093c", "\u0958", "\u09c7", "\u09be", "\u3099", "\U0001d15e",
    "\U0010ffff", "\U00016fe0", "\ufffd", " ", "\n",
]  # fmt: skip
texts = st.lists(
    st.one_of(st.sampled_from(ODD), st.characters(exclude_categories=["Cs"])), max_size=300
).map("".join)


def hash_text(text: str, before: bytes = b"", after: bytes = b"") -> tuple[list[int], int]:
    """Return the hashes of a text's words, and its code points, read from between other bytes."""
    data = text.encode()
    buffer = pad_buffer(before + data + after)
    place, end = begin_document(len(before)), len(before) + len(data)
    words = np.zeros(0, np.uint64)
    found: list[int] = []
    while place[0] < end:
        place, words, count = read_units(
            buffer.ctypes.data, place, end, WORDS, Shingling().tables, words
        )
        found += words[:count].tolist()
    assert len(found) == place[3]
    return found, place[4]


def hash_alone(word: str) -> int:
    """Return the hash of what the twin calls a word, as it stands."""
    data = pad_buffer(word.encode())
    out = np.zeros((data.size + 1) // 2, np.uint64)
    count, _ = hash_words(data.ctypes.data, 0, data.size, fold_table(), out, 0, np.uint32(0))
    assert count == 1, f"{word!r} is not one word"
    return int(out[0])


@settings(max_examples=400, deadline=None)
@given(text=texts, before=st.binary(max_size=70), after=st.sampled_from([b"", b"tail", b"\xff"]))
@example(text="", before=b"", after=b"a")
@example(text="word", before=b"a" * 61, after=b"s")
@example(text="é" * 64, before=b"_", after=b"")
@example(text="x" * 63 + "É" + "y" * 64, before=b"", after=b"")
@example(text="a" * 7 + "İ" + "b" * 9, before=b"", after=b"")
def test_kernel_finds_the_words_of_its_twin(text: str, before: bytes, after: bytes) -> None:
    hashes, chars = hash_text(text, before, after)

    assert hashes == [hash_alone(word) for word in reference.words(text)]
    assert chars == len(text)


@settings(max_examples=200, deadline=None)
@given(texts)
def test_hashes_are_equal_where_words_are_equal_and_nowhere_else(text: str) -> None:
    words = reference.words(text)
    hashes, _ = hash_text(text)

    assert len(hashes) == len(words)
    assert len(set(zip(words, hashes, strict=True))) == len(set(words)) == len(set(hashes))


def test_every_code_point_is_classed_and_lower_cased_as_its_twin_does() -> None:
    points = [point for point in range(0x110000) if not 0xD800 <= point < 0xE000]
    text = " ".join(f"a{chr(point)}b" for point in points)

    words = reference.words(text)
    hashes, _ = hash_text(text)

    assert len(hashes) == len(words)
    seen = dict(zip(words, hashes, strict=True))
    assert [seen[word] for word in words] == hashes
    assert len(set(seen.values())) == len(seen)


@pytest.mark.parametrize("length", [1, 7, 8, 9, 15, 16, 17, 63, 64, 65, 127, 128, 129, 1000])
@pytest.mark.parametrize("char", ["a", "A", "é", "É", "ж", "Ж", "ⱥ", "Ⱥ", "𐐨", "𐐀"])
def test_a_word_has_one_hash_wherever_it_lies(length: int, char: str) -> None:
    word = char * length

    hashes = {
        hash_text(f"{'-' * shift}{word}{'-' * shift}", b"z" * shift)[0][0]
        for shift in (0, 1, 31, 62, 63, 64)
    }

    assert hashes == {hash_alone(word.lower())}


def test_each_character_of_a_script_without_spaces_is_a_word() -> None:
    assert reference.words("日本語ABCのテスト_1 ภาษา") == [
        "日", "本", "語", "abc", "の", "テ", "ス", "ト", "_1", "ภ", "า", "ษ", "า",
    ]  # fmt: skip
    assert len(hash_text("日本語ABCのテスト_1 ภาษา")[0]) == 13


def test_ranges_hold_the_named_scripts() -> None:
    names = {"Han": "CJK", "Hiragana": "HIRAGANA", "Katakana": "KATAKANA"}
    for point in range(0x40000):
        name = unicodedata.name(chr(point), "")
        lone = any(first <= point <= last for first, last, _ in LONE_RANGES)
        is_letter = unicodedata.category(chr(point))[0] == "L"
        scripts = ["THAI ", "LAO ", "KHMER ", "MYANMAR ", "CJK UNIFIED", "HIRAGANA LETTER"]
        if is_letter and name.startswith((*scripts, "KATAKANA LETTER", "HALFWIDTH KATAKANA")):
            assert lone, f"U+{point:04X} {name} stands in no range"
    assert {script for _, _, script in LONE_RANGES} >= set(names)


def test_rule_names_its_unicode_version() -> None:
    assert WORD_RULE.split("/") == ["words-2", f"unicode-{unicodedata.unidata_version}"]


def test_padded_buffer_is_readable_64_bytes_past_its_end() -> None:
    padded = pad_buffer(b"abc")

    assert padded.tobytes() == b"abc"
    assert padded.base is not None
    assert padded.base.size == 3 + PADDING


@settings(deadline=None)
@given(st.lists(st.integers(0, 100), max_size=8), st.integers(0, 130))
def test_spans_cover_each_document_once_and_may_be_read_past(sizes: list[int], slack: int) -> None:
    offsets = np.cumsum([0, *sizes])
    text = np.arange(offsets[-1] + slack, dtype=np.uint64).astype(np.uint8)

    documents = []
    for first, last, span, start in readable_spans(text, offsets):
        documents += range(first, last)
        lo, hi = offsets[first] - start, offsets[last] - start
        assert np.array_equal(span[lo:hi], text[offsets[first] : offsets[last]])
        held = text.size if span is text else span.base.size
        assert held - hi >= PADDING

    assert documents == list(range(len(sizes)))
