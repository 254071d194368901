"""How much sooner `modern` has the loss that a plain nanoGPT-style loop has after 400 steps.

    PYTHONPATH=. python bench/gpu_speed.py --time-to-loss --train T.bin U.bin --val V.bin
        [--results F] [--again 1]

1. Search. Each side tries the same number of (learning rate, warmup) pairs, each for the same
   number of steps with its whole schedule: first all rates at the first warmup, then the best rate
   at the other warmups. The plain loop's schedule is nanoGPT's (cosine to a tenth), modern's is a
   linear cooldown over the last 30%, with Muon.
2. The plain loop runs 400 steps at its best pair; the loss on held-out windows is the target.
3. modern runs at its best pair with budgets of steps, each with its own whole schedule: the middle
   one first, then the middle of those that are left; the shortest that reaches the target is its
   time.
4. With --again both sides' last runs are made once more with other seeds, which chose nothing.

Seconds are those of the steps; compiling and scoring are counted on neither side. A shape is
compiled once. Each run is kept in the results as soon as it ends: the same command with
`--results` (the file that came before) goes on; nothing is begun that would not end in
`--seconds`.
"""

import argparse
import json
import lzma
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from assay.train.data.batches import Batches
from assay.train.data.window_order import make_order
from assay.train.run.step import Stepper
from assay.train.runtime.compiled_model import compile_model
from assay.train.runtime.memory import fits_resident
from bench.gpu_contenders import SMALL_PLAIN, VOCABULARY, name_settings
from bench.gpu_ledger import Ledger, Run
from bench.plain_gpt import PlainLoop

BLOCK, SCORED = 1024, 32  # windows scored at once


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give the command line the options of this mode."""
    parser.add_argument("--train", type=Path, nargs="+", help="uint16 ids; .xz is unpacked")
    parser.add_argument("--val", type=Path)
    parser.add_argument("--results", type=Path, help="runs that were made before")
    parser.add_argument("--target-steps", type=int, default=400)
    parser.add_argument("--search-steps", type=int, default=100)
    parser.add_argument("--plain-rates", default="1e-3,2e-3,4e-3")
    parser.add_argument("--modern-rates", default="4e-3,8e-3,1.6e-2")
    parser.add_argument("--warmups", default="0.05,0.2", help="shares of the steps")
    parser.add_argument("--modern", default="modern+muon", help="a contender's name")
    parser.add_argument("--budgets", default="130,170,220,280", help="steps of modern's last runs")
    parser.add_argument("--again", type=int, default=0, help="other seeds for the last runs")
    parser.add_argument("--val-windows", type=int, default=1024)


def read_ids(path: Path) -> np.ndarray:
    """Read a bin of uint16 ids, whole."""
    packed = path.read_bytes()
    return np.frombuffer(lzma.decompress(packed) if path.suffix == ".xz" else packed, np.uint16)


def find_time_to_loss(asked: argparse.Namespace, device: torch.device, out: Path) -> None:
    """Make the runs there is time for, and say what they show."""
    train_N, val_N = np.concatenate([read_ids(each) for each in asked.train]), read_ids(asked.val)
    ledger = Ledger(out, asked.results, asked.seconds)
    on_cuda = device.type == "cuda"
    ledger.facts |= {
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name(device) if on_cuda else "cpu",
        "train_ids": train_N.size,
        "val_windows": min(asked.val_windows, (val_N.size - 1) // BLOCK),
        "small": asked.small,
        "protocol": {"warmups": asked.warmups, "search_steps": asked.search_steps}
        | {"plain_rates": asked.plain_rates, "modern_rates": asked.modern_rates}
        | {"modern": asked.modern},
    }
    window_KT = cut_windows(val_N, asked, device)
    sides = {
        "plain": Lazy(lambda: make_plain(train_N, window_KT, device, asked)),
        "modern": Lazy(lambda: make_modern(train_N, window_KT, device, asked)),
    }
    try:
        conclude(asked, ledger, sides)
    except TimeoutError as error:
        ledger.facts["unfinished"] = str(error)
    ledger.save()
    print(json.dumps({k: v for k, v in ledger.facts.items() if k != "runs"}, indent=2))


def conclude(asked: argparse.Namespace, ledger: Ledger, sides: "dict[str, Lazy]") -> None:
    """Search, set the target, find the shortest budget that reaches it, and run both again."""
    best = {side: search(asked, ledger, side, sides[side].run) for side in ("plain", "modern")}
    ledger.facts["best"] = best

    def run(side: str, steps: int, seed: int = 0) -> dict[str, Any]:
        rate, share = best[side]
        return ledger.run(side, rate, round(share * steps), steps, sides[side].run, seed)

    target = run("plain", asked.target_steps)
    ledger.facts["target"] = pick(target)
    budgets = sorted(int(each) for each in asked.budgets.split(","))
    shortest = find_shortest(budgets, lambda n: run("modern", n)["loss"] <= target["loss"])
    if shortest is None:
        ledger.facts["reached"] = None
    else:
        ledger.facts["reached"] = set_beside(run("modern", shortest), target)
        ledger.facts["again"] = [
            {"plain": pick(other)} | set_beside(run("modern", shortest, seed), other)
            for seed in range(1, asked.again + 1)
            for other in [run("plain", asked.target_steps, seed)]
        ]
    ledger.facts.pop("unfinished", None)


def find_shortest(budgets: Sequence[int], reaches: Callable[[int], bool]) -> int | None:
    """Return the first of ascending budgets that reaches; what reaches once does with more."""
    low, high = 0, len(budgets)
    while low < high:
        middle = (low + high) // 2
        if reaches(budgets[middle]):
            high = middle
        else:
            low = middle + 1
    return budgets[low] if low < len(budgets) else None


def pick(run: dict[str, Any]) -> dict[str, Any]:
    """Return what matters of a run."""
    return {name: run[name] for name in ("steps", "loss", "seconds")}


def set_beside(run: dict[str, Any], target: dict[str, Any]) -> dict[str, Any]:
    """Return how much sooner a run ended than the one whose loss was the target."""
    return pick(run) | {
        "below_target": target["loss"] - run["loss"],
        "times_sooner": target["seconds"] / run["seconds"],
        "times_fewer_steps": target["steps"] / run["steps"],
    }


def search(asked: argparse.Namespace, ledger: Ledger, side: str, make: Run) -> tuple[float, float]:
    """Return the best learning rate and share of warmup of all that were tried."""
    rates = [float(each) for each in getattr(asked, f"{side}_rates").split(",")]
    shares = [float(each) for each in asked.warmups.split(",")]
    steps = asked.search_steps

    def loss(rate: float, share: float) -> float:
        found = float(ledger.run(side, rate, round(share * steps), steps, make)["loss"])
        return found if math.isfinite(found) else math.inf

    best_rate = min(rates, key=lambda rate: loss(rate, shares[0]))
    for share in shares[1:]:
        loss(best_rate, share)
    # An earlier search over fewer rates may have tried other warmups at another rate.
    made = {(run["rate"], run["warmup"]) for run in ledger.runs_of(side, steps)}
    pairs = [(r, s) for r in rates for s in shares if (r, round(s * steps)) in made]
    return min(pairs, key=lambda pair: loss(*pair))


class Lazy:
    """A side that is built, and so compiled, only if a run of it is missing."""

    def __init__(self, build: Callable[[], Run]) -> None:
        self._build = build
        self._run: Run | None = None

    def run(self, rate: float, warmup: int, steps: int, seed: int) -> dict[str, Any]:
        """Make one run."""
        self._run = self._run or self._build()
        return self._run(rate, warmup, steps, seed)


def make_plain(
    train_N: np.ndarray, window_KT: torch.Tensor, device: torch.device, asked: argparse.Namespace
) -> Run:
    """Build the plain loop; take one step to compile it."""
    loop = PlainLoop(train_N, device, **(SMALL_PLAIN if asked.small else {}))
    loop.take(0, 0.0)

    def run(rate: float, warmup: int, steps: int, seed: int) -> dict[str, Any]:
        loop.begin(seed=1337 + seed)

        def take(step: int) -> None:
            if step < warmup:
                now = rate * (step + 1) / (warmup + 1)
            else:
                done = (step - warmup) / max(1, steps - warmup)
                now = rate * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * done)))
            loop.take(step, now)

        seconds = time_run(take, steps, device)
        loop.model.eval()
        with torch.no_grad(), loop.autocast():
            losses = [
                loop.model(w[:, :-1], w[:, 1:]).float() * len(w) for w in window_KT.split(SCORED)
            ]
        loop.model.train()
        return {"loss": float(sum(losses)) / len(window_KT), "seconds": seconds}

    return run


def make_modern(
    train_N: np.ndarray, window_KT: torch.Tensor, device: torch.device, asked: argparse.Namespace
) -> Run:
    """Build our side; it is compiled when its micro-batch is chosen, or at the first step."""
    first = name_settings(asked.modern, device, asked.small)
    compiled = compile_model(first, VOCABULARY)
    resident = fits_resident(device, train_N.size)
    batches = Batches(train_N, make_order(first, train_N.size), device, resident=resident)
    Stepper(compiled, first, batches.fetch).take(0, 0, 0.0)

    def run(rate: float, warmup: int, steps: int, seed: int) -> dict[str, Any]:
        changes: dict[str, Any] = {"learning_rate": rate, "warmup_iters": warmup}
        changes |= {"max_iters": steps, "seed": 1337 + seed}
        config = name_settings(asked.modern, device, asked.small, **changes)
        compiled.model.init_weights(config.seed)
        batches.order = make_order(config, train_N.size)
        stepper = Stepper(compiled, config, batches.fetch)
        per_step = config.windows_per_step

        def take(step: int) -> None:
            stepper.take(step, step * per_step, config.learning_rate_at(step))

        seconds = time_run(take, steps, device)
        compiled.model.eval()
        with compiled.use_kernels():
            losses = [
                compiled.model.score(w[:, :-1], w[:, 1:]).mean(1).sum()
                for w in window_KT.split(SCORED)
            ]
        compiled.model.train()
        return {"loss": float(sum(losses)) / len(window_KT), "seconds": seconds}

    return run


def time_run(take: Callable[[int], None], steps: int, device: torch.device) -> float:
    """Take all steps of a run; return the seconds."""
    wait = torch.cuda.synchronize if device.type == "cuda" else (lambda: None)
    wait()
    start = time.perf_counter()
    for step in range(steps):
        take(step)
    wait()
    return time.perf_counter() - start


def cut_windows(val_N: np.ndarray, asked: argparse.Namespace, device: torch.device) -> torch.Tensor:
    """Cut the held-out ids into windows side by side: int64, shape (K, T + 1)."""
    block = 64 if asked.small else BLOCK
    number = min(asked.val_windows, (val_N.size - 1) // block)
    place_KT = np.arange(number)[:, None] * block + np.arange(block + 1)
    return torch.from_numpy(val_N[place_KT].astype(np.int64)).to(device)
