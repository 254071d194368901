"""On what a run was computed, and in which precision."""

from collections.abc import Sequence

import msgspec
import torch

from assay.formats.run import ComputeSegment, Run
from assay.train.runtime.compiled_model import Machine
from assay.train.runtime.device import name_device


def go_on_with(
    earlier: Sequence[ComputeSegment], step: int, machine: Machine, processes: int
) -> list[ComputeSegment]:
    """Return a run's segments when it goes on from a step here; alike ones are one."""
    here = ComputeSegment(
        step=step,
        device=name_device(machine.device),
        dtype=str(machine.dtype).removeprefix("torch."),
        torch=str(torch.__version__),
        processes=processes,
    )
    if earlier and msgspec.structs.replace(here, step=earlier[-1].step) == earlier[-1]:
        return list(earlier)
    return [*earlier, here]


def read_computed(run: Run) -> list[ComputeSegment]:
    """Read on what a finished run was computed; nothing where it was not written down."""
    return msgspec.convert(run.manifest.totals.get("computed", []), list[ComputeSegment])


def tell_where(runs: Sequence[Run]) -> str:
    """Say on what runs were computed, each place once: `bfloat16 on NVIDIA H200`; "" if unknown."""
    places = [segment.where for run in runs for segment in read_computed(run)]
    return " and ".join(sorted(set(places)))
