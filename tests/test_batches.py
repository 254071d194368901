from collections.abc import Iterable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import UsageError
from assay.train.batches import Batches, WindowOrder


def positions(order: WindowOrder, windows: Iterable[int]) -> list[int]:
    """The positions that windows train on, one list."""
    starts = [int(order.starts(window, 1)[0]) for window in windows]
    return [(s + 1 + t) % order.num_ids for s in starts for t in range(order.block_size)]


def test_an_epoch_trains_on_each_position_once() -> None:
    order = WindowOrder(seed=7, num_ids=60, block_size=5)

    for epoch in range(3):
        seen = positions(order, range(12 * epoch, 12 * (epoch + 1)))
        assert sorted(seen) == list(range(60))


def test_epochs_and_seeds_differ_in_order_and_offset() -> None:
    order, other = WindowOrder(7, 6000, 50), WindowOrder(8, 6000, 50)

    first, second = order.starts(0, 120), order.starts(120, 120)

    assert first[0] % 50 != second[0] % 50
    assert not np.array_equal(np.argsort(first), np.argsort(second))
    assert not np.array_equal(first, other.starts(0, 120))


@given(st.integers(0, 100), st.integers(1, 40), st.integers(1, 40))
def test_the_order_does_not_depend_on_the_batch(first: int, one: int, two: int) -> None:
    order = WindowOrder(3, 101, 9)
    whole = WindowOrder(3, 101, 9).starts(first, one + two)

    parts = np.concatenate([order.starts(first, one), order.starts(first + one, two)])

    assert np.array_equal(parts, whole)


@given(st.integers(6, 80), st.integers(2, 5), st.integers(0, 60), st.integers(0, 5))
def test_unique_tokens_are_counted_exactly(ids: int, block: int, windows: int, seed: int) -> None:
    order = WindowOrder(seed, ids, block)

    assert order.unique_tokens(windows) == len(set(positions(order, range(windows))))


def test_unique_tokens_may_be_asked_in_any_order() -> None:
    late_first = WindowOrder(1, 23, 5)
    answers = [late_first.unique_tokens(windows) for windows in (40, 6, 3, 9)]

    assert answers == [WindowOrder(1, 23, 5).unique_tokens(w) for w in (40, 6, 3, 9)]


def test_targets_are_the_ids_after_the_inputs() -> None:
    ids = np.arange(23, dtype=np.uint16)
    batches = Batches(ids, WindowOrder(0, 23, 5), torch.device("cpu"))

    inputs, targets = batches.fetch(0, 8)

    assert inputs.shape == targets.shape == (8, 5)
    assert torch.equal(targets, (inputs + 1) % 23)
    assert inputs.dtype == torch.int64


def test_a_bin_as_short_as_a_block_is_refused_with_both_numbers() -> None:
    with pytest.raises(UsageError, match="has 8 ids, block_size is 8"):
        WindowOrder(0, 8, 8)
