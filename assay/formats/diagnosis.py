"""`diagnosis.json`, as far as the page shows it."""

from pathlib import Path

import msgspec

from assay.storage.manifest import read_result

DIAGNOSIS = "diagnosis.json"


class Evidence(msgspec.Struct, frozen=True):
    """One fact, for (points over 0) or against a hypothesis."""

    points: float
    sentence: str
    direct: bool


class Weighed(msgspec.Struct, frozen=True):
    """A hypothesis as `assay diagnose` wrote it."""

    name: str
    level: str
    points: float
    evidence: list[Evidence]
    missing: list[str]
    experiment: str
    tokens: float | None
    gain: tuple[float, float] | None
    gain_source: str


class Lever(msgspec.Struct, frozen=True):
    """A change, and by how many nats a token it would lower the loss."""

    name: str
    low: float
    high: float
    source: str


class Log(msgspec.Struct, frozen=True):
    """What was read."""

    format: str
    last_step: int
    notes: list[str]


class Fitted(msgspec.Struct, frozen=True):
    """The losses that were fitted: of val, train or averaged batches."""

    name: str
    steps: list[int]
    losses: list[float]


class Forecast(msgspec.Struct, frozen=True):
    """The loss at a step to come, and the interval of one evaluation there."""

    step: int
    loss: float
    interval: tuple[float, float]


class NextStep(msgspec.Struct, frozen=True):
    """A thing to do; `tokens` is 0 where nothing is trained, None where it is not known."""

    why: str
    command: str
    tokens: float | None
    seconds: float | None


class Diagnosed(msgspec.Struct, frozen=True):
    """`diagnosis.json`, as far as the page shows it."""

    log: Log
    conclusions: list[str]
    hypotheses: list[Weighed]
    levers: list[Lever]
    budget: list[tuple[str, str]] | None = None
    curve: Fitted | None = None
    forecast: Forecast | None = None
    next_steps: list[NextStep] = []


def read_diagnosis(folder: Path) -> Diagnosed:
    """Read the diagnosis that a sealed folder holds.

    Raises:
        InputError: The file is missing, or is not as `assay diagnose` writes it.
    """
    return read_result(folder / DIAGNOSIS, Diagnosed)
