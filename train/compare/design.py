"""What is declared before a comparison begins."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from assay.errors import UsageError
from assay.formats.run import MAX_HELD_OUT
from assay.terminal.text import printable
from assay.train.compare.arms import Arm
from assay.train.stats.decision_rule import Margins
from assay.train.stats.paired_difference import ALPHA

COUPLED = ("auto", "on", "off")
MIN_SHARED = 0.5  # of a run's places, below which `auto` trains arms apart


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
        coupled: Whether run k of each arm has the same weights, and windows that arms share come at
            the same steps; then pairs of runs are judged. `auto`: where arms share at least half.
    """

    looks: tuple[int, ...] = (3,)
    delta: float = 0.01
    not_worse_by: float | None = None
    seed_sd: float | None = None
    held_out_documents: int = MAX_HELD_OUT
    allow_leaked: bool = False
    coupled: str = "off"

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
        coupled = {} if self.coupled == "off" else {"coupled": self.coupled}
        return coupled | {
            "seeds": self.looks[-1],
            "looks": list(self.looks),
            "delta": self.delta,
            "not_worse_by": self.not_worse_by,
            "allow_leaked": self.allow_leaked,
            "held_out_documents": self.held_out_documents,
            "seed_sd": self.seed_sd,
            "settings": [msgspec.to_builtins(arm.settings) for arm in arms],
        }


@dataclass(frozen=True, slots=True)
class Coupling:
    """Whether arms are trained coupled, as it is decided before any training.

    `shared_A` has for each arm the share of a run's places at which it has the baseline's window;
    None: arms are trained apart, and `reason` says why if coupling was asked for.
    """

    shared_A: list[float] | None = None
    reason: str = ""

    def __bool__(self) -> bool:
        return self.shared_A is not None


def couple_arms(arms: Sequence[Arm], mode: str) -> Coupling:
    """Decide from what arms share, and from nothing else, whether they are trained coupled.

    Raises:
        UsageError: `mode` is none of COUPLED, or `on` for arms that cannot be coupled.
    """
    if mode not in COUPLED:
        raise UsageError(f"coupled must be one of {', '.join(COUPLED)}, got {mode!r}", "coupled")
    if mode == "off":
        return Coupling()
    reason, shared_A = _find_obstacle(arms), list[float]()
    if not reason:
        from assay.train.data.coupled_arms import measure_shared

        try:
            shared_A = measure_shared([arm.bins for arm in arms], arms[0].config)
        except UsageError as error:
            reason = str(error)
        else:
            reason = _find_wrong_share(arms, shared_A, 0.0 if mode == "on" else MIN_SHARED)
    if reason and mode == "on":
        raise UsageError(
            f"arms cannot be trained together: {reason}; set coupled to auto or off", "coupled"
        )
    return Coupling(None, reason) if reason else Coupling(shared_A)


def _find_wrong_share(arms: Sequence[Arm], shared_A: Sequence[float], needed: float) -> str:
    """Return why arms share too much or too little to be coupled; "" if they do not."""
    if max(shared_A[1:]) == 1.0:
        return "two arms would have the same windows at all steps, and be the same runs"
    least = min(range(1, len(arms)), key=shared_A.__getitem__)
    if shared_A[least] >= needed:
        return ""
    return (
        f"{printable(arms[least].name)} and {printable(arms[0].name)} have the same window at "
        f"{100 * shared_A[least]:.0f}% of a run's places, {100 * needed:.0f}% are needed"
    )


def _find_obstacle(arms: Sequence[Arm]) -> str:
    """Return why arms cannot be coupled whatever they share; "" if they can."""
    if any(arm.settings for arm in arms):
        return "they differ in settings, and only arms of data share windows"
    if arms[0].config.sampling != "epochs":
        return f"sampling is {arms[0].config.sampling}, and windows have no places in an epoch"
    hashes = [
        {entry.sha256 for entry in arm.bins.manifest.outputs if entry.name == "train.bin"}
        for arm in arms
    ]
    same = [arm for arm, own in zip(arms[1:], hashes[1:], strict=True) if own & hashes[0]]
    if same:
        names = f"{printable(same[0].name)} and {printable(arms[0].name)}"
        return f"{names} hold the same train.bin, and would be the same runs"
    return ""
