"""Samples: the right document, the words that differ, and never more than asked for."""

import time
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.formats.audit import open_audit
from assay.reports.page.page import Piece
from assay.reports.sources.samples import EXCERPT, Samples, compare_texts, cut
from assay.reports.views.duplicates import MAX_PAIRS, choose_pairs
from tests.support.report_folders import SHARD, TEXTS, make_audit

WORDS = st.lists(st.sampled_from(["a", "bb", "ccc", "dd", "x" * 400]), max_size=40)


def join(pieces: tuple[Piece, ...]) -> str:
    return "".join(piece.text for piece in pieces)


def test_every_document_is_read_from_the_kept_ids(tmp_path: Path) -> None:
    samples = Samples(open_audit(make_audit(tmp_path / "audit")))
    rows = [SHARD[:i].count(shard) for i, shard in enumerate(SHARD)]

    found = [samples.read(shard, row) for shard, row in zip(SHARD, rows, strict=True)]

    assert found == list(TEXTS)


@pytest.mark.parametrize(("shard", "row"), [(0, 4), (1, 9), (3, 0)])
def test_document_that_is_not_there_has_no_text(tmp_path: Path, shard: int, row: int) -> None:
    assert Samples(open_audit(make_audit(tmp_path / "audit"))).read(shard, row) is None


@given(WORDS, WORDS)
def test_pieces_are_words_of_their_side_and_short(a: list[str], b: list[str]) -> None:
    found = compare_texts(" ".join(a), " ".join(b))

    for pieces, words in ((found.left, a), (found.right, b)):
        shown = join(pieces)
        assert len(shown) <= EXCERPT
        assert shown.removeprefix("\u2026 ").rstrip().removesuffix("\u2026") in " ".join(words)
    assert found.differs == (a != b)
    assert a[: found.same_words] == b[: found.same_words]


def test_only_differing_words_are_told_apart() -> None:
    found = compare_texts("one two three four", "one 2 three four five")

    assert [piece.text.strip() for piece in found.left if piece.kind == "differs"] == ["two"]
    assert [piece.text.strip() for piece in found.right if piece.kind == "differs"] == ["2", "five"]
    assert found.same_words == 1


def test_words_before_the_first_difference_are_counted_not_shown() -> None:
    same = [f"w{i}" for i in range(500)]

    found = compare_texts(" ".join([*same, "x"]), " ".join([*same, "y"]))

    assert found.same_words == 500
    assert join(found.left).startswith("\u2026 w488 ")


def test_comparing_long_texts_is_quick() -> None:
    start = time.process_time()

    compare_texts("a b " * 200_000, "b a " * 200_000)

    assert time.process_time() - start < 2


@given(st.text(max_size=2000))
def test_cut_text_is_one_short_line(text: str) -> None:
    line = cut(text)

    assert len(line) <= EXCERPT
    assert len(line.splitlines()) <= 1
    if not line.endswith("\u2026"):
        assert line == " ".join(text.split())


@pytest.mark.parametrize("number", [0, 1, 2, 5, 6, 7, 200])
def test_pairs_to_show_are_spread_and_share_no_document(number: int) -> None:
    pairs = pl.DataFrame(
        {
            "shard_a": [0] * number, "row_a": [2 * i for i in range(number)],
            "shard_b": [0] * number, "row_b": [2 * i + 1 for i in range(number)],
            "jaccard": [0.8 + 0.2 * i / max(1, number) for i in range(number)],
        },
        schema_overrides={"jaccard": pl.Float64},
    )  # fmt: skip

    chosen = choose_pairs(pairs)

    places = [row[key] for row in chosen for key in ("row_a", "row_b")]
    assert len(chosen) == min(number, MAX_PAIRS)
    assert len(places) == len(set(places))
    if number:
        assert chosen[0]["row_a"] == 0
