from collections.abc import Iterable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import UsageError
from assay.formats.config_checks import make_config
from assay.train.data.batches import Batches
from assay.train.data.window_order import EpochOrder, ReplacementOrder, WindowOrder, make_order

CPU = torch.device("cpu")


def positions(order: WindowOrder, windows: Iterable[int]) -> list[int]:
    """The positions that windows train on, one list."""
    starts = [int(order.starts(window, 1)[0]) for window in windows]
    return [(s + 1 + t) % order.num_ids for s in starts for t in range(order.block_size)]


def test_an_epoch_trains_on_each_position_once() -> None:
    order = EpochOrder(seed=7, num_ids=60, block_size=5)

    for epoch in range(3):
        seen = positions(order, range(12 * epoch, 12 * (epoch + 1)))
        assert sorted(seen) == list(range(60))


def test_epochs_and_seeds_differ_in_order_and_offset() -> None:
    order, other = EpochOrder(7, 6000, 50), EpochOrder(8, 6000, 50)

    first, second = order.starts(0, 120), order.starts(120, 120)

    assert first[0] % 50 != second[0] % 50
    assert not np.array_equal(np.argsort(first), np.argsort(second))
    assert not np.array_equal(first, other.starts(0, 120))


@given(st.integers(0, 100), st.integers(1, 40), st.integers(1, 40))
def test_the_order_does_not_depend_on_the_batch(first: int, one: int, two: int) -> None:
    order = EpochOrder(3, 101, 9)
    whole = EpochOrder(3, 101, 9).starts(first, one + two)

    parts = np.concatenate([order.starts(first, one), order.starts(first + one, two)])

    assert np.array_equal(parts, whole)


@given(st.integers(6, 80), st.integers(2, 5), st.integers(0, 60), st.integers(0, 5))
def test_unique_tokens_are_counted_exactly(ids: int, block: int, windows: int, seed: int) -> None:
    order = EpochOrder(seed, ids, block)

    assert order.unique_tokens(windows) == len(set(positions(order, range(windows))))


def test_unique_tokens_may_be_asked_in_any_order() -> None:
    late_first = EpochOrder(1, 23, 5)
    answers = [late_first.unique_tokens(windows) for windows in (40, 6, 3, 9)]

    assert answers == [EpochOrder(1, 23, 5).unique_tokens(w) for w in (40, 6, 3, 9)]


def test_targets_are_the_ids_after_the_inputs() -> None:
    ids = np.arange(23, dtype=np.uint16)
    batches = Batches(ids, EpochOrder(0, 23, 5), torch.device("cpu"))

    inputs, targets = batches.fetch(0, 8)

    assert inputs.shape == targets.shape == (8, 5)
    assert torch.equal(targets, (inputs + 1) % 23)
    assert inputs.dtype == torch.int64


@pytest.mark.parametrize("way", ["resident", "prefetched"])
@pytest.mark.parametrize("sampling", ["epochs", "replacement"])
def test_every_way_to_the_device_brings_the_same_ids(way: str, sampling: str) -> None:
    ids = np.arange(64_000, 65_536, 5).astype(np.uint16)  # above int16's range
    config = make_config({"block_size": 16, "sampling": sampling})
    plain = Batches(ids, make_order(config, ids.size), CPU)
    other = Batches(ids, make_order(config, ids.size), CPU, resident=way == "resident")
    if way == "prefetched":
        other.prefetch()

    for first, count in ((0, 4), (4, 4), (8, 4), (40, 3), (43, 3), (2, 2)):
        for one, two in zip(plain.fetch(first, count), other.fetch(first, count), strict=True):
            assert torch.equal(one, two)
    assert other.fetch(0, 1)[0].min() >= 64_000
    other.close()


@given(st.integers(6, 80), st.integers(2, 5), st.integers(0, 90), st.integers(0, 5))
def test_with_replacement_unique_tokens_are_counted_exactly(
    ids: int, block: int, windows: int, seed: int
) -> None:
    order = ReplacementOrder(seed, ids, block)
    starts = order.starts(0, windows).tolist()
    expected = [
        len({s + 1 + t for s in starts[:n] for t in range(block)}) for n in (windows, windows // 2)
    ]

    assert all(0 <= start < ids - block for start in starts)
    assert [order.unique_tokens(n) for n in (windows, windows // 2)] == expected


def test_with_replacement_an_epoch_leaves_a_third_unseen_and_draws_do_not_depend_on_the_batch() -> (
    None
):
    order = ReplacementOrder(3, 50_000, 10)

    seen = order.unique_tokens(5000) / 50_000

    assert seen == pytest.approx(1 - np.exp(-1), abs=0.01)
    parts = [order.starts(4000, 90), order.starts(4090, 10), order.starts(4100, 4200)]
    assert np.array_equal(np.concatenate(parts), order.starts(4000, 4300))


def test_a_bin_as_short_as_a_block_is_refused_with_both_numbers() -> None:
    for sampling in ("epochs", "replacement"):
        config = make_config({"block_size": 8, "sampling": sampling})
        with pytest.raises(UsageError, match=r"block_size must be below the 8 ids .*, got 8"):
            make_order(config, 8)
