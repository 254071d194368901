"""On what a run was computed, and in which precision."""

from collections.abc import Sequence

import msgspec
import torch

from assay.train.device import name_device
from assay.train.machine import Machine
from assay.train.runs import Run


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """Steps of a run computed alike: from `step` on, until the next stretch begins.

    `device` is a card's name, or cpu; `processes` shared each step.
    """

    step: int
    device: str
    dtype: str
    torch: str
    processes: int

    @property
    def where(self) -> str:
        """Say on what: `bfloat16 on NVIDIA H100 80GB HBM3`."""
        return f"{self.dtype} on {self.device}"


def go_on_with(
    earlier: Sequence[Stretch], step: int, machine: Machine, processes: int
) -> list[Stretch]:
    """Return a run's stretches when it goes on from a step here; alike ones are one."""
    here = Stretch(
        step=step,
        device=name_device(machine.device),
        dtype=str(machine.dtype).removeprefix("torch."),
        torch=str(torch.__version__),
        processes=processes,
    )
    if earlier and msgspec.structs.replace(here, step=earlier[-1].step) == earlier[-1]:
        return list(earlier)
    return [*earlier, here]


def read_computed(run: Run) -> list[Stretch]:
    """Read on what a finished run was computed; nothing where it was not written down."""
    return msgspec.convert(run.manifest.totals.get("computed", []), list[Stretch])


def tell_where(runs: Sequence[Run]) -> str:
    """Say on what runs were computed, each place once: `bfloat16 on NVIDIA H200`; "" if unknown."""
    places = [stretch.where for run in runs for stretch in read_computed(run)]
    return " and ".join(sorted(set(places)))
