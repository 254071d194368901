"""The search's factors, sizes and seeds, and what one of its runs is."""

import math
import statistics
from dataclasses import dataclass, field

from bench.recipe.knobs import BASE, Knobs, Size, scale_size

SEEDS = (1, 2, 3)
SHARES = (0.0, 0.05, 0.2, 1.0)


@dataclass(frozen=True, slots=True)
class Factor:
    """One thing to vary: first setting, the next in its direction, the other direction.

    `whole` gives the first setting all its seeds, and it is not dropped.
    """

    first: Knobs
    further: Knobs | None = None
    other: Knobs | None = None
    whole: bool = False


FACTORS = (
    Factor(Knobs(optimizer="adamw", rate=0.5), whole=True),
    Factor(Knobs(optimizer="adamw", rate=1 / 6)),
    Factor(Knobs(softcap=15.0), other=Knobs(softcap=30.0)),
    Factor(Knobs(value=0.14), further=Knobs(value=0.03), other=Knobs(value=6e-3)),
    Factor(Knobs(scalar=0.5), further=Knobs(scalar=0.1), other=Knobs(scalar=0.02)),
    Factor(Knobs(batch=0.5), further=Knobs(batch=0.25), other=Knobs(batch=2.0)),
    Factor(Knobs(rate=1.41), further=Knobs(rate=2.0), other=Knobs(rate=0.71)),
    Factor(Knobs(embed=0.5), further=Knobs(embed=0.25), other=Knobs(embed=2.0)),
    Factor(Knobs(cooldown=0.5), further=Knobs(cooldown=0.7), other=Knobs(cooldown=0.2)),
    Factor(Knobs(decay=0.3), further=Knobs(decay=1.0), other=Knobs(decay=0.0)),
    Factor(Knobs(momentum=0.9), further=Knobs(momentum=0.85), other=Knobs(momentum=0.97)),
    Factor(Knobs(warmup=0.0), other=Knobs(warmup=0.1)),
)
# Round 4: the likeliest gains left beside the best of rounds 1 to 3.
LAST = (Knobs(batch=0.25), Knobs(embed=2.0), Knobs(rate=1.41), Knobs(value=0.03))


@dataclass(frozen=True, slots=True)
class Scale:
    """At what size the search is done, and what comes after it.

    `sizes`: that of the search first, then those that the best is carried over to. `timed`: whether
    speeds mean anything.
    """

    sizes: tuple[Size, ...]
    fresh: tuple[int, ...] = tuple(range(101, 113))
    carried: tuple[int, ...] = tuple(range(301, 305))
    pairs: tuple[int, ...] = tuple(range(201, 217))
    factors: tuple[Factor, ...] = FACTORS
    last: tuple[Knobs, ...] = LAST
    timed: bool = True


GPU = Scale(
    (
        Size("30M", scale_size("30M", 29.9e6).shape, 50_000_000),
        scale_size("124M", 123.6e6, micro=64),
        scale_size("5M", 5.27e6),
    )
)
_TINY = {"n_layer": 2, "n_head": 2, "block_size": 32}
_CPU = {"device": "cpu"}
TINY = Scale(
    (
        Size("30M", {**_TINY, "n_embd": 48}, 60_000, 4096, more=_CPU),
        Size("124M", {**_TINY, "n_embd": 64}, 60_000, 4096, 32, more=_CPU),
        Size("5M", {**_TINY, "n_embd": 32}, 60_000, 4096, more=_CPU),
    ),
    fresh=(101, 102, 103),
    carried=(301, 302),
    pairs=(201, 202),
    timed=False,
)
SCALES = {"gpu": GPU, "tiny": TINY}


@dataclass(frozen=True, slots=True)
class Run:
    """One run that is wanted; `share` of the pieces exchanged, or None: trained on all data."""

    size: str
    knobs: Knobs
    seed: int
    share: float | None = None

    @property
    def key(self) -> str:
        """Its name in the ledger."""
        data = "" if self.share is None else f" half exchanged {self.share:g}"
        return f"{self.size}{data} [{self.knobs.name}] seed {self.seed}"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a run: its loss in nats, infinite where it failed; tokens a second."""

    loss: float
    speed: float


@dataclass(frozen=True, slots=True)
class Judged:
    """A setting compared with another: paired differences, and whether it is kept."""

    round: int
    knobs: Knobs
    against: Knobs
    differences: tuple[float, ...]
    deviation: float
    slower: float
    kept: bool
    dropped: bool = False

    @property
    def mean(self) -> float:
        """Mean difference in nats; below 0 is better."""
        return statistics.fmean(self.differences)

    @property
    def error(self) -> float:
        """Its standard error."""
        return self.deviation / math.sqrt(len(self.differences))


@dataclass(slots=True)
class Plan:
    """What is wanted, the most urgent first, by stage; what was judged; the best so far."""

    wanted: list[tuple[int, Run]] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    best: Knobs = BASE
    found: bool = False
    used: int = 0
