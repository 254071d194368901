"""From the losses of runs to the verdict of a comparison."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import polars as pl

from assay.formats.comparison import Foreseen, Pairing, SecondSet
from assay.formats.run import Run, name_places
from assay.storage.tables import read_table
from assay.train.compare.plan import ComparisonPlan, EvaluationSet
from assay.train.compare.wording import (
    write_coupled,
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
from assay.train.stats.power import (
    PRIOR_DOCUMENT_SD,
    foresee_detectable,
    pool_seed_sd,
    prior_seed_sd,
)
from assay.train.stats.tokens_to_equal_loss import find_equal_loss, mean_curve


@dataclass(frozen=True, slots=True)
class Trained:
    """The runs of each arm, and their nats on the primary and the second set.

    `nats` and `also` hold an array of shape (seeds, documents) for each arm; `also` is empty
    without a second set.
    """

    runs: list[list[Run]]
    nats: list[np.ndarray]
    also: list[np.ndarray]


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
    documents, clean_J = scored.documents, ~scored.documents.leaked_J
    tokens_J, bytes_J = (
        each.astype(np.float64) for each in (documents.tokens_J, documents.bytes_J)
    )
    paired = bool(plan.coupling)
    whole = [Losses(nats[0], of_arm, tokens_J, bytes_J, paired) for of_arm in nats[1:]]
    decisions = judge_all(
        [losses.take(clean_J) for losses in whole],
        margins=plan.design.margins,
        alpha=plan.design.alpha,
        prior_sd=prior_sd,
        seed=plan.config.seed,
    )
    judged = zip(whole, decisions, strict=True)
    return [_judge_arm(plan, scored, place, *each) for place, each in enumerate(judged, 1)]


def _judge_arm(
    plan: ComparisonPlan, scored: EvaluationSet, place: int, losses: Losses, decision: Decision
) -> Pairing:
    """Put together what was found of one arm on the documents of one set."""
    arm, baseline, token = plan.names[place], plan.names[0], decision.per_token
    leaked_J = scored.documents.leaked_J
    clean = int((~leaked_J).sum())
    leak = measure_leak(losses, scored.leaked[place] & ~scored.leaked[0], ~leaked_J)
    at, notes = _detectable_at(decision, clean), []
    if leak is not None:
        notes.append(write_leak(leak, arm, baseline))
    if at and decision.verdict == "no detectable difference":
        notes.append(write_detectable(at, arm))
    return Pairing(
        arm=arm,
        baseline=baseline,
        verdict=decision.verdict,
        sentence=write_sentence(
            decision,
            arm,
            baseline,
            seeds=len(losses.nats_a_SJ),
            documents=clean,
            margins=plan.design.margins,
            paired=bool(plan.coupling),
        ),
        reason=decision.reason,
        provisional=decision.provisional,
        confidence=decision.confidence,
        difference=token.difference if token else None,
        interval=token.interval if token else None,
        p=token.p if token else None,
        minimum_detectable=token.minimum_detectable if token else None,
        won_share=decision.won_share,
        pair_sd=decision.pair_sd,
        nats_per_token=token,
        bits_per_byte=decision.per_byte,
        leak=leak,
        leaked_difference=losses.take(leaked_J).difference if leaked_J.any() else None,
        detectable_at=at,
        notes=notes,
    )


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
        notes, arms = list(pairing.notes), (pairing.arm, pairing.baseline)
        if plan.coupling.shared_A:
            notes.append(write_coupled(plan.coupling.shared_A[place], *arms))
        elif plan.coupling.reason:
            notes.append(f"arms were trained apart: {plan.coupling.reason}")
        if _have_one_train_bin(plan, place):
            notes.append(write_same_data(*arms))
        if places[place] != places[0] and all((places[place], places[0])):
            notes.append(write_places(*arms, places[place], places[0]))
        equal, token = None, pairing.nats_per_token
        if token is not None and len({arm.config.tokens for arm in plan.arms}) == 1:
            pair = curves[place], curves[0]
            equal = find_equal_loss(token.difference, token.interval, arms, pair)
            if equal.share is not None:
                notes.append(write_equal_loss(equal, *arms))
        found.append(msgspec.structs.replace(pairing, equal_loss=equal, notes=notes))
    return found


def _have_one_train_bin(plan: ComparisonPlan, place: int) -> bool:
    """Tell whether an arm of data was trained on the bytes that the first was."""
    first, own = (
        {entry.sha256 for entry in arm.bins.manifest.outputs if entry.name == "train.bin"}
        for arm in (plan.arms[0], plan.arms[place])
    )
    return not plan.arms[place].settings and bool(first & own)


def judge_also(
    plan: ComparisonPlan, trained: Trained, parameters: Sequence[int]
) -> SecondSet | None:
    """Judge every arm on the second set, apart from the verdict."""
    if plan.also is None:
        return None
    scored = plan.also
    clean_J = ~scored.documents.leaked_J
    prior_sd = expect_seed_sd(plan, parameters)
    pairings = judge_set(plan, scored, trained.also, prior_sd) if clean_J.any() else []
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


def foresee(plan: ComparisonPlan, parameters: Sequence[int]) -> Foreseen:
    """Work out before any training what the comparison could detect, and from which assumptions."""
    seed_sd = expect_seed_sd(plan, parameters)
    clean_J = ~plan.held_out.leaked_J
    tokens_J = plan.held_out.tokens_J[clean_J].astype(np.float64)
    error = PRIOR_DOCUMENT_SD * math.sqrt(float((tokens_J**2).sum())) / float(tokens_J.sum())
    source = (
        "the seed standard deviation was declared, that of documents is assumed"
        if plan.design.seed_sd is not None
        else "both standard deviations are assumed: the highest seen in runs of this length"
    )
    alpha = plan.design.alpha / (len(plan.arms) - 1)
    return Foreseen(
        seed_sd=seed_sd,
        document_sd=PRIOR_DOCUMENT_SD,
        source=source,
        detectable={
            str(seeds): foresee_detectable(
                seed_sd,
                error,
                seeds=seeds,
                documents=tokens_J.size,
                alpha=alpha,
                paired=bool(plan.coupling),
            )
            for seeds in sorted({*plan.design.looks, 3, 5, 8})
        },
    )


def _nats(table: pl.DataFrame) -> np.ndarray:
    return table["nats"].to_numpy()


def _detectable_at(decision: Decision, documents: int) -> dict[str, float]:
    """Work out what more seeds could detect, were the noise as it was measured."""
    found, seed_sd = decision.per_token, pool_seed_sd(decision.seed_sd)
    if (pair_sd := decision.pair_sd) is not None:
        seed_sd = pair_sd / math.sqrt(2)
    if found is None or seed_sd is None:
        return {}
    return {
        str(seeds): foresee_detectable(
            seed_sd,
            found.document_se,
            seeds=seeds,
            documents=documents,
            alpha=1 - decision.confidence,
            paired=pair_sd is not None,
        )
        for seeds in (3, 5, 8)
    }
