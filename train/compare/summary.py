"""Put together what `verdict.json` holds."""

import math

import msgspec
import numpy as np

from assay.formats.comparison import (
    ArmResult,
    Foreseen,
    Gate,
    Look,
    Pairing,
    SecondSet,
    SeedLoss,
    Verdict,
)
from assay.formats.run import Run
from assay.train.compare.plan import ComparisonPlan
from assay.train.stats.paired_difference import ALPHA


def refuse_all(plan: ComparisonPlan, verdict: str, reason: str) -> list[Pairing]:
    """Pair every arm with the baseline under one verdict, inconclusive or invalid."""
    return [
        Pairing(
            arm=name,
            baseline=plan.names[0],
            verdict=verdict,
            sentence=f"{verdict}: {reason}",
            reason=reason,
        )
        for name in plan.names[1:]
    ]


def summarise_arm(
    plan: ComparisonPlan, arm: ArmResult, runs: list[Run], nats_SJ: np.ndarray, parameters: int
) -> ArmResult:
    """Add to an arm the losses of its runs on the clean documents, their mean and deviation."""
    clean_J = ~plan.held_out.leaked_J
    tokens = int(plan.held_out.tokens_J[clean_J].sum())
    bits = int(plan.held_out.bytes_J[clean_J].sum()) * math.log(2)
    sums_S = nats_SJ[:, clean_J].sum(1)
    losses_S = sums_S / tokens
    return msgspec.structs.replace(
        arm,
        parameters=parameters,
        loss=float(losses_S.mean()),
        loss_sd=float(losses_S.std(ddof=1)) if losses_S.size > 1 else None,
        bits_per_byte=float(sums_S.mean()) / bits if bits else None,
        seeds=[
            SeedLoss(
                seed=run.config.seed,
                run=f"runs/{run.folder.name}",
                loss=total / tokens,
                bits_per_byte=total / bits if bits else None,
            )
            for run, total in zip(runs, sums_S.tolist(), strict=True)
        ],
    )


def assemble_verdict(
    plan: ComparisonPlan,
    arms: list[ArmResult],
    pairings: list[Pairing],
    gates: list[Gate],
    *,
    seeds: int,
    looks: list[Look] | None = None,
    foreseen: Foreseen | None = None,
    also: SecondSet | None = None,
) -> Verdict:
    """Put together what `verdict.json` holds."""
    first, config, margins = pairings[0], plan.config, plan.design.margins
    return Verdict(
        verdict=first.verdict,
        sentence=first.sentence,
        difference=first.difference,
        interval=first.interval,
        p=first.p,
        minimum_detectable=first.minimum_detectable,
        bits_per_byte=first.bits_per_byte,
        seeds=seeds,
        delta=margins.delta,
        not_worse_by=margins.not_worse_by,
        confidence=1 - ALPHA,
        documents=plan.held_out.num_clean,
        leaked_documents=int(plan.held_out.leaked_J.sum()),
        tokens_per_run=config.tokens,
        steps=config.max_iters,
        parameters=arms[0].parameters or 0,
        arms=arms,
        gates=gates,
        comparisons=pairings,
        config=config,
        varied=sorted(set().union(*(arm.settings for arm in plan.arms))),
        looks=looks or [],
        declared_looks=list(plan.design.looks),
        foreseen=foreseen,
        also=also,
    )
