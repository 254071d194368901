"""What the bands can find: the share of near pairs found, and what was not compared."""

import math
from collections.abc import Iterator

from assay.formats.audit_totals import AuditTotals, Lsh, PlantedLevel
from assay.formats.findings import Finding, FindingKind
from assay.terminal.numbers import count, number_of, share

NEAR_RECALL = FindingKind(
    name="near_recall",
    measures="near pairs that were found, estimated by clusters; pairs planted for the purpose "
    "must be found as often as the bands state",
    of="near pairs",
    levels="low under 0.9; high where planted pairs stray further than chance lets them, or a "
    "document signed again has other keys",
    unmeasured="fewer than 30 near pairs, or in fewer than 3 clusters; those in clusters too large "
    "to be compared are left out",
    evidence="manifest.json",
)
NEAR_UNCOMPARED = FindingKind(
    name="near_uncompared",
    measures="candidate pairs that were not compared, for want of budget",
    unit="pairs",
    levels="medium over 0",
    evidence="pairs.parquet",
)
CANDIDATES = FindingKind(
    name="candidates",
    measures="candidate pairs compared whose Jaccard met the threshold",
    of="pairs compared",
    unmeasured="no pair was compared",
    evidence="pairs.parquet",
)

_ENOUGH_PAIRS = 30  # near pairs, for a share of them to be estimated
_FAR = 9.7  # nats: 2 * 8 * exp(-9.7) is 0.001


def judge_recall(totals: AuditTotals) -> Iterator[Finding]:
    """Judge the check of the bands, and state the share of near pairs that they found."""
    lsh = totals.lsh
    odd = lsh.planted_unlike > 0 or any(strays(row) for row in lsh.planted)
    checked = _describe_check(lsh)
    recall, interval = lsh.near_recall, lsh.near_recall_interval
    if recall is None or interval is None:
        reason = _explain_unmeasured(lsh)
        if not odd:
            yield NEAR_RECALL.skip(f"{reason} to say what share of them was found; {checked}")
            return
        found = f"{reason} to say what share of them was found"
    else:
        found = (
            f"an estimated {100 * recall:.1f}% of near pairs (95% interval "
            f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f}%) were found"
        )
        if lsh.near_clusters_left_out:
            found += f" outside of {number_of(lsh.near_clusters_left_out, 'cluster')} too large"
    yield NEAR_RECALL.find(
        recall,
        f"{found}; {checked}",
        action="do not trust the near duplicates: report this as a defect" if odd else "",
        level="high" if odd else "low" if recall is not None and recall < 0.9 else "info",
        threshold=0.9,
        interval=interval,
    )


def _explain_unmeasured(lsh: Lsh) -> str:
    if lsh.near_pairs < _ENOUGH_PAIRS:
        return f"too few near pairs ({lsh.near_pairs})"
    if lsh.near_clusters_left_out:
        left = number_of(lsh.near_clusters_left_out, "cluster")
        return f"too few near pairs outside of {left} too large to be compared"
    return f"{count(lsh.near_pairs)} near pairs stand in too few clusters ({lsh.near_clusters})"


def _describe_check(lsh: Lsh) -> str:
    """Say what planted pairs gave: at the threshold, or where they stray."""
    if lsh.planted_unlike:
        return (
            f"of {count(lsh.planted_documents)} documents signed again, "
            f"{count(lsh.planted_unlike)} have other band keys than pairs were looked for with"
        )
    planted = [row for row in lsh.planted if row.pairs]
    if not planted:
        return "no document was fit to plant pairs in"
    odd = [row for row in planted if strays(row)]
    row = odd[0] if odd else min(planted, key=lambda row: abs(row.jaccard - lsh.threshold))
    return (
        f"of {count(row.pairs)} pairs planted at Jaccard {row.jaccard:g} the bands "
        f"propose {count(row.found)}, expected {row.expected:.1f} +- {row.deviation:.1f}"
    )


def strays(row: PlantedLevel) -> bool:
    """Tell whether a count of planted pairs found is further off than chance lets it be.

    Chernoff's bound, which holds for trials of unlike chances, too (Hoeffding 1956): sound bands
    stray so far at one of eight levels in one corpus of a thousand at most, however few the pairs.
    What slots differ from the stated chance is at most 0.7 of these nats in 256 pairs (LOG.md).
    """
    divergence = 0.0
    for seen, expected in (
        (row.found, row.expected),
        (row.pairs - row.found, row.pairs - row.expected),
    ):
        if seen:
            divergence += seen * math.log(seen / expected) if expected > 0 else math.inf
    return divergence > _FAR


def judge_candidates(totals: AuditTotals) -> Iterator[Finding]:
    """State what the bands can find, and the share of candidates that met the threshold."""
    lsh, uncompared = totals.lsh, totals.pairs.uncompared
    chance = dict(lsh.detection)
    left = f"; {count(uncompared)} candidate pairs were not compared" if uncompared else ""
    if joined := totals.pairs.joined:
        left += f"; {count(joined)} more, of documents joined by other pairs, are not listed"
    yield NEAR_UNCOMPARED.find(
        float(uncompared),
        f"near duplicates are a lower bound: {lsh.bands} bands of {lsh.rows} rows propose a pair "
        f"of Jaccard 0.8 with chance {chance[0.8]:.3f}, of 0.9 with {chance[0.9]:.4f}, and every "
        f"pair reported was verified on its texts{left}",
        level="medium" if uncompared else "info",
        threshold=0.0 if uncompared else None,
    )
    if lsh.compared and lsh.verified is not None and lsh.precision is not None:
        yield CANDIDATES.find(
            lsh.precision,
            f"{share(lsh.verified, lsh.compared)} of the candidate pairs compared have a Jaccard "
            f"of at least {lsh.threshold:g}; the others were not reported",
        )
