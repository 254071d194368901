"""One process, one device: trains the runs that it is asked for, and scores each.

    python -m bench.recipe.worker DATA NATS

DATA is where a pack lies unpacked, NATS a folder for the loss of each held-out document. Asked by
lines of JSON on stdin, answers by lines of JSON on stdout. A model is built and compiled once for
each shape, and its weights are drawn anew in place for each run.
"""

# B = windows in a batch, T = positions, J = held-out documents, K = windows of documents

import json
import math
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from torch import Tensor

from assay.formats.train_config import TrainConfig
from assay.train.data.batches import Batches
from assay.train.data.window_order import make_order
from assay.train.model.loss import IGNORE_INDEX
from assay.train.run.step import Stepper
from assay.train.runtime.compiled_model import CompiledModel, compile_model
from assay.train.runtime.memory import fits_resident
from bench.recipe.data import Ids, cut_pieces, exchange_pieces, open_ids

_WARM_STEPS = 20  # not counted in the steady speed
_LOOKS = 20  # at the loss on the way; a run that diverged ends there
_EVAL_TOKENS = 65_536


class PieceOrder:
    """An order over pieces of a block and the id after it, laid one after the other.

    A place comes at the same step whatever piece lies there: epochs draw an order of places.
    """

    def __init__(self, seed: int, pieces: int, block_size: int) -> None:
        self.seed, self.pieces, self.block_size = seed, pieces, block_size
        self.num_ids = pieces * (block_size + 1)

    def starts(self, first: int, count: int) -> np.ndarray:
        """Return where windows `first` to `first + count` begin: int64, shape (count,)."""
        parts = []
        while count:
            epoch, place = divmod(first, self.pieces)
            generator = np.random.Generator(np.random.Philox(key=[self.seed, epoch]))
            chosen = generator.permutation(self.pieces)[place : place + count]
            parts.append(chosen * (self.block_size + 1))
            first, count = first + chosen.size, count - chosen.size
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    def unique_tokens(self, windows: int) -> int:
        """Count the distinct positions trained on after that many windows."""
        return min(windows, self.pieces) * self.block_size


@dataclass(slots=True)
class Shop:
    """What runs are carried out with: ids, and the models compiled so far."""

    ids: Ids
    models: list[CompiledModel] = field(default_factory=list)
    batches: dict[tuple[float | None, int], Batches] = field(default_factory=dict)
    packed: dict[int, list[tuple[Tensor, Tensor, Tensor]]] = field(default_factory=dict)

    def carry_out(self, config: TrainConfig, share: float | None) -> dict[str, Any]:
        """Train a run and score it; `share` of the pieces exchanged, None for all of the data."""
        start = time.monotonic()
        compiled = self.find_model(config)
        compiled.model.init_weights(config.seed)
        batches = self.find_batches(config, share, compiled.device)
        stepper = Stepper(compiled, config, batches.fetch)
        built = time.monotonic()
        found = train(stepper, config)
        found |= {"built": built - start, "micro_batch": stepper.micro_batch}
        if found["diverged"]:
            return found
        scored = time.monotonic()
        if config.block_size not in self.packed:
            self.packed[config.block_size] = [
                (
                    owner_B.to(compiled.device),
                    ids_BT.to(compiled.device),
                    target_BT.to(compiled.device),
                )
                for owner_B, ids_BT, target_BT in pack_documents(self.ids, config.block_size)
            ]
        nats_J = score(compiled, self.packed[config.block_size], self.ids.start_J.size)
        loss = float(nats_J.sum()) / self.ids.held_out_tokens
        return found | {
            "loss": loss if math.isfinite(loss) else None,
            "diverged": not math.isfinite(loss),
            "scoring": time.monotonic() - scored,
            "seconds": time.monotonic() - start,
            "nats_J": nats_J,
        }

    def find_model(self, config: TrainConfig) -> CompiledModel:
        """Return a compiled model of the shape that is asked for; a new one if there is none."""
        for compiled in self.models:
            if compiled.fits(config):
                return compiled
        self.models.append(compile_model(config, self.ids.vocab_size))
        return self.models[-1]

    def find_batches(
        self, config: TrainConfig, share: float | None, device: torch.device
    ) -> Batches:
        """Return the ids on the device, in the order of a run's seed."""
        block, key = config.block_size, (share, config.block_size)
        order: Any
        if share is None:
            order = make_order(config, self.ids.train_N.size)
        else:
            pieces = cut_pieces(self.ids.train_N, block)
            order = PieceOrder(config.seed, len(pieces) // 2, block)
        if key not in self.batches:
            ids_N = self.ids.train_N
            if share is not None:
                ids_N = pieces[exchange_pieces(len(pieces), share)].reshape(-1)
            resident = fits_resident(device, ids_N.size)
            self.batches[key] = Batches(ids_N, order, device, resident=resident)
        self.batches[key].order = order
        return self.batches[key]


def train(stepper: Stepper, config: TrainConfig) -> dict[str, Any]:
    """Take all steps; tell losses on the way, and the speed once all is warm."""
    device, steps, curve = stepper.compiled.device, config.max_iters, []
    start = warm = time.monotonic()
    warm_steps = min(_WARM_STEPS, steps // 2)
    every = max(1, steps // _LOOKS)
    diverged = False
    for step in range(steps):
        rate = config.learning_rate_at(step)
        stepper.take(step, step * config.windows_per_step, rate)
        if step + 1 == warm_steps:
            wait(device)
            warm = time.monotonic()
        if (step + 1) % every == 0 or step + 1 == steps:
            curve.append([step + 1, round(float(stepper.loss.item()), 4)])
            if diverged := int(stepper.bad_step.item()) >= 0:
                break
    wait(device)
    end = time.monotonic()
    counted = max(1, curve[-1][0] - warm_steps)
    return {
        "loss": None,
        "diverged": diverged,
        "curve": curve,
        "training": end - start,
        "tokens_per_second": counted * config.tokens_per_step / (end - warm),
    }


@torch.no_grad()
def score(
    compiled: CompiledModel, packed: list[tuple[Tensor, Tensor, Tensor]], documents: int
) -> np.ndarray:
    """Return the nats of each held-out document, alone from its start: float64, shape (J,)."""
    nats_J = torch.zeros(documents, dtype=torch.float64, device=compiled.device)
    compiled.model.eval()
    for owner_B, input_BT, target_BT in packed:
        loss_BT = compiled.model.score(input_BT, target_BT)
        nats_J.index_add_(0, owner_B, loss_BT.double().sum(1))
    compiled.model.train()
    return nats_J.cpu().numpy()


def pack_documents(ids: Ids, block: int) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Cut documents into windows, and put those of like length side by side: the longest first.

    A document begins after an end-of-text id; a later window of it after the id before.
    """
    tokens_J = ids.end_J - ids.start_J
    windows_J = -(-tokens_J // block)
    owner_K = np.repeat(np.arange(windows_J.size), windows_J)
    first_K = np.repeat(np.cumsum(windows_J) - windows_J, windows_J)
    begin_K = ids.start_J[owner_K] + (np.arange(owner_K.size) - first_K) * block
    length_K = np.minimum(ids.end_J[owner_K] - begin_K, block)
    order_K = np.argsort(-length_K, kind="stable")
    packed, place = [], 0
    while place < order_K.size:
        longest = int(length_K[order_K[place]])
        chosen_B = order_K[place : place + max(1, _EVAL_TOKENS // longest)]
        place += chosen_B.size
        inside_BT = np.arange(longest) < length_K[chosen_B][:, None]
        index_BT = np.where(inside_BT, begin_K[chosen_B][:, None] + np.arange(longest), 0)
        target_BT = np.where(inside_BT, ids.val_V[index_BT].astype(np.int64), IGNORE_INDEX)
        input_BT = np.full_like(target_BT, ids.end_of_text)
        input_BT[:, 1:] = np.maximum(target_BT[:, :-1], 0)
        begins = begin_K[chosen_B] == ids.start_J[owner_K[chosen_B]]
        before_B = ids.val_V[np.maximum(begin_K[chosen_B] - 1, 0)]
        input_BT[:, 0] = np.where(begins, ids.end_of_text, before_B)
        owner = torch.from_numpy(owner_K[chosen_B])
        packed.append((owner, torch.from_numpy(input_BT), torch.from_numpy(target_BT)))
    return packed


def wait(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def answer(shop: Shop, asked: dict[str, Any], nats: Path) -> dict[str, Any]:
    """Carry out what was asked for; what goes wrong is told, too."""
    config = msgspec.convert(asked["config"], TrainConfig)
    try:
        found = shop.carry_out(config, asked["share"])
    except Exception as error:  # told, and the next run goes on: one failure ends no search
        first = next(iter(str(error).splitlines()), "")
        found = {"loss": None, "error": f"{type(error).__name__}: {first}"}
    if torch.cuda.is_available():
        peak = torch.cuda.max_memory_allocated() / 2**30
        found |= {"card": torch.cuda.get_device_name(), "peak_gib": round(peak, 1)}
        torch.cuda.reset_peak_memory_stats()
        if "error" in found:
            torch.cuda.empty_cache()
    nats_J = found.pop("nats_J", None)
    if nats_J is not None:
        np.save(nats / f"{asked['id']}.npy", nats_J.astype(np.float32), allow_pickle=False)
    return found | {"torch": torch.__version__}


def main() -> None:
    """Answer until stdin ends."""
    data, nats = map(Path, sys.argv[1:3])
    if not torch.cuda.is_available():
        torch.set_num_threads(1)
    shop = Shop(open_ids(data))
    # What libraries print must not look like an answer.
    out, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        found = answer(shop, json.loads(line), nats)
        print(json.dumps(found), file=out, flush=True)


if __name__ == "__main__":
    main()
