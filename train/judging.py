"""From the losses of runs to the verdict of a comparison."""

import math

import msgspec
import numpy as np

from assay.train.fairness import Gate
from assay.train.plan import Plan
from assay.train.runs import Run
from assay.train.statistics import Losses, judge
from assay.train.verdict import (
    ArmResult,
    Pairing,
    SeedLoss,
    Verdict,
    pair_arms,
    refuse_pair,
)


def judge_arm(
    plan: Plan, tables: list[np.ndarray], place: int, *, prior_sd: float = 0.04
) -> Pairing:
    """Judge an arm against the first, on the documents that did not leak.

    Args:
        plan: Of the comparison.
        tables: Nats of each arm: float64, shape (S, J).
        place: The arm's.
        prior_sd: Spread of seeds to assume where there is one an arm, nats a token. The
            highest seen: 0.04 on short runs (10 steps at the full vocabulary, where the loss
            still falls fast; 0.006 to 0.010 later), 0.004 past 20 tokens a parameter.
    """
    clean_J = ~plan.held_out.leaked_J
    tokens_J = plan.held_out.tokens_J.astype(np.float64)
    losses = Losses(
        tables[0][:, clean_J],
        tables[place][:, clean_J],
        tokens_J[clean_J],
        plan.held_out.bytes_J[clean_J].astype(np.float64),
    )
    leaked_difference = None
    if not clean_J.all():
        change_J = tables[place].mean(0) - tables[0].mean(0)
        leaked_difference = float(change_J[~clean_J].sum() / tokens_J[~clean_J].sum())
    return pair_arms(
        judge(
            losses,
            delta=plan.delta,
            alpha=plan.alpha,
            prior_sd=prior_sd,
            seed=plan.config.seed,
        ),
        plan.names[place],
        plan.names[0],
        seeds=plan.seeds,
        documents=int(clean_J.sum()),
        delta=plan.delta,
        confidence=1 - plan.alpha,
        leaked_difference=leaked_difference,
    )


def refuse_arm(plan: Plan, place: int, verdict: str, reason: str) -> Pairing:
    """Give no verdict on an arm, or none that counts, and say why."""
    pairing = refuse_pair(reason, plan.names[place], plan.names[0])
    return msgspec.structs.replace(pairing, verdict=verdict, sentence=f"{verdict}: {reason}")


def list_seeds(plan: Plan, runs: list[Run], nats_SJ: np.ndarray) -> list[SeedLoss]:
    """List an arm's runs with their losses on the documents that did not leak."""
    clean_J = ~plan.held_out.leaked_J
    tokens = int(plan.held_out.tokens_J[clean_J].sum())
    size = int(plan.held_out.bytes_J[clean_J].sum())
    sums = nats_SJ[:, clean_J].sum(1).tolist()
    return [
        SeedLoss(
            seed=run.config.seed,
            run=f"runs/{run.folder.name}",
            loss=total / tokens,
            bits_per_byte=total / (size * math.log(2)) if size else None,
        )
        for run, total in zip(runs, sums, strict=True)
    ]


def assemble(
    plan: Plan,
    arms: list[ArmResult],
    pairings: list[Pairing],
    gates: list[Gate],
    parameters: int,
) -> Verdict:
    """Put together what `verdict.json` holds."""
    first, config = pairings[0], plan.config
    return Verdict(
        verdict=first.verdict,
        sentence=first.sentence,
        difference=first.difference,
        interval=first.interval,
        p=first.p,
        minimum_detectable=first.minimum_detectable,
        bits_per_byte=first.bits_per_byte,
        seeds=plan.seeds,
        delta=plan.delta,
        confidence=1 - plan.alpha,
        documents=int((~plan.held_out.leaked_J).sum()),
        leaked_documents=int(plan.held_out.leaked_J.sum()),
        tokens_per_run=config.max_iters * config.tokens_per_step,
        steps=config.max_iters,
        parameters=parameters,
        arms=arms,
        gates=gates,
        comparisons=pairings,
        config=config,
    )
