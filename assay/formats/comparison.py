"""Comparisons: `verdict.json`, what training twins showed, and the folder that holds it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from assay.formats.train_config import TrainConfig
from assay.paths import AnyPath, Folder, to_path
from assay.storage.manifest import read_manifest, read_result
from assay.terminal.notebook import draw_result
from assay.terminal.numbers import count

VERDICT = "verdict.json"


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """One condition of a fair comparison: what was found, and what was needed."""

    name: str
    passed: bool
    found: str
    needed: str


class SeedLoss(msgspec.Struct, frozen=True, kw_only=True):
    """One run of an arm: its seed, its folder, and its loss on the clean documents."""

    seed: int
    run: str
    loss: float
    bits_per_byte: float | None


class ArmResult(msgspec.Struct, frozen=True, kw_only=True):
    """One arm: its data, what sets it apart, and its runs; `loss_sd` is None with one seed.

    `coupled_share` is the share of a run's places at which a coupled arm has the baseline's window;
    None where arms were trained apart.
    """

    name: str
    manifest_sha256: str
    train_tokens: int
    unique_tokens: int
    epochs: float
    leaked_documents: int
    tokens_per_run: int
    settings: dict[str, Any] = {}
    parameters: int | None = None
    loss: float | None = None
    loss_sd: float | None = None
    bits_per_byte: float | None = None
    coupled_share: float | None = None
    seeds: list[SeedLoss] = []


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """A difference in one unit; `interval` holds at `confidence`."""

    difference: float
    interval: tuple[float, float]
    p: float
    minimum_detectable: float
    document_se: float
    degrees_of_freedom: float
    interval_kind: str
    confidence: float


class LeakEffect(msgspec.Struct, frozen=True, kw_only=True):
    """Leaked minus clean documents, arm minus baseline; nats a token.

    `difference` is on the leaked documents alone. `excess` is that less the difference on the
    clean ones: what having seen them did. `optimism` is how much too low the arm's loss over
    all of these documents would be. Intervals are at `confidence`.
    """

    documents: int
    difference: float
    excess: float
    interval: tuple[float, float]
    p: float
    optimism: float
    optimism_interval: tuple[float, float]
    confidence: float


class EqualLoss(msgspec.Struct, frozen=True, kw_only=True):
    """The arm with the lower loss reached the other's final loss after `share` of its tokens.

    `interval` reads both ends of the difference's interval off the same curve. Where it cannot
    be worked out all are None but the reason.
    """

    arm: str | None = None
    share: float | None = None
    interval: tuple[float, float] | None = None
    reason: str | None = None


class Pairing(msgspec.Struct, frozen=True, kw_only=True):
    """One arm against the baseline.

    `difference`, `interval` and `minimum_detectable` are in nats a token, arm minus baseline.
    `detectable_at` is the minimum detectable effect with more seeds an arm, at the measured noise;
    `pair_sd` the standard deviation of coupled pairs, None where arms were trained apart;
    `notes` what goes with the verdict, in words: leaks, tokens to equal loss, further seeds.
    """

    arm: str
    baseline: str
    verdict: str
    sentence: str
    reason: str | None = None
    provisional: bool = False
    confidence: float | None = None
    difference: float | None = None
    interval: tuple[float, float] | None = None
    p: float | None = None
    minimum_detectable: float | None = None
    detectable_at: dict[str, float] = {}
    won_share: float | None = None
    pair_sd: float | None = None
    nats_per_token: Unit | None = None
    bits_per_byte: Unit | None = None
    leaked_difference: float | None = None
    leak: LeakEffect | None = None
    equal_loss: EqualLoss | None = None
    notes: list[str] = []


class Foreseen(msgspec.Struct, frozen=True, kw_only=True):
    """What the comparison could be expected to see, worked out before anything was trained.

    `detectable` is by seeds an arm; `source` says from what standard deviations.
    """

    seed_sd: float
    document_sd: float
    source: str
    detectable: dict[str, float]


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """One declared look: seeds an arm, and the verdict of each arm as it then was."""

    seeds: int
    decided: bool
    verdicts: dict[str, str]


class SecondSet(msgspec.Struct, frozen=True, kw_only=True):
    """The arms on another set of documents; scored apart, never part of the verdict."""

    name: str
    documents: int
    leaked_documents: int
    losses: dict[str, float]
    comparisons: list[Pairing]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """All of `verdict.json`.

    The fields up to `bits_per_byte` are those of the first arm after the baseline; with more
    arms each has its place in `comparisons`. `confidence` is the family's: all claims of a kind
    hold together with it.
    """

    verdict: str
    sentence: str
    difference: float | None
    interval: tuple[float, float] | None
    p: float | None
    minimum_detectable: float | None
    bits_per_byte: Unit | None
    seeds: int
    delta: float
    not_worse_by: float | None
    confidence: float
    documents: int
    leaked_documents: int
    tokens_per_run: int
    steps: int
    parameters: int
    arms: list[ArmResult]
    gates: list[Gate]
    comparisons: list[Pairing]
    config: TrainConfig
    varied: list[str] = []
    looks: list[Look] = []
    declared_looks: list[int] = []
    foreseen: Foreseen | None = None
    also: SecondSet | None = None
    schema_version: int = 2


@dataclass(frozen=True, slots=True)
class Comparison(Folder):
    """A finished comparison: `verdict.json`, and each run under `runs/<arm>-<seed>/`.

    With a second set its losses lie in `also/<arm>-<seed>.parquet`, with several looks what each
    found in `look-<seeds>.json`.
    """

    folder: Path
    verdict: Verdict

    def __str__(self) -> str:
        return f"comparison {self.folder}: {self.verdict.sentence}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = [
            (
                arm.name,
                f"{count(arm.unique_tokens)} unique tokens, {arm.epochs:.2f} epochs"
                + ("" if arm.loss is None else f", {arm.loss:.4f} nats/token"),
            )
            for arm in self.verdict.arms
        ]
        rows += [(each.arm, each.sentence) for each in self.verdict.comparisons[1:]]
        return draw_result(str(self), rows)


def open_comparison(folder: AnyPath) -> Comparison:
    """Open a folder that `assay compare` wrote. Errors as in `read_verdict`."""
    folder = to_path(folder)
    return Comparison(folder, read_verdict(folder))


def read_verdict(folder: Path) -> Verdict:
    """Read the verdict of a sealed comparison.

    Raises:
        UsageError: There is no such folder, or it holds something else.
        InputError: It is unfinished, or cannot be read.
    """
    read_manifest(folder, "comparison")
    return read_result(folder / VERDICT, Verdict, "compare again with this assay")


def find_run(folder: Path, seed: SeedLoss) -> Path | None:
    """Return a run's folder inside its comparison; None where it is not there, or lies outside."""
    found = folder / seed.run
    inside = found.resolve().is_relative_to(folder.resolve())
    return found if inside and found.is_dir() else None
