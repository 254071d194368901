"""One schedule for all arms of a comparison: a window that arms share comes at one step in each.

Each arm alone is as random as before: an epoch has each of its windows once, in an order drawn
anew for every seed and epoch. Together the orders are drawn so that they agree where they can.
These are common random numbers: two arms then differ by what they do not share, and the noise of
the rest, the same in both, goes out of their difference.

All follows from (seed, epoch, layouts), so a run resumes at any window, and processes that share
steps need not talk about it.
"""

# W = windows of an epoch, K = windows that several arms share, G = grids, N = ids, A = arms

import hashlib
from collections.abc import Sequence

import numpy as np

from assay.errors import UsageError
from assay.train.data.shared_documents import Layout

_EPOCHS_KEPT = 3
_NEVER = np.iinfo(np.int64).max


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

    def starts_of(self, arm: int, windows: np.ndarray, epoch: int) -> np.ndarray:
        """Return the id before the first that each of some windows trains on: int64.

        The ids of an arm are a ring: before its first comes its last, an end-of-text.
        """
        layout, windows_G = self.layouts[arm], self._windows_AG[arm]
        first_G = np.cumsum(windows_G) - windows_G
        grid = np.searchsorted(first_G + windows_G, windows, "right")
        inside = (windows - first_G[grid]) * self.block_size
        place = layout.bound_G[grid] + inside + self.offset(epoch) - 1
        found: np.ndarray = place % layout.num_ids
        return found

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


class CoupledOrder:
    """Each window of an arm once an epoch, at the places that a schedule of all arms gives it.

    Over the ids of the arm in the order of its layout (`gather_ids`), taken as a ring.
    """

    def __init__(self, schedule: CoupledSchedule, arm: int) -> None:
        self.schedule, self.arm = schedule, arm
        self.seed, self.block_size = schedule.seed, schedule.block_size
        self.num_ids = schedule.layouts[arm].num_ids
        self.windows_per_epoch = schedule.windows[arm]
        self._left_out = self._list_left_out()
        self._first_seen = np.full(self._left_out.size, _NEVER)
        self._rest_epoch = 1

    def starts(self, first: int, count: int) -> np.ndarray:
        """Return where windows `first` to `first + count` begin: int64, shape (count,)."""
        parts = []
        while count:
            epoch, place = divmod(first, self.windows_per_epoch)
            chosen = self.schedule.place(epoch)[self.arm][place : place + count]
            parts.append(self.schedule.starts_of(self.arm, chosen, epoch))
            first, count = first + chosen.size, count - chosen.size
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    def unique_tokens(self, windows: int) -> int:
        """Count the distinct positions trained on after that many windows; exact.

        The first epoch leaves out less than a window at the end of each grid; later epochs, offset
        otherwise, reach those ids.
        """
        covered = min(windows, self.windows_per_epoch) * self.block_size
        if windows <= self.windows_per_epoch:
            return covered
        return covered + int(np.count_nonzero(self._find_first_seen(windows) < windows))

    def digest(self, windows: int) -> str:
        """Return the sha256 of where in the bin the first `windows` begin, in their order."""
        layout = self.schedule.layouts[self.arm]
        found = hashlib.sha256(f"{self.block_size} {self.num_ids} ".encode())
        for part in (layout.document_D, layout.offset_D, self.starts(0, windows)):
            found.update(part.astype("<i8").tobytes())
        return found.hexdigest()

    def _list_left_out(self) -> np.ndarray:
        """List the positions that the first epoch trains on in no window."""
        layout, offset = self.schedule.layouts[self.arm], self.schedule.offset(0)
        used_G = layout.windows_per_grid(self.block_size) * self.block_size
        end_G = np.append(layout.bound_G[1:], layout.num_ids)
        gaps = [np.arange(first, end) for first, end in
                zip(layout.bound_G + used_G, end_G, strict=True)]  # fmt: skip
        return (np.concatenate(gaps) + offset) % layout.num_ids

    def _find_first_seen(self, windows: int) -> np.ndarray:
        """Return for each id that the first epoch left out the first window that holds it."""
        layout, per_epoch = self.schedule.layouts[self.arm], self.windows_per_epoch
        windows_G = layout.windows_per_grid(self.block_size)
        while self._rest_epoch * per_epoch < windows and (self._first_seen == _NEVER).any():
            epoch = self._rest_epoch
            rank_W = np.empty(per_epoch, np.int64)
            rank_W[self.schedule.place(epoch)[self.arm]] = np.arange(per_epoch)
            position = (self._left_out - self.schedule.offset(epoch)) % layout.num_ids
            grid = np.searchsorted(layout.bound_G, position, "right") - 1
            inside = (position - layout.bound_G[grid]) // self.block_size
            held = inside < windows_G[grid]
            window = (np.cumsum(windows_G) - windows_G)[grid] + inside
            seen = epoch * per_epoch + rank_W[window[held]]
            self._first_seen[held] = np.minimum(self._first_seen[held], seen)
            self._rest_epoch += 1
        return self._first_seen


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
