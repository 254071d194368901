"""One process that trains runs until the time is up, and writes each down as it ends.

    python -m bench.coupling.worker WORK OUT NUMBER ENDS SCALE

Several processes share the list of runs: each takes the next that nobody has. ENDS is a time of
`time.time()`.
"""

# B = windows in a batch, T = positions, J = held-out documents

import json
import os
import sys
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from assay.formats.train_config import TrainConfig
from assay.train.data.batches import Batches
from assay.train.data.coupled_order import CoupledSchedule
from assay.train.data.shared_documents import Layout, gather_ids, lay_out
from assay.train.data.window_order import EpochOrder, WindowOrder
from assay.train.run.step import Stepper
from assay.train.runtime.compiled_model import CompiledModel, compile_model
from assay.train.runtime.memory import fits_resident
from bench.coupling.data import Dataset, make_mixture, make_null, split_documents
from bench.coupling.plan import SCALES, Run, Scale, list_runs
from bench.recipe.data import open_ids
from bench.recipe.worker import pack_documents, score, train

_FIRST, _SLACK = 60.0, 3.0  # seconds of a run with its compilation; and that a run may take longer


@dataclass
class Bench:
    """What runs are carried out with."""

    work: Path
    scale: Scale
    models: list[CompiledModel] = field(default_factory=list)
    uploaded: dict[tuple[bool, int], Batches] = field(default_factory=dict)
    packed: list[tuple[Tensor, Tensor, Tensor]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Read the packs that lie unpacked in the folder."""
        self.ids, news = open_ids(self.work / "articles"), open_ids(self.work / "news")
        self.articles = split_documents(self.ids.train_N, self.ids.end_of_text)
        self.news = split_documents(news.train_N, news.end_of_text)

    @cached_property
    def mixture(self) -> tuple[Dataset, Dataset]:
        """The two datasets of the pairs that are no null."""
        return make_mixture(self.articles, self.news, self.scale.ids)

    @cached_property
    def mixture_layouts(self) -> list[Layout]:
        """How those two are laid out for coupled runs."""
        return self.lay_out(self.mixture)

    def lay_out(self, pair: tuple[Dataset, Dataset]) -> list[Layout]:
        """Lay out a pair of datasets."""
        block = self.scale.size.shape["block_size"]
        return lay_out([each.documents for each in pair], block)

    def carry_out(self, run: Run) -> tuple[dict[str, Any], np.ndarray]:
        """Train a run and score it; return its line, and the nats of each held-out document."""
        began, config = time.monotonic(), run.configure(self.scale)
        if not self.models:
            self.models.append(compile_model(config, self.ids.vocab_size))
        compiled = self.models[0]
        compiled.model.init_weights(config.seed)
        batches, share = self.find_batches(run, config, compiled.device)
        stepper = Stepper(compiled, config, batches.fetch)
        found = train(stepper, config)
        scored = time.monotonic()
        if not self.packed:
            self.packed = [
                (a.to(compiled.device), b.to(compiled.device), c.to(compiled.device))
                for a, b, c in pack_documents(self.ids, config.block_size)
            ]
        nats_J = score(compiled, self.packed, self.ids.start_J.size)
        line = {
            **{"key": run.key, "coupled": run.coupled, "arm": run.arm, "pair": run.pair},
            **{"share": run.share, "seed": config.seed, "same_steps": share},
            "loss": float(nats_J.sum()) / self.ids.held_out_tokens,
            "diverged": found["diverged"],
            "train_loss": found["curve"][-1][1],
            "tokens_per_second": round(found["tokens_per_second"]),
            "unique_tokens": batches.order.unique_tokens(config.max_iters * config.batch_size),
            "scoring": round(time.monotonic() - scored, 2),
            "seconds": round(time.monotonic() - began, 2),
        }
        return line, nats_J

    def find_batches(
        self, run: Run, config: TrainConfig, device: torch.device
    ) -> tuple[Batches, float]:
        """Return a run's windows on the device, and the share of places that its arms share."""
        null = run.share is not None
        pair = self.mixture
        if run.share is not None:
            pair = make_null(self.articles, self.scale.ids, run.share, run.pair)
        own = pair[run.arm]
        order: WindowOrder = EpochOrder(config.seed, own.ids_N.size, config.block_size)
        ids_N, share = own.ids_N, 0.0
        if run.coupled:
            layouts = self.lay_out(pair) if null else self.mixture_layouts
            schedule = CoupledSchedule(config.seed, layouts, config.block_size)
            order = schedule.order(run.arm)
            share = schedule.coupled_share(1, config.max_iters * config.batch_size)
            ids_N = gather_ids(own.ids_N, own.documents, layouts[run.arm])
        key = run.coupled, run.arm
        if null or key not in self.uploaded:
            made = Batches(ids_N, order, device, resident=fits_resident(device, ids_N.size))
            if null:
                return made, share
            self.uploaded[key] = made
        self.uploaded[key].order = order
        return self.uploaded[key], share


def main() -> None:
    """Take runs that nobody has, until the time is up."""
    work, out, number = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    ends, scale = float(sys.argv[4]), SCALES[sys.argv[5]]
    if not torch.cuda.is_available():
        torch.set_num_threads(1)
    bench, longest = Bench(work, scale), 0.0
    card = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    with (
        (out / f"runs-{number}.jsonl").open("a") as lines,
        (out / f"nats-{number}.f32").open("ab") as nats,
        (work / "done" / f"{number}-{os.getpid()}.jsonl").open("a") as done,
    ):
        for run in list_runs(scale):
            if time.time() + (1.2 * longest if longest else _FIRST) + _SLACK > ends:
                break
            if not claim(work, run):
                continue
            began = time.monotonic()
            line, nats_J = bench.carry_out(run)
            # The first run of a process compiles, and says little of the next.
            longest = max(longest, time.monotonic() - began) if longest else line["scoring"] + 4.0
            nats.write(nats_J.astype("<f4").tobytes())
            nats.flush()
            text = json.dumps(line | {"card": card, "torch": torch.__version__}) + "\n"
            for place in (lines, done):
                place.write(text)
                place.flush()


def claim(work: Path, run: Run) -> bool:
    """Take a run, unless somebody has taken it."""
    try:
        (work / "claims" / run.key).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


if __name__ == "__main__":
    main()
