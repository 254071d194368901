"""Verdicts on arms, from their differences to the baseline and the margins declared before."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from assay.formats.comparison import Unit
from assay.train.stats.holm import holm_levels
from assay.train.stats.paired_difference import (
    ALPHA,
    BOOTSTRAP_ROUNDS,
    Estimate,
    Losses,
    estimate,
)

MIN_DOCUMENTS = 20
_UNDECIDED = ("no detectable difference", "inconclusive")


@dataclass(frozen=True, slots=True)
class Margins:
    """What was declared before: nats a token.

    Within `delta` either way a difference does not matter. An arm that is worse by less than
    `not_worse_by` is good enough; None asks for no such claim.
    """

    delta: float = 0.01
    not_worse_by: float | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on B against A, with what it rests on.

    `verdict` is one of better, worse, equivalent, not worse, no detectable difference,
    inconclusive, invalid; `reason` says why where it is one of the last two. `seed_sd` is the
    standard deviation of A's and of B's seeds, None with one seed, `pair_sd` that of pairs where
    seeds are paired. `confidence` is that of the intervals.
    """

    verdict: str
    reason: str | None
    confidence: float
    per_token: Unit | None = None
    per_byte: Unit | None = None
    won_share: float | None = None
    provisional: bool = False
    seed_sd: tuple[float | None, float | None] = (None, None)
    pair_sd: float | None = None


def judge_all(
    arms: Sequence[Losses],
    *,
    margins: Margins | None = None,
    alpha: float = ALPHA,
    prior_sd: float = 0.008,
    rounds: int = BOOTSTRAP_ROUNDS,
    seed: int = 0,
) -> list[Decision]:
    """Judge each arm against the baseline; Holm's procedure holds all claims of a kind at alpha.

    The kinds are: there is a difference; there is none that matters; the arm is not worse. Each
    is false with chance at most alpha over all arms. Equivalent goes before better: a difference
    inside `delta` was declared not to matter. With one seed an arm, a difference counts only
    beyond 3 * sqrt(2) * `prior_sd`, and is provisional.

    Args:
        arms: Losses of each arm beside the baseline's, on the same documents.
        margins: Declared before.
        alpha: 1 minus the confidence; over several looks, each look's part of it.
        prior_sd: Standard deviation of seeds, nats a token, to assume where an arm has one seed.
        rounds: Of the bootstrap.
        seed: Of the bootstrap.
    """
    margins = margins or Margins()
    reasons = [find_defect(losses) for losses in arms]
    sound = [losses for losses, reason in zip(arms, reasons, strict=True) if reason is None]
    found = [
        estimate(
            losses.nats_a_SJ,
            losses.nats_b_SJ,
            losses.tokens_J,
            paired=losses.paired,
            prior_sd=prior_sd,
            rounds=rounds,
            seed=seed,
        )
        for losses in sound
    ]
    # Arms that cannot be judged count all the same: they were declared.
    missing = [1.0] * (len(arms) - len(sound))
    levels = [
        holm_levels([*chances, *missing], alpha)
        for chances in (
            [each.p for each in found],
            [max(each.p_above(margins.delta), 1 - each.p_above(-margins.delta)) for each in found],
            [each.p_above(margins.not_worse_by or 0.0) for each in found],
        )
    ]
    judged = iter(
        _judge_sound(losses, each, margins, level, prior_sd, rounds, seed)
        for losses, each, level in zip(
            sound, found, list(zip(*levels, strict=True))[: len(sound)], strict=True
        )
    )
    return [
        next(judged) if reason is None else _refuse(losses, reason, alpha / len(arms))
        for losses, reason in zip(arms, reasons, strict=True)
    ]


def is_decided(verdicts: Sequence[str]) -> bool:
    """Tell whether every arm has a verdict that takes no further seeds."""
    return not any(verdict in _UNDECIDED for verdict in verdicts)


def find_defect(losses: Losses) -> str | None:
    """Return why losses cannot be compared: too few, not finite, or twice the same run."""
    runs = np.concatenate([losses.nats_a_SJ, losses.nats_b_SJ])
    if not np.isfinite(runs).all():
        return "a held-out loss is not a finite number"
    if runs.size and any(np.array_equal(*pair) for pair in combinations(runs, 2)):
        return "two runs have identical losses: arms or seeds are not independent"
    number = losses.tokens_J.size
    return None if number > 1 else f"{number} held-out documents, {MIN_DOCUMENTS} needed"


def _refuse(losses: Losses, reason: str, alpha: float) -> Decision:
    verdict = "inconclusive" if losses.tokens_J.size < 2 else "invalid"
    return Decision(verdict, reason, 1 - alpha)


def _judge_sound(
    losses: Losses,
    found: Estimate,
    margins: Margins,
    levels: tuple[float, ...],
    prior_sd: float,
    rounds: int,
    seed: int,
) -> Decision:
    a, b = losses.nats_a_SJ, losses.nats_b_SJ
    provisional = min(len(a), len(b)) < 2
    per_byte = None
    size_J = losses.bytes_J * math.log(2)
    if size_J.sum() > 0:
        in_bytes = prior_sd * float(losses.tokens_J.sum()) / float(size_J.sum())
        per_byte = estimate(
            a, b, size_J, paired=losses.paired, prior_sd=in_bytes, rounds=rounds, seed=seed
        )
    verdict, reason = _decide(found, losses.tokens_J.size, margins, levels, prior_sd, provisional)
    return Decision(
        verdict,
        reason,
        confidence=1 - levels[0],
        per_token=measure_unit(found, levels[0]),
        per_byte=measure_unit(per_byte, levels[0]) if per_byte else None,
        won_share=float((b.mean(0) < a.mean(0)).mean()),
        provisional=provisional,
        seed_sd=found.seed_sd,
        pair_sd=found.pair_sd,
    )


def measure_unit(found: Estimate, alpha: float) -> Unit:
    """Give an estimate the interval and the minimum detectable effect of a level."""
    interval = found.interval(alpha)
    return Unit(
        difference=found.value,
        interval=(interval.low, interval.high),
        p=found.p,
        minimum_detectable=found.minimum_detectable(alpha),
        document_se=found.document_se,
        degrees_of_freedom=found.degrees,
        interval_kind=interval.kind,
        confidence=1 - alpha,
    )


def _decide(
    found: Estimate,
    number: int,
    margins: Margins,
    levels: tuple[float, ...],
    prior_sd: float,
    provisional: bool,
) -> tuple[str, str | None]:
    of_difference, of_equivalence, of_margin = levels
    direction = "better" if found.value < 0 else "worse"
    interval = found.interval(of_difference)
    detected = found.p < of_difference and (interval.low > 0 or interval.high < 0)
    if number < MIN_DOCUMENTS:
        return "inconclusive", f"{number} held-out documents, {MIN_DOCUMENTS} needed"
    if provisional:
        threshold = 3 * math.sqrt(2) * prior_sd
        if abs(found.value) > threshold and detected:
            return direction, None
        return "inconclusive", (
            f"one seed an arm, and the difference is not beyond {threshold:.4f} nats/token; "
            "run more seeds"
        )
    inner = found.interval(2 * of_equivalence)
    if -margins.delta < inner.low and inner.high < margins.delta:
        return "equivalent", None
    if detected and direction == "better":
        return "better", None
    reach = found.interval(2 * of_margin).high
    if margins.not_worse_by is not None and reach < margins.not_worse_by:
        return "not worse", None
    return ("worse" if detected else "no detectable difference"), None
