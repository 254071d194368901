"""Which run goes to which process: the most urgent first, where it is compiled if it may be."""

import statistics
import threading
import time
from typing import Any

from assay.formats.train_config import TrainConfig
from bench.recipe.knobs import make_settings
from bench.recipe.ledger import Ledger
from bench.recipe.plan import Run, Scale
from bench.recipe.rule import Search

# Seconds of a run before one of its size was timed, and of a shape's compilation.
GUESS = {"30M": 45.0, "124M": 290.0, "5M": 30.0}
COMPILE = 45.0
SLACK = 4.0


class Queue:
    """Gives each worker its next run; all calls hold its lock."""

    def __init__(self, ledger: Ledger, scale: Scale, ends: float) -> None:
        self.ledger, self.scale, self.ends = ledger, scale, ends
        self.changed = threading.Condition()
        self.flying: set[str] = set()
        self.shapes: dict[int, set[Any]] = {}  # compiled, by worker
        self.sizes = {size.name: size for size in scale.sizes}

    def take(self, worker: int) -> tuple[Run, TrainConfig] | None:
        """Wait for a run that ends in time; None: there is none any more."""
        with self.changed:
            while True:
                wanted = Search(self.ledger.results(), self.scale).make().wanted
                free = [(stage, run) for stage, run in wanted if run.key not in self.flying]
                fits = [each for each in free if self._ends(worker, each[1]) < self.ends]
                if fits:
                    run = self._choose(worker, fits)
                    self.flying.add(run.key)
                    config = self._settings(run)
                    self.shapes.setdefault(worker, set()).add(shape_of(config))
                    return run, config
                if not self.flying:
                    return None
                self.changed.wait()

    def give_back(self, run: Run, line: dict[str, Any]) -> None:
        """Take in what came of a run."""
        with self.changed:
            self.ledger.add(line)
            self.flying.discard(run.key)
            self.changed.notify_all()

    def drop(self, run: Run) -> None:
        """Let another worker have a run: this one cannot go on."""
        with self.changed:
            self.flying.discard(run.key)
            self.changed.notify_all()

    def forget(self, worker: int) -> None:
        """Note that a worker was started anew and has compiled nothing."""
        with self.changed:
            self.shapes.pop(worker, None)

    def _settings(self, run: Run) -> TrainConfig:
        return make_settings(run.knobs, self.sizes[run.size], run.seed)

    def _choose(self, worker: int, fits: list[tuple[int, Run]]) -> Run:
        """Of the most urgent stage: a shape compiled here, then one compiled nowhere, then any."""
        first = min(stage for stage, _ in fits)
        runs = [run for stage, run in fits if stage == first]
        mine = self.shapes.get(worker, set())
        others = set().union(*self.shapes.values()) if self.shapes else set()

        def cost(run: Run) -> int:
            shape = shape_of(self._settings(run))
            return 0 if shape in mine else 2 if shape in others else 1

        return min(runs, key=cost)

    def _ends(self, worker: int, run: Run) -> float:
        """Foresee when a run would end."""
        size = self.sizes[run.size]
        pace = [  # compilation left out
            size.tokens / line["tokens_per_second"] + line["scoring"]
            for line in self.ledger.lines
            if line["size"] == run.size and line.get("loss") is not None
        ]
        known = shape_of(self._settings(run)) in self.shapes.get(worker, set())
        needed = 1.1 * statistics.median(pace) if pace else GUESS[run.size]
        if not self.scale.timed:
            return time.monotonic() + (needed if pace else 1.0)
        return time.monotonic() + needed + (0.0 if known else COMPILE) + SLACK


def shape_of(config: TrainConfig) -> Any:
    """Return what compiled code depends on."""
    micro = config.micro_batch if config.micro_batch != "auto" else min(config.batch_size, 128)
    extras = config.softcap, config.value_embeds, config.residual_scalars
    return config.n_layer, config.n_embd, config.block_size, extras, micro
