"""Several processes that train one model, started by torchrun.

Every process holds the whole model and takes its part of each step's windows; gradients are
added up once a step. To compare data, one run on each GPU is the better use of several.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor

from assay.errors import UsageError

_TIMEOUT = timedelta(hours=12)  # one process scores while the others wait


@dataclass(frozen=True, slots=True)
class ProcessGroup:
    """The processes that share each step: which one this is, and how many there are."""

    rank: int = 0
    size: int = 1

    @property
    def is_rank0(self) -> bool:
        """Whether this is the process that writes files and prints."""
        return self.rank == 0

    def all_reduce(self, flat: Tensor) -> None:
        """Add a tensor up over all processes, in place."""
        if self.size > 1:
            dist.all_reduce(flat)

    def broadcast(self, number: int) -> int:
        """Return rank 0's number, in every process."""
        if self.size == 1:
            return number
        shared = torch.tensor([number], device="cuda" if dist.get_backend() == "nccl" else "cpu")
        dist.broadcast(shared, 0)
        return int(shared.item())

    def barrier(self) -> None:
        """Wait for all processes."""
        if self.size > 1:
            dist.barrier()


SINGLE_PROCESS = ProcessGroup()


@contextmanager
def join_process_group(device: str) -> Iterator[tuple[ProcessGroup, str]]:
    """Join the processes that torchrun started; alone where it did not.

    Yields the group and the device of this process: `auto` and `cuda` become the GPU of its rank.

    Raises:
        UsageError: There are fewer GPUs than processes here, or one is named for all.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size < 2:
        yield SINGLE_PROCESS, device
        return
    if device.startswith("cuda:"):
        raise UsageError(
            f"device must be auto under torchrun, got {device} for {size} processes; with auto "
            "each has a GPU of its own"
        )
    on_cuda = torch.cuda.is_available() and device in ("auto", "cuda")
    if on_cuda:
        local = int(os.environ["LOCAL_RANK"])
        if local >= torch.cuda.device_count():
            raise UsageError(
                f"torchrun started process {local + 1} here, there are "
                f"{torch.cuda.device_count()} GPUs; lower --nproc-per-node"
            )
        device = f"cuda:{local}"
        torch.cuda.set_device(local)
    dist.init_process_group("nccl" if on_cuda else "gloo", timeout=_TIMEOUT)
    try:
        yield ProcessGroup(dist.get_rank(), dist.get_world_size()), device
    finally:
        dist.destroy_process_group()
