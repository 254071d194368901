"""Windows of the training bin, brought to the device."""

# N = ids in the bin, T = block size, B = windows in a batch

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from assay.train.data.window_order import WindowOrder


class Batches:
    """Windows of a bin, on the device.

    Where the ids are `resident` the bin lies there whole, two bytes an id. Where they are not, on
    CUDA a thread gathers the next batch into pinned memory while the device works on this one, and
    on the CPU they stay in the file.
    """

    def __init__(
        self,
        ids_N: np.ndarray,
        order: WindowOrder,
        device: torch.device,
        *,
        resident: bool = False,
    ) -> None:
        self.order, self.device, self._ids_N = order, device, ids_N
        self._offsets = np.arange(order.block_size + 1)
        self._resident: Tensor | None = None
        self._ahead: tuple[tuple[int, int], Future[Tensor]] | None = None
        self._prefetcher: ThreadPoolExecutor | None = None
        self._offsets_device = torch.arange(order.block_size + 1, device=device)
        if resident:
            ring = np.concatenate([ids_N, ids_N[: order.block_size + 1]]).view(np.int16)
            self._resident = torch.from_numpy(ring).to(device)
        elif device.type == "cuda":
            self.prefetch()

    def fetch(self, first: int, count: int) -> tuple[Tensor, Tensor]:
        """Return inputs and targets of windows `first` to `first + count`: int64, (B, T) each.

        Does not wait for the device.
        """
        if self._resident is not None:
            start_B = self._send(torch.from_numpy(self.order.starts(first, count)))
            # Ids lie as int16, two bytes each; the mask makes them unsigned again.
            window_BT = self._resident[start_B[:, None] + self._offsets_device].long() & 0xFFFF
        else:
            window_BT = self._send(self._take(first, count)).long()
        # Of one window a slice is contiguous as it is, with strides that compiled code is not for.
        return (
            window_BT[:, :-1].clone(memory_format=torch.contiguous_format),
            window_BT[:, 1:].clone(memory_format=torch.contiguous_format),
        )

    def close(self) -> None:
        """Stop the thread that prefetches; nothing to do where there is none."""
        if self._prefetcher is not None:
            self._prefetcher.shutdown(wait=True, cancel_futures=True)

    def prefetch(self) -> None:
        """Gather each next batch in a thread from now on."""
        self._prefetcher = ThreadPoolExecutor(1, "prefetch windows")

    def _take(self, first: int, count: int) -> Tensor:
        """Take what was prefetched, or gather now; and prefetch the batch after it."""
        if self._prefetcher is None:
            return self._gather(first, count)
        ahead = self._ahead
        ready = ahead[1].result() if ahead and ahead[0] == (first, count) else None
        window_BT = self._gather(first, count) if ready is None else ready
        following = (first + count, count)
        self._ahead = following, self._prefetcher.submit(self._gather, *following)
        return window_BT

    def _gather(self, first: int, count: int) -> Tensor:
        """Gather windows in main memory: int32, shape (B, T + 1), pinned for CUDA."""
        start_B = self.order.starts(first, count)
        index_BT = (start_B[:, None] + self._offsets) % self.order.num_ids
        return self._pin(torch.from_numpy(self._ids_N[index_BT].astype(np.int32)))

    def _pin(self, tensor: Tensor) -> Tensor:
        return tensor.pin_memory() if self.device.type == "cuda" else tensor

    def _send(self, tensor: Tensor) -> Tensor:
        return self._pin(tensor).to(self.device, non_blocking=True)
