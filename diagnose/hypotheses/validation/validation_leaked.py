"""Validation documents stand in the training data."""

from collections.abc import Iterator

from assay.diagnose.analysis.run_analysis import RunAnalysis
from assay.formats.hypothesis import Evidence


def read_evidence(run: RunAnalysis) -> Iterator[Evidence]:
    """Take the audit's count, or look for a val loss that is lower than it should be."""
    gap, budget, share = run.gap, run.budget, run.data.leak_share
    if share is not None and share > 0.01:
        shown = f"{100 * share:.1f}% of val documents have a copy in train"
        yield Evidence(5.0 if share > 0.2 else 3.0, shown, direct=True)
    elif share is not None and share < 0.001:
        shown = f"{100 * share:.2f}% of val documents have a copy in train (exact or near)"
        yield Evidence(-4.0, shown, direct=True)
    if gap is None:
        return
    if gap.mean < min(0.0, -3 * gap.error):
        large = run.data.val_tokens is not None and run.data.val_tokens > 4_000_000
        shown = f"val lies {-gap.mean:.3f} below train at every evaluation"
        yield Evidence(2.0 if large else 0.5, shown)
    elif gap.mean > 0.02:
        yield Evidence(-1.0, f"val lies {gap.mean:.3f} above train")
    if budget is not None and budget.capacity < 1 and budget.epochs > 10 and gap.mean < 0.02:
        yield Evidence(
            2.0,
            f"the model could memorise its data and saw it {budget.epochs:.0f} times, and yet "
            "val is no worse than train",
        )
