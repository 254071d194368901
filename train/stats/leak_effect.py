"""What it did to held-out documents that an arm was trained on them."""

import math

import numpy as np

from assay.formats.comparison import LeakEffect
from assay.laws.ratio_estimator import ratio_variance
from assay.laws.student_t import quantile, tail
from assay.train.stats.paired_difference import ALPHA, Losses, seed_part
from assay.train.stats.power import Part, satterthwaite


def measure_leak(
    losses: Losses, leaked_J: np.ndarray, clean_J: np.ndarray, *, alpha: float = ALPHA
) -> LeakEffect | None:
    """Measure the difference in differences; None where a side has fewer than two documents.

    The variance adds that of the seeds, each giving one value of (leaked minus clean), and
    that of the documents, leaked and clean ones drawn apart.

    Args:
        losses: Of baseline A and arm B, on all documents.
        leaked_J: Those that B was trained on and A was not.
        clean_J: Those that no arm was trained on.
        alpha: 1 minus the confidence.
    """
    leaked, clean = losses.take(leaked_J), losses.take(clean_J)
    if min(leaked.tokens_J.size, clean.tokens_J.size) < 2:
        return None
    parts: list[Part] = []
    for nats in ("nats_a_SJ", "nats_b_SJ"):
        gap_S = _rates(getattr(leaked, nats), leaked) - _rates(getattr(clean, nats), clean)
        parts.append(seed_part(gap_S))
    for side in (leaked, clean):
        parts.append((ratio_variance(side.change_J, side.tokens_J), side.tokens_J.size - 1))
    excess = leaked.difference - clean.difference
    error, degrees = math.sqrt(sum(part for part, _ in parts)), satterthwaite(parts)
    reach = error * quantile(1 - alpha / 2, degrees)
    share = float(leaked.tokens_J.sum() / (leaked.tokens_J.sum() + clean.tokens_J.sum()))
    return LeakEffect(
        documents=leaked.tokens_J.size,
        difference=leaked.difference,
        excess=excess,
        interval=(excess - reach, excess + reach),
        p=min(1.0, 2 * tail(abs(excess) / error, degrees)) if error else 1.0,
        optimism=-share * excess,
        optimism_interval=(-share * (excess + reach), -share * (excess - reach)),
        confidence=1 - alpha,
    )


def _rates(nats_SJ: np.ndarray, losses: Losses) -> np.ndarray:
    rate_S: np.ndarray = nats_SJ.sum(1) / losses.tokens_J.sum()
    return rate_S
