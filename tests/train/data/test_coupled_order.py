from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import UsageError
from assay.train.data.batches import Batches
from assay.train.data.coupled_order import place_windows
from tests.support.coupled_arms import CoupledArms, change_texts, draw_texts
from tests.twins.train import check_placed, cut_windows

KINDS = ("edit", "drop", "insert")
SHARES = (0.01, 0.05, 0.2)
# Mean lengths of documents from a fifth of a window to four of them.
BLOCK, MEANS = 64, (13, 64, 256)
keys = st.lists(
    st.lists(st.integers(-1, 30), min_size=1, max_size=20).map(
        lambda drawn: [key for n, key in enumerate(drawn) if key < 0 or key not in drawn[:n]]
    ),
    min_size=1,
    max_size=4,
)


@pytest.mark.parametrize("mean", MEANS)
@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("kind", KINDS)
def test_an_edit_costs_no_more_windows_than_those_that_it_touches(
    kind: str, share: float, mean: int
) -> None:
    texts = draw_texts(1, 40_000 // mean + 400, mean)
    edited, hit = change_texts(texts, kind, share, seed=2)
    arms = CoupledArms([texts, edited], BLOCK)

    before, after = arms.windows(0), set(arms.windows(1))
    touched = arms.documents_touched(0)
    untouched = [window for window, held in zip(before, touched, strict=True) if not held & hit]
    lost = sum(window not in after for window in before) / len(before)
    length = sum(len(text) + 1 for text in texts) / len(texts)

    assert sum(window in after for window in untouched) >= 0.95 * len(untouched)
    assert lost <= 1.15 * (1 - (1 - share) ** (1 + BLOCK / length))
    for order in arms.orders:
        assert order.num_ids - order.windows_per_epoch * BLOCK <= 0.02 * order.num_ids


@pytest.mark.parametrize("kind", KINDS)
def test_windows_that_both_arms_have_in_the_first_epoch_stand_at_one_step(kind: str) -> None:
    texts = draw_texts(3, 900, 50)
    arms = CoupledArms([texts, change_texts(texts, kind, 0.2, seed=4)[0]], BLOCK)
    fewest = min(arms.schedule.windows)
    one, two = (
        {window: step for step, window in enumerate(arms.windows(arm)[:fewest])} for arm in (0, 1)
    )

    both = one.keys() & two.keys()

    assert sum(one[window] == two[window] for window in both) >= 0.98 * len(both)
    assert len(both) > 0.6 * fewest
    share = arms.schedule.coupled_share(1, fewest)
    assert share == pytest.approx(len(both) / fewest, abs=0.02)


@given(keys, st.integers(0, 5))
def test_windows_are_placed_as_the_twin_demands(drawn: list[list[int]], seed: int) -> None:
    generator = np.random.Generator(np.random.Philox(key=[seed, 0]))
    key_AW = [np.array(each, np.int64) for each in drawn]

    pair = place_windows(key_AW[:2], 31, generator)
    placed = place_windows(key_AW, 31, generator)

    assert not check_placed(drawn[:2], [each.tolist() for each in pair])
    assert [sorted(each.tolist()) for each in placed] == [list(range(len(each))) for each in drawn]


def test_each_arm_alone_has_an_order_as_random_as_any() -> None:
    """Shared windows and own ones come early and late alike, in a smaller arm and in a larger."""
    few, many = np.array([-1] * 4 + list(range(12))), np.array([-1] * 10 + list(range(12)))
    for key_AW in ([few, many], [many, few]):
        place_AW = [np.zeros((2000, key_W.size)) for key_W in key_AW]
        for seed in range(2000):
            generator = np.random.Generator(np.random.Philox(key=[seed, 1]))
            for place_SW, window_W in zip(
                place_AW, place_windows(key_AW, 12, generator), strict=True
            ):
                place_SW[seed, window_W] = np.arange(window_W.size)
        for key_W, place_SW in zip(key_AW, place_AW, strict=True):
            places = key_W.size
            error = np.sqrt((places**2 - 1) / 12 / 2000)
            assert np.abs(place_SW.mean(0) - (places - 1) / 2).max() < 4.5 * error
            # Each window at each place: counts about 2000 / places.
            counts = np.stack([(place_SW == place).sum(0) for place in range(places)])
            expected = 2000 / places
            assert (((counts - expected) ** 2 / expected).sum(0) < places - 1 + 5.5 * np.sqrt(
                2 * (places - 1))).all()  # fmt: skip


@pytest.mark.parametrize("epoch", [0, 1, 4])
def test_each_arm_sees_each_of_its_windows_once_an_epoch(epoch: int) -> None:
    texts = draw_texts(5, 300, 30)
    arms = CoupledArms([texts, change_texts(texts, "drop", 0.2, seed=6)[0]], BLOCK)
    offset = arms.schedule.offset(epoch)

    for arm, ids_N in enumerate(arms.ids):
        cut = cut_windows(ids_N.tolist(), BLOCK, offset)
        assert sorted(arms.windows(arm, epoch)) == sorted(
            np.array(window, np.uint16).tobytes() for window in cut
        )


def test_epochs_and_seeds_differ_in_order_and_offset() -> None:
    texts = draw_texts(7, 400, 50)
    arms = CoupledArms([texts, texts[20:]], BLOCK, seed=1)
    other = CoupledArms([texts, texts[20:]], BLOCK, seed=2)

    assert arms.schedule.offset(0) != arms.schedule.offset(1)
    assert arms.windows(0, 0) != arms.windows(0, 1)
    assert arms.windows(1) != other.windows(1)
    again = CoupledArms([texts, texts[20:]], BLOCK, seed=1)
    assert arms.windows(1) == again.windows(1)


@given(st.integers(0, 400), st.integers(1, 60), st.integers(1, 5))
def test_resumed_or_shared_by_processes_the_order_is_the_same(
    first: int, own: int, processes: int
) -> None:
    texts = draw_texts(8, 120, 40)
    edited = change_texts(texts, "edit", 0.1, seed=9)[0]
    whole = CoupledArms([texts, edited], BLOCK).orders[1].starts(0, first + processes * own)

    fresh = CoupledArms([texts, edited], BLOCK).orders[1]  # nothing drawn before that window
    parts = [fresh.starts(first + rank * own, own) for rank in reversed(range(processes))]

    assert np.array_equal(np.concatenate(parts[::-1]), whole[first:])


@given(st.integers(0, 300), st.integers(0, 3), st.integers(3, 7))
def test_unique_tokens_are_counted_exactly(windows: int, seed: int, block: int) -> None:
    common, pair = draw_texts(10, 60, 9), draw_texts(11, 80, 9)
    arms = CoupledArms([common + pair, pair + common[5:], common], block, seed)
    for order in arms.orders:
        start_W = order.starts(0, windows)
        seen = {(start + 1 + t) % order.num_ids for start in start_W.tolist() for t in range(block)}
        assert order.unique_tokens(windows) == len(seen)


def test_three_arms_are_coupled_to_the_first_with_what_each_shares() -> None:
    texts = draw_texts(12, 1500, 50)
    two, three = (
        change_texts(texts, kind, 0.1, seed)[0] for kind, seed in (("edit", 1), ("drop", 2))
    )
    arms = CoupledArms([texts, two, three], BLOCK)
    run = min(arms.schedule.windows)

    assert arms.schedule.coupled_share(1, run) > 0.86
    assert arms.schedule.coupled_share(2, run) > 0.86
    waste = [order.num_ids - order.windows_per_epoch * BLOCK for order in arms.orders]
    assert all(each <= 0.02 * order.num_ids for each, order in zip(waste, arms.orders, strict=True))


def test_a_third_arm_that_is_ten_times_as_large_leaves_the_others_coupled() -> None:
    shared = draw_texts(17, 400, 50)
    two = change_texts(shared, "edit", 0.05, seed=1)[0]
    arms = CoupledArms([shared, two, shared[::2] + draw_texts(18, 4000, 50)], BLOCK)
    run = min(arms.schedule.windows)

    assert arms.schedule.coupled_share(1, run) > 0.9


def test_arms_of_the_same_data_are_the_same_run_and_strangers_share_nothing() -> None:
    texts, others = draw_texts(13, 300, 40), draw_texts(14, 300, 40)

    same = CoupledArms([texts, texts], BLOCK)
    apart = CoupledArms([texts, others], BLOCK)

    assert same.windows(0) == same.windows(1)
    windows = same.schedule.windows[0]
    # The last window, which ends with the first document, is no group's.
    assert same.schedule.coupled_share(1, windows) >= 1 - 1 / windows
    assert apart.schedule.coupled_share(1, windows) == 0.0
    assert not set(apart.windows(0)) & set(apart.windows(1))


def test_shared_windows_reach_the_device_as_the_same_ids_at_the_same_step() -> None:
    texts = draw_texts(15, 300, 40)
    arms = CoupledArms([texts, change_texts(texts, "edit", 0.05, seed=1)[0]], BLOCK)
    batches = [
        Batches(ids_N, order, torch.device("cpu"), resident=resident)
        for ids_N, order, resident in zip(arms.ids, arms.orders, (False, True), strict=True)
    ]

    (one, target), (two, _) = (each.fetch(0, 100) for each in batches)

    same = (one == two).all(1).float().mean().item()
    assert same == pytest.approx(arms.schedule.coupled_share(1, 100), abs=0.01)
    assert same > 0.8
    assert torch.equal(target[:, :-1], one[:, 1:])


def test_a_bin_without_a_whole_window_is_refused_with_both_numbers() -> None:
    with pytest.raises(UsageError, match=r"at most the 7 ids of each arm's train.bin, got 8"):
        CoupledArms([draw_texts(1, 5, 20), [(1, 2, 3), (4, 5)]], 8)


def test_orders_are_drawn_anew_for_every_epoch_of_arms_of_one_size() -> None:
    texts = draw_texts(16, 200, 60)
    edited = [text if place % 10 else text[::-1] for place, text in enumerate(texts)]
    arms = CoupledArms([texts, edited], BLOCK)
    windows = arms.schedule.windows[0]

    shares = [arms.schedule.coupled_share(1, windows * epochs) for epochs in (1, 2, 3)]

    assert min(shares) > 0.8
    assert all(abs(one - two) < 0.05 for one, two in pairwise(shares))
