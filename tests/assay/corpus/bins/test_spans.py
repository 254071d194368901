from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assay.corpus.bins import spans
from assay.corpus.bins.spans import Spans, cut_at_marks, cut_blocks, strip_marks
from assay.corpus.tokenizer import Tokenizer
from tests.support.bin_writers import after_each, before_each
from tests.twins import bins as twin

END = 9
ids_or_marks = st.lists(st.sampled_from([0, 1, END]), max_size=24)
documents = st.lists(st.lists(st.integers(0, 8), min_size=1, max_size=4), min_size=1, max_size=8)


def cut(ids: list[int]) -> Spans:
    marks = np.flatnonzero(np.array(ids, np.uint16) == END)
    return cut_at_marks(marks, len(ids))


def take(ids: list[int], found: Spans) -> list[list[int]]:
    return [ids[start:end] for start, end in found.ends_D2.tolist()]


@given(ids=ids_or_marks)
@example(ids=[END, END, END, END])
@example(ids=[END, 1, END, END, 1, END])
@example(ids=[END, 1, END])
def test_documents_are_those_of_the_twin(ids: list[int]) -> None:
    assert take(ids, cut(ids)) == twin.documents(ids, END)


@given(parts=documents)
@pytest.mark.parametrize("order", [after_each, before_each])
def test_the_side_of_the_marks_makes_no_difference(
    order: Callable[..., list[int]], parts: list[list[int]]
) -> None:
    ids = order(parts, END)

    found = cut(ids)

    assert take(ids, found) == parts
    assert not found.note


@given(parts=documents)
def test_marks_on_both_sides_make_no_empty_documents(parts: list[list[int]]) -> None:
    parts = [*parts, [1]]
    ids = [each for part in parts for each in (END, *part, END)]

    assert take(ids, cut(ids)) == parts


@given(parts=documents, at=st.integers(1, 40))
def test_a_part_at_an_edge_is_a_document_and_is_said(parts: list[list[int]], at: int) -> None:
    ids = after_each([*parts, [3, 3]], END)
    at %= len(ids)
    for half in (ids[:at], ids[at:]):
        if not half:
            continue
        found = cut(half)
        assert bool(found.note) == (half[0] != END and half[-1] != END)
        kept = [each for part in take(half, found) for each in part]
        assert kept == [each for each in half if each != END]


@given(parts=documents, before=st.booleans(), after=st.booleans())
def test_an_index_tells_documents_and_marks_are_left_out(
    parts: list[list[int]], before: bool, after: bool
) -> None:
    whole = [[END] * before + part + [END] * after for part in parts]
    stops = np.cumsum([0, *map(len, whole)])
    ids = np.array([each for part in whole for each in part], np.uint16)

    found = strip_marks(np.stack([stops[:-1], stops[1:]], axis=1), ids, END)

    assert take(ids.tolist(), found) == parts


def test_an_index_by_which_some_documents_end_with_a_mark_is_refused() -> None:
    ids = np.array([1, END, 2, END, 3, END], np.uint16)

    with pytest.raises(ValueError, match="2 of 3 documents end with end-of-text"):
        strip_marks(np.array([[0, 2], [2, 3], [3, 6]]), ids, END)


def test_blocks_begin_where_characters_do(gpt2: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans, "_BLOCK_IDS", 5)
    text = "🙂🚀 naïve 東京 🦜🦜🦜 plain words follow here " * 4
    ids = gpt2.encode_reference(text.encode())

    found = cut_blocks(ids, gpt2, "why")

    assert found.untold == "why"
    assert found.ends_D2[0, 0] == 0
    assert found.ends_D2[-1, 1] == ids.size
    assert (found.ends_D2[1:, 0] == found.ends_D2[:-1, 1]).all()
    assert len(found.ends_D2) > 5
    parts = [gpt2.decode(ids[start:end]).decode() for start, end in found.ends_D2.tolist()]
    assert "".join(parts) == text
