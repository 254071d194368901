"""What is declared before a comparison begins."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from assay.train.compare.arms import Arm
from assay.train.stats.decision_rule import Margins
from assay.train.stats.paired_difference import ALPHA

MOST_HELD_OUT = 2000


@dataclass(frozen=True, slots=True)
class Terms:
    """What is declared before a comparison begins.

    `looks` are the numbers of seeds an arm at which it is judged, rising; it ends at the first
    that decides on every arm. `seed_sd` is the spread of seeds to expect, nats a token, where
    one is known.
    """

    looks: tuple[int, ...] = (3,)
    margins: Margins = field(default_factory=Margins)
    most_held_out: int = MOST_HELD_OUT
    allow_leaked: bool = False
    seed_sd: float | None = None

    @property
    def alpha(self) -> float:
        """Each look's part of 5%."""
        return ALPHA / len(self.looks)

    def record(self, arms: Sequence[Arm]) -> dict[str, Any]:
        """Return what the manifest of a comparison holds of its terms and of what arms vary."""
        return {
            "seeds": self.looks[-1],
            "looks": list(self.looks),
            "delta": self.margins.delta,
            "not_worse_by": self.margins.not_worse_by,
            "allow_leaked": self.allow_leaked,
            "held_out_documents": self.most_held_out,
            "seed_sd": self.seed_sd,
            "settings": [msgspec.to_builtins(arm.settings) for arm in arms],
        }
