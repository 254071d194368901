"""Which pairs of runs are trained, in which order, at which size."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from assay.formats.train_config import TrainConfig
from bench.recipe.knobs import Knobs, Size, make_settings, scale_size

# The best of the recipe's search, carried over to 5M by its rule.
RECIPE = Knobs(rate=1.41, batch=0.5, warmup=0.0, momentum=0.9, value=0.14)
ROOT = 14  # of all seeds
SHARES = (0.95, 0.8, 0.0)


@dataclass(frozen=True, slots=True)
class Scale:
    """The model and its budget, ids of a dataset, and how many pairs of each kind are wanted."""

    size: Size
    ids: int
    pairs: int
    nulls: int


_GPU = replace(scale_size("5M", 5.27e6, micro=160), tokens=8_192_000)
_TINY = Size("5M", {"n_layer": 2, "n_head": 2, "n_embd": 32, "block_size": 32}, 8_000, 2048,
             more={"device": "cpu"})  # fmt: skip
SCALES = {"gpu": Scale(_GPU, 9_400_000, 150, 200), "tiny": Scale(_TINY, 40_000, 3, 2)}


@dataclass(frozen=True, slots=True)
class Run:
    """One run: of a pair on the mixture, coupled or independent; or of a coupled null pair.

    `share` is what the arms of a null pair have in common; None: the mixture's.
    """

    coupled: bool
    arm: int
    pair: int
    share: float | None = None

    @property
    def key(self) -> str:
        """Its name, which no other run has."""
        mode = "coupled" if self.coupled else "independent"
        what = mode if self.share is None else f"null-{self.share:g}"
        return f"{what}-{self.pair}-{self.arm}"

    @property
    def seed(self) -> int:
        """Of weights and order: coupled arms have one, independent ones each its own."""
        stream = 0 if self.coupled else 1 + self.arm
        drawn = np.random.SeedSequence([ROOT, stream, self.pair]).generate_state(1)
        return int(drawn[0])

    def configure(self, scale: Scale) -> TrainConfig:
        """Return its settings."""
        config = make_settings(RECIPE, scale.size, self.seed)
        return msgspec.structs.replace(config, deterministic=False)


def list_runs(scale: Scale) -> Iterator[Run]:
    """List all runs: a coupled and an independent pair in turns, then null pairs."""
    for pair in range(scale.pairs):
        for coupled in (True, False):
            yield from (Run(coupled, arm, pair) for arm in (0, 1))
    for pair in range(scale.nulls):
        for share in SHARES:
            yield from (Run(True, arm, pair, share) for arm in (0, 1))
