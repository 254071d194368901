"""Which window of the training bin comes when.

Windows are drawn without replacement: an epoch tiles the bin once, from an offset of its own,
in an order of its own. Both are a pure function of (seed, epoch, ids in the bin), so a run can
go on from any window, with another batch size too.
"""

# N = ids in the bin, W = windows an epoch, T = block size, B = windows in a batch

import numpy as np
import torch
from torch import Tensor

from assay.errors import UsageError

_RESIDENT_SHARE = 0.3  # of the device's free memory that the ids may take


class WindowOrder:
    """The order of windows over a bin of N ids that is taken as a ring.

    A window at `start` trains on the T ids after it. As a ring: the last window may end with
    the first document, which stands, as everywhere, after an end-of-text id.
    """

    def __init__(self, seed: int, num_ids: int, block_size: int) -> None:
        if num_ids <= block_size:
            raise UsageError(
                f"train.bin has {num_ids:,} ids, block_size is {block_size:,}; lower block_size "
                "below the ids, or prepare more documents"
            )
        self.seed = seed
        self.num_ids = num_ids
        self.block_size = block_size
        self.windows_per_epoch = num_ids // block_size
        self._epochs: dict[int, tuple[int, np.ndarray]] = {}
        self._first_seen: np.ndarray | None = None

    def starts(self, first: int, count: int) -> np.ndarray:
        """Return where windows `first` to `first + count` begin: int64, shape (count,)."""
        parts = []
        while count:
            epoch, place = divmod(first, self.windows_per_epoch)
            offset, order_W = self._draw(epoch)
            chosen = order_W[place : place + count]
            parts.append((offset + chosen * self.block_size) % self.num_ids)
            first, count = first + chosen.size, count - chosen.size
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    def unique_tokens(self, windows: int) -> int:
        """Count the distinct positions trained on after that many windows; exact.

        The first epoch leaves N mod T ids out; later epochs, offset otherwise, reach them.
        """
        covered = min(windows, self.windows_per_epoch) * self.block_size
        if windows <= self.windows_per_epoch:
            return covered
        return covered + int(np.count_nonzero(self._rest_first_seen(windows) < windows))

    def _draw(self, epoch: int) -> tuple[int, np.ndarray]:
        if epoch not in self._epochs:
            generator = np.random.Generator(np.random.Philox(key=[self.seed, epoch]))
            offset = int(generator.integers(self.num_ids))
            order_W = generator.permutation(self.windows_per_epoch)
            for old in [e for e in self._epochs if e < epoch - 1]:
                del self._epochs[old]
            self._epochs[epoch] = offset, order_W
        return self._epochs[epoch]

    def _rest_first_seen(self, windows: int) -> np.ndarray:
        """Return for each id that epoch 0 left out the first window that holds it."""
        never = np.iinfo(np.int64).max
        rest = self.num_ids % self.block_size
        if self._first_seen is None:
            self._first_seen = np.full(rest, never, np.int64)
            self._rest_epoch = 1
        tiled = self.windows_per_epoch * self.block_size
        position = (self._draw(0)[0] + tiled + np.arange(rest)) % self.num_ids
        while (
            self._rest_epoch * self.windows_per_epoch < windows
            and (self._first_seen == never).any()
        ):
            offset, order_W = self._draw(self._rest_epoch)
            rank_W = np.empty_like(order_W)
            rank_W[order_W] = np.arange(order_W.size)
            window = (position - offset) % self.num_ids // self.block_size
            inside = window < self.windows_per_epoch
            seen = np.full(rest, never, np.int64)
            seen[inside] = self._rest_epoch * self.windows_per_epoch + rank_W[window[inside]]
            self._first_seen = np.minimum(self._first_seen, seen)
            self._rest_epoch += 1
        return self._first_seen


class Batches:
    """Windows of a bin, on the device; the ids stay there where they fit."""

    def __init__(self, ids_N: np.ndarray, order: WindowOrder, device: torch.device) -> None:
        self.order = order
        self.device = device
        self._ids_N = ids_N
        self._reach = np.arange(order.block_size + 1)
        self._resident: Tensor | None = None
        if device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(device)
            if 2 * ids_N.size < _RESIDENT_SHARE * free:
                ring = np.concatenate([ids_N, ids_N[: order.block_size + 1]]).view(np.int16)
                self._resident = torch.from_numpy(ring).to(device)
                self._reach_device = torch.arange(order.block_size + 1, device=device)

    def fetch(self, first: int, count: int) -> tuple[Tensor, Tensor]:
        """Return inputs and targets of windows `first` to `first + count`: int64, (B, T) each.

        Does not wait for the device.
        """
        start_B = self.order.starts(first, count)
        if self._resident is None:
            index_BT = (start_B[:, None] + self._reach) % self.order.num_ids
            window_BT = torch.from_numpy(self._ids_N[index_BT].astype(np.int64))
            if self.device.type == "cuda":
                window_BT = window_BT.pin_memory()
            window_BT = window_BT.to(self.device, non_blocking=True)
        else:
            start = torch.from_numpy(start_B).pin_memory().to(self.device, non_blocking=True)
            # Ids lie as int16, two bytes each; the mask makes them unsigned again.
            window_BT = self._resident[start[:, None] + self._reach_device].long() & 0xFFFF
        return window_BT[:, :-1].contiguous(), window_BT[:, 1:].contiguous()
