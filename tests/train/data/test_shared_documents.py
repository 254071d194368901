from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import UsageError
from assay.train.data.shared_documents import (
    BinDocuments,
    find_positions,
    gather_ids,
    lay_out,
    read_bin_documents,
)
from tests.support.bins_fixture import draw_documents, make_bins
from tests.support.coupled_arms import Texts, as_bin
from tests.twins.train import lay_out_two

# Few texts of one or two ids, so that arms share some and hold copies of others.
texts = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=2).map(tuple), min_size=1)


@given(texts, texts)
def test_documents_are_laid_out_as_the_twin_lays_them_out(one: Texts, two: Texts) -> None:
    (_, first), (_, second) = as_bin(one), as_bin(two)
    arms = [[(repr(text).encode(), len(text)) for text in each] for each in (one, two)]

    layouts = lay_out([first, second], block_size=4)

    order_one, order_two, shared = lay_out_two(*arms)
    assert layouts[0].document_D.tolist() == order_one
    assert layouts[1].document_D.tolist() == order_two
    ids = sum(len(one[place]) + 1 for place in order_one[:shared])
    assert [layout.shared_G.tolist() for layout in layouts] == [[ids], [ids]]


@given(st.lists(texts, min_size=1, max_size=4), st.integers(1, 3))
def test_a_layout_holds_each_id_of_a_bin_once_and_finds_it_there(
    arms: list[Texts], block: int
) -> None:
    bins = [as_bin(each) for each in arms]

    for (ids_N, documents), layout in zip(bins, lay_out([d for _, d in bins], block), strict=True):
        position = find_positions(np.arange(ids_N.size), documents, layout)
        assert sorted(position.tolist()) == list(range(ids_N.size))
        assert np.array_equal(ids_N[position], gather_ids(ids_N, documents, layout))


@given(st.lists(texts, min_size=2, max_size=4), st.integers(1, 2))
def test_what_arms_share_is_the_same_ids_in_each(arms: list[Texts], block: int) -> None:
    bins = [as_bin(each) for each in arms]
    held: dict[int, bytes] = {}

    for (ids_N, documents), layout in zip(bins, lay_out([d for _, d in bins], block), strict=True):
        ids = gather_ids(ids_N, documents, layout)
        for bound, group, shared in zip(
            layout.bound_G.tolist(), layout.group_G.tolist(), layout.shared_G.tolist(), strict=True
        ):
            part = ids[bound : bound + shared].tobytes()
            if group >= 0:
                assert held.setdefault(group, part) == part


def test_three_arms_cut_what_two_of_them_share_apart_where_it_is_long() -> None:
    common: Texts = [(n, n) for n in range(100)]
    pair: Texts = [(1000 + n, 7) for n in range(100)]
    own: Texts = [(2000 + n,) for n in range(5)]
    arms = [as_bin(each)[1] for each in (common + pair, pair + own + common, own + common)]

    layouts = lay_out(arms, block_size=3)

    assert [layout.group_G.tolist() for layout in layouts] == [[0, 1], [0, 1], [0]]
    assert [layout.bound_G.tolist() for layout in layouts] == [[0, 300], [0, 300], [0]]
    long = lay_out(arms, block_size=5)  # 300 ids are fewer than 64 windows
    assert [layout.group_G.tolist() for layout in long] == [[0], [0], [0]]


def test_copies_are_told_apart_by_how_many_came_before() -> None:
    one, two = as_bin([(1,), (2,), (1,), (1,)])[1], as_bin([(1,), (3,), (1,)])[1]

    layouts = lay_out([one, two], block_size=2)

    assert layouts[0].document_D.tolist() == [0, 2, 1, 3]
    assert layouts[1].document_D.tolist() == [0, 2, 1]


def test_documents_of_bins_are_read_with_their_hashes(tmp_path: Path) -> None:
    bins = make_bins(tmp_path / "bins", draw_documents(3, 20))
    other = make_bins(tmp_path / "other", draw_documents(3, 25)[5:])

    layouts = lay_out([read_bin_documents(bins), read_bin_documents(other)], block_size=16)

    assert layouts[0].document_D.tolist() == [*range(5, 20), *range(5)]
    assert layouts[1].document_D.tolist() == list(range(20))


def test_documents_that_leave_ids_out_or_have_no_end_are_refused(tmp_path: Path) -> None:
    hash_D2 = np.zeros((2, 2), np.uint64)
    with pytest.raises(UsageError, match="one after the other"):
        BinDocuments(np.array([0, 4]), np.array([3, 6]), hash_D2)
    with pytest.raises(UsageError, match="without documents"):
        BinDocuments(np.zeros(0, np.int64), np.zeros(0, np.int64), hash_D2[:0])
    bins = make_bins(tmp_path / "bins", [[1, 2], [3, 4]], end_of_text=9)
    bins.manifest.tokenizer["end_of_text"] = 8  # type: ignore[index]
    with pytest.raises(UsageError, match=r"document 0 of train\.bin does not end"):
        read_bin_documents(bins)
