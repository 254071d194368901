"""What it did to held-out documents that an arm was trained on them."""

import numpy as np

from assay.formats.comparison import LeakEffect
from assay.train.stats.paired_difference import ALPHA, Estimate, Losses, seed_part


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
    excess = leaked.difference - clean.difference
    parts = (
        seed_part(_rates(leaked.nats_a_SJ, leaked) - _rates(clean.nats_a_SJ, clean)),
        seed_part(_rates(leaked.nats_b_SJ, leaked) - _rates(clean.nats_b_SJ, clean)),
        leaked.document_part,
        clean.document_part,
    )
    found = Estimate(excess, parts, (None, None), np.zeros(0))
    low, high = found.interval(alpha).low, found.interval(alpha).high
    share = float(leaked.tokens_J.sum() / (leaked.tokens_J.sum() + clean.tokens_J.sum()))
    return LeakEffect(
        documents=leaked.tokens_J.size,
        difference=leaked.difference,
        excess=excess,
        interval=(low, high),
        p=found.p,
        optimism=-share * excess,
        optimism_interval=(-share * high, -share * low),
        confidence=1 - alpha,
    )


def _rates(nats_SJ: np.ndarray, losses: Losses) -> np.ndarray:
    rate_S: np.ndarray = nats_SJ.sum(1) / losses.tokens_J.sum()
    return rate_S
