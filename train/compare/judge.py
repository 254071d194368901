"""From the losses of runs to the verdict of a comparison."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import polars as pl

from assay.formats.comparison import Foreseen, LeakEffect, Pairing, SecondSet
from assay.formats.run import Run, name_places
from assay.storage.tables import read_table
from assay.train.compare.plan import ComparisonPlan, EvaluationSet
from assay.train.compare.wording import (
    write_detectable,
    write_equal_loss,
    write_leak,
    write_places,
    write_same_data,
    write_sentence,
)
from assay.train.stats.decision_rule import Decision, judge_all
from assay.train.stats.leak_effect import measure_leak
from assay.train.stats.paired_difference import Losses
from assay.train.stats.power import foresee_detectable, pool_seed_sd, prior_seed_sd
from assay.train.stats.tokens_to_equal_loss import find_equal_loss, mean_curve

_TRAIN_BIN = "train.bin"


@dataclass(frozen=True, slots=True)
class Trained:
    """The runs of each arm, and their nats on the primary and the second set.

    `nats` and `also` hold an array of shape (seeds, documents) for each arm; `also` is empty
    without a second set.
    """

    runs: list[list[Run]]
    nats: list[np.ndarray]
    also: list[np.ndarray]

    @property
    def seeds(self) -> int:
        """Runs an arm."""
        return len(self.runs[0])


def read_trained(plan: ComparisonPlan, output: Path, runs: list[list[Run]]) -> Trained:
    """Read the losses of a comparison's runs, those on the second set too."""
    nats = [np.stack([_nats(run.read_losses()) for run in row]) for row in runs]
    also = []
    if plan.also is not None:
        places = [[output / "also" / f"{run.folder.name}.parquet" for run in row] for row in runs]
        also = [np.stack([_nats(read_table(place)) for place in row]) for row in places]
    return Trained(runs, nats, also)


def judge_set(
    plan: ComparisonPlan, scored: EvaluationSet, nats: list[np.ndarray], prior_sd: float
) -> list[Pairing]:
    """Judge every arm against the first on the documents of one set that did not leak."""
    clean_J = ~scored.documents.leaked_J
    whole = [_losses(scored, nats, place) for place in range(1, len(plan.arms))]
    margins = plan.design.margins
    decisions = judge_all(
        [losses.take(clean_J) for losses in whole],
        margins=margins,
        alpha=plan.design.alpha,
        prior_sd=prior_sd,
        seed=plan.config.seed,
    )
    pairings = []
    for place, (losses, decision) in enumerate(zip(whole, decisions, strict=True), 1):
        sentence = write_sentence(
            decision,
            plan.names[place],
            plan.names[0],
            seeds=len(nats[0]),
            documents=int(clean_J.sum()),
            margins=margins,
        )
        pairing = _to_pairing(decision, plan.names[place], plan.names[0], sentence)
        leak = _leak_of(scored, losses, place)
        at = _detectable_at(decision, int(clean_J.sum()))
        notes = []
        if leak is not None:
            notes.append(write_leak(leak, pairing.arm, pairing.baseline))
        if at and decision.verdict == "no detectable difference":
            notes.append(write_detectable(at, pairing.arm))
        pairings.append(
            msgspec.structs.replace(
                pairing,
                leak=leak,
                leaked_difference=losses.take(~clean_J).difference if (~clean_J).any() else None,
                detectable_at=at,
                notes=notes,
            )
        )
    return pairings


def judge_trained(
    plan: ComparisonPlan, trained: Trained, parameters: Sequence[int]
) -> list[Pairing]:
    """Judge every arm on the primary set, and find tokens to equal loss."""
    prior_sd = expect_seed_sd(plan, parameters)
    pairings = judge_set(plan, plan.primary, trained.nats, prior_sd)
    curves = [mean_curve([run.read_curve() for run in runs]) for runs in trained.runs]
    found = []
    places = [name_places(runs) for runs in trained.runs]
    for place, pairing in enumerate(pairings, 1):
        notes = list(pairing.notes)
        if _have_one_train_bin(plan, place):
            notes.append(write_same_data(pairing.arm, pairing.baseline))
        if places[place] != places[0] and all((places[place], places[0])):
            arms = (pairing.arm, pairing.baseline)
            notes.append(write_places(*arms, places[place], places[0]))
        if pairing.nats_per_token is None or len({arm.config.tokens for arm in plan.arms}) > 1:
            found.append(msgspec.structs.replace(pairing, notes=notes))
            continue
        equal = find_equal_loss(
            pairing.nats_per_token.difference,
            pairing.nats_per_token.interval,
            (plan.names[place], plan.names[0]),
            (curves[place], curves[0]),
        )
        if equal.share is not None:
            notes.append(write_equal_loss(equal, pairing.arm, pairing.baseline))
        found.append(msgspec.structs.replace(pairing, equal_loss=equal, notes=notes))
    return found


def _have_one_train_bin(plan: ComparisonPlan, place: int) -> bool:
    """Tell whether an arm of data was trained on the bytes that the first was."""
    if plan.arms[place].settings:
        return False
    first, own = (
        {entry.sha256 for entry in arm.bins.manifest.outputs if entry.name == _TRAIN_BIN}
        for arm in (plan.arms[0], plan.arms[place])
    )
    return bool(first & own)


def judge_also(
    plan: ComparisonPlan, trained: Trained, parameters: Sequence[int]
) -> SecondSet | None:
    """Judge every arm on the second set, apart from the verdict."""
    if plan.also is None:
        return None
    scored = plan.also
    clean_J = ~scored.documents.leaked_J
    pairings: list[Pairing] = []
    if clean_J.any():
        pairings = judge_set(plan, scored, trained.also, expect_seed_sd(plan, parameters))
    tokens = max(int(scored.documents.tokens_J[clean_J].sum()), 1)
    losses = {
        name: float(nats_SJ[:, clean_J].sum(1).mean()) / tokens
        for name, nats_SJ in zip(plan.names, trained.also, strict=True)
    }
    return SecondSet(
        name=scored.bins.folder.name,
        documents=int(clean_J.sum()),
        leaked_documents=int((~clean_J).sum()),
        losses=losses,
        comparisons=pairings,
    )


def expect_seed_sd(plan: ComparisonPlan, parameters: Sequence[int]) -> float:
    """Return the seed standard deviation to assume: as declared, else by how long the runs are."""
    if plan.design.seed_sd is not None:
        return plan.design.seed_sd
    pairs = zip(plan.arms, parameters, strict=True)
    return max(prior_seed_sd(arm.config.tokens, number) for arm, number in pairs)


def foresee(plan: ComparisonPlan, parameters: Sequence[int], document_sd: float) -> Foreseen:
    """Work out before any training what the comparison could detect, and from which assumptions."""
    seed_sd = expect_seed_sd(plan, parameters)
    clean_J = ~plan.held_out.leaked_J
    tokens_J = plan.held_out.tokens_J[clean_J].astype(np.float64)
    error = document_sd * math.sqrt(float((tokens_J**2).sum())) / float(tokens_J.sum())
    source = (
        "the seed standard deviation was declared, that of documents is assumed"
        if plan.design.seed_sd is not None
        else "both standard deviations are assumed: the highest seen in runs of this length"
    )
    alpha = plan.design.alpha / (len(plan.arms) - 1)
    return Foreseen(
        seed_sd=seed_sd,
        document_sd=document_sd,
        source=source,
        detectable={
            str(seeds): foresee_detectable(
                seed_sd, error, seeds=seeds, documents=tokens_J.size, alpha=alpha
            )
            for seeds in sorted({*plan.design.looks, 3, 5, 8})
        },
    )


def _nats(table: pl.DataFrame) -> np.ndarray:
    return table["nats"].to_numpy()


def _losses(scored: EvaluationSet, nats: list[np.ndarray], place: int) -> Losses:
    documents = scored.documents
    return Losses(
        nats[0],
        nats[place],
        documents.tokens_J.astype(np.float64),
        documents.bytes_J.astype(np.float64),
    )


def _leak_of(scored: EvaluationSet, losses: Losses, place: int) -> LeakEffect | None:
    own_J = scored.leaked[place] & ~scored.leaked[0]
    return measure_leak(losses, own_J, ~scored.documents.leaked_J)


def _detectable_at(decision: Decision, documents: int) -> dict[str, float]:
    """Work out what more seeds could detect, were the noise as it was measured."""
    found, seed_sd = decision.per_token, pool_seed_sd(decision.seed_sd)
    if found is None or seed_sd is None:
        return {}
    return {
        str(seeds): foresee_detectable(
            seed_sd,
            found.document_se,
            seeds=seeds,
            documents=documents,
            alpha=1 - decision.confidence,
        )
        for seeds in (3, 5, 8)
    }


def _to_pairing(decision: Decision, arm: str, baseline: str, sentence: str) -> Pairing:
    token = decision.per_token
    return Pairing(
        arm=arm,
        baseline=baseline,
        verdict=decision.verdict,
        sentence=sentence,
        reason=decision.reason,
        provisional=decision.provisional,
        confidence=decision.confidence,
        difference=token.difference if token else None,
        interval=token.interval if token else None,
        p=token.p if token else None,
        minimum_detectable=token.minimum_detectable if token else None,
        won_share=decision.won_share,
        nats_per_token=token,
        bits_per_byte=decision.per_byte,
    )
