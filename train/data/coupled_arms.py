"""Bins whose runs are coupled: which arm a run is of, and the ids and order that it trains on."""

# N = ids

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from assay.formats.bins import Bins
from assay.formats.train_config import TrainConfig
from assay.storage.manifest import hash_manifest
from assay.train.data.coupled_order import CoupledOrder, CoupledSchedule
from assay.train.data.shared_documents import (
    find_positions,
    gather_ids,
    lay_out,
    read_bin_documents,
)
from assay.train.data.window_order import WindowOrder, make_order


@dataclass(frozen=True, slots=True)
class CoupledArm:
    """One of some arms that are trained coupled: the bins of all, the baseline's first."""

    arms: tuple[Bins, ...]
    place: int

    @property
    def bins(self) -> Bins:
        """Its own bins."""
        return self.arms[self.place]

    def record(self) -> dict[str, Any]:
        """Return what a run's manifest holds of it: which arm, and the manifests of all."""
        hashes = [hash_manifest(bins.folder) for bins in self.arms]
        return {"arm": self.place, "arms": hashes}

    @property
    def sha256(self) -> str:
        """What tells it from the same bins in other company."""
        return hashlib.sha256(json.dumps(self.record()).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class TrainingWindows:
    """What a run trains on: its ids, the order of their windows, and where in the bin ids lie."""

    ids_N: np.ndarray
    order: WindowOrder
    find_positions: Callable[[np.ndarray], np.ndarray]

    def positions(self, first: int, count: int) -> np.ndarray:
        """Return where in train.bin the ids of some windows lie: int64, windows by block + 1."""
        start_B = self.order.starts(first, count)
        place_BT = start_B[:, None] + np.arange(self.order.block_size + 1)
        return self.find_positions(place_BT % self.order.num_ids)

    def digest(self, windows: int) -> str:
        """Return the sha256 of where in train.bin the first and last ids of each window lie."""
        start_W = self.order.starts(0, windows)
        found = hashlib.sha256()
        for place_W in (start_W + 1, start_W + self.order.block_size):
            position_W = self.find_positions(place_W % self.order.num_ids)
            found.update(position_W.astype("<i8").tobytes())
        return found.hexdigest()


def open_windows(bins: Bins, config: TrainConfig, coupled: CoupledArm | None) -> TrainingWindows:
    """Open what a run trains on: a bin as it lies, or an arm in the order of all.

    Coupled it takes two bytes of main memory an id.

    Raises:
        UsageError: A bin has no window, or documents that cannot be told.
    """
    if coupled is None:
        ids_N = bins.map_ids("train")
        return TrainingWindows(ids_N, make_order(config, ids_N.size), lambda position: position)
    documents = [read_bin_documents(each) for each in coupled.arms]
    layouts = lay_out(documents, config.block_size)
    own, layout = documents[coupled.place], layouts[coupled.place]
    return TrainingWindows(
        gather_ids(coupled.bins.map_ids("train"), own, layout),
        CoupledOrder(CoupledSchedule(config.seed, layouts, config.block_size), coupled.place),
        lambda position: find_positions(position, own, layout),
    )


def measure_shared(arms: Sequence[Bins], config: TrainConfig) -> list[float]:
    """Measure for each arm in which share of a run's places it has the baseline's window.

    Raises:
        UsageError: A bin has no window, or documents that cannot be told.
    """
    layouts = lay_out([read_bin_documents(each) for each in arms], config.block_size)
    schedule = CoupledSchedule(config.seed, layouts, config.block_size)
    windows = config.max_iters * config.windows_per_step
    return [schedule.coupled_share(place, windows) for place in range(len(arms))]
