"""Which window of the training bin comes when.

`EpochOrder` draws without replacement: an epoch tiles the bin once, from an offset of its own,
in an order of its own. Both are a pure function of (seed, epoch, ids in the bin), so a run can
resume at any window, with another batch size too. `ReplacementOrder` draws as nanoGPT does, each
window anywhere, for runs that are to be repeated as they were.
"""

# N = ids in the bin, W = windows an epoch, T = block size

from abc import ABC, abstractmethod
from functools import lru_cache
from typing import Protocol

import numpy as np

from assay.errors import UsageError
from assay.formats.train_config import TrainConfig

_DRAWN_AT_ONCE = 4096  # windows; part of the definition of ReplacementOrder
_NEVER = np.iinfo(np.int64).max


class WindowOrder(Protocol):
    """Which windows of how many ids come when; the ids are a ring."""

    num_ids: int
    block_size: int

    def starts(self, first: int, count: int) -> np.ndarray:
        """Return where windows `first` to `first + count` begin: int64, shape (count,)."""
        ...

    def unique_tokens(self, windows: int) -> int:
        """Count the distinct positions trained on after that many windows; exact."""
        ...


class TiledOrder(ABC):
    """Each window once an epoch, over ids that are taken as a ring; epochs draw their own orders.

    `left_out` are the positions that the first epoch trains on in no window.
    """

    def __init__(self, num_ids: int, block_size: int, windows: int, left_out: np.ndarray) -> None:
        self.num_ids, self.block_size, self.windows_per_epoch = num_ids, block_size, windows
        self.left_out = left_out
        self._first_seen = np.full(left_out.size, _NEVER)
        self._rest_epoch = 1

    @abstractmethod
    def order_of(self, epoch: int) -> np.ndarray:
        """Return which window comes at each place of an epoch: int64, shape (W,)."""

    @abstractmethod
    def starts_of(self, windows: np.ndarray, epoch: int) -> np.ndarray:
        """Return the id before the first that each of some windows trains on: int64."""

    @abstractmethod
    def windows_of(self, position: np.ndarray, epoch: int) -> np.ndarray:
        """Return the window that trains on each of some positions in an epoch: int64; -1: none."""

    def starts(self, first: int, count: int) -> np.ndarray:
        """Return where windows `first` to `first + count` begin: int64, shape (count,)."""
        parts = []
        while count:
            epoch, place = divmod(first, self.windows_per_epoch)
            chosen = self.order_of(epoch)[place : place + count]
            parts.append(self.starts_of(chosen, epoch))
            first, count = first + chosen.size, count - chosen.size
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    def unique_tokens(self, windows: int) -> int:
        """Count the distinct positions trained on after that many windows; exact.

        The first epoch leaves some ids out; later epochs, offset otherwise, reach them.
        """
        covered = min(windows, self.windows_per_epoch) * self.block_size
        if windows <= self.windows_per_epoch:
            return covered
        return covered + int(np.count_nonzero(self._find_first_seen(windows) < windows))

    def _find_first_seen(self, windows: int) -> np.ndarray:
        """Return for each id that the first epoch left out the first window that holds it."""
        per_epoch = self.windows_per_epoch
        while self._rest_epoch * per_epoch < windows and (self._first_seen == _NEVER).any():
            rank_W = np.empty(per_epoch, np.int64)
            rank_W[self.order_of(self._rest_epoch)] = np.arange(per_epoch)
            window = self.windows_of(self.left_out, self._rest_epoch)
            held = window >= 0
            seen = self._rest_epoch * per_epoch + rank_W[window[held]]
            self._first_seen[held] = np.minimum(self._first_seen[held], seen)
            self._rest_epoch += 1
        return self._first_seen


class EpochOrder(TiledOrder):
    """Each window once an epoch, over a bin of N ids that is taken as a ring.

    A window at `start` trains on the T ids after it. As a ring: the last window may end with
    the first document, which stands, as everywhere, after an end-of-text id.
    """

    def __init__(self, seed: int, num_ids: int, block_size: int) -> None:
        self.seed, windows = seed, num_ids // block_size
        offset, _ = _draw_epoch(seed, 0, num_ids, windows)
        left_out = (offset + 1 + np.arange(windows * block_size, num_ids)) % num_ids
        super().__init__(num_ids, block_size, windows, left_out)

    def order_of(self, epoch: int) -> np.ndarray:
        """Return which window comes at each place of an epoch: int64, shape (W,)."""
        return self._draw(epoch)[1]

    def starts_of(self, windows: np.ndarray, epoch: int) -> np.ndarray:
        """Return the id before the first that each of some windows trains on: int64."""
        found: np.ndarray = (self._draw(epoch)[0] + windows * self.block_size) % self.num_ids
        return found

    def windows_of(self, position: np.ndarray, epoch: int) -> np.ndarray:
        """Return the window that trains on each of some positions in an epoch: int64; -1: none."""
        window = (position - 1 - self._draw(epoch)[0]) % self.num_ids // self.block_size
        return np.where(window < self.windows_per_epoch, window, -1)

    def _draw(self, epoch: int) -> tuple[int, np.ndarray]:
        return _draw_epoch(self.seed, epoch, self.num_ids, self.windows_per_epoch)


class ReplacementOrder:
    """Windows that begin anywhere in the bin, each drawn by itself; epochs are only counted."""

    def __init__(self, seed: int, num_ids: int, block_size: int) -> None:
        self.seed, self.num_ids, self.block_size = seed, num_ids, block_size
        self._seen_N: np.ndarray | None = None
        self._counted, self._unique = 0, 0

    def starts(self, first: int, count: int) -> np.ndarray:
        """Return where windows `first` to `first + count` begin: int64, shape (count,)."""
        block, place = divmod(first, _DRAWN_AT_ONCE)
        parts: list[np.ndarray] = []
        while count:
            generator = np.random.Generator(np.random.Philox(key=[self.seed, block]))
            drawn = generator.integers(self.num_ids - self.block_size, size=_DRAWN_AT_ONCE)
            parts.append(drawn[place : place + count])
            count, block, place = count - parts[-1].size, block + 1, 0
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    def unique_tokens(self, windows: int) -> int:
        """Count the distinct positions trained on; exact. Holds a byte an id of the bin."""
        if self._seen_N is None or windows < self._counted:
            self._seen_N, self._counted, self._unique = np.zeros(self.num_ids, np.bool_), 0, 0
        for start in self.starts(self._counted, windows - self._counted).tolist():
            part_T = self._seen_N[start + 1 : start + 1 + self.block_size]
            self._unique += self.block_size - int(np.count_nonzero(part_T))
            part_T[:] = True
        self._counted = windows
        return self._unique


def make_order(config: TrainConfig, num_ids: int) -> EpochOrder | ReplacementOrder:
    """Make the order that a run's settings ask for.

    Raises:
        UsageError: The bin has no window.
    """
    if num_ids <= config.block_size:
        raise UsageError(
            f"block_size must be below the {num_ids:,} ids of train.bin, got "
            f"{config.block_size:,}; lower it, or prepare more documents"
        )
    kind = EpochOrder if config.sampling == "epochs" else ReplacementOrder
    return kind(config.seed, num_ids, config.block_size)


@lru_cache(maxsize=4)  # the epoch under way, the next, which may be gathered already, and the first
def _draw_epoch(seed: int, epoch: int, num_ids: int, windows: int) -> tuple[int, np.ndarray]:
    """Draw an epoch's offset and the order of its windows."""
    generator = np.random.Generator(np.random.Philox(key=[seed, epoch]))
    return int(generator.integers(num_ids)), generator.permutation(windows)
