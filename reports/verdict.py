"""`verdict.json` and the runs of a comparison, as types: what `compare` promises, checked."""

from pathlib import Path

import msgspec

from assay.artifacts import read_result
from assay.errors import InputError
from assay.reports.sources import TrainSource

VERDICT = "verdict.json"
METRICS = "metrics.jsonl"


class SeedLoss(msgspec.Struct, frozen=True):
    """One run of an arm: nats a token and bits a byte on the clean held-out documents."""

    seed: int
    run: str
    loss: float
    bits_per_byte: float | None = None


class Arm(msgspec.Struct, frozen=True):
    """One arm: its data, the settings that set it apart, and its runs."""

    name: str
    train_tokens: int
    unique_tokens: int
    epochs: float
    leaked_documents: int = 0
    loss: float | None = None
    loss_sd: float | None = None
    bits_per_byte: float | None = None
    seeds: list[SeedLoss] = []
    parameters: int | None = None
    tokens_per_run: int | None = None


class Gate(msgspec.Struct, frozen=True):
    """One condition of a fair comparison."""

    name: str
    passed: bool
    found: str
    needed: str


class Unit(msgspec.Struct, frozen=True):
    """A difference in one unit and its interval."""

    difference: float
    interval: tuple[float, float]
    p: float
    minimum_detectable: float
    confidence: float | None = None


class LeakEffect(msgspec.Struct, frozen=True):
    """Leaked minus clean documents, arm minus baseline; nats a token."""

    documents: int
    excess: float
    interval: tuple[float, float]
    p: float
    optimism: float
    optimism_interval: tuple[float, float]


class EqualLoss(msgspec.Struct, frozen=True):
    """After which share of its tokens the better arm had the other's final loss, or why unknown."""

    arm: str | None = None
    share: float | None = None
    interval: tuple[float, float] | None = None
    reason: str | None = None


class Pairing(msgspec.Struct, frozen=True):
    """One arm against the baseline; differences are arm minus baseline."""

    arm: str
    baseline: str
    verdict: str
    sentence: str
    provisional: bool = False
    won_share: float | None = None
    nats_per_token: Unit | None = None
    bits_per_byte: Unit | None = None
    leaked_difference: float | None = None
    leak: LeakEffect | None = None
    equal_loss: EqualLoss | None = None
    notes: list[str] = []


class Foreseen(msgspec.Struct, frozen=True):
    """What the comparison could be expected to see, said before it began; by seeds an arm."""

    seed_sd: float
    source: str
    detectable: dict[str, float]


class Look(msgspec.Struct, frozen=True):
    """One declared look: seeds an arm, and each arm's verdict as it then was."""

    seeds: int
    decided: bool
    verdicts: dict[str, str]


class SecondSet(msgspec.Struct, frozen=True):
    """The arms on another set of documents, apart from the verdict."""

    name: str
    documents: int
    leaked_documents: int
    losses: dict[str, float]
    comparisons: list[Pairing]


class Verdict(msgspec.Struct, frozen=True):
    """What a comparison found; fields of `verdict.json` that a report shows."""

    verdict: str
    sentence: str
    seeds: int
    delta: float
    confidence: float
    documents: int
    leaked_documents: int
    tokens_per_run: int
    steps: int
    parameters: int
    arms: list[Arm]
    gates: list[Gate]
    comparisons: list[Pairing]
    varied: list[str] = []
    looks: list[Look] = []
    declared_looks: list[int] = []
    foreseen: Foreseen | None = None
    also: SecondSet | None = None


class Line(msgspec.Struct, frozen=True):
    """One line of `metrics.jsonl`: loss in nats a token, over the steps since the last line."""

    step: int
    tokens_seen: int
    loss: float | None = None
    held_out_loss: float | None = None
    epoch: float = 0.0
    unique_tokens_seen: int = 0


class Stretch(msgspec.Struct, frozen=True):
    """On what some steps of a run were computed, from `step` on."""

    step: int
    device: str
    dtype: str


class RunTotals(msgspec.Struct, frozen=True):
    """What a run's manifest counts."""

    steps: int
    parameters: int
    tokens_seen: int
    unique_tokens_seen: int
    epoch: float
    held_out_documents: int = 0
    held_out_tokens: int = 0
    loss_nats: float | None = None
    computed: tuple[Stretch, ...] = ()


def read_verdict(source: TrainSource) -> Verdict:
    """Read a comparison's verdict.

    Raises:
        InputError: It is missing, or a key is missing or of another type.
    """
    return read_result(source.folder / VERDICT, Verdict, "compare again with this assay")


def read_metrics(folder: Path) -> list[Line]:
    """Read the lines of a run's `metrics.jsonl`; none where the folder has no such file.

    Raises:
        InputError: A line is not what a run writes.
    """
    path = folder / METRICS
    if not path.is_file():
        return []
    lines = path.read_bytes().splitlines()
    try:
        return [msgspec.json.decode(line, type=Line) for line in lines if line.strip()]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error


def find_run(source: TrainSource, seed: SeedLoss) -> Path | None:
    """Return a run's folder inside its comparison; None where it is not there, or lies outside."""
    folder = source.folder / seed.run
    inside = folder.resolve().is_relative_to(source.folder.resolve())
    return folder if inside and folder.is_dir() else None
