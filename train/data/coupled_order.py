"""One schedule for all arms of a comparison: a window that arms share comes at one step in each.

Each arm alone is as random as before: an epoch has each of its windows once, in an order drawn
anew for every seed and epoch. Together the orders are drawn so that they agree where they can.
These are common random numbers: two arms then differ by what they do not share, and the noise of
the rest, the same in both, goes out of their difference.

All follows from (seed, epoch, layouts), so a run resumes at any window, and processes that share
steps need not talk about it.
"""

# W = windows of an epoch, K = windows that several arms share, G = grids, N = ids, A = arms

from collections.abc import Sequence

import numpy as np

from assay.errors import UsageError
from assay.train.data.shared_documents import Layout
from assay.train.data.window_order import TiledOrder

_EPOCHS_KEPT = 3


class CoupledSchedule:
    """The windows of all arms, placed together; the first arm is the baseline."""

    def __init__(self, seed: int, layouts: Sequence[Layout], block_size: int) -> None:
        self.seed, self.layouts, self.block_size = seed, list(layouts), block_size
        self._windows_AG = [each.windows_per_grid(block_size) for each in layouts]
        self.windows = [int(windows_G.sum()) for windows_G in self._windows_AG]
        if (fewest := min(self.windows)) < 1:
            place = self.windows.index(fewest)
            raise UsageError(
                f"block_size must be at most the {layouts[place].num_ids:,} ids of each arm's "
                f"train.bin, got {block_size:,}; lower it, or prepare more documents"
            )
        groups = {  # windows at most, of each group
            int(group): int(shared) // block_size
            for each in layouts
            for group, shared in zip(each.group_G, each.shared_G, strict=True)
            if group >= 0
        }
        ends = np.cumsum([groups[group] for group in sorted(groups)], dtype=np.int64)
        self._first_key = {
            group: int(end) - groups[group]
            for group, end in zip(sorted(groups), ends, strict=True)
        }  # fmt: skip
        self._num_keys = int(ends[-1]) if ends.size else 0
        self._placed: dict[int, list[np.ndarray]] = {}

    def order(self, arm: int) -> "CoupledOrder":
        """Return the order of one arm's windows, over its ids as its layout has them."""
        return CoupledOrder(self, arm)

    def offset(self, epoch: int) -> int:
        """Return how far into each grid an epoch's windows begin: below a window, alike in all."""
        generator = np.random.Generator(np.random.Philox(key=[self.seed, epoch]))
        return int(generator.integers(self.block_size))

    def place(self, epoch: int) -> list[np.ndarray]:
        """Return for each arm which of its windows comes at each place of an epoch: int64, (W,)."""
        if epoch not in self._placed:
            if len(self._placed) >= _EPOCHS_KEPT:
                del self._placed[min(self._placed)]
            # A stream beside that of the offset.
            generator = np.random.Generator(np.random.Philox(key=[self.seed, epoch]).jumped())
            keys = [self.keys(arm, epoch) for arm in range(len(self.layouts))]
            self._placed[epoch] = place_windows(keys, self._num_keys, generator)
        return self._placed[epoch]

    def keys(self, arm: int, epoch: int) -> np.ndarray:
        """Return a number for each window of an arm that others may have; -1 for its own.

        Of two arms, windows of one number hold the same ids.
        """
        layout, offset = self.layouts[arm], self.offset(epoch)
        parts = []
        for group, shared, windows in zip(
            layout.group_G.tolist(), layout.shared_G.tolist(), self._windows_AG[arm], strict=True
        ):
            whole = min(max(0, (shared - offset) // self.block_size), int(windows))
            first = self._first_key[group] if group >= 0 else 0
            key_W = np.full(int(windows), -1)
            key_W[:whole] = first + np.arange(whole)
            parts.append(key_W)
        return np.concatenate(parts)

    def coupled_share(self, arm: int, windows: int, baseline: int = 0) -> float:
        """Return the share of the first `windows` places at which two arms have the same window."""
        one, two = (self._keys_at(each, windows) for each in (arm, baseline))
        return float(np.mean((one == two) & (one >= 0))) if windows else 0.0

    def _keys_at(self, arm: int, windows: int) -> np.ndarray:
        """Return the numbers of an arm's first windows, in their order; other ones every epoch."""
        parts = []
        for epoch in range(-(-windows // self.windows[arm])):
            key_W = self.keys(arm, epoch)[self.place(epoch)[arm]]
            parts.append(np.where(key_W < 0, -1, epoch * self._num_keys + key_W))
        return np.concatenate([np.zeros(0, np.int64), *parts])[:windows]


class CoupledOrder(TiledOrder):
    """Each window of an arm once an epoch, at the places that a schedule of all arms gives it.

    Over the ids of the arm in the order of its layout (`gather_ids`), taken as a ring: before the
    first comes the last, an end-of-text. The first epoch leaves out less than a window at the end
    of each grid.
    """

    def __init__(self, schedule: CoupledSchedule, arm: int) -> None:
        self.schedule, self.arm, self.layout = schedule, arm, schedule.layouts[arm]
        self.windows_G = self.layout.windows_per_grid(schedule.block_size)
        begin_G = self.layout.bound_G + self.windows_G * schedule.block_size
        end_G = np.append(self.layout.bound_G[1:], self.layout.num_ids)
        gaps = [np.arange(first, end) for first, end in zip(begin_G, end_G, strict=True)]
        left_out = (np.concatenate(gaps) + schedule.offset(0)) % self.layout.num_ids
        super().__init__(self.layout.num_ids, schedule.block_size, schedule.windows[arm], left_out)

    def order_of(self, epoch: int) -> np.ndarray:
        """Return which window comes at each place of an epoch: int64, shape (W,)."""
        return self.schedule.place(epoch)[self.arm]

    def starts_of(self, windows: np.ndarray, epoch: int) -> np.ndarray:
        """Return the id before the first that each of some windows trains on: int64."""
        end_G = np.cumsum(self.windows_G)
        grid = np.searchsorted(end_G, windows, "right")
        inside = (windows - (end_G - self.windows_G)[grid]) * self.block_size
        place = self.layout.bound_G[grid] + inside + self.schedule.offset(epoch) - 1
        found: np.ndarray = place % self.num_ids
        return found

    def windows_of(self, position: np.ndarray, epoch: int) -> np.ndarray:
        """Return the window that trains on each of some positions in an epoch: int64; -1: none."""
        place = (position - self.schedule.offset(epoch)) % self.num_ids
        grid = np.searchsorted(self.layout.bound_G, place, "right") - 1
        inside = (place - self.layout.bound_G[grid]) // self.block_size
        window = (np.cumsum(self.windows_G) - self.windows_G)[grid] + inside
        return np.where(inside < self.windows_G[grid], window, -1)


def place_windows(
    keys: Sequence[np.ndarray], num_keys: int, generator: np.random.Generator
) -> list[np.ndarray]:
    """Place the windows of all arms in one epoch: what an arm shares, where the first one has it.

    Each arm's order is uniform over all orders of its windows. All are placed among as many places
    as the largest arm has windows; what then lies beyond an arm's own number goes to places within
    it that are free. So of a smaller arm the windows that a larger one has within that number
    stand at the same places, and the others replace the larger one's own.

    Args:
        keys: For each arm the numbers of its windows: those of one number are the same window, -1
            is no other's; int64, (W,) each.
        num_keys: Above the highest number.
        generator: Where the draws come from.

    Returns:
        For each arm which window comes at each place: int64, (W,).
    """
    largest = max(key_W.size for key_W in keys)
    # Where a window stands among the places of the largest arm; and where, if moved, in a smaller.
    first_K, moved_K = np.full((2, max(1, num_keys)), -1)
    placed = []
    for key_W in keys:
        place_W = _take_places(key_W, first_K, np.ones(largest, np.bool_), generator)
        late_W = np.flatnonzero(place_W >= key_W.size)
        free = np.ones(key_W.size, np.bool_)
        free[place_W[place_W < key_W.size]] = False
        place_W[late_W] = _take_places(key_W[late_W], moved_K, free, generator)
        window_W = np.empty(key_W.size, np.int64)
        window_W[place_W] = np.arange(key_W.size)
        placed.append(window_W)
    return placed


def _take_places(
    key_W: np.ndarray, known_K: np.ndarray, free: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """Return a free place for each window: the known one if it is free, else one that is drawn.

    Of two windows that want one place the first has it. What is drawn is known from then on.
    """
    wanted_W = np.where(key_W >= 0, known_K[key_W], -1)
    able_W = (wanted_W >= 0) & (wanted_W < free.size)
    able_W[able_W] = free[wanted_W[able_W]]
    able = np.flatnonzero(able_W)
    kept = able[np.unique(wanted_W[able], return_index=True)[1]]
    place_W = np.full(key_W.size, -1)
    place_W[kept] = wanted_W[kept]
    free[wanted_W[kept]] = False
    rest = np.flatnonzero(place_W < 0)
    place_W[rest] = generator.permutation(np.flatnonzero(free))[: rest.size]
    fresh = rest[(key_W[rest] >= 0) & (known_K[key_W[rest]] < 0)]
    known_K[key_W[fresh]] = place_W[fresh]
    return place_W
