"""The experiments of the GPU, as arms that share their runs.

A run is known by its bins, its budget, its settings and its stream of seeds: where two experiments
ask for the same one it is trained once. `u36` at 50M tokens is the baseline of four of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from assay.formats.bins import Bins
from assay.formats.config_checks import make_config
from assay.formats.run import MAX_HELD_OUT
from assay.train.compare.arms import Arm

LONG, SHORT = 100_000_000, 50_000_000  # tokens of a run
MODEL: dict[str, Any] = {
    **{"n_layer": 6, "n_head": 6, "n_embd": 384, "block_size": 1024, "batch_size": 128},
    **{"learning_rate": 3e-3},
}


@dataclass(frozen=True, slots=True)
class Scale:
    """A size at which the experiments can be run: the model, the share of the tokens it sees.

    `seeds` holds the experiments judged with fewer seeds than the plan has; once a verdict was
    read at that number, another seed would be a look that nobody had declared.
    """

    model: Mapping[str, Any]
    tokens: float
    max_documents: int = MAX_HELD_OUT
    seeds: Mapping[str, int] = field(default_factory=dict)


SCALES = {
    "gpu": Scale(MODEL, 1.0),
    # Effects of a model of bytes, on one core in an hour (`bench.byte_data`).
    "bytes": Scale(
        {
            **{"n_layer": 3, "n_head": 2, "n_embd": 96, "block_size": 256, "batch_size": 16},
            **{"learning_rate": 3e-3, "device": "cpu"},
        },
        0.08,
        seeds={"E3": 2, "E5-rate": 2},
    ),
    # The whole chain on a CPU in a minute: what it proves is the chain, not the effects.
    "tiny": Scale(
        {
            **{"n_layer": 2, "n_head": 2, "n_embd": 64, "block_size": 128, "batch_size": 8},
            **{"learning_rate": 3e-3, "device": "cpu"},
        },
        6e-5,
        60,
    ),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One arm: its name in the verdict, its bins, its stream of seeds, what is set otherwise.

    `curve` asks for held-out losses on the way, for the arm that may turn out the lower one.
    """

    name: str
    bins: str
    stream: int
    changes: Mapping[str, Any] = field(default_factory=dict)
    curve: bool = False


@dataclass(frozen=True, slots=True)
class Experiment:
    """A comparison: budget of a run in tokens, seeds an arm, and its arms, the baseline first."""

    name: str
    tokens: int
    seeds: int
    parts: tuple[Part, ...]
    also: str | None = None
    allow_leaked: bool = False

    def at(self, scale: Scale) -> "Experiment":
        """Return the experiment with the seeds that it has at a scale."""
        return replace(self, seeds=scale.seeds.get(self.name, self.seeds))

    def arms(self, bins: Mapping[str, Bins], scale: Scale) -> list[Arm]:
        """Make the arms at a scale."""
        tokens = round(self.tokens * scale.tokens)
        varied = sorted({name for part in self.parts for name in part.changes})
        made = []
        for part in self.parts:
            config = make_config({**scale.model, **part.changes}, tokens=tokens)
            settings = {name: getattr(config, name) for name in varied}
            made.append(Arm(part.name, bins[part.bins], config, part.stream, settings))
        return made

    def key(self, part: Part, seed: int) -> str:
        """Name a run so that the same run has the same name in every experiment."""
        changes = "".join(f"-{name}{value:g}" for name, value in sorted(part.changes.items())
                          if value != MODEL.get(name, 0.0))  # fmt: skip
        return f"{part.bins}-{self.tokens // 1_000_000}M{changes}-{part.stream}-{seed}"


_BASE = Part("u36", "u36", 0, curve=True)
EXPERIMENTS = (
    Experiment("E0", LONG, 3, (_BASE, Part("u36 again", "u36", 1))),
    Experiment("E1", LONG, 2, (_BASE, Part("u9", "u9", 2), Part("u2", "u2", 3))),
    Experiment(
        "E2",
        SHORT,
        3,
        (Part("dirty", "dirty", 4), Part("cleaned", "cleaned", 5, curve=True), _BASE),
        also="asis",
    ),
    Experiment("E2b", SHORT, 3, (Part("mild", "mild", 6), Part("mended", "mended", 7))),
    Experiment(
        "E3",
        SHORT,
        3,
        (_BASE, *(Part(f"leak x{n}", f"leak{n}", 7 + k) for k, n in enumerate((1, 4, 16), 1))),
        allow_leaked=True,
    ),
    Experiment(
        "E5-dropout",
        SHORT,
        3,
        (
            replace(_BASE, name="dropout=0", changes={"dropout": 0.0}),
            Part("dropout=0.1", "u36", 11, {"dropout": 0.1}, True),
        ),
    ),
    Experiment(
        "E5-rate",
        SHORT,
        3,
        (
            replace(_BASE, name="learning_rate=3e-3", changes={"learning_rate": 3e-3}),
            Part("learning_rate=1e-3", "u36", 12, {"learning_rate": 1e-3}, True),
            Part("learning_rate=6e-3", "u36", 13, {"learning_rate": 6e-3}, True),
        ),
    ),
)
