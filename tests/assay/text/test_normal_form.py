"""Texts in NFC: the fast kernel against `unicodedata`, and what that makes of words and letters."""

import random
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.text.buffers import PADDING, pad_buffer
from assay.text.canonical import LIMIT, canon_table, list_shaky
from assay.text.normal_form import normalise
from assay.text.pieces import CHARACTER_PIECE_BYTES, PIECE_BYTES
from assay.text.shingling import Shingling
from tests.support.shingles import list_document
from tests.twins import audit as reference

POINTS = [point for point in range(0x110000) if not 0xD800 <= point < 0xE000]
# Code points that have a canonical decomposition, a class, or a part in Hangul.
CANONICAL = [
    point
    for point in range(LIMIT)
    if unicodedata.combining(chr(point))
    or unicodedata.decomposition(chr(point))[:1] not in ("", "<")
]
PARTS = sorted({part for point in CANONICAL for part in unicodedata.normalize("NFD", chr(point))})
HANGUL = [*"\u1100\u1112\u1113\u1161\u1175\u1176\u11a7\u11a8\u11c2\u11c3\uac00\uac01\ud7a3"]
canonical_texts = st.lists(
    st.one_of(
        st.sampled_from(PARTS),
        st.sampled_from(CANONICAL).map(chr),
        st.sampled_from(HANGUL),
        st.sampled_from([*"aeoACEKz .,=<-", "\n", "abcdefgh", "\u3000"]),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=120,
).map("".join)


def to_nfc(text: str) -> str:
    """Normalise by the kernel; code points read and bytes to spare are checked on the way."""
    data = pad_buffer(text.encode())
    out, size, chars = normalise(data.ctypes.data, 0, data.size, canon_table())
    assert chars == len(text)
    assert out.size >= size + PADDING
    return out[:size].tobytes().decode()


def write_otherwise(text: str, chance: random.Random) -> str:
    """Write a text in another canonical form: some letters whole, some in parts, marks shuffled."""
    written: list[str] = []
    for char in unicodedata.normalize("NFD", text):
        place = len(written)
        while (
            unicodedata.combining(char)
            and place
            and unicodedata.combining(written[place - 1]) not in (0, unicodedata.combining(char))
            and chance.random() < 0.5
        ):
            place -= 1
        written.insert(place, char)
    whole, cut = [], "".join(written)
    while cut:
        length = chance.randrange(1, 9)
        form = chance.choice(["NFC", "NFD", None])
        whole.append(cut[:length] if form is None else unicodedata.normalize(form, cut[:length]))
        cut = cut[length:]
    return "".join(whole)


@settings(max_examples=500, deadline=None)
@given(canonical_texts)
def test_the_kernel_gives_what_unicodedata_gives(text: str) -> None:
    assert to_nfc(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("before", ["", "a", "e\u0323", "\u1100", "\uac00", "\u0915"])
@pytest.mark.parametrize("after", ["", "\u0301", "\u1161"])
def test_every_code_point_in_company(before: str, after: str) -> None:
    text = " ".join(f"{before}{chr(point)}{after}" for point in POINTS)

    assert to_nfc(text) == unicodedata.normalize("NFC", text)


def test_every_pair_that_may_be_joined() -> None:
    """Each code point that stands first in a decomposition, before each that stands second."""
    halves = [unicodedata.decomposition(chr(point)).split() for point in CANONICAL]
    pairs = [half for half in halves if len(half) == 2 and not half[0].startswith("<")]
    firsts, seconds = ({chr(int(pair[side], 16)) for pair in pairs} for side in (0, 1))
    text = " ".join(a + b for a in sorted(firsts) for b in sorted(seconds))
    syllables = "".join(
        chr(0x1100 + leading) + chr(0x1161 + vowel) + chr(0x11A7 + trailing)
        for leading in range(20)
        for vowel in range(22)
        for trailing in range(29)
    )

    assert len(pairs) > 1000
    for written in (text, syllables):
        assert to_nfc(written) == unicodedata.normalize("NFC", written)


def test_shaky_code_points_are_those_that_nfc_may_change_or_join() -> None:
    """By definition: NFC_Quick_Check is not Yes, or the canonical combining class is not 0."""
    joined = {0x1161 + place for place in range(21)} | {0x11A8 + place for place in range(27)}
    for point in CANONICAL:
        halves = unicodedata.decomposition(chr(point)).split()
        if len(halves) == 2 and unicodedata.normalize("NFC", chr(point)) == chr(point):
            joined.add(int(halves[1], 16))

    expected = [
        point
        for point in POINTS
        if point in joined
        or unicodedata.combining(chr(point))
        or unicodedata.normalize("NFC", chr(point)) != chr(point)
    ]

    assert list_shaky().tolist() == expected


@settings(max_examples=300, deadline=None)
@given(canonical_texts)
def test_a_text_may_be_cut_before_each_code_point_that_is_not_shaky(text: str) -> None:
    shaky = set(list_shaky().tolist())
    whole = unicodedata.normalize("NFC", text)

    for place in range(len(text)):
        if ord(text[place]) not in shaky:
            parts = (unicodedata.normalize("NFC", part) for part in (text[:place], text[place:]))
            assert "".join(parts) == whole


def test_many_marks_on_one_letter_are_put_in_order() -> None:
    chance = random.Random(5)
    classes = {unicodedata.combining(chr(point)): chr(point) for point in CANONICAL}
    known = [mark for rank, mark in classes.items() if rank and mark != "\u0344"]
    marks = [chance.choice(known) for _ in range(50_000)]
    ordered = "x" + "".join(sorted(marks, key=unicodedata.combining))
    some = "x" + "".join(marks[:2000])

    assert to_nfc("x" + "".join(marks)) == to_nfc(ordered)
    assert to_nfc(some) == unicodedata.normalize("NFC", some)


def test_a_text_that_grows_threefold_has_room() -> None:
    for char in ("\U0001d160", "\ufb2c", "\u0958", "\U0001d1c0"):
        text = char * 1000

        assert to_nfc(text) == unicodedata.normalize("NFC", text)
        assert len(to_nfc(text).encode()) > len(text.encode())


@pytest.mark.parametrize("unit", ["words", "letters"])
@settings(max_examples=300, deadline=None)
@given(text=canonical_texts, seed=st.integers(0, 2**32))
def test_a_text_has_the_same_shingles_in_each_canonical_form(
    unit: str, text: str, seed: int
) -> None:
    other = write_otherwise(text, random.Random(seed))
    assert unicodedata.normalize("NFC", other) == unicodedata.normalize("NFC", text)

    shingles = [list_document(form.encode(), Shingling(unit, 3)) for form in (text, other)]

    assert np.array_equal(*shingles)
    assert len(shingles[0]) == len(reference.runs(reference.units(text, unit), 3))


@pytest.mark.parametrize("unit", ["words", "letters"])
@pytest.mark.parametrize("bytes_each", [PIECE_BYTES, CHARACTER_PIECE_BYTES])
def test_a_letter_and_its_mark_are_never_in_two_pieces(unit: str, bytes_each: int) -> None:
    for shift in range(8):
        text = "x" * shift + " cafe\u0301 =\u0338 \u1112\u1161\u11ab" * (3 * bytes_each // 20)

        composed, apart = (
            list_document(unicodedata.normalize(form, text).encode(), Shingling(unit, 5))
            for form in ("NFC", "NFD")
        )

        assert np.array_equal(composed, apart)
        assert len(composed) == len(reference.runs(reference.units(text, unit), 5))


def test_characters_as_they_stand_differ_by_their_form() -> None:
    forms = [list_document(text.encode(), Shingling("characters", 1)) for text in ("é", "e\u0301")]

    assert [form.size for form in forms] == [1, 2]


@pytest.mark.parametrize(
    "pair",
    [("\ufb01", "fi"), ("\uff21", "A"), ("\uff76", "カ"), ("\u00b2", "2"), ("a\u00adb", "ab")],
)
def test_what_nfc_keeps_apart_stays_apart(pair: tuple[str, str]) -> None:
    """Compatibility forms and characters that are not seen are no matter of canonical form."""
    assert reference.words(pair[0]) != reference.words(pair[1])
    a, b = (list_document(text.encode(), Shingling()) for text in pair)
    assert not np.array_equal(a, b)
