"""What is declared before a comparison begins."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from assay.formats.run import MAX_HELD_OUT
from assay.train.compare.arms import Arm
from assay.train.stats.decision_rule import Margins
from assay.train.stats.paired_difference import ALPHA


@dataclass(frozen=True, slots=True)
class ComparisonDesign:
    """What is declared before a comparison begins.

    Attributes:
        looks: Seeds an arm at which it is judged, rising; it ends at the first look that decides
            on every arm.
        delta: Nats a token below which a difference does not matter, either way.
        not_worse_by: Nats a token: an arm that surely is less than this worse is called not
            worse; None asks for no such claim.
        seed_sd: Standard deviation of seeds to expect, nats a token, where one is known.
        held_out_documents: How many are scored at most.
        allow_leaked: Whether documents that an arm was trained on are scored apart, and the others
            judged; otherwise one such document makes the comparison invalid.
    """

    looks: tuple[int, ...] = (3,)
    delta: float = 0.01
    not_worse_by: float | None = None
    seed_sd: float | None = None
    held_out_documents: int = MAX_HELD_OUT
    allow_leaked: bool = False

    @property
    def margins(self) -> Margins:
        """The margins that verdicts are held to."""
        return Margins(self.delta, self.not_worse_by)

    @property
    def alpha(self) -> float:
        """Each look's part of 5%."""
        return ALPHA / len(self.looks)

    def record(self, arms: Sequence[Arm]) -> dict[str, Any]:
        """Return what the manifest of a comparison holds of its design and of what arms vary."""
        return {
            "seeds": self.looks[-1],
            "looks": list(self.looks),
            "delta": self.delta,
            "not_worse_by": self.not_worse_by,
            "allow_leaked": self.allow_leaked,
            "held_out_documents": self.held_out_documents,
            "seed_sd": self.seed_sd,
            "settings": [msgspec.to_builtins(arm.settings) for arm in arms],
        }
