"""The verdict of a comparison, as `verdict.json` has it."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from assay.artifacts import read_manifest
from assay.errors import InputError
from assay.train.config import TrainConfig
from assay.train.fairness import Gate
from assay.train.sentence import write_sentence
from assay.train.statistics import Difference, Judgement

VERDICT = "verdict.json"


class SeedLoss(msgspec.Struct, frozen=True, kw_only=True):
    """One run of an arm: its seed, its folder, and its loss on the clean documents."""

    seed: int
    run: str
    loss: float
    bits_per_byte: float | None


class ArmResult(msgspec.Struct, frozen=True, kw_only=True):
    """One arm: its data and its runs; `loss_sd` is None with one seed."""

    name: str
    manifest_sha256: str
    train_tokens: int
    unique_tokens: int
    epochs: float
    leaked_documents: int
    loss: float | None = None
    loss_sd: float | None = None
    bits_per_byte: float | None = None
    seeds: list[SeedLoss] = []


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """A difference in one unit; `interval` holds with the comparison's `confidence`."""

    difference: float
    interval: tuple[float, float]
    p: float
    minimum_detectable: float
    document_se: float
    degrees_of_freedom: float
    interval_kind: str


class Pairing(msgspec.Struct, frozen=True, kw_only=True):
    """One arm against the baseline.

    `difference`, `interval` and `minimum_detectable` are in nats a token, arm minus baseline.
    """

    arm: str
    baseline: str
    verdict: str
    sentence: str
    reason: str | None = None
    provisional: bool = False
    difference: float | None = None
    interval: tuple[float, float] | None = None
    p: float | None = None
    minimum_detectable: float | None = None
    won_share: float | None = None
    nats_per_token: Unit | None = None
    bits_per_byte: Unit | None = None
    leaked_difference: float | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """All of `verdict.json`.

    The fields up to `bits_per_byte` are those of the first arm after the baseline; with more
    arms each has its place in `comparisons`.
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
    schema_version: int = 1


def read_verdict(folder: Path) -> Verdict:
    """Read the verdict of a sealed comparison.

    Raises:
        UsageError: There is no such folder, or it holds something else.
        InputError: It is unfinished, or cannot be read.
    """
    read_manifest(folder, "comparison")
    try:
        return msgspec.json.decode((folder / VERDICT).read_bytes(), type=Verdict)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(f"{folder / VERDICT} cannot be read: {error}") from error


def pair_arms(
    judgement: Judgement,
    arm: str,
    baseline: str,
    *,
    seeds: int,
    documents: int,
    delta: float,
    confidence: float,
    leaked_difference: float | None = None,
) -> Pairing:
    """Put a judgement in the form of `verdict.json`."""
    sentence = write_sentence(
        judgement,
        arm,
        baseline,
        seeds=seeds,
        documents=documents,
        delta=delta,
        confidence=confidence,
    )
    token = _to_unit(judgement.per_token)
    return Pairing(
        arm=arm,
        baseline=baseline,
        verdict=judgement.verdict,
        sentence=sentence,
        reason=judgement.reason,
        provisional=judgement.provisional,
        difference=token.difference if token else None,
        interval=token.interval if token else None,
        p=token.p if token else None,
        minimum_detectable=token.minimum_detectable if token else None,
        won_share=judgement.won_share,
        nats_per_token=token,
        bits_per_byte=_to_unit(judgement.per_byte),
        leaked_difference=leaked_difference,
    )


def refuse_pair(reason: str, arm: str, baseline: str) -> Pairing:
    """Put a failed gate in the form of `verdict.json`: the verdict is invalid."""
    return Pairing(
        arm=arm, baseline=baseline, verdict="invalid", sentence=f"invalid: {reason}", reason=reason
    )


def summarise_arm(arm: ArmResult, seeds: list[SeedLoss]) -> ArmResult:
    """Add to an arm the losses of its runs, their mean and spread."""
    losses = np.array([each.loss for each in seeds])
    in_bytes = [each.bits_per_byte for each in seeds if each.bits_per_byte is not None]
    return msgspec.structs.replace(
        arm,
        seeds=seeds,
        loss=float(losses.mean()),
        loss_sd=float(losses.std(ddof=1)) if losses.size > 1 else None,
        bits_per_byte=sum(in_bytes) / len(in_bytes) if in_bytes else None,
    )


def _to_unit(found: Difference | None) -> Unit | None:
    if found is None:
        return None
    return Unit(
        difference=found.value,
        interval=found.interval,
        p=found.p,
        minimum_detectable=found.minimum_detectable,
        document_se=found.document_se,
        degrees_of_freedom=found.degrees,
        interval_kind=found.interval_kind,
    )


def to_json(verdict: Verdict) -> dict[str, Any]:
    """Return the verdict as plain JSON values."""
    built: dict[str, Any] = msgspec.to_builtins(verdict)
    return built
