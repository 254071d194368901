"""Probes: `probe.json`, what branching a checkpoint showed, and which cause the table names."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from assay.paths import AnyPath, Folder, to_path
from assay.storage.manifest import read_manifest, read_result
from assay.terminal.notebook import draw_result

PROBE = "probe.json"
# The order in which branches are trained and shown.
BRANCHES = ("old constant", "old cooldown", "new constant", "new cooldown")
CONFIRMED, RULED_OUT, UNDETERMINED = "named", "no", "open"  # a cause's state
PARENTHESES = "Effects are nats a token, below 0 is better; in parentheses stand 95% intervals."


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """A difference in nats a token, below 0 is better; `interval` holds at 95%.

    `detectable` is the minimum detectable effect: the smallest true difference that would be found
    4 times in 5.
    """

    value: float
    interval: tuple[float, float]
    detectable: float
    error: float
    degrees: float


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the table: `state` is named, open or no; `reason` has the numbers.

    `effect` is what removing the cause was seen to buy, nats a token; 0 where that is not known.
    """

    name: str
    state: str
    reason: str
    advice: str
    effect: float = 0.0


class BranchResult(msgspec.Struct, frozen=True, kw_only=True):
    """One way to train on: its data and schedule, and the loss of each order's run."""

    name: str
    loss: float
    losses: list[float]
    runs: list[str]


class ProbeResult(msgspec.Struct, frozen=True, kw_only=True):
    """A probe: where it began, its branches, their effects, and the rows of the table.

    `loss` is the checkpoint's own on the held-out documents. `home` is the effect of new data on
    the old data's val documents, where others are held out. `excess` is the range by which the
    loss after the cooldown is over what is to be expected, None where nothing can be.
    """

    sentence: str
    causes: list[Cause]
    cooldown: Effect
    cooldown_on_new: Effect
    data: Effect
    interaction: Effect
    home: Effect | None
    gap: Effect
    capacity: float
    excess: tuple[float, float] | None
    branches: list[BranchResult]
    checkpoint: str
    checkpoint_sha256: str
    checkpoint_step: int
    checkpoint_tokens: int
    loss: float
    learning_rate: float
    peak: float
    steps: int
    tokens_per_branch: int
    seeds: int
    parameters: int
    old: str
    new: str
    held_out: str
    documents: int
    leaked_documents: int
    train_documents: int
    notes: list[str]
    schema_version: int = 1


@dataclass(frozen=True, slots=True)
class Probe(Folder):
    """A finished probe: `probe.json`, and each branch under `runs/<data>-<schedule>-<order>/`."""

    folder: Path
    result: ProbeResult

    def __str__(self) -> str:
        return f"probe {self.folder}: {self.result.sentence}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return draw_result(
            str(self), [(each.name, f"{each.state}: {each.reason}") for each in self.result.causes]
        )


def open_probe(folder: AnyPath) -> Probe:
    """Open a folder that `assay probe` wrote. Errors as in `read_probe`."""
    folder = to_path(folder)
    return Probe(folder, read_probe(folder))


def say_sentence(causes: list[Cause]) -> str:
    """Write in a line which causes the table names, or that it names none."""
    named = [cause for cause in causes if cause.state == CONFIRMED]
    if not named:
        return "no cause is named: " + "; ".join(f"{cause.name} {cause.state}" for cause in causes)
    names = " and ".join(cause.name for cause in named)
    return f"{names}: {named[0].reason}"


def read_probe(folder: Path) -> ProbeResult:
    """Read the result of a sealed probe.

    Raises:
        UsageError: The folder holds something else. InputError: It cannot be read.
    """
    read_manifest(folder, "probe")
    return read_result(folder / PROBE, ProbeResult)
