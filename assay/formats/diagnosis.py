"""Diagnoses: `diagnosis.json`, what holds a loss, weighed from a log; and the folder with it."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from assay.errors import InputError
from assay.formats.hypothesis import Hypothesis, describe_cost
from assay.laws.anchors import Lever
from assay.paths import AnyPath, Folder, to_path
from assay.storage.manifest import read_manifest, read_result
from assay.terminal.notebook import draw_result
from assay.terminal.numbers import duration, number_of

DIAGNOSIS = "diagnosis.json"
DIAGNOSIS_TEXT = "diagnosis.txt"
# What the last window of a curve shows.
STILL_IMPROVING = "still improving as expected"
FLATTER = "flatter than a healthy run"
TOO_NOISY = "the evaluations are too noisy to tell"

Interval = tuple[float, float]


class NextStep(msgspec.Struct, frozen=True):
    """A thing to do: why, the command, its cost in tokens, and in seconds at the run's rate.

    `tokens` is 0 where nothing is trained; it and `seconds` are None where they are not known.
    """

    why: str
    command: str
    tokens: float | None
    seconds: float | None

    @property
    def cost(self) -> str:
        """The cost in words; empty where it is not known."""
        time = f", {duration(self.seconds)} at this run's rate" if self.seconds else ""
        return describe_cost(self.tokens) + time


class LogSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What was read, what it states of the run, and what of it was dropped or not understood."""

    format: str
    last_step: int
    notes: list[str]
    facts: dict[str, float] = {}


class ValueWithError(msgspec.Struct, frozen=True):
    """A measurement and its standard error."""

    value: float
    error: float


class RunNumbers(msgspec.Struct, frozen=True, kw_only=True):
    """The run's arithmetic; None where it is not known. Losses are nats a token."""

    parameters: int | None
    tokens_per_step: int | None
    steps: int | None
    tokens_seen: int | None
    unique_tokens: int | None
    unique_tokens_source: str | None
    epochs: float | None
    effective_tokens: float | None
    tokens_per_parameter: float | None
    repetition: Interval | None
    capacity: float | None
    largest_gap: float | None
    learning_rate: float | None
    gap: ValueWithError | None
    noise: float


class FittedCurve(msgspec.Struct, frozen=True):
    """The losses that were fitted: of val, train or averaged batches; at most 400 of them."""

    name: str
    steps: list[int]
    losses: list[float]


class DataDoubt(msgspec.Struct, frozen=True, kw_only=True):
    """Why the data that was named cannot be the run's, and what to ask first."""

    question: str
    sentence: str
    unique_tokens: int
    epochs: float


class LossForecast(msgspec.Struct, frozen=True, kw_only=True):
    """The loss at a step to come, and the interval of one evaluation there.

    `drop` is what is still to come, with its standard deviation; `cross_checks` are other laws'.
    """

    step: int
    loss: float
    interval: Interval
    confidence: float
    drop: float
    drop_sd: float
    cross_checks: dict[str, float]


class SlopeSummary(msgspec.Struct, frozen=True, kw_only=True):
    """By how many nats the loss fell over the last window, and by how many a healthy run's does.

    `outcome` is STILL_IMPROVING, FLATTER or TOO_NOISY.
    `more_evaluations` would decide where these are too noisy: 0 where it is decided, None where no
    number would.
    """

    outcome: str
    drop: float
    interval: Interval
    healthy: float
    more_evaluations: int | None


class DiagnosisResult(msgspec.Struct, frozen=True, kw_only=True):
    """All of `diagnosis.json`; hypotheses, levers and next steps in the order that they are shown.

    `budget` are the rows of the run's arithmetic, `expected` is the loss to be expected of its
    size and tokens at the end of the plan.
    """

    verdict: str = ""
    log: LogSummary
    conclusions: list[str]
    next_steps: list[NextStep] = []
    run: RunNumbers | None = None
    curve: FittedCurve | None = None
    doubt: DataDoubt | None = None
    budget: list[tuple[str, str]] | None = None
    forecast: LossForecast | None = None
    slope: SlopeSummary | None = None
    expected: Interval | None = None
    hypotheses: list[Hypothesis]
    levers: list[Lever]


@dataclass(frozen=True, slots=True, repr=False)
class Diagnosis(Folder):
    """What a log says of its run's loss.

    Attributes:
        result: All of it, unrounded.
        text: As the terminal shows it.
        folder: Where it is kept; None where it is not.
    """

    result: DiagnosisResult
    text: str
    folder: Path | None = None

    def __repr__(self) -> str:
        """Say in one line what it comes to, and of what log."""
        log = self.result.log
        return (
            f"Diagnosis: {self.result.verdict}; {number_of(len(self.result.hypotheses), 'cause')} "
            f"weighed, {log.format} log until step {log.last_step:,}"
        )

    def _repr_html_(self) -> str:
        """Show the line, and every hypothesis with its level, the likeliest first."""
        return draw_result(
            repr(self),
            [(each.name, f"{each.level} ({each.points:+.1f})") for each in self.result.hypotheses],
        )


def open_diagnosis(folder: AnyPath) -> Diagnosis:
    """Open a folder that `assay diagnose` wrote.

    Raises:
        UsageError: There is no such folder, or it holds something else.
        InputError: It is unfinished, or a file of it cannot be read.
    """
    folder = to_path(folder)
    read_manifest(folder, "diagnosis")
    result = read_diagnosis(folder)
    try:
        text = (folder / DIAGNOSIS_TEXT).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{folder / DIAGNOSIS_TEXT} cannot be read: {error}") from error
    return Diagnosis(result, text.rstrip("\n"), folder)


def read_diagnosis(folder: Path) -> DiagnosisResult:
    """Read the diagnosis that a sealed folder holds.

    Raises:
        InputError: The file is missing, or is not as `assay diagnose` writes it.
    """
    return read_result(folder / DIAGNOSIS, DiagnosisResult)
