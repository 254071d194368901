"""Windows of the training bin, brought to the device."""

# N = ids in the bin, T = block size, B = windows in a batch

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from assay.train.memory import free_bytes
from assay.train.order import Order, WindowOrder

__all__ = ["Batches", "WindowOrder"]

_RESIDENT_SHARE = 0.3  # of the device's free memory that the ids may take


class Batches:
    """Windows of a bin, on the device.

    On CUDA the ids lie there whole, two bytes each, where they take at most three tenths of its
    free memory. Where they do not, a thread gathers the next batch into pinned memory while the
    device works on this one.
    """

    def __init__(
        self,
        ids_N: np.ndarray,
        order: Order,
        device: torch.device,
        *,
        resident_share: float = _RESIDENT_SHARE,
    ) -> None:
        self.order = order
        self.device = device
        self._ids_N = ids_N
        self._reach = np.arange(order.block_size + 1)
        self._resident: Tensor | None = None
        self._ahead: tuple[tuple[int, int], Future[Tensor]] | None = None
        self._gatherer: ThreadPoolExecutor | None = None
        if device.type == "cuda":
            if 2 * ids_N.size < resident_share * free_bytes(device):
                self._resident = self._move_ring(ids_N)
                self._reach_device = torch.arange(order.block_size + 1, device=device)
            else:
                self._gatherer = ThreadPoolExecutor(1, "gather windows")

    def fetch(self, first: int, count: int) -> tuple[Tensor, Tensor]:
        """Return inputs and targets of windows `first` to `first + count`: int64, (B, T) each.

        Does not wait for the device.
        """
        if self._resident is not None:
            start_B = torch.from_numpy(self.order.starts(first, count)).pin_memory()
            start_B = start_B.to(self.device, non_blocking=True)
            # Ids lie as int16, two bytes each; the mask makes them unsigned again.
            window_BT = self._resident[start_B[:, None] + self._reach_device].long() & 0xFFFF
        else:
            window_BT = self._gather_ahead(first, count).to(self.device, non_blocking=True).long()
        return window_BT[:, :-1].contiguous(), window_BT[:, 1:].contiguous()

    def close(self) -> None:
        """Stop the thread that gathers; nothing to do where there is none."""
        if self._gatherer is not None:
            self._gatherer.shutdown(wait=True, cancel_futures=True)

    def _move_ring(self, ids_N: np.ndarray) -> Tensor:
        ring = np.concatenate([ids_N, ids_N[: self.order.block_size + 1]]).view(np.int16)
        return torch.from_numpy(ring).to(self.device)

    def _gather_ahead(self, first: int, count: int) -> Tensor:
        """Take what was gathered ahead, or gather now; and ask for the batch after it."""
        if self._gatherer is None:
            return self._gather(first, count)
        ahead = self._ahead
        ready = ahead[1].result() if ahead and ahead[0] == (first, count) else None
        window_BT = self._gather(first, count) if ready is None else ready
        following = (first + count, count)
        self._ahead = following, self._gatherer.submit(self._gather, *following)
        return window_BT

    def _gather(self, first: int, count: int) -> Tensor:
        """Gather windows in main memory: int32, shape (B, T + 1), pinned for CUDA."""
        start_B = self.order.starts(first, count)
        index_BT = (start_B[:, None] + self._reach) % self.order.num_ids
        window_BT = torch.from_numpy(self._ids_N[index_BT].astype(np.int32))
        return window_BT.pin_memory() if self.device.type == "cuda" else window_BT
