"""Letters and characters: the units of the fast kernels are those of the slow twins."""

import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.kernels import njit
from assay.text.characters import hash_point, letter_table
from assay.text.pieces import CHARACTER_PIECE_BYTES
from assay.text.shingling import Shingling
from assay.text.utf8 import SHAKY_POINT
from tests.support.shingles import list_document
from tests.twins import audit as reference

ODD = [
    "a", "Z", "0", "_", "-", ".", "\x00", "\x7f", "ß", "ẞ", "İ", "\u0131", "Σ", "ς", "É", "e\u0301",
    "\u2019", "\u201c", "\u3001", "\u00a0", "\u2028", "\u3000", "\x1c", "\x85", "\u200b", "漢",
    "e", "\u0301", "\u0323", "\u212b", "\u1100\u1161", "\u11a8", "\u1fef", "\u2000",
    "ก", "𐐀", "👩\u200d🚀", "Ⓐ", "Ⅷ", "\U0010ffff", " ", " ", "\n", "\t", "abcdefgh", "--------",
]  # fmt: skip
FILLERS = [*"x -é漢𐐀İ", " .\u3000", "e\u0301", "\u0301", "\u1100\u1161\u11a8"]
texts = st.lists(
    st.one_of(st.sampled_from(ODD), st.characters(exclude_categories=["Cs"])), max_size=200
).map("".join)


@njit
def hash_points(points: np.ndarray) -> np.ndarray:
    units = np.empty(points.size, np.uint64)
    for place in range(points.size):
        units[place] = hash_point(points[place])
    return units


def list_units(text: str, unit: str) -> list[int]:
    """Return the hashes of a text's units: shingles of one."""
    return list_document(text.encode(), Shingling(unit, 1)).tolist()


@pytest.mark.parametrize("unit", ["letters", "characters"])
@settings(max_examples=150, deadline=None)
@given(text=texts)
def test_units_are_those_of_the_slow_twin(unit: str, text: str) -> None:
    expected = reference.units(text, unit)

    units = list_units(text, unit)

    assert len(units) == len(expected)
    assert units == [list_units(char, "characters")[0] for char in expected]


@pytest.mark.parametrize("unit", ["letters", "characters"])
@settings(max_examples=60, deadline=None)
@given(text=texts, length=st.integers(1, 30))
def test_shingles_are_equal_where_the_runs_of_units_are(unit: str, text: str, length: int) -> None:
    runs = reference.runs(reference.units(text, unit), length)

    hashes = list_document(text.encode(), Shingling(unit, length)).tolist()

    assert len(hashes) == len(runs)
    assert len(set(zip(hashes, runs, strict=True))) == len(set(hashes)) == len(set(runs))
    assert all(value % 2 == (len(run) == length) for value, run in zip(hashes, runs, strict=True))


def test_no_two_code_points_share_a_unit() -> None:
    units = hash_points(np.arange(0x110000, dtype=np.uint32))

    assert len(np.unique(units)) == 0x110000


def test_letter_table_has_every_code_point_that_letters_change() -> None:
    table = letter_table() & ~SHAKY_POINT

    for point in [*range(0xD800), *range(0xE000, 0x110000)]:
        char = chr(point)
        changes = char.lower() != char or char.isspace() or char in string.punctuation
        assert changes == (table[point] not in (0, point)), f"U+{point:04X}"


@pytest.mark.parametrize("unit", ["letters", "characters"])
@pytest.mark.parametrize(
    "filler",
    FILLERS,
)
def test_pieces_join_without_a_seam(unit: str, filler: str) -> None:
    """What stands around each place where a piece ends, moved by one byte at a time."""
    bytes_each = len(filler.encode())
    for shift in range(-5, 6):
        lead = "a" * (shift % bytes_each + 3)
        count = (CHARACTER_PIECE_BYTES + shift - len(lead)) // bytes_each
        text = f"{lead}{filler * count}B, c.{filler * (CHARACTER_PIECE_BYTES // bytes_each)} Dé f "
        expected = reference.units(text, unit)

        hashes = list_document(text.encode(), Shingling(unit, 13))

        last = list_document("".join(expected[-13:]).encode(), Shingling("characters", 13))
        assert len(hashes) == max(len(expected) - 12, 1)
        assert hashes[-1] == last[0]
        runs = reference.runs(expected, 13)
        assert len(set(zip(hashes.tolist(), runs, strict=True))) == len(set(runs))


def test_white_space_and_punctuation_alone_are_no_letters() -> None:
    for text in ["", " ", " \n\t", "...", " . - ", " " * (2 * CHARACTER_PIECE_BYTES)]:
        assert list_document(text.encode(), Shingling("letters", 13)).size == 0


def test_slimpajamas_example_of_equal_texts() -> None:
    """Case, marks and white space do not tell documents apart; characters as they stand do."""
    a, b = "The  quick, brown\nfox - jumped!", "the quick brown FOX jumped"

    letters = [list_document(text.encode(), Shingling("letters", 13)).tolist() for text in (a, b)]
    characters = [set(list_document(text.encode(), Shingling("characters", 24))) for text in (a, b)]

    assert letters[0] == letters[1]
    assert len(letters[0]) == 26 - 12
    assert not characters[0] & characters[1]


def test_a_short_document_never_equals_a_long_one() -> None:
    short = list_document(b"abcdef", Shingling("characters", 13))
    full = list_document(b"abcdefabcdefa", Shingling("characters", 13))

    assert short.size == full.size == 1
    assert (short[0] % 2, full[0] % 2) == (0, 1)


@pytest.mark.parametrize(("unit", "length"), [("word", 5), ("", 5), ("letters", 0)])
def test_shinglings_that_are_none_are_refused(unit: str, length: int) -> None:
    with pytest.raises(ValueError, match="must"):
        Shingling(unit, length)
